"""I5 on the dense engine: E‖∂V_k‖² and E‖∂W_k‖² are the same number in every layer.

Intervals are those of `log_mean_exp`, each at FALSE_ALARM over the number of comparisons of the file. The
seed may be changed once, with a reason.
"""

import functools
import math

import numpy as np
import pytest

import montecarlo
from montecarlo import ResNet
from montecarlo.estimates import log_mean_exp

simulate = functools.partial(montecarlo.simulate, engine="dense")

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEED = 20240608
FALSE_ALARM = 1e-6
REPLICAS = 20_000
LAWS = ("gaussian", "uniform", "rademacher")
SETTINGS = [(6, 8, 0.5), (20, 12, 0.3), (40, 6, 0.0)]  # (d, L, beta)
COLUMNS = ("log_weight_gradient_v", "log_weight_gradient_w")
COMPARISONS = len(LAWS) * len(COLUMNS) * sum(depth for _, depth, _ in SETTINGS)


def prediction(alpha, depth):
    return math.log(alpha**2 / 2.0) + (depth - 1) * math.log1p(alpha**2 / 2.0)


def intervals(sample, column):
    result = [log_mean_exp(layer, confidence=1.0 - FALSE_ALARM / COMPARISONS) for layer in sample[column].T]
    assert not any(interval.heavy_tailed for interval in result)
    return result


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("width", "depth", "beta"), SETTINGS)
def test_every_layer_has_the_same_second_moment(width, depth, beta, law):
    net = ResNet(width=width, depth=depth, beta=beta, weights=law)
    sample = simulate(net, replicas=REPLICAS, seed=SEED, weight_gradients=True)
    expected = prediction(net.scaling, depth)
    for column in COLUMNS:
        for k, interval in enumerate(intervals(sample, column)):
            assert interval.contains(expected), f"{column}, layer {k}: {interval}, predicted {expected:.5f}"


@pytest.mark.parametrize("law", LAWS)
def test_a_scaling_wrong_by_five_per_cent_is_refuted_in_every_layer(law):
    depth, alpha = 12, 12**-0.3
    mutant = ResNet(width=20, depth=depth, alpha=1.05 * alpha, weights=law)
    sample = simulate(mutant, replicas=REPLICAS, seed=SEED + 1, weight_gradients=True)
    for column in COLUMNS:
        assert not any(interval.contains(prediction(alpha, depth)) for interval in intervals(sample, column))


def test_gradients_that_grow_with_the_layer_are_refuted():
    # the mutant: one layer's factor (1 + a²/2) more at the last layer than at the first
    net = ResNet(width=40, depth=6, beta=0.0, weights="uniform")
    sample = simulate(net, replicas=REPLICAS, seed=SEED, weight_gradients=True)
    first, *_, last = intervals(sample, COLUMNS[0])
    slope = math.log1p(net.scaling**2 / 2.0) / 5.0
    right = prediction(net.scaling, 6)
    assert first.contains(right)
    assert last.contains(right)
    assert not (first.contains(right - 2.5 * slope) and last.contains(right + 2.5 * slope))


def test_the_readout_gradient_is_not_flat_for_single_networks():
    # flat in expectation only: within one network the layers differ
    net = ResNet(width=6, depth=8, beta=0.5)
    columns = simulate(net, replicas=100, seed=SEED, weight_gradients=True)["log_weight_gradient_v"]
    assert np.all(np.isnan(columns) | np.isfinite(columns) | (columns == -np.inf))
    assert np.nanmedian(np.ptp(np.where(np.isfinite(columns), columns, np.nan), axis=1)) > 0.1
