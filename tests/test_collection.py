"""Every package is among what a bare `pytest` collects, and no module of ours is loaded twice."""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from pathlib import Path

import largedepth.pytest_plugin

ROOT = Path(__file__).parents[1]


def test_doctests_of_every_package_are_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    packages = {name.removesuffix("*") for name in project["setuptools"]["packages"]["find"]["include"]}
    assert set(project["pytest"]["ini_options"]["testpaths"]) == packages | {"tests"}
    assert packages == {path.parent.name for path in ROOT.glob("*/py.typed")}


def test_the_plugin_is_one_module() -> None:
    # Loaded as an entry point and collected for its doctests: two copies would have two sets of options.
    plugin = largedepth.pytest_plugin.__file__
    files = Counter(str(getattr(module, "__file__", None)) for module in list(sys.modules.values()))
    assert files[str(plugin)] == 1
