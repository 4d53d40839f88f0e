"""Figure "strong-order" at small sizes: saved samples, checks, and mutants that they notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import figures
from figures import strong_order
from figures._points import DepthsPoint, Report
from montecarlo import ResNet, simulate_depths

Panels = list[tuple[str, str, list[Any], str]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Panels:
    """Let the figure take few networks."""
    panels = [
        (statement, title, [replace(c, replicas=c.replicas // 4) for c in curves[:1]], reference)
        for statement, title, curves, reference in strong_order._PANELS
    ]
    monkeypatch.setattr(strong_order, "_PANELS", panels)
    return panels


@pytest.mark.usefixtures("small")
@pytest.mark.statistical
def test_checks_agree_and_samples_are_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Four intervals at 99.9 %, seed fixed.
    points = strong_order.FIGURE.points("quick")

    def samples(report: Report) -> dict[ResNet, Any]:
        return {
            point.resnet: point.saved(tmp_path / f"{point.stem}.parquet", 5, None, report) for point in points
        }

    first = samples(Report())
    assert len(first) == 4
    assert [(check.verdict, check.relation) for check in strong_order.FIGURE.checks(first)] == [
        *[("agrees", "equals")] * 3, ("agrees", "at least"),
    ]  # fmt: skip

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("the samples were there")

    monkeypatch.setattr("montecarlo.samples._to_file.collect_rows", forbidden)
    reused: list[int] = []
    again = samples(Report(reused=reused.append))
    assert sum(reused) == sum(point.networks for point in points) > 10_000
    for net, sample in first.items():
        np.testing.assert_array_equal(again[net].log_strong_error, sample.log_strong_error)


@pytest.mark.statistical
def test_a_wrong_scaling_is_noticed(small: Panels) -> None:
    # β is larger by 0.2, and so is every order; that of F4 has room for it.
    samples = {}
    for _, _, (curve,), _ in small:
        net = curve.resnet
        wrong = replace(net, beta=net.beta + 0.2)
        samples[net] = simulate_depths(wrong, curve.depths, replicas=curve.replicas, seed=5)
    strong, weak, smooth, fractional = strong_order.FIGURE.checks(samples)
    assert strong.verdict == "outside"
    assert weak.verdict != "agrees"
    assert smooth.verdict == "outside"
    assert fractional.verdict == "agrees"


@pytest.mark.statistical
def test_an_order_below_the_bound_is_noticed() -> None:
    # Errors with their own noise that fall too slowly, like L^-(2H - 1 - 0.1).
    curve = strong_order._FRACTIONAL[-1]
    sample = simulate_depths(curve.resnet, curve.depths, replicas=curve.replicas, seed=5)
    depths = np.array(curve.depths[:-1], np.float64)
    centre = sample.log_strong_error.mean(axis=0)
    slow = sample.log_strong_error - centre - (curve.predicted - 0.1) * np.log(depths)
    found = curve.order({curve.resnet: replace(sample, log_strong_error=slow)})
    check = figures.Check("order", curve.predicted, found, curve.relation)
    assert check.verdict == "outside"
    assert check.resolution < 0.0


def test_points_are_one_a_specification_and_the_paper_setting_is_larger() -> None:
    quick, paper = (strong_order.FIGURE.points(setting) for setting in ("quick", "paper"))
    assert len({point.resnet for point in quick}) == len(quick) == 11
    assert [point.stem for point in quick] == [point.stem for point in paper]
    assert all(many.networks > few.networks for few, many in zip(quick, paper, strict=True))


def test_a_point_tells_networks_not_paths(tmp_path: Path) -> None:
    net = ResNet(width=3, depth=8, beta=0.5, block="res-1")
    for replicas, expected in ((5, (0, 15)), (7, (15, 6)), (2, (6, 0))):
        sampled: list[int] = []
        reused: list[int] = []
        point = DepthsPoint(net, (2, 4, 8), replicas)
        sample = point.saved(tmp_path / f"{point.stem}.parquet", 1, 1, Report(sampled.append, reused.append))
        assert (sum(reused), sum(sampled)) == expected
        assert len(sample) * 3 == point.networks


def test_an_undecided_weak_order_is_drawn_as_such(small: Panels) -> None:
    samples = {
        curve.resnet: simulate_depths(curve.resnet, curve.depths, replicas=20, seed=1)
        for _, _, (curve,), _ in small
    }
    assert strong_order.FIGURE.checks(samples)[1].verdict == "undecided"
    axis = strong_order.FIGURE.draw(samples).axes[1]
    assert axis.get_legend_handles_labels()[1][-1].endswith(": undecided")
