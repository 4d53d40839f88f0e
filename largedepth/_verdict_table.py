"""Verdicts as tables: plain text for a terminal of 80 to 100 columns, and Markdown."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from montecarlo.verification import MutantRun, Verdict, Verification

_COLOURS = {
    "consistent": "green", "refuted": "red", "undecided": "yellow", "caught": "green", "MISSED": "red",
}  # fmt: skip
_MARKS = {"consistent": "✅", "refuted": "❌", "undecided": "⚠️", "caught": "✅", "MISSED": "❌"}
_WORDS = ("consistent", "refuted", "undecided")


def terminal_table(verification: Verification, *, width: int = 100, colour: bool = False) -> str:
    """Return a line an experiment, then all that is known of what was refuted, then the counts."""
    from montecarlo.verification import explain

    head = ("theorem", "quantity", "predicted", "estimate", "resolution", "verdict")
    rows = [_cells(verdict) for verdict in verification.verdicts]
    lines = _columns([head, *rows], right=(2, 3, 4), shrink=(1, 0), width=width, colour=colour)
    for verdict in verification.verdicts:
        if verdict.verdict == "refuted":
            lines += ["", explain(verdict)]
    return "\n".join([*lines, "", _filled(counts(verification), width)])


def mutant_table(run: MutantRun, *, width: int = 100, colour: bool = False) -> str:
    """Return a line a mutant, then the counts."""
    head = ("theorem", "wrong on purpose", "in", "networks", "seconds", "outcome")
    lines = _columns([head, *_mutant_rows(run)], right=(3, 4), shrink=(1, 0), width=width, colour=colour)
    return "\n".join([*lines, "", _filled(mutant_counts(run), width)])


def markdown_table(verification: Verification) -> str:
    """Return the verdicts as a Markdown table."""
    head = ("theorem", "quantity", "predicted", "estimate", "resolution", "verdict")
    return _markdown([head, *(_cells(verdict) for verdict in verification.verdicts)])


def summary(verification: Verification) -> str:
    """Return a job summary in GitHub's Markdown."""
    from montecarlo.verification import explain

    lines = [
        f"## {_MARKS[verification.verdict]} Theorems against simulation: {verification.verdict}", "",
        counts(verification), "", markdown_table(verification),
    ]  # fmt: skip
    for verdict in verification.verdicts:
        if verdict.verdict != "consistent":
            lines += ["```", explain(verdict), "```", ""]
    lines.append(
        "*Resolution*: the error of the prediction that could not have passed, relative to it; "
        "absolute for slopes, probabilities and distances between laws; – for inequalities, which have none."
    )
    return "\n".join(lines) + "\n"


def mutant_summary(run: MutantRun) -> str:
    """Return the outcomes of mutants as a job summary in GitHub's Markdown."""
    word = "MISSED" if run.missed else "caught"
    head = ("theorem", "wrong on purpose", "in", "networks", "seconds", "outcome")
    title = f"## {_MARKS[word]} Wrong variants of theorems and simulators"
    return "\n".join([title, "", mutant_counts(run), "", _markdown([head, *_mutant_rows(run)])])


def counts(verification: Verification) -> str:
    """Return in one line how many experiments ended how, and at what price."""
    words = [verdict.verdict for verdict in verification.verdicts]
    networks = sum(verdict.networks for verdict in verification.verdicts)
    found = ", ".join(f"{words.count(word)} {word}" for word in _WORDS)
    rows = sum(verdict.rows_left_out for verdict in verification.verdicts)
    lost = f"; {_plural(rows, 'row')} not finite and left out" * bool(rows)
    return (
        f"{_plural(len(words), 'experiment')} on {_plural(len(verification.theorems), 'theorem')}: {found}; "
        f"{networks:,} networks in {verification.seconds:.1f} s; seed {verification.seed}, "
        f"false alarm {verification.false_alarm:.2g}{lost}"
    )


def mutant_counts(run: MutantRun) -> str:
    """Return in one line how many mutants were caught."""
    caught = len(run.outcomes) - len(run.missed)
    total = _plural(len(run.outcomes), "mutant")
    return f"{total}: {caught} caught, {len(run.missed)} missed in {run.seconds:.1f} s; seed {run.seed}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    from montecarlo.verification._explain import SIGNS, number

    return (
        f"{verdict.id} {verdict.name}".strip(), verdict.quantity,
        f"{SIGNS[verdict.claim]}{number(verdict.predicted)}", number(verdict.estimate),
        f"{verdict.resolution:.2g}" if verdict.resolution > 0 else "–", verdict.verdict,
    )  # fmt: skip


def _mutant_rows(run: MutantRun) -> list[tuple[str, ...]]:
    return [
        (
            f"{outcome.theorem} {outcome.experiment}".strip(), outcome.mutant, outcome.kind,
            f"{outcome.networks:,}", f"{outcome.seconds:.1f}", "caught" if outcome.caught else "MISSED",
        )
        for outcome in run.outcomes
    ]  # fmt: skip


def _filled(text: str, width: int) -> str:
    """Return a text in lines that a narrow terminal does not break; as one line elsewhere."""
    return text if width >= 80 else textwrap.fill(text, width)


def _columns(
    rows: Sequence[Sequence[str]], *, right: Iterable[int], shrink: Iterable[int], width: int, colour: bool
) -> list[str]:
    """Return aligned lines of at most `width` columns; the columns in `shrink` give way, in that order."""
    sizes = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    for least in (12, 4):  # narrow ones are hard to read, and better than lines that are broken
        for column in shrink:
            excess = sum(sizes) + 2 * (len(sizes) - 1) - width
            sizes[column] = max(min(sizes[column], least), sizes[column] - max(excess, 0))
    lines = []
    for index, row in enumerate(rows):
        cells = []
        for column, text in enumerate(row):
            shown = _cut(text, sizes[column])
            padding = " " * (sizes[column] - _width(shown))
            cells.append(padding + shown if column in right else shown + padding)
        last = cells[-1].rstrip()
        if colour:
            last = click.style(last, bold=True) if index == 0 else click.style(last, fg=_COLOURS.get(last))
        lines.append("  ".join([*cells[:-1], last]))
    return [lines[0], "─" * (sum(sizes) + 2 * (len(sizes) - 1)), *lines[1:]]


def _width(text: str) -> int:
    """Return the columns that a text takes: accents that sit on the letter before take none."""
    return sum(unicodedata.combining(character) == 0 for character in text)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    cells = [[_escape(cell) for cell in row] for row in rows]
    cells[1:] = [[*row[:-1], f"{_MARKS[row[-1]]} {row[-1]}"] for row in cells[1:]]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    rule = f"| {' | '.join(['---'] * len(rows[0]))} |"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def _escape(cell: str) -> str:
    for mark in "|*_<":
        cell = cell.replace(mark, "\\" + mark)
    return cell
