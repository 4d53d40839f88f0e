"""``largedepth theorems``: the catalogue of theorems, as a table, in full or as JSON."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from largedepth._streams import can_show

if TYPE_CHECKING:
    from theory.catalogue import Claim, Theorem

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
@click.option("--paper", metavar="ARXIV", help="Only what meets claims of this paper: 2206.02768, say.")
@click.option("--block", metavar="BLOCK", help="Only what is claimed of this block: res-3, say.")
@click.option("--regime", metavar="REGIME", help="Only this regime: exact, say, or 'large depth'.")
def theorems(
    ids: tuple[str, ...],
    as_json: bool,
    markdown: bool,
    paper: str | None,
    block: str | None,
    regime: str | None,
) -> None:
    """List the theorems; with an ID (I2, say, or second-moment) all that is known of it.

    With --paper, --block or --regime those that meet claims of a paper, that speak of a block or that
    belong to a regime; with --paper what the paper claims and what our statements do with it.
    """
    if as_json and markdown:
        raise click.ClickException("--markdown: must not be given together with --json; drop one of the two")
    if markdown and ids:
        raise click.ClickException(f"ID {ids[0]}: must be left out with --markdown; take --json for a part")
    paper = None if paper is None else _bare_id(paper)
    filters = {"--paper": paper, "--block": block, "--regime": regime}
    given = [name for name, value in filters.items() if value is not None]
    if markdown and given:
        raise click.ClickException(f"{given[0]}: must be left out with --markdown; take --json for a part")
    from theory.catalogue import THEOREMS, find_theorem, markdown_table

    try:
        asked = {theorem.id: theorem for theorem in map(find_theorem, ids)}
    except ValueError as error:
        raise click.ClickException(str(error).replace("ID=", "ID ", 1).replace("'", "")) from None
    chosen = [each for each in (asked or THEOREMS).values() if _passes(each, paper, block, regime)]
    if as_json:
        records = [theorem.record() for theorem in chosen]
        text = json.dumps(records, ensure_ascii=False, indent=2)
        if not can_show(text):
            text = json.dumps(records, indent=2)
    elif markdown:
        text = markdown_table().rstrip("\n")
    elif not chosen:
        _say_none(list(asked), {option: value for option, value in filters.items() if value is not None})
        return
    elif paper is not None:
        text = "\n\n".join(_claimed(theorem, paper) for theorem in chosen)
    elif ids:
        text = "\n\n".join(_in_full(theorem) for theorem in chosen)
    else:
        text = _table(chosen)
    click.echo(text)


def _bare_id(paper: str) -> str:
    """Return the arXiv id without what stands around it: arXiv:2206.02768v2 is 2206.02768."""
    return re.sub(r"^(arxiv:|https?://arxiv\.org/(abs|pdf)/)|(v\d+)?(\.pdf)?$", "", paper.strip(), flags=re.I)


def _say_none(asked: list[str], filters: dict[str, str]) -> None:
    """Say that no theorem passes: nothing is no answer."""
    names, paper = ", ".join(asked), filters.pop("--paper", None)
    others = ", ".join(f"{option} {value}" for option, value in filters.items())
    if paper is not None:
        words = f"no claim of arXiv:{paper} is on {names or 'any theorem'}"
        words += f" with {others}" if others else ""
    else:
        words = f"no theorem {f'of {names} ' if asked else ''}passes {others}"
    click.echo(f"theorems: {words}", err=True)


def _passes(theorem: Theorem, paper: str | None, block: str | None, regime: str | None) -> bool:
    """Whether a theorem passes the filters; words that no theorem has are refused."""
    from theory.catalogue import BLOCKS, CLAIMS, THEOREMS, blocks_of

    if paper is not None:
        known = sorted({claim.paper.arxiv for claim in CLAIMS if claim.paper and claim.paper.arxiv})
        _check("--paper", paper, known, "be the arXiv id of a paper in the catalogue")
    if block is not None:
        _check("--block", block, BLOCKS, "be the name of a block")
    if regime is not None:
        regimes = dict.fromkeys(each.regime for each in THEOREMS.values())
        _check("--regime", regime, regimes, "be a regime")
    return (
        (paper is None or any(_by(claim, paper) for claim in theorem.claims))
        and (block is None or block in blocks_of(theorem))
        and (regime is None or theorem.regime == regime)
    )


def _check(option: str, value: str, known: Iterable[str], rule: str) -> None:
    if value not in known:
        raise click.ClickException(f"{option} {value}: must {rule}; give one of {', '.join(known)}")


def _by(claim: Claim, paper: str) -> bool:
    return claim.paper is not None and claim.paper.arxiv == paper


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


def _claimed(theorem: Theorem, paper: str) -> str:
    """Return what a paper claims of a theorem's matter."""
    return _entry(theorem, _fields_of_claims(theorem, lambda claim: _by(claim, paper)))


def _fields_of_claims(theorem: Theorem, chosen: Callable[[Claim], bool]) -> list[tuple[str, str]]:
    fields = []
    for claim in filter(chosen, theorem.claims):
        if claim.paper is not None:
            source = f"{claim.paper.citation} ({claim.basis})"
            theirs = f"; hypotheses: {claim.theirs}" * bool(claim.theirs)
            fields.append(("claimed", f"- {source}: {claim.says.rstrip('.')}{theirs}."))
        else:
            fields.append(("claimed", f"- by nobody that we know: {claim.says}"))
        fields.append(("ours", f"- {claim.relation}: {claim.ours}"))
    return fields


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
        *_fields_of_claims(theorem, lambda _: True),
    ]
    if theorem.extends is not None:
        fields.insert(0, ("completes", theorem.extends))
    return _entry(theorem, fields)


def _entry(theorem: Theorem, fields: Iterable[tuple[str, str]]) -> str:
    """Return a heading and labelled paragraphs, a label that repeats itself shown once."""
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
