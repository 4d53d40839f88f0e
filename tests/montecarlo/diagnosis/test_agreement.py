"""Diagnoses against their own simulations: real configurations agree, wrong predictions are noticed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from montecarlo import ResNet, simulate
from montecarlo.diagnosis import diagnose
from montecarlo.diagnosis._check import check_ratio

pytestmark = pytest.mark.statistical

# Depth 12 to 10,000, width 64 to 8192, relu, gelu and tanh, β from 0 to 1. Each may fail with probability
# 1e-7: 1e-6 for the ten of them.
FALSE_ALARM = 1e-7
CONFIGURATIONS = [
    ResNet(width=768, depth=12, beta=0.0),
    ResNet(width=64, depth=100, beta=0.5, weights="uniform"),
    ResNet(width=8192, depth=10_000, beta=0.25),
    ResNet(width=1024, depth=1000, beta=1.0),
    ResNet(block="res-2", activation="gelu", width=256, depth=48, beta=0.0),
    ResNet(block="res-2", activation="tanh", width=128, depth=200, beta=0.5, bias_std=0.2),
    ResNet(block="res-2", activation="gelu", width=8192, depth=12, beta=0.5),
    ResNet(block="res-1", activation="relu", width=128, depth=100, beta=0.25),
    ResNet(block="res-1", activation="tanh", width=64, depth=24, beta=0.0),
    ResNet(block="res-1", activation="gelu", width=256, depth=300, beta=0.75, weights="uniform"),
]


@pytest.mark.parametrize("resnet", CONFIGURATIONS, ids=repr)
def test_real_configurations_agree_with_their_simulation(resnet: ResNet) -> None:
    found = diagnose(resnet, seed=20, seconds=0.5, false_alarm=FALSE_ALARM)
    assert found.agrees is True, str(found)
    assert found.check.replicas >= 32
    for check in (found.check.hidden, found.check.gradient):
        assert check is not None
        assert check.agrees is True


@pytest.mark.parametrize("resnet", CONFIGURATIONS[:2] + CONFIGURATIONS[5:6], ids=repr)
@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_median_that_is_five_per_cent_off_is_noticed(resnet: ResNet, factor: float) -> None:
    found = diagnose(resnet, seed=20, seconds=0.5, false_alarm=FALSE_ALARM)
    assert found.sample is not None
    assert found.check.hidden is not None
    assert found.check.hidden.sees < 0.05
    right = found.hidden.law
    assert right is not None

    class Wrong:
        def ppf(self, q: float) -> float:
            return float(right.ppf(q)) + math.log(factor)

    wrong = replace(found.hidden, law=Wrong())
    check = check_ratio(found.sample["log_hidden_ratio"], wrong, false_alarm=FALSE_ALARM / 2)
    assert check.agrees is False
    assert "the median" in check.reason


def test_a_law_that_is_too_narrow_is_noticed() -> None:
    found = diagnose(ResNet(width=64, depth=100, beta=0.5), seed=20, false_alarm=FALSE_ALARM)
    assert found.sample is not None
    assert found.hidden.law is not None
    narrow = stats.norm(found.hidden.law.mean(), 0.8 * found.hidden.law.std())
    check = check_ratio(
        found.sample["log_hidden_ratio"], replace(found.hidden, law=narrow), false_alarm=FALSE_ALARM / 2
    )
    assert check.agrees is False
    assert "quantile" in check.reason


@pytest.mark.parametrize(
    "resnet",
    [
        ResNet(width=40, depth=200, beta=1.0, weights="fbm:0.7"),
        ResNet(width=40, depth=200, beta=0.5, weights="fbm:0.2"),
        ResNet(width=64, depth=50, beta=0.5, weights="rbf:0.01"),
        ResNet(width=32, depth=60, beta=0.5, block="res-1", activation="tanh", weights="matern:1.5:0.2"),
    ],
    ids=repr,
)
def test_correlated_weights_agree(resnet: ResNet) -> None:
    found = diagnose(resnet, seed=20, seconds=0.5, false_alarm=FALSE_ALARM)
    assert found.agrees is True, str(found)
    assert found.hidden.kind in ("limit law", "bounds")


def test_bounds_that_hold_too_rarely_are_noticed() -> None:
    found = diagnose(ResNet(width=40, depth=50, beta=0.5, weights="rbf:0.01"), seed=20)
    assert found.hidden.kind == "bounds"
    assert found.sample is not None
    wrong = replace(found.hidden, bounds=(0.0, 1.0))
    assert check_ratio(found.sample["log_hidden_ratio"], wrong, false_alarm=1e-7).agrees is False


def float16_overflows(resnet: ResNet, count: int) -> npt.NDArray[np.bool_]:
    """Return which of so many networks overflow when computed as a device would, sums rounded at the end."""
    d, rng = resnet.width, np.random.default_rng(20)

    def matrices(columns: int) -> npt.NDArray[np.float16]:
        drawn = rng.standard_normal((count, d, columns), np.float32) / np.float32(math.sqrt(columns))
        return drawn.astype(np.float16)

    def product(matrix: npt.NDArray[np.float16], vector: npt.NDArray[np.float16]) -> npt.NDArray[np.float16]:
        return (matrix.astype(np.float32) @ vector.astype(np.float32)).astype(np.float16)

    h = product(matrices(resnet.input_dim), rng.random((count, resnet.input_dim, 1)).astype(np.float16))
    alpha = np.float16(resnet.scaling)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(resnet.depth):
            h = h + alpha * product(matrices(d), np.maximum(product(matrices(d), h), np.float16(0)))
    return ~np.isfinite(h).all(axis=(1, 2))


def test_a_predicted_float16_overflow_happens_in_float16() -> None:
    resnet = ResNet(width=64, depth=70, beta=0.0)
    found = diagnose(resnet, seed=20, seconds=0.5)
    forward = next(r for r in found.ranges if (r.format, r.direction) == ("float16", "forward"))
    assert forward.overflow > 0.99
    assert (
        float16_overflows(resnet, 12).sum() >= 11
    )  # two that stay in range: probability below 1e-2² · 66 at 0.99; it is 0.9999
    # At the scaling that the diagnosis suggests nothing overflows, as predicted.
    calm = ResNet(width=64, depth=70, alpha=found.regime.suggested_alpha)
    calm_range = diagnose(calm, seconds=0).ranges[0]
    assert calm_range.overflow < 1e-9
    assert not float16_overflows(calm, 12).any()


def test_the_chance_of_a_float16_overflow_is_the_frequency() -> None:
    # Where the outcome is open: the frequency in float16 among 200 networks against the prediction.
    resnet = ResNet(width=64, depth=52, beta=0.0)
    found = diagnose(resnet, seconds=0)
    predicted = found.ranges[0].overflow
    assert 0.1 < predicted < 0.9
    n = 200
    count = float16_overflows(resnet, n).sum()
    # Reflection and Gaussian entries may be off by 0.1; binomial tails of 5e-8 on either side of that.
    low = stats.binom.ppf(5e-8, n, predicted - 0.1)
    high = stats.binom.isf(5e-8, n, predicted + 0.1)
    assert low <= count <= high


def test_simulated_probabilities_are_frequencies() -> None:
    resnet = ResNet(width=64, depth=52, beta=0.0)
    found = diagnose(resnet, seed=20, seconds=1.0)
    forward = found.ranges[0]
    n = found.check.replicas
    # Rows average over the largest entry and ‖h_0‖: less than binomial. Six deviations: 2e-9.
    assert abs(forward.overflow - forward.simulated_overflow) < 6 * 0.5 / math.sqrt(n) + 0.02
    assert forward.overflow >= forward.simulated_overflow - 6 * 0.5 / math.sqrt(n)


def test_the_same_arguments_give_the_same_diagnosis() -> None:
    resnet = ResNet(block="res-2", activation="tanh", width=32, depth=20, beta=0.5)
    one, other = (diagnose(resnet, seed=3, seconds=0.1, threads=t) for t in (1, 2))
    assert one.record() == other.record()
    assert one.sample is not None
    again = simulate(resnet, replicas=len(one.sample), seed=3)
    assert np.array_equal(one.sample["log_hidden_ratio"], again["log_hidden_ratio"])
