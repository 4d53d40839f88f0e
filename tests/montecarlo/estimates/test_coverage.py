"""The error bars themselves: how often an interval misses the truth, over many samples of a fixed seed.

Each count of misses is judged by an exact binomial bound at FALSE_ALARM over the number of settings.
Approximate intervals are allowed the excess named beside them. The seed may be changed once, with a reason.
"""

import math

import numpy as np
import pytest
from scipy import stats

from montecarlo.estimates import (
    bounded_mean,
    dkw_band,
    law_distance,
    log_mean_exp,
    mean,
    median,
    probability,
    quantile,
    same_law,
    variance,
)

SEED = 20240607
FALSE_ALARM = 1e-6
REPEATS = 1000
CONFIDENCE = 0.95


def log_mean(power):
    return lambda x, *, confidence: log_mean_exp(x, power=power, confidence=confidence)


def normal(n, sigma=1.0):
    return lambda rng: sigma * rng.standard_normal(n)


def mostly_zero(rng):
    return np.where(rng.random(200) < 0.3, -math.inf, np.floor(3.0 * rng.random(200)))


# name: (estimate, draw, truth, excess of the miss probability that the approximation is allowed)
CASES = {
    "mean of normal rows": (mean, normal(20), 0.0, 0.0),
    "mean of exponential rows": (mean, lambda rng: rng.exponential(size=500), 1.0, 0.005),
    "variance of normal rows": (variance, normal(200, 3.0), 9.0, 0.005),
    "variance of uniform rows": (variance, lambda rng: rng.random(200), 1.0 / 12.0, 0.01),
    "variance of Laplace rows": (variance, lambda rng: rng.laplace(size=1000), 2.0, 0.015),
    "bounded mean of uniform rows": (
        lambda x, *, confidence: bounded_mean(x, low=0.0, high=1.0, confidence=confidence),
        lambda rng: rng.random(50),
        0.5,
        0.0,
    ),
    "bounded mean of rare events": (
        lambda x, *, confidence: bounded_mean(x, low=0.0, high=1.0, confidence=confidence),
        lambda rng: (rng.random(50) < 0.02).astype(float),
        0.02,
        0.0,
    ),
    "median of Cauchy rows": (median, lambda rng: rng.standard_cauchy(51), 0.0, 0.0),
    "upper quantile": (
        lambda x, *, confidence: quantile(x, 0.95, confidence=confidence),
        lambda rng: rng.exponential(size=100),
        math.log(20.0),
        0.0,
    ),
    "median of an atom": (median, mostly_zero, 0.0, 0.0),  # mass 0.3 at -inf, 0.7/3 at 0, 1, 2
    "rare event": (probability, lambda rng: rng.random(40) < 0.03, 0.03, 0.0),
    "even event": (probability, lambda rng: rng.random(40) < 0.5, 0.5, 0.0),
    "log-normal second moment, 0.1": (log_mean(2.0), normal(100, 0.05), 0.005, 0.005),
    "log-normal, sigma 0.5": (log_mean(1.0), normal(200, 0.5), 0.125, 0.01),
    "log-normal, sigma 1": (log_mean(1.0), normal(1000, 1.0), 0.5, 0.01),
    # here the diagnostics decide sample by sample between two-sided and one-sided
    "log-normal, sigma 1.5": (log_mean(1.0), normal(1000, 1.5), 1.125, 0.01),
    "log-normal, sigma 2": (log_mean(1.0), normal(1000, 2.0), 2.0, 0.0),
    "log-normal, sigma 30": (log_mean(1.0), normal(200, 30.0), 450.0, 0.0),
}


def most_misses(probability_of_miss, repeats, n_settings):
    return stats.binom.isf(FALSE_ALARM / n_settings, repeats, probability_of_miss)


@pytest.mark.statistical
@pytest.mark.parametrize("name", CASES)
def test_interval_covers_the_truth(name):
    estimate, draw, truth, excess = CASES[name]
    rng = np.random.default_rng([SEED, list(CASES).index(name)])
    estimates = [estimate(draw(rng), confidence=CONFIDENCE) for _ in range(REPEATS)]
    misses = sum(not one.contains(truth) for one in estimates)
    assert misses <= most_misses(1.0 - CONFIDENCE + excess, REPEATS, len(CASES))


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["mean of normal rows", "variance of normal rows", "log-normal, sigma 0.5"])
def test_interval_is_no_wider_than_it_says(name):
    # caught with near certainty: a miss probability of 0.022, that is intervals a sixth too wide
    estimate, draw, truth, _ = CASES[name]
    rng = np.random.default_rng([SEED, 100 + list(CASES).index(name)])
    misses = sum(not estimate(draw(rng), confidence=CONFIDENCE).contains(truth) for _ in range(4000))
    assert misses >= stats.binom.ppf(FALSE_ALARM / 3, 4000, 0.05)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("n", "sigma", "heavy"), [(100, 0.05, False), (1000, 0.5, False), (200, 30.0, True), (10**5, 30.0, True)]
)
def test_the_warning_tells_benign_from_hopeless(n, sigma, heavy):
    # chance of a wrong answer in any one sample: below 1e-9 (a hopeless sample passes only if its largest two
    # dozen logs, spaced by some 30 / (4 k), agree within a few units)
    rng = np.random.default_rng([SEED, 200])
    for _ in range(10):
        estimate = log_mean_exp(sigma * rng.standard_normal(n), power=1.0)
        assert estimate.heavy_tailed is heavy
        assert (estimate.warning is not None) is heavy
        assert (estimate.upper == math.inf) is heavy
        if heavy:
            assert estimate.value < sigma**2 / 2.0 - 100.0  # low by more than 40 decades
            assert estimate.lower < estimate.value
            assert estimate.effective_sample_size < 10.0
            assert estimate.largest_share > 0.1


@pytest.mark.statistical
def test_distance_tests_keep_their_false_alarm():
    rng = np.random.default_rng([SEED, 300])
    alarms = {"continuous": 0, "atoms": 0, "band": 0, "two": 0, "two, ties": 0, "two, bound": 0}

    def coarse_cdf(t):
        return np.searchsorted(np.arange(3) / 3.0, t, side="right") / 3.0

    for _ in range(REPEATS):
        x, y = rng.random(60), rng.random(40)
        rough_x, rough_y = np.floor(3.0 * x) / 3.0, np.floor(3.0 * y) / 3.0
        alarms["continuous"] += law_distance(x, stats.uniform.cdf, false_alarm=0.05).refuted
        alarms["atoms"] += law_distance(rough_x, coarse_cdf, false_alarm=0.05).refuted
        alarms["band"] += not dkw_band(x, confidence=0.95).contains(stats.uniform.cdf)
        alarms["two"] += same_law(x, y, false_alarm=0.05).refuted
        alarms["two, ties"] += same_law(rough_x, rough_y, false_alarm=0.05).refuted
        alarms["two, bound"] += same_law(rng.random(2001), rng.random(2001), false_alarm=0.05).refuted
    limit = most_misses(0.05, REPEATS, len(alarms))
    assert {name: count for name, count in alarms.items() if count > limit} == {}
    # and they are not blind: the continuous ones are nearly exact
    assert min(alarms["continuous"], alarms["two"], alarms["two, bound"]) >= stats.binom.ppf(
        1e-7, REPEATS, 0.03
    )
