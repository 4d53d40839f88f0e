"""A kernel on disk is dropped when anything that is compiled into it changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import montecarlo
from montecarlo.common import _jit
from montecarlo.common._jit import kernel_sources

PACKAGE = Path(montecarlo.__file__).parent

COMPILING = {
    "kernel", "helper", "apart", "allocating_helper", "inline", "merged", "intrinsic", "njit", "cfunc",
    "compile_callback",
}  # fmt: skip

IN_NO_KERNEL = {
    "montecarlo.networks._specification": "what Python lays records out from; kernels get numbers in them",
    "montecarlo.estimates": "numpy's arithmetic on rows that are there",
}
"""Modules, or all of a package, that files of kernels import and that nothing is compiled from, and why."""


def imported(file: Path) -> Iterator[str]:
    """Yield the modules that a file imports when it is imported itself, and the names that may be modules."""

    def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            yield statement
            if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
                yield from statements(statement.orelse)
            elif isinstance(statement, ast.If | ast.Try):
                yield from statements(statement.body + statement.orelse)

    for statement in statements(ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{file}: relative imports are not followed"
            yield f"{statement.module}"
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


def file_of(module: str) -> Path | None:
    """Return the file of a module of the package, or None."""
    place = PACKAGE.parent.joinpath(*module.split("."))
    return next((f for f in (place.with_suffix(".py"), place / "__init__.py") if f.is_file()), None)


def excepted(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in IN_NO_KERNEL)


def compiles(file: Path) -> bool:
    """Whether a file imports what makes a kernel or a part of one."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return any(alias.name in COMPILING for statement in imports for alias in statement.names)


def reached() -> dict[Path, Path]:
    """Return the files that kernels may take code or constants from, with one that imports each."""
    todo = [file for file in kernel_sources() if compiles(file)]
    found = {file: file for file in todo}
    while todo:
        file = todo.pop()
        for module in imported(file):
            source = file_of(module) if module.split(".")[0] in ("montecarlo", "theory") else None
            if source is not None and source not in found and not excepted(module):
                found[source] = file
                todo.append(source)
    return found


def test_all_that_kernels_are_made_of_is_hashed() -> None:
    hashed = set(kernel_sources())
    left_out = {str(file): str(by) for file, by in reached().items() if file not in hashed}
    assert not left_out, f"add them to _KERNEL_SOURCES, or to IN_NO_KERNEL with a reason: {left_out}"


@pytest.mark.parametrize("module", ["common._scalars", "common._parts", "networks._transformer_words"])
def test_modules_outside_the_folders_of_kernels(module: str) -> None:
    file = file_of(f"montecarlo.{module}")
    assert file in reached()
    assert file in kernel_sources()


def test_exceptions_are_imported_by_kernels() -> None:
    modules = {module for file in reached() for module in imported(file)}
    assert all(any(module.startswith(name) for module in modules) for name in IN_NO_KERNEL)


def test_the_stamp_depends_on_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / name for name in ("a.py", "b.py")]
    digests = []
    monkeypatch.setattr(_jit, "kernel_sources", lambda: files)
    for contents in ((b"1", b"2"), (b"1", b"3"), (b"4", b"2")):
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)
        digests.append(_jit._sources_digest.__wrapped__())
    assert len(set(digests)) == 3
