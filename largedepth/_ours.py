"""Our packages are found where the command line lies, whatever folders the working directory has."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

OURS = ("figures", "montecarlo", "theory")


class _Beside(MetaPathFinder):
    """Finds our packages in one folder; all else is left to those that come after."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [self._folder], target) if name in OURS else None


def find_ours_first() -> None:
    """Import `figures`, `montecarlo` and `theory` from beside this package, in this process.

    ``python -m`` puts the working directory before everything else, and a folder ``figures`` in it is common.
    """
    if not any(isinstance(finder, _Beside) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Beside(Path(__file__).resolve().parents[1]))
