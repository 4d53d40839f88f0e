"""``largedepth theorems``: the catalogue of theorems, as a table, in full or as JSON."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from largedepth._streams import can_show

if TYPE_CHECKING:
    from theory.catalogue import Theorem

_WIDTH = 80
_LABEL = 13
_NOTE = (
    "MFBV: arXiv:2206.06929; derived: proved in this project; sharpened: a rate or constant of ours. Ids "
    "with a letter complete the statement before them. In full: largedepth theorems I2"
)


@click.command(epilog="Example: largedepth theorems I2 second-moment --json")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--json", "as_json", is_flag=True, help="A list of records.")
@click.option("--markdown", is_flag=True, help="The whole catalogue as a table in Markdown.")
def theorems(ids: tuple[str, ...], as_json: bool, markdown: bool) -> None:
    """List the theorems; with an ID (I2, say, or second-moment) all that is known of it."""
    if as_json and markdown:
        raise click.ClickException("--markdown: must not be given together with --json; drop one of the two")
    if markdown and ids:
        raise click.ClickException(f"ID {ids[0]}: must be left out with --markdown; take --json for a part")
    from theory.catalogue import THEOREMS, find_theorem, markdown_table

    try:
        asked = {theorem.id: theorem for theorem in map(find_theorem, ids)}
    except ValueError as error:
        raise click.ClickException(str(error).replace("ID=", "ID ", 1).replace("'", "")) from None
    chosen = list((asked or THEOREMS).values())
    if as_json:
        records = [theorem.record() for theorem in chosen]
        text = json.dumps(records, ensure_ascii=False, indent=2)
        if not can_show(text):
            text = json.dumps(records, indent=2)
    elif markdown:
        text = markdown_table().rstrip("\n")
    elif ids:
        text = "\n\n".join(_in_full(theorem) for theorem in chosen)
    else:
        text = _table(chosen)
    click.echo(text)


def _width() -> int:
    """Return the columns of the terminal, 80 at most."""
    return min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)


def _table(chosen: Iterable[Theorem]) -> str:
    rows = [("id", "title", "source", "regime")]
    rows += [(theorem.id, theorem.title, theorem.source, theorem.regime) for theorem in chosen]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[1] = max(12, min(widths[1], _width() - sum(widths) - 6 + widths[1]))
    lines = []
    for name, title, *others in rows:
        first, *more = textwrap.wrap(title, widths[1])
        lines.append("  ".join(map(str.ljust, (name, first, *others), widths)).rstrip())
        lines += [" " * (widths[0] + 2) + line for line in more]
    return "\n".join([*lines, "", textwrap.fill(_NOTE, _width())])


def _in_full(theorem: Theorem) -> str:
    regime = theorem.regime if theorem.regime == theorem.kind else f"{theorem.regime}; {theorem.kind}"
    fields = [
        ("statement", theorem.statement),
        ("LaTeX", theorem.latex),
        ("source", theorem.source),
        ("proof", theorem.proof),
        *(("holds if", f"- {hypothesis.text}") for hypothesis in theorem.hypotheses),
        ("regime", regime),
        ("predicts", theorem.quantity),
        ("computed by", ", ".join(f"theory.{name}" for name in theorem.predicted)),
        ("resolution", f"{theorem.resolution.value:g} {theorem.resolution.scale}"),
    ]
    if theorem.extends is not None:
        fields.insert(0, ("completes", theorem.extends))
    lines = [f"{theorem.id}  {theorem.title} ({theorem.name})"]
    previous = ""
    for label, text in fields:
        lines += textwrap.wrap(
            text,
            _width(),
            initial_indent=("" if label == previous else label).ljust(_LABEL),
            subsequent_indent=" " * (_LABEL + 2 * text.startswith("- ")),
            break_on_hyphens=False,
            break_long_words=False,
        )
        previous = label
    return "\n".join(lines)
