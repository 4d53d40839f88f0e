"""``theorems``: statements of `theory.catalogue`, written when the pages are built, hence never stale."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from theory.catalogue import THEOREMS, Theorem

_SCALES = {
    "relative": "of the prediction",
    "absolute": "in the units of the quantity",
    "distribution": "between distribution functions",
    "probability": "in probability",
}


def _source(theorem: Theorem, proved: set[str]) -> str:
    if theorem.id in proved:
        return f"{theorem.source} (:ref:`proof <proof-{theorem.id.lower()}>`)"
    return theorem.source


def _escape(text: str) -> str:
    return (
        text.replace("\\", "\\\\")
        .replace("*", "\\*")
        .replace("|", "\\|")
        .replace("`", "\\`")
        .replace("_", "\\_")
    )


def _entry(theorem: Theorem, proved: set[str]) -> list[str]:
    title = f"{theorem.id}: {theorem.title}"
    predicted = ", ".join(f":py:obj:`~theory.{name}`" for name in theorem.predicted)
    lines = [
        f".. _theorem-{theorem.id.lower()}:", "", title, "-" * (2 * len(title)), "",
        _escape(theorem.statement), "", ".. math::", "", f"   {theorem.latex}", "",
        f":Name: ``{theorem.name}``, {theorem.regime}",
        f":Source: {_source(theorem, proved)}",
        f":Idea of the proof: {_escape(theorem.proof)}",
        f":Hypotheses: {_escape('; '.join(each.text for each in theorem.hypotheses))}",
        f":Predicted by: {predicted}",
        f":Tested: {_escape(theorem.quantity)}; an error of {theorem.resolution.value:g} "
        f"{_SCALES[theorem.resolution.scale]} must show",
        "",
    ]  # fmt: skip
    return lines


class Theorems(SphinxDirective):
    """Write the theorems whose ids begin with a letter."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write reStructuredText and parse it."""
        import theory.catalogue

        self.env.note_dependency(str(theory.catalogue.__file__))
        self.env.note_reread()  # the catalogue is code in many files
        chosen = [theorem for theorem in THEOREMS.values() if theorem.id.startswith(self.arguments[0])]
        proved = proved_ids()
        lines = [line for theorem in chosen for line in _entry(theorem, proved)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class TheoremTable(SphinxDirective):
    """Write one line a theorem."""

    option_spec = {"source": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Write reStructuredText and parse it."""
        self.env.note_reread()
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 10 70 20", ""]
        lines += ["   * - id", "     - says", "     - source"]
        for theorem in THEOREMS.values():
            lines += [
                f"   * - :ref:`{theorem.id} <theorem-{theorem.id.lower()}>`",
                f"     - {_escape(theorem.title)}",
                f"     - {theorem.source}",
            ]
        return self.parse_text_to_nodes("\n".join(lines))


def proved_ids() -> set[str]:
    """Return the ids that have a proof on the page of a chapter."""
    pages = (Path(__file__).parents[1] / "theory").glob("*.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    labels = set(re.findall(r"^\(proof-([a-z0-9]+)\)=$", text, re.M))
    return {id for id in THEOREMS if id.lower() in labels}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("theorems", Theorems)
    app.add_directive("theorem-table", TheoremTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
