"""Imports only go down, from package to package and from room to room; engines do not know each other, and no
two modules need each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import montecarlo

ROOT = Path(__file__).parents[1]
PACKAGES = ("theory", "montecarlo", "figures", "largedepth", "benchmarks")
# From the ground up; rooms on one floor do not know each other, except by name below.
FLOORS = (
    ("common",),
    ("streams", "estimates"),
    ("kernels", "laws", "executors"),
    ("processes",),
    ("networks", "store"),
    ("runs",),
    ("engines", "sequential"),
    ("samples",),
    ("diagnosis", "training", "sweeps", "verification"),
    ("practice",),
)
CHAPTERS = (
    ("common",),
    ("independent", "jacobians"),
    ("diffusion", "smooth", "correlated", "normalised", "schedules", "post_activation", "tokens"),
    ("inputs",),
    ("catalogue",),
)
ENGINES = ("correlated", "dense", "gaussian", "radial", "tokens")


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def _modules() -> dict[str, Path]:
    return {_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


@cache
def _needs(path: Path) -> frozenset[str]:
    """Return the project's modules that a file imports anywhere in it, for types alone or in a function, too.

    ``from package import module`` needs the module: the package's own file may well import this one. A
    package's face names the parts below it for type checkers, and needs none of them.
    """
    names: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.parent.parent == ROOT and path.name == "__init__.py":
        tree.body = [node for node in tree.body if not isinstance(node, ast.If)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {full if full in _modules() else node.module for full in inside}
    return frozenset(name for name in names if name in _modules()) - {_name(path)}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_lies_below(package: str) -> None:
    below = set(PACKAGES[: PACKAGES.index(package) + 1])
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        ours = {name.split(".")[0] for name in _needs(path)}
        assert ours <= below, path


@pytest.mark.parametrize(("package", "floors"), [("montecarlo", FLOORS), ("theory", CHAPTERS)])
def test_rooms_import_only_from_lower_floors(package: str, floors: tuple[tuple[str, ...], ...]) -> None:
    height = {room: floor for floor, rooms in enumerate(floors) for room in rooms}
    rooms = {path.name for path in (ROOT / package).iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(height)
    for room in rooms:
        for path in (ROOT / package / room).rglob("*.py"):
            for name in _needs(path):
                if not name.startswith(f"{package}."):
                    continue
                other = name.split(".")[1]
                assert other == room or (other in height and height[other] < height[room]), (path, name)


def test_no_module_needs_itself() -> None:
    graph = {name: _needs(path) for name, path in _modules().items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, with the circle


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_share_through_the_kernels_alone(engine: str) -> None:
    others = {f"montecarlo.engines.{other}" for other in ENGINES if other != engine}
    for path in (ROOT / "montecarlo" / "engines" / engine).glob("*.py"):
        assert not {name for name in _needs(path) if ".".join(name.split(".")[:3]) in others}, path


def test_a_package_leads_to_its_parts_and_imports_them_late() -> None:
    code = (
        "import sys, theory, montecarlo\n"
        "late = {'theory.catalogue', 'montecarlo.verification', 'montecarlo.sweeps'}\n"
        "assert not late & set(sys.modules)\n"
        "assert theory.catalogue.THEOREMS and montecarlo.verification.verify\n"
        "assert montecarlo.sweeps.read_sweep\n"
        "assert not any(hasattr(package, 'nonsense') for package in (theory, montecarlo))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_part_of_montecarlo_can_be_reached() -> None:
    for part in montecarlo._PARTS:
        assert getattr(montecarlo, part).__name__ == f"montecarlo.{part}"
