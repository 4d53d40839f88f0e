r"""Absolute values and argument stars in docstrings and help texts, which docutils takes for markup.

Docstrings write \|x\| for an absolute value and ``(rows, *cell)`` for a shape; no substitution is ever used.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_CODE = re.compile(r"(``.*?``|`[^`]*`|:math:`[^`]*`)")
_MARKUP = re.compile(r"(?<!\\)(\||(?<=, )\*(?=\w))")


def escape(lines: list[str]) -> None:
    """Escape in place, outside code."""
    in_doctest = False
    for number, line in enumerate(lines):
        in_doctest = line.lstrip().startswith(">>>") or (in_doctest and bool(line.strip()))
        if in_doctest or line.lstrip().startswith(".. "):
            continue
        # A bar before a blank at the start of a line is a line block, which sphinx-click writes.
        block = re.match(r"\s*\| ", line)
        start = block.end() if block else 0
        parts = _CODE.split(line[start:])
        parts[::2] = [_MARKUP.sub(r"\\\1", part) for part in parts[::2]]
        lines[number] = line[:start] + "".join(parts)


def _docstring(app: Sphinx, what: str, name: str, thing: object, options: Any, lines: list[str]) -> None:
    escape(lines)


def _help(app: Sphinx, context: Any, lines: list[str]) -> None:
    escape(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to autodoc, after numpydoc, and to sphinx-click."""
    app.connect("autodoc-process-docstring", _docstring, priority=900)
    for part in ("description", "options", "arguments", "epilog"):
        app.connect(f"sphinx-click-process-{part}", _help)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
