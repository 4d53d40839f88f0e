"""The catalogue as a table of Markdown."""

from __future__ import annotations

from theory.catalogue._catalogue import THEOREMS


def markdown_table() -> str:
    """Return the catalogue as a Markdown table, a line a theorem: id and title, meaning, source."""
    lines = ["| statement | meaning | source |", "| --- | --- | --- |"]
    for theorem in THEOREMS.values():
        meaning = theorem.statement.replace("|", "\\|")  # a bare bar would end the cell
        lines.append(f"| **{theorem.id}** {theorem.title} | {meaning} | {theorem.source} |")
    return "\n".join(lines) + "\n"
