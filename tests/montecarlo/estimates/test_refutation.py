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
