"""What intervals and tests of fixed samples spend of their error, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from montecarlo.estimates import bounded_mean, log_mean_exp, same_law


def test_a_bounded_mean_spends_half_a_side_and_half_of_that_on_its_variance():
    # Maurer and Pontil: each side holds with 2 exp(-t) left over, so ln(2 / (0.01 / 2)) = ln 400 both ways
    found = bounded_mean([0.0, 1.0] * 50, low=0.0, high=1.0, confidence=0.99)
    half = math.sqrt(2.0 * (25.0 / 99.0) * math.log(400.0) / 100.0) + 7.0 * math.log(400.0) / (3.0 * 99.0)
    assert (found.lower, found.upper) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-12)


def test_samples_of_unequal_size_pay_for_two_sides_of_two_samples():
    # 4 exp(-2 n m D² / (√n + √m)²) with n = 10⁴ and m = 4·10⁴ is 1e-6 at this D
    rng = np.random.default_rng(1)
    found = same_law(rng.random(10_000), rng.random(40_000), false_alarm=1e-6)
    assert found.threshold == pytest.approx(math.sqrt(math.log(4e6) * 9.0e4 / 8.0e8), rel=1e-12)


def test_two_lower_bounds_of_a_heavy_tail_share_the_error():
    # Markov's inequality at half of 0.01: one row of ten holds everything
    rows = np.array([0.0] * 9 + [30.0])
    found = log_mean_exp(rows, power=1.0, confidence=0.99)
    assert found.heavy_tailed
    assert found.lower == pytest.approx(math.log(0.005 * (math.exp(30.0) + 9.0) / 10.0), rel=1e-12)
