"""I2 and I3 on the dense engine: second moments of the four ratios, exact for every law, d and L.

Intervals are those of `log_mean_exp` (skewness-corrected; sizes chosen so that few rows carry little of
the sum), each at FALSE_ALARM over the number of comparisons of the file. The seed may be changed once,
with a reason.
"""

import functools
import math

import pytest

import montecarlo
from montecarlo import LOG_RATIOS, ResNet
from montecarlo.estimates import log_mean_exp

simulate = functools.partial(montecarlo.simulate, engine="dense")

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEED = 20240607
FALSE_ALARM = 1e-6
REPLICAS = 20_000
LAWS = ("gaussian", "uniform", "rademacher")
# (d, L, beta); alpha up to 0.47
SETTINGS = [(3, 10, 0.6), (16, 20, 0.25), (10, 30, 0.5), (24, 16, 0.4), (5, 60, 1.0)]
CONFIDENCE = 1.0 - FALSE_ALARM / (len(LAWS) * len(SETTINGS) * len(LOG_RATIOS))


def log_growth(alpha, depth):
    return depth * math.log1p(alpha**2 / 2.0)


def predictions(exponent):
    """Return the log second moment of each column; exponent = L log(1 + a²/2)."""
    difference = math.log(math.expm1(exponent))
    return {
        "log_hidden_ratio": exponent,
        "log_hidden_difference": difference,
        "log_gradient_ratio": exponent,
        "log_gradient_difference": difference,
    }


def intervals(sample):
    result = {name: log_mean_exp(sample[name], confidence=CONFIDENCE) for name in LOG_RATIOS}
    assert not any(interval.heavy_tailed for interval in result.values())
    return result


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("width", "depth", "beta"), SETTINGS)
def test_second_moments(width, depth, beta, law):
    net = ResNet(width=width, depth=depth, beta=beta, weights=law)
    expected = predictions(log_growth(net.scaling, depth))
    for name, interval in intervals(simulate(net, replicas=REPLICAS, seed=SEED)).items():
        assert interval.contains(expected[name]), f"{name}: {interval}, predicted {expected[name]:.5f}"
        assert interval.half_width < 0.06


@pytest.mark.parametrize("law", LAWS)
def test_a_constant_wrong_by_three_per_cent_is_refuted(law):
    net = ResNet(width=24, depth=16, beta=0.2, weights=law)
    estimates = intervals(simulate(net, replicas=REPLICAS, seed=SEED + 1))
    right, wrong = (predictions(factor * log_growth(net.scaling, 16)) for factor in (1.0, 1.03))
    for name, interval in estimates.items():
        assert interval.contains(right[name])
        assert not interval.contains(wrong[name]), f"{name}: {interval}, mutant {wrong[name]:.5f}"


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_a_scaling_wrong_by_two_per_cent_is_refuted(law, factor):
    depth, alpha = 16, 16**-0.2
    mutant = ResNet(width=24, depth=depth, alpha=factor * alpha, weights=law)
    expected = predictions(log_growth(alpha, depth))
    for name, interval in intervals(simulate(mutant, replicas=REPLICAS, seed=SEED + 2)).items():
        assert not interval.contains(expected[name]), f"{name}: {interval}, predicted {expected[name]:.5f}"


def test_res_1_with_the_identity_grows_twice_as_fast():
    # E‖V h‖² = ‖h‖²: the mask of res-3 halves it
    net = ResNet(width=10, depth=20, beta=0.5, block="res-1", activation="identity", weights="uniform")
    exponent = 20 * math.log1p(net.scaling**2)
    for name, interval in intervals(simulate(net, replicas=REPLICAS, seed=SEED)).items():
        assert interval.contains(predictions(exponent)[name])
        assert not interval.contains(predictions(log_growth(net.scaling, 20))[name])
