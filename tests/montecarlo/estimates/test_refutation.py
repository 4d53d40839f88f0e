"""A wrong number or a wrong law must be refuted at a suitable number of rows.

Each test states the chance that a correct implementation fails it; seeds are fixed.
"""

import math

import numpy as np
import pytest
from scipy import stats

from montecarlo.estimates import (
    bounded_mean,
    law_distance,
    log_mean_exp,
    mean,
    median,
    probability,
    same_law,
    variance,
)
from montecarlo.sequential import TwoSampleCdf

SEED = 77
CONFIDENCE = 1.0 - 1e-6  # each interval misses the truth with chance 1e-6


@pytest.mark.statistical
def test_three_per_cent_off_is_outside():
    # true value inside, 3 % error outside: half-widths are under 1.5 %, each at least 4.9 standard errors
    rng = np.random.default_rng(SEED)
    cases = [
        (mean(1.0 + 0.5 * rng.standard_normal(40_000), confidence=CONFIDENCE), 1.0),
        (variance(rng.standard_normal(250_000), confidence=CONFIDENCE), 1.0),
        (median(1.0 + 0.5 * rng.standard_normal(60_000), confidence=CONFIDENCE), 1.0),
        (bounded_mean(rng.random(100_000), low=0.0, high=1.0, confidence=CONFIDENCE), 0.5),
        (probability(rng.random(250_000) < 0.5, confidence=CONFIDENCE), 0.5),
    ]
    for estimate, truth in cases:
        assert estimate.relative_half_width < 0.015, estimate.method
        assert estimate.contains(truth), estimate.method
        assert not estimate.contains(1.03 * truth), estimate.method
        assert not estimate.contains(0.97 * truth), estimate.method


@pytest.mark.statistical
@pytest.mark.parametrize("shift", [0.0, -4000.0, 4000.0])
def test_three_per_cent_off_in_a_second_moment_is_outside_at_any_size(shift):
    # log-normal of sigma 0.5, near that of the critical scaling at d = 8; standard error 0.0024, error 0.03
    x = shift + 0.25 * np.random.default_rng(SEED + 1).standard_normal(50_000)
    estimate = log_mean_exp(x, power=2.0, confidence=CONFIDENCE)
    truth = 2.0 * shift + 0.125
    assert estimate.warning is None
    assert estimate.contains(truth)
    assert not estimate.contains(truth + math.log(1.03))
    assert not estimate.contains(truth + math.log(0.97))


@pytest.mark.statistical
def test_even_a_hopeless_sample_refutes_a_prediction_that_is_too_small():
    # lower end: false with chance at most 1e-6
    x = 30.0 * np.random.default_rng(SEED + 2).standard_normal(1000)
    estimate = log_mean_exp(x, power=1.0, confidence=CONFIDENCE)
    assert estimate.contains(450.0)
    assert not estimate.contains(45.0)


@pytest.mark.statistical
def test_a_wrong_law_is_refuted_and_the_right_one_is_not():
    # false alarm 1e-6 each; at 20 000 rows the wrong laws are at twice the threshold or more
    rng = np.random.default_rng(SEED + 3)
    x, y = rng.standard_normal(20_000), rng.standard_normal(20_000)
    assert not law_distance(x, stats.norm.cdf).refuted
    for wrong in (stats.norm(0.1), stats.norm(0.0, 1.2), stats.logistic(0.0, math.sqrt(3.0) / math.pi * 1.2)):
        assert law_distance(x, wrong.cdf).refuted
    assert not same_law(x, y).refuted
    assert same_law(x, y + 0.15).refuted
    assert same_law(x, 1.25 * y).refuted
    assert same_law(x, np.where(rng.random(y.size) < 0.1, -np.inf, y)).refuted


def test_the_exact_two_sample_test_sees_more_than_its_bound():
    # unequal sizes: refuted by the exact p-value below the threshold of the bound
    x, y = (stats.norm.ppf((np.arange(n) + 0.5) / n) for n in (2000, 1000))
    test = same_law(x, y + 0.3)
    assert test.distance < test.threshold
    assert test.refuted


def test_threshold_is_where_the_bound_refutes():
    ramp = np.arange(1000) / 1000.0
    for false_alarm in (1e-3, 1e-6):
        threshold = law_distance(ramp, stats.uniform.cdf, false_alarm=false_alarm).threshold
        assert law_distance(ramp, stats.uniform(threshold).cdf, false_alarm=false_alarm).refuted
        assert not law_distance(ramp, stats.uniform(threshold - 0.002).cdf, false_alarm=false_alarm).refuted


@pytest.mark.statistical
def test_samples_that_share_their_weights_are_named():
    from montecarlo import ResNet, simulate

    net = ResNet(width=8, depth=6, beta=0.5)
    sample = simulate(net, replicas=400, seed=1)
    ours = sample["log_hidden_ratio"]

    def of(seed=1, column="log_hidden_ratio", engine="auto", **fields):
        other = ResNet(**{"width": 8, "depth": 6, "beta": 0.5} | fields)
        return simulate(other, replicas=400, seed=seed, engine=engine)[column]

    # The same rows, a stretch of them, another column, scaling or activation on the same weights.
    for theirs, words in (
        (ours.copy(), "400 rows in common"),
        (ours[150:], "250 rows in common"),
        (of(column="log_hidden_difference"), "go together"),
        (of(beta=0.4), "go together"),
        (of(beta=0.4)[:200], "go together"),
        (of(block="res-2", activation="leaky-relu"), "go together"),
    ):
        assert words in str(same_law(ours, theirs).warning)
        assert "another seed" in str(TwoSampleCdf().update(ours, theirs).result(resolution=0.5))
    # Independent networks of the same law or another one: a false word has a probability below 1e-8 each.
    for theirs in (of(seed=2), of(seed=2, beta=0.4), of(seed=2)[:100]):
        assert same_law(ours, theirs).warning is None
        assert TwoSampleCdf().update(ours, theirs).result(resolution=0.5).warning is None
    halves = same_law(ours[:200], sample["log_gradient_ratio"][200:])
    assert halves.warning is None


@pytest.mark.statistical
@pytest.mark.parametrize("values", [1, 2, 10, 1000, 10**6])
def test_ties_inside_samples_are_not_shared_rows(values):
    # Rounded rows coincide by chance; six deviations and counts beyond ties: below 1e-7 each.
    rng = np.random.default_rng(8)
    for _ in range(20):
        x, y = rng.integers(0, values, (2, 500)).astype(float)
        assert same_law(x, y).warning is None
