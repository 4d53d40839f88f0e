"""Figure 7: from few weights, saved and used again, every cell finite, and able to notice a wrong theory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theory
from figures import heat_maps
from figures._points import Report
from montecarlo import ResNet, SharedSample, simulate_shared


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seven")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat_maps, "_DEPTH", 300)
    monkeypatch.setattr(heat_maps, "_WIDTH", 10)
    monkeypatch.setattr(heat_maps, "_SIZES", {"quick": (12, 6, 20, 2), "paper": (51, 70, 5, 10)})


def _samples(folder: Path, report: Report) -> dict[ResNet, SharedSample]:
    return {
        point.resnet: point.saved(folder / f"{point.stem}-seed-1.parquet", 1, None, report)
        for point in heat_maps._points("quick")
    }


@pytest.mark.usefixtures("small")
def test_saved_samples_are_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _samples(folder, Report())

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("the samples were there")

    monkeypatch.setattr("montecarlo.samples._to_file.collect_rows", forbidden)
    reused: list[int] = []
    again = _samples(folder, Report(reused=reused.append))
    assert sum(reused) == 12 * 6 * 20 * 2
    for net, sample in first.items():
        for name, column in sample.columns.items():
            np.testing.assert_array_equal(again[net][name], column)


def _forward(*, width: int, **size: Any) -> Any:
    """Return the hidden states' law in the place of the gradients'."""
    del width
    return theory.log_first_order_difference(**size)


@pytest.mark.statistical
@pytest.mark.usefixtures("small")
def test_checks_agree_with_theory_and_notice_a_wrong_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Intervals at 99.9 %, seed fixed.
    samples = _samples(folder, Report())
    checks = heat_maps.FIGURE.checks(samples)
    assert [check.verdict for check in checks] == ["agrees"] * 4
    # Forward and backward first orders are different laws.
    monkeypatch.setattr(
        theory,
        "log_first_order_gradient_difference",
        _forward,
    )
    checks = heat_maps.FIGURE.checks(samples)
    assert [check.verdict for check in checks] == ["agrees", "agrees", "outside", "outside"]


@pytest.mark.usefixtures("small")
def test_no_cell_is_lost() -> None:
    points = heat_maps._points("quick")
    samples = {
        point.resnet: simulate_shared(
            point.resnet, replicas=1, seed=1, betas=point.betas, inputs=1, threads=1
        )
        for point in points[-2:]
    }
    for column in heat_maps._COLUMNS:
        assert np.isfinite(heat_maps._maps(samples, column)[2]).all()


def test_paper_settings() -> None:
    points = heat_maps._points("paper")
    assert len(points) == 51
    assert (points[0].resnet.width, points[0].resnet.depth) == (40, 1000)
    assert (points[0].resnet.weights, points[-1].resnet.weights) == ("fbm:0.05", "fbm:0.97")
    assert (len(points[0].betas), points[0].betas[-1]) == (70, 1.3)
    assert (points[0].replicas, points[0].inputs) == (5, 10)
