"""The picture of a diagnosis, against the diagnosis itself."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from pictures import lines, place, unnamed
from scipy import stats

import figures
from figures import _diagnosis
from figures._style import NETWORKS, THEORY, bin_edges
from montecarlo import ResNet
from montecarlo.diagnosis import diagnose

# The two ratios have different laws here: tanh makes hidden states grow less than gradients.
NET = ResNet(width=32, depth=40, beta=0.5, block="res-2", activation="tanh", input_scale=3.0)


def test_ticks_of_growth_are_plain_numbers_and_layers_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Canvas] = []
    monkeypatch.setattr(_diagnosis, "save_drawing", lambda canvas, path: kept.append(canvas) or path)
    found = diagnose(ResNet(width=64, depth=3, beta=1.0), seconds=0.01, threads=1)
    figures.draw_diagnosis(found, tmp_path / "d.png")
    kept[0].draw_without_rendering()
    axis = kept[0].axes[2]
    shown = [text.get_text() for text in axis.get_yticklabels()]
    assert len(shown) >= 3
    np.testing.assert_allclose([float(text) for text in shown], 10.0 ** axis.get_yticks(), rtol=1e-3)
    assert all(len(text) <= 5 for text in shown)
    assert all(float(place).is_integer() for place in axis.get_xticks())


def test_a_diagnosis_is_drawn_as_it_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Canvas] = []

    def canvas(**given: object) -> Canvas:
        kept.append(Canvas(**given))  # type: ignore[arg-type]
        return kept[0]

    monkeypatch.setattr(_diagnosis, "Canvas", canvas)
    found = diagnose(NET, seed=4, seconds=0.05)
    figures.draw_diagnosis(found, tmp_path / "a.png")
    assert kept[0].get_suptitle().startswith("res-2, tanh, d = 32, L = 40, α = 0.158 = 1·L^-0.5: critical")
    left, middle, right = kept[0].axes
    sample = found.sample
    assert sample is not None
    for axis, prediction, column in (
        (left, found.hidden, "log_hidden_ratio"), (middle, found.gradient, "log_gradient_ratio"),
    ):  # fmt: skip
        assert axis.get_xlabel() == f"log({prediction.quantity})"
        assert axis.get_ylabel() == "density"
        rows = sample[column]
        heights = [patch.get_height() for patch in axis.patches]
        np.testing.assert_allclose(heights, np.histogram(rows, bin_edges(rows), density=True)[0])
        (drawn,) = lines(axis, "wide-network law (S4)")
        law = stats.norm(prediction.log_median, (prediction.log_range[1] - prediction.log_median) / 1.959964)
        np.testing.assert_allclose(drawn[1], law.pdf(drawn[0]), rtol=1e-4)
        ends = [place(end) for end in unnamed(axis, THEORY, ":")]
        assert ends == pytest.approx(list(prediction.log_range))
    # Heights in decades, so that ticks can say powers of ten, and ticks say ratios.
    k, median = lines(right, "theory: median, 95 %")[0]
    assert (k[-1], median[-1]) == (40, pytest.approx(found.hidden.log_median / math.log(10.0)))
    ends = [y[-1] for _, y in unnamed(right, THEORY, ":")]
    assert ends == pytest.approx([end / math.log(10.0) for end in found.hidden.log_range])
    paths = [*lines(right, "32 networks"), *unnamed(right, NETWORKS)]
    last = [path[-1] * math.log(10.0) for _, path in paths]
    np.testing.assert_allclose(last, sample["log_hidden_ratio"][:32], atol=1e-9)
    assert right.yaxis.get_major_formatter()(2.0, 0) == "100"
    assert right.get_ylabel() == "‖h_k‖/‖h_0‖"
