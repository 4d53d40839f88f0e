"""The chance of leaving a float format at small width, where norms and largest entries fluctuate most."""

from __future__ import annotations

import math

import numpy as np
import pytest

from montecarlo import ResNet
from montecarlo.diagnosis import diagnose
from montecarlo.diagnosis._float_range import FORMATS, FloatFormat, FloatRange, float_range
from montecarlo.diagnosis._predict import predict

N = 20_000


def simulated_extremes(resnet: ResNet) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest entry and the smallest root mean square on the way of res-3 networks."""
    rng = np.random.default_rng(5)
    d, n = resnet.width, resnet.input_dim
    x = rng.random((N, n))
    h = rng.standard_normal((N, d)) * np.sqrt((x**2).mean(axis=1, keepdims=True))  # A x, given x
    largest, smallest = np.zeros(N), np.full(N, np.inf)
    for layer in range(resnet.depth + 1):
        largest = np.maximum(largest, np.abs(h).max(axis=1))
        smallest = np.minimum(smallest, np.sqrt((h**2).mean(axis=1)))
        if layer < resnet.depth:  # images of fresh Gaussian matrices, given what they act on
            u = rng.standard_normal((N, d)) * np.linalg.norm(h, axis=1, keepdims=True) / math.sqrt(d)
            size = np.linalg.norm(np.maximum(u, 0.0), axis=1, keepdims=True)
            h = h + resnet.scaling * rng.standard_normal((N, d)) * size / math.sqrt(d)
    return largest, smallest


def chances(resnet: ResNet, direction: str, largest: float, smallest: float, norm: float = 1.0) -> FloatRange:
    prediction = predict(resnet)[0 if direction == "forward" else 1]
    form = FloatFormat("own", largest, smallest)
    return float_range(resnet, prediction, form, direction=direction, gradient_norm=norm, rows=None)


@pytest.mark.statistical
@pytest.mark.parametrize(("width", "depth", "alpha"), [(8, 1, 1e-6), (8, 30, 1.0), (64, 1, 1e-6)])
def test_chances_of_overflow_are_frequencies(width: int, depth: int, alpha: float) -> None:
    # 15 frequencies of 20,000 networks: 0.02 is 5.6 deviations, 2e-8 each; reflection and a log-normal first
    # norm are off by 0.02 at most.
    resnet = ResNet(width=width, depth=depth, alpha=alpha)
    largest, _ = simulated_extremes(resnet)
    for chance in (0.95, 0.75, 0.5, 0.25, 0.05):
        found = chances(resnet, "forward", float(np.quantile(largest, 1 - chance)), 1e-300)
        assert abs(found.overflow - chance) < 0.04, chance


@pytest.mark.statistical
@pytest.mark.parametrize("width", [8, 64])
def test_chances_of_underflow_are_frequencies(width: int) -> None:
    # The first state alone: as above, and a log-normal law for a root of χ²_8, off by 0.045 at most.
    resnet = ResNet(width=width, depth=1, alpha=1e-6)
    _, smallest = simulated_extremes(resnet)
    for chance in (0.95, 0.75, 0.5, 0.25, 0.05):
        found = chances(resnet, "forward", 1e300, float(np.quantile(smallest, chance)))
        assert abs(found.underflow - chance) < 0.065, chance


@pytest.mark.statistical
def test_gradients_begin_with_the_norm_that_they_have() -> None:
    rng = np.random.default_rng(5)
    z = rng.standard_normal((N, 8))
    largest = 3.0 * np.abs(z).max(axis=1) / np.linalg.norm(z, axis=1)
    resnet = ResNet(width=8, depth=1, alpha=1e-6)
    for chance in (0.9, 0.5, 0.1):
        found = chances(resnet, "backward", float(np.quantile(largest, 1 - chance)), 1e-300, norm=3.0)
        assert abs(found.overflow - chance) < 0.08, chance  # a bounded law by a scaled one, off by 0.06


@pytest.mark.parametrize("norm", [1e-3, 1.0, 700.0])
def test_one_entry_is_the_norm(norm: float) -> None:
    resnet = ResNet(width=1, depth=1, alpha=1e-6)
    for factor, outcome in ((0.99, 1.0), (1.01, 0.0)):
        found = chances(resnet, "backward", factor * norm, norm / factor, norm=norm)
        assert (found.overflow, found.underflow) == (outcome, outcome)


def test_simulated_chances_are_those_of_the_column_of_their_direction() -> None:
    found = diagnose(ResNet(width=8, depth=55, alpha=1.0), seed=3, seconds=0.02, threads=1)
    assert found.sample is not None
    for each in found.ranges:
        name = "log_hidden_ratio" if each.direction == "forward" else "log_gradient_ratio"
        name = name if name in found.sample.columns else f"{name}_dual"
        prediction = found.hidden if each.direction == "forward" else found.gradient
        expected = float_range(
            found.resnet, prediction, FORMATS[each.format], direction=each.direction, gradient_norm=1.0,
            rows=found.sample[name],
        )  # fmt: skip
        assert each.simulated_overflow == expected.simulated_overflow
        assert each.simulated_underflow == expected.simulated_underflow
    assert 0.0 < found.ranges[1].simulated_overflow < 1.0
