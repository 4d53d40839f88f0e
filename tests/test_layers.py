"""Imports only go down: theory, then montecarlo, then figures, then the command line; engines do not know
each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import montecarlo

ROOT = Path(__file__).parents[1]
BELOW = {
    "theory": {"theory"},
    "montecarlo": {"montecarlo", "theory"},
    "figures": {"figures", "montecarlo", "theory"},
    "largedepth": {"largedepth", "figures", "montecarlo", "theory"},
}
ENGINES = ("correlated", "dense", "gaussian", "radial")


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("package", BELOW)
def test_packages_import_only_what_lies_below(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        ours = {name.split(".")[0] for name in _imports(path)} & set(BELOW)
        assert ours <= BELOW[package], path


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_share_through_the_kernels_alone(engine: str) -> None:
    others = {f"montecarlo.{other}" for other in ENGINES if other != engine}
    for path in (ROOT / "montecarlo" / engine).glob("*.py"):
        assert not {name for name in _imports(path) if ".".join(name.split(".")[:2]) in others}, path


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
