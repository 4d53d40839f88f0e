"""Identities that hold on any input: pooling, shifts, order, nested intervals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from montecarlo.estimates import (
    Estimate,
    Moments,
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

number = st.floats(-5000.0, 5000.0, allow_subnormal=False).map(lambda x: round(x, 6))
rows = st.lists(number, min_size=1, max_size=60)
rows_with_zeros = st.lists(number | st.just(-math.inf), min_size=1, max_size=60)
quick = settings(deadline=None, derandomize=True, max_examples=40)

INTERVALS = {
    "mean": mean,
    "variance": variance,
    "median": median,
    "upper-decile": lambda x, *, confidence: quantile(x, 0.9, confidence=confidence),
    "bounded": lambda x, *, confidence: bounded_mean(x, low=-5000.0, high=5000.0, confidence=confidence),
    "log-mean-exp": log_mean_exp,
    "log-mean-exp-mild": lambda x, *, confidence: log_mean_exp(x, power=1e-4, confidence=confidence),
    "probability": lambda x, *, confidence: probability(np.asarray(x) > 0.0, confidence=confidence),
}


def same_moments(a, b, size):
    assert (a.n, a.n_nonfinite) == (b.n, b.n_nonfinite)
    for power, name in enumerate(("mean", "M2", "M3", "M4"), start=1):
        scale = max(a.n, 1) * max(size, 1.0) ** power
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-9, abs=1e-11 * scale)


@quick
@given(st.lists(number | st.just(math.nan) | st.just(-math.inf), min_size=3, max_size=60), st.data())
def test_pooled_moments_are_those_of_one_batch(values, data):
    first = data.draw(st.integers(1, len(values) - 2))
    second = data.draw(st.integers(first + 1, len(values) - 1))
    a, b, c = (Moments.of(part) for part in (values[:first], values[first:second], values[second:]))
    size = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    whole = Moments.of(values)
    same_moments((a + b) + c, whole, size)
    same_moments(a + (b + c), whole, size)
    assert Moments() + whole == whole == whole + Moments()


def test_moments_agree_with_scipy():
    x = np.random.default_rng(5).exponential(size=500) + 1000.0
    moments = Moments.of(x[:100]) + Moments.of(x[100:])
    assert moments.variance == pytest.approx(np.var(x, ddof=1), rel=1e-10)
    assert moments.skewness == pytest.approx(stats.skew(x), rel=1e-8)
    assert moments.kurtosis == pytest.approx(stats.kurtosis(x, fisher=False), rel=1e-8)


def test_mean_and_variance_take_pooled_moments():
    x = np.random.default_rng(6).standard_normal(300)
    pooled = Moments.of(x[:70]) + Moments.of(x[70:])
    for estimate in (mean, variance):
        one, two = estimate(x), estimate(pooled)
        assert (one.value, one.lower, one.upper) == pytest.approx(
            (two.value, two.lower, two.upper), rel=1e-12
        )


@pytest.mark.parametrize("name", INTERVALS)
@quick
@given(values=rows)
def test_intervals_are_nested_and_hold_their_value(name, values):
    wide = INTERVALS[name](values, confidence=0.999999)
    for confidence in (0.999, 0.9, 0.5):
        narrow = INTERVALS[name](values, confidence=confidence)
        slack = 1e-9 * max(1.0, abs(narrow.value) if math.isfinite(narrow.value) else 1.0)
        assert wide.lower - slack <= narrow.lower
        assert narrow.upper <= wide.upper + slack
        if math.isfinite(narrow.value):
            assert narrow.lower - slack <= narrow.value <= narrow.upper + slack
        wide = narrow


@pytest.mark.parametrize("name", INTERVALS)
@quick
@given(values=rows, order=st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(name, values, order):
    shuffled = list(values)
    order.shuffle(shuffled)
    a, b = INTERVALS[name](values, confidence=0.99), INTERVALS[name](shuffled, confidence=0.99)
    for field in ("value", "lower", "upper"):
        x, y = getattr(a, field), getattr(b, field)
        assert x == pytest.approx(y, rel=1e-9, abs=1e-6, nan_ok=True)


@quick
@given(rows_with_zeros, st.floats(-3000.0, 3000.0), st.sampled_from([0.001, 1.0, 2.0]))
def test_log_mean_exp_follows_a_shift_of_the_logs(values, shift, power):
    a = log_mean_exp(values, power=power)
    b = log_mean_exp(np.asarray(values) + shift, power=power)
    for field in ("value", "lower", "upper"):
        assert getattr(b, field) == pytest.approx(getattr(a, field) + power * shift, rel=1e-9, abs=1e-6)


@quick
@given(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=60))
def test_log_mean_exp_is_the_log_of_the_mean(values):
    assert log_mean_exp(values).value == pytest.approx(
        math.log(np.mean(np.exp(2.0 * np.asarray(values)))), abs=1e-12
    )


@quick
@given(rows_with_zeros, rows_with_zeros)
def test_same_law_is_symmetric_monotone_invariant_and_the_largest_gap(x, y):
    test = same_law(x, y)
    assert same_law(y, x).distance == test.distance
    assert same_law(np.exp(np.asarray(x) / 1e4), np.exp(np.asarray(y) / 1e4)).pvalue == test.pvalue
    left, right = np.asarray(x), np.asarray(y)
    expected = max(abs(np.mean(left <= v) - np.mean(right <= v)) for v in [*x, *y])
    assert test.distance == pytest.approx(expected, abs=1e-12)
    assert same_law(x, x).distance == 0.0


@quick
@given(st.lists(st.floats(-4.0, 4.0), min_size=1, max_size=60))
def test_law_distance_agrees_with_scipy_for_a_continuous_law(values):
    ours = law_distance(values, stats.norm.cdf).distance
    assert ours == pytest.approx(stats.kstest(values, stats.norm.cdf).statistic, abs=1e-12)
    assert dkw_band(values, confidence=0.99).contains(stats.norm.cdf) == (ours <= dkw_band(values).epsilon)


@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (10, 0.3), (100, 0.5), (100, 0.01), (999, 0.9)])
@pytest.mark.parametrize("confidence", [0.9, 0.99, 1.0 - 1e-9])
def test_quantile_takes_the_tightest_exact_order_statistics(n, p, confidence):
    estimate = quantile(np.arange(1, n + 1), p, confidence=confidence)
    miss = (1.0 - confidence) / 2.0
    r = 0 if estimate.lower == -math.inf else int(estimate.lower)
    s = n + 1 if estimate.upper == math.inf else int(estimate.upper)
    law = stats.binom(n, p)
    assert law.cdf(r - 1) <= miss < law.cdf(r)
    assert law.sf(s - 1) <= miss < law.sf(s - 2)
    assert estimate.value == math.ceil(round(n * p, 9))


def test_probability_agrees_with_scipy():
    for hits, n in ((0, 10), (3, 10), (10, 10), (1, 2000)):
        estimate = probability([True] * hits + [False] * (n - hits), confidence=0.999)
        expected = stats.binomtest(hits, n).proportion_ci(0.999, method="exact")
        assert (estimate.lower, estimate.upper) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_repr_can_be_pasted_back_and_shows_no_defaults():
    estimate = quantile([1.0, 2.0, math.nan], 0.5)
    assert eval(repr(estimate), {"Estimate": Estimate}) == estimate
    assert "n_nonfinite" not in repr(median([1.0, 2.0]))


LAWS = {
    "continuous": stats.norm(0.0, 100.0).cdf,
    "atoms": lambda x: stats.norm(0.0, 100.0).cdf(np.round(x)) * 0.9 + 0.1 * (np.asarray(x) >= 3.0),
    "defective": lambda x: 0.2 + 0.7 * stats.norm(0.0, 100.0).cdf(x),
    "far": lambda x: (np.asarray(x) >= 1e6).astype(float),
}


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 3000),
    st.sampled_from([1, 0, -2]),
    st.sampled_from(sorted(LAWS)),
)
def test_the_distance_from_a_law_is_found_without_asking_it_at_every_row(seed, n, digits, law):
    cdf = LAWS[law]
    x = np.round(np.random.default_rng(seed).normal(0.0, 100.0, n), digits)  # with ties
    x[: n // 10] = -math.inf
    points, counts = np.unique(x, return_counts=True)
    levels = np.cumsum(counts) / n
    before = np.where(points == -math.inf, 0.0, cdf(np.nextafter(points, -math.inf)))
    gaps = np.abs(levels - cdf(points)), np.abs(np.append(0.0, levels[:-1]) - before)
    assert law_distance(x, cdf).distance == pytest.approx(np.max(gaps), abs=1e-15)


def test_a_near_law_is_asked_at_few_rows():
    asked = []

    def cdf(x):
        asked.append(x.size)
        return stats.norm.cdf(x)

    law_distance(np.random.default_rng(1).standard_normal(100_000), cdf)
    assert sum(asked) < 10_000
