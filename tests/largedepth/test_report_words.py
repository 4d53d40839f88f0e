"""What the report says, word for word, with numbers worked out by hand: units, order of rows, counts."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from report_folder import record

from largedepth.report import Report, render
from largedepth.report._data import Check, Figure
from largedepth.report._read import statements_of, verdict_of
from largedepth.report._words import (
    checks_line,
    engines_line,
    headline,
    networks_line,
    resolution,
    resolution_unit,
)
from theory.catalogue import THEOREMS

# A PNG's first bytes, with a width and a height.
IMAGE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x03\x20\x00\x00\x01\x90"


def check(verdict: str, **given: Any) -> Check:
    values = {
        "quantity": "log E x²", "relation": "equals", "predicted": -0.0634821, "resolution": 0.0213,
        "shown": "-0.05 [-0.28, inf] (99.9 %, n=10)", "simulated": True,
    }  # fmt: skip
    return Check(**values | given, verdict=verdict)


def figure(*checks: Check, **given: Any) -> Figure:
    samples = [
        {"specification": {"width": 40, "depth": depth, "beta": 0.5}, "networks": 50, "engine": engine}
        for depth, engine in ((10, "dense"), (100, "radial"), (1000, "dense"))
    ]
    values: dict[str, Any] = {
        "name": "2", "title": "Laws", "caption": "What to see.", "paper": "As in the paper.",
        "setting": "quick", "seed": 3, "networks": 14_000, "networks_of_other_setting": 120_000,
        "command": "largedepth figures 2 --quick --seed 3", "image": IMAGE, "samples": samples,
        "checks": checks,
    }  # fmt: skip
    return Figure(**values | given)


def report(*records: dict[str, Any], figures: tuple[Figure, ...] = ()) -> Report:
    return Report(statements_of([verdict_of(r) for r in records]), figures, None)


def text(fragment: str) -> str:
    """Return what a reader sees of some HTML: cells apart, no tags."""
    apart = re.sub(r"</(td|th|p|summary|dd|dt)>", " | ", fragment)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", apart)).split())


def row(page: str, id: str) -> str:
    """Return the row of a theorem."""
    found = re.search(rf'<tbody [^>]*id="{id}".*?<tr role="row" class="main">(.*?)</tr>', page, re.DOTALL)
    assert found is not None
    return text(found[1])


def experiments(page: str, id: str) -> list[str]:
    """Return the rows of a theorem's experiments."""
    found = re.search(rf'aria-label="Experiments on {id}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert found is not None
    return [text(part) for part in re.findall(r"<tr>(.*?)</tr>", found[1], re.DOTALL)]


@pytest.mark.parametrize(
    ("value", "scale", "shown", "unit"),
    [
        (0.02, "relative", "2 %", "of the prediction"),
        (0.00673, "relative", "0.67 %", "of the prediction"),
        (1.5, "relative", "1.5·10² %", "of the prediction"),
        (0.02, "absolute", "0.02", "absolute"),
        (0.0213, "distribution", "0.021", "distance between laws"),
        (2e-6, "probability", "2·10⁻⁶", "of a probability"),
        (None, "relative", "–", "of the prediction"),
    ],
)
def test_resolutions_have_their_units(value: float | None, scale: str, shown: str, unit: str) -> None:
    assert (resolution(value, scale), resolution_unit(scale)) == (shown, unit)


def test_every_scale_of_the_catalogue_has_words() -> None:
    assert all(resolution_unit(theorem.resolution.scale) for theorem in THEOREMS.values())


def test_a_row_is_the_experiment_that_is_coarsest_for_what_was_asked() -> None:
    # 0.03 of 0.05 asked is finer than 0.008 of 0.01: the size alone would take the other one.
    records = (
        record("I2", "rough", resolution=0.03, resolution_asked=0.05, networks=400),
        record("I2", "sharp", resolution=0.008, resolution_asked=0.01, networks=30_000),
    )
    for order in (records, records[::-1]):
        (statement,) = [s for s in report(*order).statements if s.id == "I2"]
        assert statement.weakest is not None
        assert statement.weakest.name == "sharp"
        assert statement.networks == 30_400
    page = render(report(*records))
    assert row(page, "I2") == (
        f"I2 {THEOREMS['I2'].title} {THEOREMS['I2'].regime} · the paper | ✓ consistent | E‖h_L‖² sharp | "
        "1.5 | 1.4987 [1.49, 1.51] | 0.8 % | 30,400 |"
    )
    assert experiments(page, "I2") == [
        "rough E‖h_L‖² res-3, width 8, depth 6, α 0.3 | ✓ consistent | 1.5 | 1.4987 | [1.49, 1.51] | "
        "3 % asked 5 % | 400 |",
        "sharp E‖h_L‖² res-3, width 8, depth 6, α 0.3 | ✓ consistent | 1.5 | 1.4987 | [1.49, 1.51] | "
        "0.8 % asked 1 % | 30,000 |",
    ]


def test_the_gravest_verdict_comes_before_the_coarsest() -> None:
    found = report(
        record("I3", "a", "undecided", resolution=None, estimate=None, interval=[None, None]),
        record("I3", "b", "refuted", resolution=0.0001, estimate=1.6, interval=[1.58, 1.62]),
        record("I3", "c", resolution=9.0),
        record("I6", "d", "undecided", resolution=0.02, resolution_asked=0.01),
        record("I6", "e", "undecided", resolution=None, estimate=None, interval=[None, None]),
    )
    named = {s.id: s.weakest.name for s in found.statements if s.weakest is not None}
    assert named == {"I3": "b", "I6": "e"}  # what saw nothing at all says least
    page = render(found)
    assert "| ✕ refuted | E‖h_L‖² b | 1.5 | 1.6 [1.58, 1.62] | 0.01 % |" in row(page, "I3")
    assert "| ? undecided | E‖h_L‖² e | 1.5 | – (−∞, ∞) | – |" in row(page, "I6")


def test_bounds_and_what_was_left_out_are_said() -> None:
    page = render(
        report(
            record("I10", "most", claim="at most", predicted=0.1, estimate=0.02, interval=[None, 0.03],
                   rows_left_out=2),
            record("I9", "least", claim="at least", predicted=0.6487, estimate=0.65, interval=[0.64, None]),
        )
    )  # fmt: skip
    assert "| ≤ 0.1 | 0.02 (−∞, 0.03] |" in row(page, "I10")
    assert "2 rows not finite and left out" in experiments(page, "I10")[0]
    assert "| ≥ 0.6487 | 0.65 [0.64, ∞) |" in row(page, "I9")


def test_refutations_in_a_sentence() -> None:
    bound = record(
        "I10", "most", "refuted", claim="at most", predicted=0.1, estimate=0.15, interval=[0.12, 0.2]
    )
    found = headline(report(bound, record("I2", networks=1200), record("I3", "x", "undecided")))
    assert found.details[:3] == (
        f"I10, {THEOREMS['I10'].title}: ≤ 0.1 is predicted, and 0.15 [0.12, 0.2] was measured (most).",
        "Undecided within the time given: I3.",
        "3 experiments on 3,200 simulated networks tested 3 theorems.",
    )
    both = headline(report(bound, record("I2", verdict="refuted")))
    assert both.text.replace("\N{NO-BREAK SPACE}", " ") == "2 theorems were refuted: I2 and I10"


def test_numbers_of_figures_are_counted_by_verdict() -> None:
    checks = [check("agrees")] * 5 + [check("outside")] * 2 + [check("undecided")]
    assert checks_line(figure(*checks)) == "8 numbers beside theory: 2 outside, 1 undecided, 5 agree"
    assert checks_line(figure(check("agrees"))) == "1 number beside theory: 1 agree"
    assert checks_line(figure()) == "no numbers"
    assert headline(report(figures=(figure(*checks),))).details == (
        "Of 8 numbers in the figures held against theory, 2 outside their interval, 5 agree and "
        "1 cannot tell, as a heavy tail leaves their interval open.",
    )
    assert headline(report(figures=(figure(*checks[:5]),))).details == (
        "All 5 numbers of the figures that are held against theory agree.",
    )


def test_rows_of_a_figure() -> None:
    checks = (check("agrees"), check("outside", relation="at most", predicted=0.1, shown="0.2 [0.15, 0.25]"))
    page = render(report(figures=(figure(*checks),)))
    (table,) = re.findall(
        r'aria-label="Numbers of figure 2 beside theory".*?<tbody>(.*?)</tbody>', page, re.DOTALL
    )
    assert [text(part) for part in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)] == [
        "log E x² | ✓ agrees | −0.063482 | −0.05 [−0.28, ∞] (99.9 %, n=10) | 0.021 |",
        "log E x² | ✕ outside | ≤ 0.1 | 0.2 [0.15, 0.25] | 0.021 |",
    ]
    (facts,) = re.findall(r'<dl class="facts">(.*?)</dl>', page, re.DOTALL)
    assert text(facts) == (
        "Beside the paper | As in the paper. | Specification | res-3, width 40, depth 10, 100, 1000, β 0.5 | "
        "Networks | 14,000 in the quick setting, 120,000 in the paper one | Engine | dense; radial | "
        "Seed | 3 | Draw it again | largedepth figures 2 --quick --seed 3 |"
    )


def test_networks_of_both_settings() -> None:
    assert networks_line(figure(setting="paper", networks=120_000, networks_of_other_setting=14_000)) == (
        "120,000 in the paper setting, 14,000 in the quick one"
    )
    same = figure(networks=2400, networks_of_other_setting=2400)
    assert networks_line(same) == "2,400, in the quick setting and in the paper's"
    assert networks_line(figure(networks=0)) == "none: computed, not simulated"
    assert engines_line([{"engine": None}]) == "none"
