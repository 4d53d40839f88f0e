"""Kernels where numba can keep nothing on disk: compiled in each process, and torn caches mended.

The tests run as root in a container, whom no permission stops: the operations that would fail are replaced.
"""

from __future__ import annotations

import errno
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numba.core import caching

from montecarlo import Activation
from montecarlo.common._jit import JIT_OFF, compile_callback, kernel

pytestmark = pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")


@pytest.fixture
def functions(tmp_path: Path) -> Callable[[], Any]:
    """Return a function that imports a module from a file anew: numba keeps its cache beside it."""
    path = tmp_path / "functions.py"
    path.write_text("def half(x):\n    return 0.5 * x\n", encoding="utf-8")

    def load() -> Any:
        specification = importlib.util.spec_from_file_location("functions", path)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module.half

    return load


def compile_both(function: Any) -> Any:
    compiled = kernel(function)
    assert compiled(3.0) == 1.5
    assert compile_callback(function, "float64(float64)", cache=True).ctypes(3.0) == 1.5
    return compiled


def failing(number: int) -> Callable[..., Any]:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_no_folder_can_be_written(functions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A read-only installation, and no HOME or another user's.
    monkeypatch.setattr(caching._CacheLocator, "ensure_cache_path", failing(errno.EROFS))
    compiled = compile_both(functions())
    assert compiled._cache.cache_path is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("operation", ["_save_index", "_save_data", "_load_index"])
def test_a_full_disk_or_files_of_another_user(
    operation: str, number: int, functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching.IndexDataCacheFile, operation, failing(number))
    compile_both(functions())


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_a_torn_cache_is_left_out_and_mended(ending: str, functions: Any, tmp_path: Path) -> None:
    def hits() -> int:
        compiled = kernel(functions())
        assert compiled(3.0) == 1.5
        return sum(compiled.stats.cache_hits.values())

    assert [hits(), hits()] == [0, 1]
    (torn,) = tmp_path.rglob(f"*.{ending}")
    for content in (b"", b"torn"):
        torn.write_bytes(content)
        assert [hits(), hits()] == [0, 1]
    torn.write_bytes(b"torn")
    assert compile_callback(functions(), "float64(float64)", cache=True).ctypes(3.0) == 1.5


def test_a_user_without_a_home_gets_no_folder_of_that_name(
    functions: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a number without an account
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    compile_both(functions())
    # Python's own bytecode may lie beside the file, where that is written.
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"functions.py"}
    assert not [*tmp_path.rglob("*.nb?")]


def test_a_function_that_cannot_be_compiled_is_still_told_apart() -> None:
    with pytest.raises(ValueError, match="compilable"):
        Activation("text", lambda x: f"{x}", lambda x: x).compiled()  # type: ignore[arg-type,return-value]
