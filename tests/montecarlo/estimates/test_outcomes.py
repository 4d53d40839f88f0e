"""Outcomes that are no numbers, tiny samples, and bad input."""

import math

import numpy as np
import pytest

from montecarlo.estimates import (
    Estimate,
    HeavyTailWarning,
    Moments,
    bounded_mean,
    dkw_band,
    dkw_epsilon,
    law_distance,
    log_mean_exp,
    mean,
    median,
    probability,
    quantile,
    same_law,
    variance,
)

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize("estimate", [mean, variance, lambda x: bounded_mean(x, low=0.0, high=9.0)])
def test_nonfinite_rows_are_counted_and_enter_no_mean(estimate):
    clean, dirty = estimate([1.0, 2.0, 4.0, 7.0] * 5), estimate([NAN, INF, -INF, *[1.0, 2.0, 4.0, 7.0] * 5])
    assert (dirty.value, dirty.lower, dirty.upper, dirty.n) == (clean.value, clean.lower, clean.upper, 20)
    assert (dirty.n_nonfinite, clean.n_nonfinite) == (3, 0)
    assert dirty.warning is not None
    assert "3 of 23" in dirty.warning


def test_exact_zeros_stay_in_quantiles_and_in_means_of_exponentials():
    x = [-INF, -INF, -INF, 0.0, 1.0, NAN, INF]
    middle = median(x)
    assert (middle.value, middle.n, middle.n_nonfinite) == (-INF, 5, 2)
    y = np.array([-INF] * 50 + [0.0] * 50)
    assert log_mean_exp(y).value == pytest.approx(math.log(0.5), abs=1e-15)
    assert log_mean_exp(y).warning is None
    assert log_mean_exp([-5000.0, 0.0] * 50).warning is None  # a wide spread below does no harm


def test_laws_cope_with_an_atom_at_minus_infinity():
    x = np.array([-INF] * 500 + [0.5] * 500)

    def cdf(t):
        return np.where(t < 0.5, 0.5, 1.0)

    assert law_distance(x, cdf).distance == 0.0
    assert law_distance(x, lambda t: np.where(t == -INF, 0.0, cdf(t))).distance == 0.5
    assert dkw_band(x).contains(cdf)
    assert same_law(x, x[::-1]).pvalue == 1.0
    assert same_law(x, np.full(1000, 0.5)).refuted


@pytest.mark.parametrize("values", [[NAN], [NAN, INF]])
def test_nothing_finite_gives_no_number_and_no_bound(values):
    for estimate in (mean(values), median(values), log_mean_exp(values)):
        assert math.isnan(estimate.value)
        assert (estimate.lower, estimate.upper, estimate.n) == (-INF, INF, 0)
        assert estimate.warning is not None
    assert probability([NAN]).warning is not None
    assert not law_distance(values, np.tanh).refuted
    assert not same_law(values, [1.0]).refuted
    with pytest.raises(ValueError, match="all NaN or \\+inf"):
        dkw_band(values)


def test_one_row_gives_no_interval():
    assert (mean([3.0]).lower, mean([3.0]).upper) == (-INF, INF)
    assert (variance([3.0]).lower, variance([3.0]).upper) == (0.0, INF)
    assert (median([3.0]).lower, median([3.0]).upper) == (-INF, INF)
    assert log_mean_exp([3.0]).upper == INF
    assert log_mean_exp([3.0]).lower < 6.0
    assert (bounded_mean([3.0], low=0, high=4).lower, bounded_mean([3.0], low=0, high=4).upper) == (0, 4)


def test_zero_everywhere_gives_no_upper_bound():
    estimate = log_mean_exp([-INF, -INF])
    assert (estimate.value, estimate.upper) == (-INF, INF)
    assert estimate.heavy_tailed


def test_equal_rows_say_that_the_interval_has_no_width():
    for estimate in (mean([0.1] * 30), variance([0.1] * 30), log_mean_exp([0.1] * 30)):
        assert estimate.lower == estimate.value == estimate.upper
        assert "no width" in str(estimate.warning)
        assert estimate.relative_half_width == 0.0


def test_heavy_tail_warning_is_emitted_on_request_only():
    x = 30.0 * np.random.default_rng(1).standard_normal(100)
    assert log_mean_exp(x).heavy_tailed  # and no Python warning: pytest would raise it
    with pytest.warns(HeavyTailWarning, match="effective sample size"):
        log_mean_exp(x, warn=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean([]), "x has 0 values: must have at least 1"),
        (lambda: mean([[1.0]]), "x has shape"),
        (lambda: same_law([1.0], []), "y has 0 values"),
        (lambda: variance([1.0], confidence=1.0), "confidence=1.0: must lie strictly between 0 and 1"),
        (lambda: quantile([1.0], 0.0), "p=0.0: must lie strictly"),
        (lambda: probability([0.5]), "events has the value 0.5"),
        (
            lambda: log_mean_exp([1.0], power=-2.0),
            "power=-2.0: must be positive; for a negative moment pass -x",
        ),
        (lambda: log_mean_exp([1.0], power=NAN), "power=nan: must be finite"),
        (lambda: bounded_mean([2.0], low=0.0, high=1.0), "x has the value 2.0"),
        (lambda: bounded_mean([2.0], low=1.0, high=1.0), "low=1.0: must be below"),
        (lambda: dkw_epsilon(0, false_alarm=0.1), "n=0: must be at least 1"),
        (lambda: law_distance([1.0], np.sin, false_alarm=2.0), "false_alarm=2.0"),
        (lambda: law_distance([4.0], np.sin), "cdf is .* must lie in"),
        (lambda: law_distance([4.0, 5.0], lambda t: 0.5), "cdf returns shape"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_estimates_read_well():
    estimate = Estimate(
        value=-1234.5678, lower=-INF, upper=-1234.0, confidence=1 - 1e-9, n=7, method="", n_nonfinite=2
    )
    assert str(estimate) == "-1234.57 [-inf, -1234.00] (1 - 1e-09, n=7, 2 not finite)"
    assert not estimate.contains(NAN)
    assert estimate.relative_half_width == INF
    assert "warning: no known" in str(probability([NAN]))


def test_moments_add_only_moments():
    with pytest.raises(TypeError):
        _ = Moments() + 1  # pyright: ignore[reportOperatorIssue]


def test_same_law_where_scipy_has_no_exact_value():
    # Seven rows each at distance 1/7: scipy's sum rounds to more than 1.
    x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    test = same_law(x, [*x[:-1], 5.5])
    assert test.distance == pytest.approx(1 / 7)
    assert test.pvalue == 1.0
