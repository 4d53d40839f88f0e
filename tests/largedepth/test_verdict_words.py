"""Tables of verdicts and the summary of `reproduce`, word for word, with numbers worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import figures
from largedepth import _reproduce
from largedepth._verdict_table import (
    counts,
    markdown_table,
    mutant_counts,
    mutant_table,
    summary,
    terminal_table,
)
from montecarlo.estimates import Estimate
from montecarlo.verification import MutantOutcome, MutantRun, Verdict, Verification, explain


def verdict(id: str, word: str = "consistent", **given: Any) -> Verdict:
    values: dict[str, Any] = {
        "id": id, "name": "a", "verdict": word, "quantity": "E x", "claim": "equal", "predicted": 2.5,
        "estimate": 2.4987654, "interval": (2.49, 2.51), "resolution": 0.00432, "false_alarm": 1e-7,
        "networks": 12_345, "seconds": 0.5, "specification": (), "resolution_asked": 0.01,
    }  # fmt: skip
    return Verdict(**values | given)


RUN = Verification(
    (
        verdict("I2"),
        verdict("I2", "refuted", name="b", claim="at most", estimate=3.0, interval=(2.9, 3.1),
                resolution=0.25),
        verdict("S1", "undecided", claim="at least", predicted=-0.5, estimate=math.nan,
                interval=(-math.inf, math.inf), resolution=1.5, resolution_asked=0.2, networks=1_000),
    ),
    7, 2.5e-6, 12.34,
)  # fmt: skip


def test_rows_of_the_terminal_are_what_was_found() -> None:
    lines = terminal_table(RUN, width=100).splitlines()
    assert [line.split() for line in (lines[0], *lines[2:5])] == [
        ["theorem", "quantity", "predicted", "estimate", "resolution", "verdict"],
        ["I2", "a", "E", "x", "2.5", "2.4988", "0.0043", "consistent"],
        ["I2", "b", "E", "x", "≤", "2.5", "3", "0.25", "refuted"],
        ["S1", "a", "E", "x", "≥", "-0.5", "–", "1.5", "undecided"],
    ]
    assert lines[-1] == (
        "3 experiments on 2 theorems: 1 consistent, 1 refuted, 1 undecided; 25,690 networks in 12.3 s; "
        "seed 7, false alarm 2.5e-06"
    )
    assert counts(RUN) == lines[-1]


def test_rows_of_markdown_are_what_was_found() -> None:
    assert markdown_table(RUN).splitlines() == [
        "| theorem | quantity | predicted | estimate | resolution | verdict |",
        "| --- | --- | --- | --- | --- | --- |",
        "| I2 a | E x | 2.5 | 2.4988 | 0.0043 | ✅ consistent |",
        "| I2 b | E x | ≤ 2.5 | 3 | 0.25 | ❌ refuted |",
        "| S1 a | E x | ≥ -0.5 | – | 1.5 | ⚠️ undecided |",
    ]
    shown = summary(RUN)
    assert shown.startswith("## ❌ Theorems against simulation: refuted\n")
    assert "relative to it; absolute for slopes, probabilities and distances between laws" in shown


def test_a_verdict_in_full() -> None:
    refuted, undecided = RUN.verdicts[1:]
    assert explain(refuted).splitlines() == [
        "I2 b: refuted: ≤ 2.5 is predicted, and 3 [2.9, 3.1] was measured",
        "  quantity    E x",
        "  predicted   ≤ 2.5",
        "  estimate    3, not refuted: [2.9, 3.1]",
        "  resolution  0.25, asked for 0.01",
        "  sampled     12,345 rows in 0.5 s",
        "  false alarm 1e-07",
    ]
    assert explain(undecided).splitlines()[0] == (
        "S1 a: undecided: it was stopped at a resolution of 1.5; 0.2 was asked for"
    )
    assert explain(RUN.verdicts[0]).splitlines()[0] == "I2 a: consistent: 2.5 is right to within 0.0043"


def test_mutants_are_counted() -> None:
    run = MutantRun(
        (
            MutantOutcome("I2", "a", "no −1/d", "theory", "refuted", 9_000, 0.25),
            MutantOutcome("I3", "b", "twice", "simulator", "consistent", 12_000, 1.06),
        ),
        7, 3.0,
    )  # fmt: skip
    assert mutant_counts(run) == "2 mutants: 1 caught, 1 missed in 3.0 s; seed 7"
    lines = mutant_table(run).splitlines()
    assert [line.split() for line in lines[2:4]] == [
        ["I2", "a", "no", "−1/d", "theory", "9,000", "0.2", "caught"],
        ["I3", "b", "twice", "simulator", "12,000", "1.1", "MISSED"],
    ]


def drawn(name: str, networks: int, *checks: figures.Check) -> figures.DrawnFigure:
    definition = figures.find_figure(name)
    paths = [Path(f"figure-{name}.pdf"), Path(f"figure-{name}.png")]
    return figures.DrawnFigure(definition, paths, networks, 5, list(checks))


@pytest.mark.parametrize(
    ("name", "networks", "setting", "words"),
    [
        ("2", 14_000, "quick", "14,000 networks (quick setting; the paper one has 22,000), seed 5."),
        ("2", 22_000, "paper", "22,000 networks (paper setting; the quick one has 14,000), seed 5."),
        ("4", 2_400, "quick", "2,400 networks (quick and paper setting are the same), seed 5."),
        ("convergence", 0, "quick", "Computed, not simulated."),
    ],
)
def test_the_source_of_a_figure(name: str, networks: int, setting: str, words: str) -> None:
    assert _reproduce._source(drawn(name, networks), setting) == words


def test_rows_of_a_figure_in_the_summary() -> None:
    estimate = Estimate(value=0.284, lower=0.27, upper=0.2893, confidence=0.999, n=1000, method="t")
    found = [
        figures.Check("log E x²", 0.285, estimate),
        figures.Check("P", 0.25, estimate, "at most"),
        figures.Check("order", 0.3, estimate, "at least"),
        figures.Check("order", 1.0, figures.Computed(1.002, 0.01, "fit")),
    ]
    text = _reproduce._summary([drawn("2", 14_000, *found)], "quick")
    assert "![The critical scaling: laws of the ratios](figure-2.png)" in text
    assert "`largedepth figures 2 --quick --seed 5`" in text
    assert text.splitlines()[-5:] == [
        "| --- | --- | --- | --- | --- |",
        "| log E x² | 0.2850 | 0.2840 [0.2700, 0.2893] (99.9 %, n=1000) | 0.015 | agrees |",
        "| P | ≤ 0.2500 | 0.2840 [0.2700, 0.2893] (99.9 %, n=1000) | -0.02 | outside |",
        "| order | ≥ 0.3000 | 0.2840 [0.2700, 0.2893] (99.9 %, n=1000) | -0.011 | outside |",
        "| order | 1.0000 | 1.002 (fit; tolerance 0.01) | 0.012 | agrees |",
    ]
