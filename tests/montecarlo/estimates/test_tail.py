"""The rules behind the heavy-tail warning, and Hall's interval, checked without chance."""

import math

import numpy as np
import pytest
from scipy import stats

from montecarlo.estimates import log_mean_exp


def equal_weights(carriers, n):
    return np.array([0.0] * carriers + [-math.inf] * (n - carriers))


@pytest.mark.parametrize(
    ("carriers", "n", "heavy"), [(149, 900, True), (151, 900, False), (9, 20, True), (11, 20, False)]
)
def test_effective_rows_must_exceed_five_roots_of_n_or_half(carriers, n, heavy):
    estimate = log_mean_exp(equal_weights(carriers, n))
    assert estimate.effective_sample_size == pytest.approx(carriers)
    assert estimate.heavy_tailed is heavy


@pytest.mark.parametrize(("share", "heavy"), [(0.09, False), (0.11, True)])
def test_no_row_may_carry_more_than_a_tenth(share, heavy):
    # one row of weight w among 100 of weight 1 has the share w / (w + 100)
    x = np.array([math.log(100.0 * share / (1.0 - share))] + [0.0] * 100)
    estimate = log_mean_exp(x, power=1.0)
    assert estimate.largest_share == pytest.approx(share)
    assert estimate.heavy_tailed is heavy


def test_spread_of_the_logs_counts_only_where_the_weights_confirm_it():
    # 3 000 of 40 000 rows carry all, three times the effective size asked for but under a tenth of n
    far = np.where(np.arange(40_000) < 3000, 0.0, -50.0)
    assert "variance of the logs" in str(log_mean_exp(far).warning)
    many = np.where(np.arange(40_000) < 10_000, 0.0, -50.0)
    assert log_mean_exp(many).warning is None


def test_two_sided_interval_is_halls_of_student_quantiles():
    x = 0.5 * stats.norm.ppf((np.arange(400) + 0.5) / 400)
    estimate = log_mean_exp(x, power=2.0, confidence=0.99)
    w = np.exp(2.0 * x)
    n, skewness = w.size, stats.skew(w)
    step = stats.t.ppf(0.995, n - 1) / math.sqrt(n)
    for end, expected in ((estimate.lower, step), (estimate.upper, -step)):
        t = (w.mean() - math.exp(end)) / w.std(ddof=1)
        cubic = t + skewness * t**2 / 3.0 + skewness**2 * t**3 / 27.0 + skewness / (6.0 * n)
        assert cubic == pytest.approx(expected, rel=1e-9)
    se = w.std(ddof=1) / math.sqrt(n) / w.mean()
    assert estimate.log_standard_error == pytest.approx(se, rel=1e-9)
