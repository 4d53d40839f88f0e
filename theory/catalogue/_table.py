"""The catalogue as a table of Markdown."""

from __future__ import annotations

from theory.catalogue._catalogue import THEOREMS


def markdown_table() -> str:
    """Return the catalogue as a Markdown table, a line a theorem: id and title, meaning, source."""
    lines = ["| statement | meaning | source |", "| --- | --- | --- |"]
    for theorem in THEOREMS.values():
        lines.append(f"| **{theorem.id}** {theorem.title} | {_cell(theorem.statement)} | {theorem.source} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Keep Markdown from reading bars as ends of cells, and stars and underscores as emphasis."""
    for mark in "|*_":
        text = text.replace(mark, "\\" + mark)
    return text
