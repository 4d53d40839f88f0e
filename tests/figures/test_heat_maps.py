"""Figure 7: from few weights, with the same bytes, every cell finite, and able to notice a wrong theory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import figures
import theory
from figures import heat_maps
from montecarlo import simulate_shared


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seven")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat_maps, "_DEPTH", 300)
    monkeypatch.setattr(heat_maps, "_WIDTH", 10)
    monkeypatch.setattr(heat_maps, "_SIZES", {"quick": (12, 6, 20, 2), "paper": (51, 70, 5, 10)})


@pytest.mark.usefixtures("small")
def test_draws_the_same_bytes_from_saved_samples(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = figures.draw_figure("7", out=folder, seed=1)
    before = [path.read_bytes() for path in first.paths]
    assert first.networks == 12 * 6 * 20 * 2

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("the samples were there")

    monkeypatch.setattr("montecarlo.samples.shared._file.simulate_shared", forbidden)
    reused: list[int] = []
    again = figures.draw_figure("7", out=folder, seed=1, on_reuse=reused.append)
    assert sum(reused) == first.networks
    assert [path.read_bytes() for path in again.paths] == before


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
    checks = figures.draw_figure("7", out=folder, seed=1).checks
    assert [check.verdict for check in checks] == ["agrees"] * 4
    # Forward and backward first orders are different laws.
    monkeypatch.setattr(
        theory,
        "log_first_order_gradient_difference",
        _forward,
    )
    checks = figures.draw_figure("7", out=folder, seed=1).checks
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
