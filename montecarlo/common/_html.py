"""Small HTML tables for notebooks: no style sheet, no script, colours that work on light and dark pages."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

_COLOURS = {
    "consistent": "#22863a", "resolved": "#22863a", "agrees": "#22863a", "refuted": "#cb2431",
    "disagrees": "#cb2431",    "undecided": "#b08800",
}  # fmt: skip


def record(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """Return a table of names and values under a title; rows without a value are left out.

    Examples
    --------
    >>> record("Estimate", [("value", 0.5), ("warning", None)])
    '<table><caption>Estimate</caption><tr><th scope="row">value</th><td>0.5</td></tr></table>'
    """
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{cell(value)}</td></tr>'
        for name, value in rows
        if value is not None and value != ""
    )
    return f"<table><caption>{html.escape(title)}</caption>{body}</table>"


def table(title: str, rows: Sequence[Sequence[object]]) -> str:
    """Return a table whose first row is its head.

    Examples
    --------
    >>> table("a < b", [["x"], [1]])
    '<table><caption>a &lt; b</caption><tr><th scope="col">x</th></tr><tr><td>1</td></tr></table>'
    """
    head = "".join(f'<th scope="col">{cell(name)}</th>' for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{cell(value)}</td>" for value in row) + "</tr>" for row in rows[1:])
    return f"<table><caption>{html.escape(title)}</caption><tr>{head}</tr>{body}</table>"


def cell(value: object) -> str:
    """Return a value as escaped text: numbers to six digits, verdicts in colour."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else html.escape(str(value))
    text = html.escape(str(value))
    colour = _COLOURS.get(str(value))
    return f'<b style="color:{colour}">{text}</b>' if colour else text


def interval(ends: tuple[float, float]) -> str:
    """Return an interval in brackets."""
    return f"[{ends[0]:.6g}, {ends[1]:.6g}]"
