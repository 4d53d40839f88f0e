"""Theory along depth in the picture of a diagnosis: against networks, and against formulas of `theory`."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from pictures import lines, unnamed

import figures
import theory
from figures import _diagnosis
from figures._growth_theory import growth_theory
from figures._style import THEORY
from montecarlo import ResNet, simulate
from montecarlo.diagnosis import diagnose
from montecarlo.diagnosis._predict import predict
from montecarlo.estimates import log_mean_exp, quantile

LAWS = {
    "pre-rms": ResNet(width=32, depth=40, beta=0.25, norm="pre-rms", hidden_width=64),
    "schedule": ResNet(width=16, depth=40, alpha=1.0, schedule=np.linspace(0.1, 0.4, 40).tolist(), skip=0.98),
    "post-activation": ResNet(width=16, depth=60, beta=0.8, block="post-activation"),
    "post-rms": ResNet(width=16, depth=20, beta=0.5, norm="post-rms"),
}
FAILURE = 1e-6


@pytest.mark.statistical
@pytest.mark.parametrize("name", LAWS)
def test_medians_and_ranges_are_those_of_networks_at_every_knot(name: str) -> None:
    net = LAWS[name]
    found = growth_theory(net, law=True)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    prediction, _ = predict(net)
    assert (found.layers[0], found.layers[-1]) == (0, net.depth)
    assert found.middle[-1] == pytest.approx(prediction.log_median)
    assert (found.low[-1], found.high[-1]) == pytest.approx(prediction.log_range)
    paths = simulate(net, replicas=4000, seed=11, gradients="none", trajectories=True)["log_hidden_path"]
    confidence = 1 - FAILURE / (3 * (len(found.layers) - 1))
    wrong = 0
    for place, k in list(enumerate(found.layers))[1:]:
        for p, curve in ((0.025, found.low), (0.5, found.middle), (0.975, found.high)):
            held = quantile(paths[:, k], p, confidence=confidence)
            slack = prediction.slack if p == 0.5 else prediction.tail_slack
            assert held.lower - slack <= curve[place] <= held.upper + slack, (k, p)
            # A median that is off by a tenth of its growth and more than chance is seen at some layer.
            mutant = 1.1 * curve[place] + 0.05
            wrong += not held.lower - slack <= mutant <= held.upper + slack
    assert wrong > 0


def test_wide_networks_without_a_law_have_the_recursions_of_theory() -> None:
    def drawn(**fields: Any) -> np.ndarray:
        net = ResNet(**{"width": 64, "depth": 30, "alpha": 0.4, "input_scale": 2.0, **fields})
        found = growth_theory(net, law=False)
        assert found is not None
        assert found.low is None
        return found.middle

    S = 4 / 3  # of input_scale = 2
    path = theory.dyt_recursion(depth=30, alpha=0.4, gain=0.7, mean_square=S)
    np.testing.assert_allclose(drawn(norm="pre-tanh:0.7"), 0.5 * np.log(path.mean_square / S), atol=2e-4)
    wide = theory.mean_square_recursion(
        activation="tanh", initial_mean_square=S, depth=30, alpha=0.4, bias_std=0.2
    )
    tanh: dict[str, Any] = {"block": "res-2", "activation": "tanh", "bias_std": 0.2, "hidden_width": 128}
    np.testing.assert_allclose(drawn(**tanh), 0.5 * np.log(wide / S), atol=2e-4)
    c = float(theory.activation_energy("tanh", deviation=math.sqrt(1.04)).mean)
    k, a, b = np.arange(31), 0.16, 0.95
    geometric = b ** (2 * k) + a * c / S * (1 - b ** (2 * k)) / (1 - b**2)
    np.testing.assert_allclose(drawn(**tanh, norm="pre-layer", skip=b), 0.5 * np.log(geometric), atol=2e-4)
    np.testing.assert_allclose(drawn(**tanh, norm="peri-layer"), 0.5 * np.log1p(a / S * k), atol=2e-4)
    # What has no recursion has no curve.
    without: list[dict[str, Any]] = [
        {"weights": "fbm:0.7", "norm": "pre-rms"}, {"block": "post-activation", "activation": "tanh"},
        {"norm": "post-rms", "norm_eps": 0.1},
    ]  # fmt: skip
    for fields in without:
        assert growth_theory(ResNet(width=8, depth=4, beta=0.5, **fields), law=False) is None


@pytest.mark.statistical
def test_the_wide_root_mean_square_is_that_of_networks() -> None:
    # Uniform weights behind a norm, of a stream that the skip factor forgets: no law. The mean square is
    # right but for that of 1/‖h_0‖².
    net = ResNet(width=64, depth=30, beta=0.25, norm="pre-rms", weights="uniform", skip=0.95)
    found = growth_theory(net, law=diagnose(net, seconds=0).hidden.law is not None)
    assert found is not None
    paths = simulate(net, replicas=1000, seed=5, gradients="none", trajectories=True)["log_hidden_path"]
    for k in (5, 30):
        held = log_mean_exp(paths[:, k], power=2.0, confidence=1 - FAILURE / 2)
        # E 1/‖h_0‖² is 1/E ‖h_0‖² times 1 + (2/d + 4/(5n)) of the branch's part.
        lower, upper = held.lower - 0.05, held.upper
        assert lower <= 2 * found.middle[k] <= upper
        assert not lower <= 2 * found.middle[k] + 0.1 <= upper


def test_the_picture_has_the_theory_of_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Canvas] = []

    def canvas(**given: object) -> Canvas:
        kept.append(Canvas(**given))  # type: ignore[arg-type]
        return kept[-1]

    monkeypatch.setattr(_diagnosis, "Canvas", canvas)
    found = diagnose(LAWS["post-rms"], seconds=0)
    figures.draw_diagnosis(found, tmp_path / "a.png")
    assert ", norm post-rms: " in kept[0].get_suptitle()
    panel = kept[0].axes[2]
    k, median = lines(panel, "theory: median, 95 %")[0]
    assert (k[0], median[0], k[1]) == (0, 0, 1)
    np.testing.assert_allclose(median[1:], found.hidden.log_median / math.log(10.0))
    ends = [y[-1] for _, y in unnamed(panel, THEORY, ":")]
    assert ends == pytest.approx([end / math.log(10.0) for end in found.hidden.log_range])
    wide = dataclasses.replace(LAWS["pre-rms"], norm="pre-tanh:1", hidden_width=None)
    figures.draw_diagnosis(diagnose(wide, seconds=0), tmp_path / "b.pdf")
    assert len(lines(kept[1].axes[2], "theory: wide networks, root mean square")) == 1
