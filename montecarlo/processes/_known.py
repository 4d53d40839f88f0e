"""The families of named processes, by the first word of their spelling; `_names` fills it.

Processes know of it what they need of one another: which names are taken, and how one is found again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PARSERS: dict[str, Callable[[str], Any]] = {}
"""First word of a spelling to what makes a process of the whole."""


def rebuild(name: str) -> Any:
    """Return the named process of a spelling."""
    return PARSERS[name.split(":", maxsplit=1)[0]](name)
