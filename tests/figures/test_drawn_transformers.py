"""Figure "transformers" as drawn: curves are theory, points means of its samples, colours its grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from figures import transformers
from montecarlo import predict_tokens
from montecarlo.samples.tokens._run import TokenRun


def _y(line: Any) -> np.ndarray:
    return np.asarray(line.get_ydata())


TITLES = (
    "root mean square of the stream",
    "cosine of two tokens",
    "growth of tangents, and of gradients",
    "entropy of attention\nover that of equal weights",
)


@pytest.fixture(scope="module")
def samples() -> dict[Any, dict[str, np.ndarray]]:
    """Eight networks a point, as a run has them."""
    return {
        point.transformer: TokenRun.find(point.transformer, 3, point.request).sample(0, 8)
        for point in transformers._points("quick")
    }


def test_curves_are_theory_and_points_are_means(samples):
    axes = transformers._draw(samples).axes[:4]
    assert [axis.get_title() for axis in axes] == list(TITLES)
    net = transformers._preset("llama")
    path = predict_tokens(net)
    columns = ("log_rms_path", "cosine_path", "log_tangent_path")
    expected = (np.exp(path.log_rms), path.cosine, np.exp(path.log_tangent))
    for axis, column, curve in zip(axes, columns, expected, strict=False):
        drawn = [line for line in axis.lines if line.get_marker() in ("None", None, "")]
        assert any(len(_y(line)) == len(curve) and np.allclose(_y(line), curve) for line in drawn)
        means = samples[net][column].mean(0)
        means = means if column == "cosine_path" else np.exp(means)
        assert any(np.allclose(_y(line), means[1::4]) for line in axis.lines if len(_y(line)) == 6)


def test_titles_stay_clear_of_the_panel_beside_them(samples):
    canvas = transformers._draw(samples)
    renderer = FigureCanvasAgg(canvas).get_renderer()
    canvas.draw(renderer)
    for axis in canvas.axes[:4]:
        title, panel = axis.title.get_window_extent(renderer), axis.get_window_extent(renderer)
        assert panel.x0 <= title.x0
        assert title.x1 <= panel.x1


def test_colours_are_the_cosines_of_the_grid(samples):
    axis = transformers._draw(samples).axes[4]
    (image,) = axis.images
    cell = samples[transformers._cell(0.25, 1.0)]["cosine_path"][:, -1].mean()
    assert np.asarray(image.get_array())[2, 2] == pytest.approx(cell)
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "0",
        "0.125",
        "0.25",
        "0.375",
        "0.5",
        "0.75",
    ]


@pytest.mark.statistical
def test_checks_agree_and_a_wrong_prediction_does_not(samples, monkeypatch):
    """Ten intervals of 99.9 % from eight networks at seed 3."""
    checks = transformers._checks(samples)
    assert len(checks) == 10
    assert [check.quantity for check in checks if not check.agrees] == []
    net = transformers._preset("gpt2")
    other = predict_tokens(transformers._preset("llama"))
    monkeypatch.setattr(
        transformers, "_theory", lambda asked: other if asked == net else predict_tokens(asked)
    )
    assert sum(not check.agrees for check in transformers._checks(samples)) >= 1
