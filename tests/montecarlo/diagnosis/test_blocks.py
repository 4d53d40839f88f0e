"""Diagnoses behind norms, with schedules, skip factors, hidden widths and outer activations."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from montecarlo import InvalidFieldError, ResNet
from montecarlo.diagnosis import Diagnosis, diagnose, find_family
from montecarlo.diagnosis._check import check_ratio
from montecarlo.diagnosis._find_regime import find_regime
from montecarlo.diagnosis._laws import HalfLog, Mixture, NormalMixture, StartLaw, start_degrees, start_nodes
from montecarlo.diagnosis._predict import predict
from montecarlo.diagnosis._text import network_words, scaling_words, text

# Each may fail with probability 1e-7: 1e-6 for all of them.
FALSE_ALARM = 1e-7
CONFIGURATIONS = {
    "pre-rms": ResNet(width=64, depth=50, beta=0.0, norm="pre-rms"),
    "pre-layer": ResNet(
        width=64, depth=40, beta=0.5, norm="pre-layer", block="res-2", activation="gelu", input_scale=1.7,
        hidden_width=128,
    ),
    "schedule behind a norm": ResNet(width=32, depth=50, alpha=1.0, norm="pre-rms", schedule="power:0.5"),
    "peri-rms": ResNet(width=64, depth=100, beta=0.5, norm="peri-rms", input_scale=1.7),
    "post-rms": ResNet(width=64, depth=50, beta=0.25, norm="post-rms", hidden_width=128),
    "schedule": ResNet(width=32, depth=50, alpha=1.0, schedule="power:1"),
    "skip": ResNet(width=32, depth=50, alpha=0.2, skip=0.99, hidden_width=64),
    "post-activation": ResNet(width=32, depth=400, beta=0.5, block="post-activation"),
    "critical post-activation": ResNet(width=32, depth=100, beta=1.0, block="post-activation"),
}  # fmt: skip


class Moved:
    """A law that is off by a shift."""

    def __init__(self, law: Any, shift: float) -> None:
        self.law, self.shift = law, shift

    def ppf(self, q: float) -> float:
        return float(self.law.ppf(q)) + self.shift


@pytest.fixture(scope="module")
def found() -> dict[str, Diagnosis]:
    return {
        name: diagnose(net, seed=20, seconds=0.3, false_alarm=FALSE_ALARM, formats=("float16",))
        for name, net in CONFIGURATIONS.items()
    }


@pytest.mark.statistical
def test_blocks_agree_with_their_simulation(found: dict[str, Diagnosis]) -> None:
    for name, diagnosis in found.items():
        assert diagnosis.agrees is True, str(diagnosis)
        assert diagnosis.hidden.law is not None, name
        assert diagnosis.gradient.kind != "nothing" or name == "schedule behind a norm"


@pytest.mark.statistical
@pytest.mark.parametrize("factor", [0.93, 1.07])
def test_a_wrong_median_is_noticed(found: dict[str, Diagnosis], factor: float) -> None:
    for name, column in (
        ("pre-rms", "log_hidden_ratio"), ("pre-layer", "log_hidden_ratio"), ("peri-rms", "log_hidden_ratio"),
        ("schedule behind a norm", "log_hidden_ratio"), ("schedule", "log_gradient_ratio"),
        ("skip", "log_hidden_ratio"), ("critical post-activation", "log_hidden_ratio"),
        ("post-rms", "log_hidden_ratio"),
    ):  # fmt: skip
        diagnosis = found[name]
        right = diagnosis.hidden if "hidden" in column else diagnosis.gradient
        assert diagnosis.sample is not None
        wrong = replace(right, law=Moved(right.law, math.log(factor)))
        check = check_ratio(diagnosis.sample[column], wrong, false_alarm=FALSE_ALARM / 2)
        assert check.agrees is False, name
        assert "the median" in check.reason


@pytest.mark.statistical
def test_laws_of_another_spread_are_noticed(found: dict[str, Diagnosis]) -> None:
    for name in ("pre-rms", "post-rms", "schedule"):
        diagnosis = found[name]
        assert diagnosis.sample is not None
        right = diagnosis.gradient if name == "post-rms" else diagnosis.hidden
        column = "log_gradient_ratio" if name == "post-rms" else "log_hidden_ratio"
        assert right.law is not None
        wide = replace(right, law=stats.norm(right.law.mean(), 1.3 * right.law.std()))
        assert check_ratio(diagnosis.sample[column], wide, false_alarm=FALSE_ALARM).agrees is False, name


@pytest.mark.statistical
def test_bounds_of_gradients_hold_and_wrong_ones_do_not(found: dict[str, Diagnosis]) -> None:
    for name, source in (
        ("pre-rms", "N6"), ("pre-layer", "N6L"), ("peri-rms", "N9"), ("post-activation", "P3"),
    ):  # fmt: skip
        diagnosis = found[name]
        bounds = diagnosis.gradient
        assert (bounds.kind, bounds.source) == ("bounds", source)
        assert diagnosis.sample is not None
        rows = diagnosis.sample["log_gradient_ratio"]
        low, high = bounds.bounds
        # Markov: at most 20 times the mean square; a median above it would be refuted.
        wrong = (
            (-math.inf, float(np.median(rows))) if math.isfinite(high) else (float(np.median(rows)), math.inf)
        )
        assert check_ratio(rows, replace(bounds, bounds=wrong), false_alarm=FALSE_ALARM).agrees is False
        if math.isfinite(high):
            mean_square = float(np.mean(np.exp(2 * rows)))
            assert 2 * high == pytest.approx(math.log(20 * mean_square), abs=0.1)
        else:
            assert low < np.quantile(rows, 0.05)


def test_wide_gradients_behind_a_norm_have_two_bounds() -> None:
    _, gradient = predict(ResNet(width=512, depth=200, beta=0.5, norm="pre-rms", input_scale=1.7))
    low, high = gradient.bounds
    assert "Chebyshev" in gradient.remark
    # (S_L/S_0)^½ = √(1 + 0.52) = 1.23 lies between, and both ends are within a factor of two.
    assert 0.2 - math.log(2) < low < 0.2 < high < 0.2 + math.log(2)


REGIMES: list[tuple[dict[str, Any], str, str]] = [
    ({"beta": 0.0, "norm": "pre-rms"}, "polynomial", "polynomial"),
    ({"beta": 0.5, "norm": "pre-layer"}, "critical", "critical"),
    ({"beta": 1.0, "norm": "peri-rms"}, "identity", "identity"),
    ({"beta": 0.25, "norm": "peri-rms"}, "polynomial", "critical"),
    ({"beta": 0.0, "norm": "post-rms"}, "contraction", "critical"),
    ({"beta": 0.0, "norm": "post-rms", "block": "res-2", "activation": "tanh"}, "explosion", "explosion"),
    ({"beta": 1.0, "norm": "post-rms"}, "identity", "identity"),
    ({"beta": 0.0, "norm": "pre-tanh:1"}, "explosion", "explosion"),
    ({"beta": 0.0, "hidden_width": 256}, "explosion", "explosion"),
    ({"beta": 0.5, "hidden_width": 256}, "critical", "critical"),
    ({"beta": 0.0, "schedule": "power:1"}, "critical", "critical"),
    ({"beta": 0.0, "schedule": "power:0.5"}, "polynomial", "critical"),
    ({"beta": 0.1, "schedule": "power:0.25"}, "explosion", "critical"),
    ({"beta": 0.25, "schedule": "power:0.25"}, "critical", "critical"),
    ({"beta": 0.5, "skip": 0.9}, "contraction", "contraction"),
    ({"beta": 0.5, "skip": (1 - 0.5 / 100) ** 0.5}, "critical", "critical"),
    ({"beta": 0.5, "block": "post-activation"}, "explosion", "explosion"),
    ({"beta": 1.0, "block": "post-activation"}, "critical", "critical"),
    ({"beta": 0.5, "block": "post-activation", "activation": "tanh"}, "critical", "unknown"),
    ({"beta": 0.5, "norm": "pre-rms", "skip": 0.9}, "unknown", "unknown"),
    ({"beta": 0.5, "hidden_width": 8, "block": "res-2", "activation": "tanh"}, "unknown", "unknown"),
]


@pytest.mark.parametrize(("fields", "name", "at_depth"), REGIMES)
def test_regimes(fields: dict[str, Any], name: str, at_depth: str) -> None:
    regime = find_regime(ResNet(width=64, depth=100, **fields))
    assert (regime.name, regime.at_depth) == (name, at_depth), regime.words
    assert regime.advice
    assert regime.words.endswith(".")


def test_the_constant_is_one_at_the_critical_scaling_of_every_rule() -> None:
    for fields in (
        {"schedule": "power:0.3"}, {"norm": "pre-rms"}, {"hidden_width": 256}, {"block": "post-activation"},
        {"schedule": [0.5] * 50 + [2.0] * 50},
    ):  # fmt: skip
        regime = find_regime(ResNet(width=64, depth=100, alpha=0.37, **fields))
        assert 0.37 / regime.constant == pytest.approx(regime.suggested_alpha)
        again = find_regime(ResNet(width=64, depth=100, alpha=regime.suggested_alpha, **fields))
        assert again.constant == pytest.approx(1.0)
        assert again.at_depth == "critical"
        assert again.advice.startswith("keep it")


def test_advice_and_network_in_words() -> None:
    net = ResNet(width=32, depth=50, alpha=0.2, skip=0.99, hidden_width=64)
    diagnosis = diagnose(net, seconds=0)
    assert network_words(net) == (
        "res-3 with relu, width 32, depth 50, gaussian weights, hidden width 64, skip 0.99, α = 0.2"
    )
    assert "skip = 0.989949 keeps mean squares exactly" in scaling_words(diagnosis)
    post = ResNet(width=32, depth=1000, beta=0.5, block="post-activation")
    assert "take α = 0.001, 0.03162 times the present one" in scaling_words(diagnose(post, seconds=0))
    assert "norm post-rms, schedule layer by layer" in network_words(
        ResNet(width=8, depth=2, alpha=1.0, norm="post-rms", schedule=[1.0, 0.5])
    )


def test_what_has_no_theory_is_said_to_have_none() -> None:
    for fields in (
        {"norm": "pre-tanh:1"}, {"norm": "pre-rms", "weights": "uniform"}, {"norm": "peri-layer"},
        {"norm": "pre-rms", "block": "res-1"}, {"skip": 0.5, "block": "res-2", "activation": "tanh"},
        {"norm": "pre-rms", "skip": 0.5}, {"block": "post-activation", "activation": "tanh"},
        {"norm": "pre-rms", "weights": "fbm:0.7"},
    ):  # fmt: skip
        diagnosis = diagnose(ResNet(width=16, depth=20, beta=0.5, **fields), seconds=0)
        assert {diagnosis.hidden.kind, diagnosis.gradient.kind} == {"nothing"}
        assert diagnosis.agrees is None
        assert "no theory" in text(diagnosis)
        assert diagnosis.record()["hidden"]["log_median"] is None
    with pytest.raises(InvalidFieldError, match="find_family"):
        find_family([ResNet(width=8, depth=L, beta=0.5, norm="pre-rms") for L in (4, 8)])


def test_laws_are_consistent() -> None:
    net = ResNet(width=16, depth=4, beta=0.5, input_scale=2.0, input_dim=8)
    start = StartLaw(4 / 3, start_degrees(net))
    square = HalfLog(stats.ncx2(16, 3.0, scale=0.7), 5.0)
    mixture = Mixture((start, square), np.array([0.3, 0.7]), np.array([0.5, -0.2]))
    q = np.array([1e-6, 0.025, 0.3, 0.5, 0.975, 1 - 1e-6])
    for law in (start, square, mixture):
        x = np.asarray(law.ppf(q))
        np.testing.assert_allclose(law.cdf(x), q, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(law.sf(x), 1 - np.asarray(law.cdf(x)), atol=1e-9)
        fine = np.linspace(float(law.ppf(1e-9)), float(law.ppf(1 - 1e-9)), 20_001)
        density = np.asarray(law.pdf(fine))
        np.testing.assert_allclose(np.trapezoid(density, fine), 1.0, atol=1e-5)
        mean = np.trapezoid(fine * density, fine)
        assert law.mean() == pytest.approx(mean, abs=2e-3)
        assert law.std() == pytest.approx(
            math.sqrt(np.trapezoid((fine - mean) ** 2 * density, fine)), rel=0.02
        )


def test_start_has_the_moments_of_the_first_state() -> None:
    # E S = c²/3; relative variance (1 + 4/(5n))(1 + 2/d) − 1.
    net = ResNet(width=16, depth=4, beta=0.5, input_scale=2.0, input_dim=8)
    nodes, weights = start_nodes(net, 9)
    assert weights @ nodes == pytest.approx(4 / 3, rel=1e-6)
    variance = (1 + 0.8 / 8) * (1 + 2 / 16) - 1
    assert weights @ nodes**2 / (4 / 3) ** 2 - 1 == pytest.approx(variance, rel=1e-4)
    law = StartLaw(4 / 3, start_degrees(net))
    assert law.mean() == pytest.approx(float(weights @ (-0.5 * np.log(nodes))), abs=1e-4)


def test_the_law_of_post_activation_is_one_smooth_density() -> None:
    # Narrow normal laws around the angle of h_0: no comb of them, and one law in all that it says.
    law = predict(ResNet(width=20, depth=400, beta=0.7, block="post-activation"))[0].law
    assert isinstance(law, NormalMixture)
    x = np.linspace(law.mean() - 8 * law.std(), law.mean() + 8 * law.std(), 2001)
    density = law.pdf(x)
    rising = np.diff(density[density > 1e-6]) > 0
    assert np.count_nonzero(np.diff(rising)) == 1
    step = x[1] - x[0]
    assert density.sum() * step == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(np.diff(law.cdf(x)), 0.5 * step * (density[1:] + density[:-1]), atol=1e-5)
    np.testing.assert_allclose(law.cdf(x) + law.sf(x), 1.0)
    assert (density * x).sum() * step == pytest.approx(law.mean(), abs=1e-6)
    assert (density * (x - law.mean()) ** 2).sum() * step == pytest.approx(law.std() ** 2, rel=1e-4)
    np.testing.assert_allclose(law.cdf(law.ppf([0.025, 0.5, 0.975])), [0.025, 0.5, 0.975], atol=1e-9)
