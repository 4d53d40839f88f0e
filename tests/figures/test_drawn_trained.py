"""Figures 8 and 9 as drawn, from planted outcomes; the best rate, and the unit of the growth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pictures import draw, line, lines, mesh, panels, unnamed
from scipy import stats

import figures
from figures import _training_points
from figures._style import LIMIT
from figures._training_points import TrainedCell
from montecarlo import ResNet, Sample
from montecarlo.estimates import Estimate
from montecarlo.training import Measured, Outcome, TrainingItem


def index(value: float) -> Estimate:
    return Estimate(value=value, lower=value, upper=value, confidence=0.99, n=9, method="planted")


def measured(first: float, *, change: float | None = None) -> Measured:
    return Measured(
        log_ratios={}, nonfinite={}, examples=64, regularity=index(first),
        regularity_without_mean=index(first + 0.1),
        change_regularity=None if change is None else index(change), norms={},
    )  # fmt: skip


def outcome(resnet: ResNet, rate: float, accuracy: float | None) -> Outcome:
    return Outcome(
        item=TrainingItem(resnet=resnet, rate=rate), fingerprint="planted", accuracy=accuracy,
        test_loss=None if accuracy is None else 0.5, diverged_at=3 if accuracy is None else None,
        losses=(1.0,), before=measured(0.51), after=None if accuracy is None else measured(0.62, change=1.43),
    )  # fmt: skip


def test_weights_before_and_after_training() -> None:
    rng = np.random.default_rng(5)
    definition = figures.find_figure("8")
    cells: dict[ResNet, Any] = {}
    for point in definition.points("quick"):
        rates = ((1e-3, 0.41), (1e-2, 0.913), (1e-1, None))
        outcomes = [outcome(point.resnet, rate, accuracy) for rate, accuracy in rates]
        cells[point.resnet] = TrainedCell(outcomes, 0.0, rng.standard_normal((2, 3, 200)))
    axes = panels(draw(definition, cells))
    assert axes[0].get_ylabel() == r"entries of $\sqrt{d}\,V_k$ before"
    assert axes[3].get_ylabel() == r"entries of $\sqrt{d}\,V_k$ after"
    for place, cell in enumerate(cells.values()):
        top, bottom = axes[place], axes[place + 3]
        before, after = cell.paths
        assert top.get_title().endswith("\nindex 0.51, from differences 0.61")
        assert bottom.get_title() == "91.3 % right at rate 0.01\nindex 0.62, from differences 0.72"
        assert bottom.get_xlabel() == "layer $k$"
        for axis, paths in ((top, before), (bottom, after)):
            for drawn, path in zip(axis.lines[:3], paths, strict=True):
                np.testing.assert_array_equal(drawn.get_xdata(), np.arange(1, 201))
                np.testing.assert_array_equal(drawn.get_ydata(), path)
        added = [line(bottom, "added by training, index 1.43"), *unnamed(bottom, LIMIT)]
        np.testing.assert_allclose([y for _, y in added], after - before)


def cells_of_figure_9() -> dict[ResNet, Any]:
    """Return cells whose accuracies and growths are distinct; one has diverged at every rate."""
    found: dict[ResNet, Any] = {}
    for k, point in enumerate(figures.find_figure("9").points("quick")):
        accuracies = [None, None] if k == 3 else [0.03 * k + 0.05, 0.02 * k + 0.01]
        outcomes = [outcome(point.resnet, rate, a) for rate, a in zip((0.1, 0.01), accuracies, strict=True)]
        found[point.resnet] = TrainedCell(outcomes, 3.0 - 0.2 * ((7 * k) % 25))
    return found


def test_accuracy_over_hurst_index_and_scaling() -> None:
    cells = cells_of_figure_9()
    canvas = draw(figures.find_figure("9"), cells)
    image, scatter = panels(canvas)
    assert image.get_title() == "digits: test accuracy, best learning rate"
    assert image.get_ylabel() == r"scaling exponent $\beta$ ($\alpha = L^{-\beta}$)"
    assert image.get_xlabel().startswith("Hurst index $H$")
    H, beta, values, drawn = mesh(image)
    np.testing.assert_allclose(H, np.linspace(0.1, 0.9, 5))
    np.testing.assert_allclose(beta, np.linspace(0.1, 1.1, 5))
    assert drawn.get_clim() == (0.0, 100.0)
    bars = [axis.get_ylabel() for axis in canvas.axes if axis not in (image, scatter)]
    assert bars == ["per cent", "$H$"]
    texts = {tuple(np.round(t.get_position(), 9)): t.get_text() for t in image.texts}
    for network, cell in cells.items():
        hurst = float(str(network.weights).partition(":")[2])
        place = np.abs(beta - network.beta).argmin(), np.abs(H - hurst).argmin()
        best = max((o.accuracy for o in cell.outcomes if o.accuracy is not None), default=math.nan)
        np.testing.assert_allclose(values[place], 100.0 * best)
        said = "div." if math.isnan(best) else f"{100 * best:.0f}"
        assert texts[(round(hurst, 9), round(network.beta, 9))] == said
    x, critical = line(image, r"critical scaling $\max(H, 1/2)$ (F1)")
    inside = (x > 0.0) & (x < 1.0)
    np.testing.assert_allclose(critical[inside], np.maximum(x[inside], 0.5), atol=1e-5)


def test_accuracy_against_the_growth_before_training() -> None:
    cells = cells_of_figure_9()
    scatter = panels(draw(figures.find_figure("9"), cells))[1]
    growth = np.array([cell.growth for cell in cells.values()])
    best = np.array([-1.0 if cell.best is None else cell.best.accuracy for cell in cells.values()])
    rank = stats.spearmanr(growth, best).statistic
    assert "before training" in scatter.get_xlabel()
    assert r"mean of $\log_{10}\,\Vert h_L - h_0\Vert" in scatter.get_xlabel()
    assert scatter.get_ylabel() == "test accuracy after training, per cent"
    (cloud,) = [c for c in scatter.collections if str(c.get_label()).startswith("digits: rank correlation ")]
    assert str(cloud.get_label()).endswith(f"{rank:.2f}".replace("-", "−"))
    offsets = np.ma.filled(cloud.get_offsets().astype(float), np.nan)
    lost = best < 0.0
    np.testing.assert_allclose(offsets[~lost], np.column_stack([growth, 100.0 * best])[~lost])
    np.testing.assert_allclose(
        np.asarray(cloud.get_array())[~lost],
        np.array([float(str(n.weights).partition(":")[2]) for n in cells])[~lost],
    )
    crosses = [artist for artist in scatter.lines if artist.get_marker() == "x"]
    np.testing.assert_allclose(crosses[0].get_xdata(), growth[lost])
    assert lines(scatter, "digits") == []


def test_the_growth_is_in_decades_of_networks_behind_the_trained_one(monkeypatch: pytest.MonkeyPatch) -> None:
    net = ResNet(width=4, depth=5, beta=0.5)

    def sampled(resnet: ResNet, *, replicas: int, first_replica: int, seed: int, gradients: str) -> Sample:
        assert (resnet, replicas, first_replica, seed, gradients) == (net, 16, 1, 3, "none")
        columns = {
            "log_hidden_ratio": np.full(16, 7.0),
            "log_hidden_difference": np.full(16, math.log(100.0)),
        }
        return Sample(resnet, seed, "dense", 1, columns)

    monkeypatch.setattr(_training_points, "simulate", sampled)
    assert _training_points._growth(net, 3) == pytest.approx(2.0)


def test_the_best_rate_is_that_of_the_highest_accuracy() -> None:
    net = ResNet(width=4, depth=5, beta=0.5)
    outcomes = [outcome(net, rate, a) for rate, a in ((1e-3, 0.2), (1e-2, 0.8), (1e-1, None), (1.0, 0.5))]
    best = TrainedCell(outcomes, 0.0).best
    assert best is outcomes[1]
    assert TrainedCell(outcomes[2:3], 0.0).best is None
