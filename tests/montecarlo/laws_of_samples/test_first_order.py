"""F2 and its backward twin on sampled networks: mean squares of the differences to first order.

Intervals are those of `log_mean_exp`, each at FALSE_ALARM over the number of comparisons, widened by the
first-order value itself: the size of what the first order leaves out, relative to it. The seed may be changed
once, with a reason.
"""

import functools
import math

import numpy as np
import pytest

import theory
from montecarlo import ResNet, simulate
from montecarlo.estimates import log_mean_exp

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEED = 20240615
FALSE_ALARM = 1e-6
DEPTH = 300
REPLICAS = {4: 10_000, 30: 800}  # a wide network averages over its own units
CASES = [(width, hurst) for width in REPLICAS for hurst in (0.3, 0.8)]
CONFIDENCE = 1.0 - FALSE_ALARM / (2 * len(CASES))
of_every_case = pytest.mark.parametrize(("width", "hurst"), CASES)


def laws(width, hurst, beta):
    """Return the first-order log mean squares, forward and backward."""
    gamma = theory.fractional_noise_covariance(np.arange(DEPTH), hurst)
    size = {"alpha": DEPTH**-beta, "depth": DEPTH, "gamma_v": gamma, "gamma_w": gamma}
    backward = theory.log_first_order_gradient_difference(width=width, **size)
    return float(theory.log_first_order_difference(**size)), float(backward)


@functools.cache
def found(width, hurst):
    """Return predictions and intervals, forward and backward."""
    beta = float(theory.critical_scaling(hurst)) + 0.4
    net = ResNet(width=width, depth=DEPTH, beta=beta, weights=f"fbm:{hurst}")
    sample = simulate(net, replicas=REPLICAS[width], seed=SEED)
    columns = ("log_hidden_difference", "log_gradient_difference")
    intervals = [log_mean_exp(sample[name], confidence=CONFIDENCE) for name in columns]
    assert not any(interval.heavy_tailed for interval in intervals)
    return laws(width, hurst, beta), intervals


def agrees(interval, predicted):
    rest = math.exp(predicted)
    return interval.lower - rest <= predicted <= interval.upper + rest


@of_every_case
def test_differences_have_the_first_order_mean_square(width, hurst):
    for predicted, interval in zip(*found(width, hurst), strict=True):
        assert agrees(interval, predicted), f"{interval}, predicted {predicted:.4f}"
        assert math.exp(predicted) < 0.02


@of_every_case
@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_constant_wrong_by_ten_per_cent_is_refuted(width, hurst, factor):
    for predicted, interval in zip(*found(width, hurst), strict=True):
        assert not agrees(interval, predicted + math.log(factor)), f"{interval}, mutant of {predicted:.4f}"


@of_every_case
def test_gradients_do_not_have_the_law_of_hidden_states(width, hurst):
    (forward, backward), (hidden, gradient) = found(width, hurst)
    assert not agrees(gradient, forward)
    assert not agrees(hidden, backward)
