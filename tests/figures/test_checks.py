"""Checks of numbers beside theory: bounds, two samples, and those that no picture shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import figures
from figures._laws import bound_check, same_law_check
from largedepth._reproduce import _summary
from montecarlo import ResNet, Sample, simulate
from montecarlo.estimates import Estimate


def test_a_bound_is_refuted_from_below_only() -> None:
    events = np.arange(1000) < 200
    assert bound_check("P", events, 0.9).verdict == "agrees"
    assert bound_check("P", events, 0.2).verdict == "agrees"
    tight = bound_check("P", events, 0.1)
    assert tight.verdict == "outside"
    # What a check notices is what turns it outside.
    loose = bound_check("P", events, 0.9)
    assert replace(loose, predicted=0.9 - 1.001 * loose.resolution).verdict == "outside"
    assert replace(loose, predicted=0.9 - 0.999 * loose.resolution).verdict == "agrees"


def test_a_bound_from_below_is_refuted_from_above_only() -> None:
    estimate = Estimate(value=0.7, lower=0.6, upper=0.75, confidence=0.99, n=9, method="t")
    for predicted, verdict in ((0.2, "agrees"), (0.65, "agrees"), (0.75, "agrees"), (0.76, "outside")):
        assert figures.Check("order", predicted, estimate, "at least").verdict == verdict
    loose = figures.Check("order", 0.2, estimate, "at least")
    assert loose.resolution == pytest.approx(0.55)
    assert replace(loose, predicted=0.2 + 1.001 * loose.resolution).verdict == "outside"
    assert replace(loose, predicted=0.2 + 0.999 * loose.resolution).verdict == "agrees"
    # An interval without upper end cannot refute it, whatever the bound.
    assert replace(loose, estimate=replace(estimate, upper=np.inf)).verdict == "undecided"
    assert replace(loose, estimate=replace(estimate, lower=-np.inf)).verdict == "agrees"


@pytest.mark.statistical
def test_two_samples_of_one_law_and_of_two() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 4000))
    assert same_law_check("x and y", x, y).verdict == "agrees"
    other = same_law_check("x and y", x, y + 0.3)
    assert other.verdict == "outside"
    # The true distance, 2 Φ(0.15) - 1.
    assert other.estimate.contains(0.11924)


def _sample_of(point: figures.Point, resnet: ResNet) -> Sample:
    """Return networks of `resnet` that pass for those of the point."""
    request = point.request
    sample = simulate(
        resnet, replicas=4000, seed=6, engine=point.engine, weight_gradients=request.weight_gradients,
        gradients="joint" if request.gradients else "none",
    )  # fmt: skip
    return replace(sample, resnet=point.resnet)


@pytest.mark.parametrize(("name", "statement", "wrong"), [("1", "(I10b)", 1), ("3", "(I5)", 6)])
@pytest.mark.statistical
def test_checks_that_no_picture_shows_notice_a_wrong_scaling(name: str, statement: str, wrong: int) -> None:
    # Intervals at 99.9 %, seed fixed.
    definition = figures.find_figure(name)
    *drawn, last = definition.points("quick")
    picture = {
        point.resnet: Sample(
            point.resnet, 0, "dense", 0,
            {f"log_{kind}_difference": np.full(50, -1.0) for kind in ("hidden", "gradient")},
        )
        for point in drawn
    }  # fmt: skip
    mutant = ResNet(width=40, depth=last.resnet.depth, alpha=1.05 * last.resnet.scaling)
    for resnet, expected in ((last.resnet, 0), (mutant, wrong)):
        checks = definition.checks(picture | {last.resnet: _sample_of(last, resnet)})
        outside = [c.quantity for c in checks if statement in c.quantity and not c.agrees]
        assert len(outside) == expected, outside


def test_summary_writes_bounds_as_bounds() -> None:
    checks = [bound_check("P(outside)", np.zeros(100, np.bool_), 0.1)]
    definition = figures.find_figure("convergence")
    drawn = figures.DrawnFigure(definition, [Path("a.pdf"), Path("a.png")], 0, 0, checks)
    assert "| P(outside) | ≤ 0.1000 |" in _summary([drawn], "quick")
    least = replace(drawn, checks=[replace(checks[0], relation="at least")])
    assert "| P(outside) | ≥ 0.1000 |" in _summary([least], "quick")
