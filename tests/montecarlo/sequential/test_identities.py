"""What always holds: batches and units do not matter, intervals shrink and hold what is not refuted."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from montecarlo.sequential import (
    BoundedMean,
    CdfBand,
    EmpiricalBernstein,
    EventProbability,
    NonNegativeMean,
    QuantileSequence,
    SubGaussianMean,
    TwoSampleCdf,
)

LEVEL = 0.05
MAKERS = {
    "bounded": lambda: BoundedMean(low=0.0, high=1.0, false_alarm=LEVEL),
    "bernstein": lambda: EmpiricalBernstein(low=0.0, high=1.0, false_alarm=LEVEL),
    "event": lambda: EventProbability(false_alarm=LEVEL),
    "non-negative": lambda: NonNegativeMean(second_moment_bound=1.0, false_alarm=LEVEL),
    "sub-Gaussian": lambda: SubGaussianMean(variance_proxy=0.25, tuned_rows=100, false_alarm=LEVEL),
    "quantile": lambda: QuantileSequence(0.3, false_alarm=LEVEL),
}
seeds = st.integers(0, 2**32 - 1)
kinds = pytest.mark.parametrize("kind", MAKERS)


def draw(kind, seed, n):
    rng = np.random.default_rng(seed)
    rows = rng.beta(*rng.uniform(0.2, 3.0, 2), n)
    if kind == "quantile" and seed % 2:
        rows = np.round(rows, 1)  # ties
    return np.round(rows) if kind == "event" else rows


def cut(rows, seed):
    rng = np.random.default_rng(seed)
    return np.split(rows, np.sort(rng.integers(0, rows.size + 1, rng.integers(0, 8))))


@kinds
@settings(max_examples=20)
@given(seed=seeds, n=st.integers(1, 400))
def test_cuts_into_batches_do_not_matter(kind, seed, n):
    rows = draw(kind, seed, n)
    whole, parts = MAKERS[kind]().update(rows), MAKERS[kind]()
    for part in cut(rows, seed + 1):
        parts.update(part)
    assert parts.n == whole.n == n
    assert parts.estimate == whole.estimate
    for m in (0.0, 0.2, 0.5, 1.0):
        assert parts.log_e_value(m) == whole.log_e_value(m)
    # more looks, narrower running intersection, up to the tolerance of the root search
    assert parts.interval[0] >= whole.interval[0] - 1e-11
    assert parts.interval[1] <= whole.interval[1] + 1e-11


@kinds
@settings(max_examples=20)
@given(seed=seeds, n=st.integers(20, 600))
def test_intervals_shrink_and_hold_what_was_never_refuted(kind, seed, n):
    rows, sequence = draw(kind, seed, n), MAKERS[kind]()
    grid = np.linspace(0.0, 1.0, 41)
    evidence = np.full(grid.size, -math.inf)
    previous = sequence.interval
    for part in cut(rows, seed):
        sequence.update(part)
        lower, upper = sequence.interval
        assert previous[0] <= lower
        assert upper <= previous[1]
        previous = lower, upper
        evidence = np.maximum(evidence, [sequence.log_e_value(m) for m in grid])
    threshold = math.log(1.0 / LEVEL)
    for m, most in zip(grid, evidence, strict=True):
        assert sequence.refutes(m) == (not previous[0] <= m <= previous[1])
        if abs(most - threshold) > 1e-6:
            assert sequence.refutes(m) == (most > threshold), m
    assert sequence.half_width == max(0.0, (previous[1] - previous[0]) / 2.0)


@pytest.mark.parametrize("cls", [BoundedMean, EmpiricalBernstein])
@settings(max_examples=30)
@given(seed=seeds, scale=st.floats(1e-6, 1e6), shift=st.floats(-10.0, 10.0), flip=st.booleans())
def test_units_of_bounded_rows_do_not_matter(cls, seed, scale, shift, flip):
    rows = draw("bounded", seed, 300)
    unit = cls(low=0.0, high=1.0, false_alarm=LEVEL).update(rows)
    factor = -scale if flip else scale
    low, high = sorted((shift * scale, shift * scale + factor))
    moved = np.clip(shift * scale + factor * rows, low, high)
    other = cls(low=low, high=high, false_alarm=LEVEL).update(moved)
    expected = sorted(shift * scale + factor * end for end in unit.interval)
    np.testing.assert_allclose(other.interval, expected, rtol=0.0, atol=1e-9 * scale)


@settings(max_examples=30)
@given(seed=seeds, scale=st.floats(1e-6, 1e6), shift=st.floats(-10.0, 10.0))
def test_units_of_other_rows_do_not_matter(seed, scale, shift):
    rows = draw("bounded", seed, 300)
    mean = MAKERS["non-negative"]().update(rows)
    other = NonNegativeMean(second_moment_bound=scale**2, false_alarm=LEVEL).update(scale * rows)
    np.testing.assert_allclose(other.interval, scale * np.array(mean.interval), rtol=1e-9)
    mean = MAKERS["sub-Gaussian"]().update(rows)
    other = SubGaussianMean(variance_proxy=0.25 * scale**2, tuned_rows=100, false_alarm=LEVEL)
    other.update(scale * (rows + shift))
    np.testing.assert_allclose(other.interval, scale * (np.array(mean.interval) + shift), atol=1e-9 * scale)
    quantile = MAKERS["quantile"]().update(rows)
    other = QuantileSequence(0.3, false_alarm=LEVEL).update(np.exp(rows))
    assert other.interval == tuple(np.exp(quantile.interval))


@settings(max_examples=20)
@given(seed=seeds)
def test_events_are_bounded_rows(seed):
    rows = draw("event", seed, 300)
    events, bounded = MAKERS["event"]().update(rows), MAKERS["bounded"]().update(rows)
    np.testing.assert_allclose(events.interval, bounded.interval, rtol=1e-9)
    for m in (0.1, 0.7):
        assert math.isclose(events.log_e_value(m), bounded.log_e_value(m), rel_tol=1e-9, abs_tol=1e-9)


@settings(max_examples=20)
@given(seed=seeds, n=st.integers(1, 500))
def test_laws_do_not_depend_on_batches(seed, n):
    rng = np.random.default_rng(seed)
    x, y = np.round(rng.random(n), 2), np.round(rng.random(n), 2)

    def cdf(t):
        return np.clip(t, 0.0, 1.0) ** 1.3

    whole, parts = CdfBand(false_alarm=LEVEL).update(x), CdfBand(false_alarm=LEVEL)
    two, two_parts = TwoSampleCdf(false_alarm=LEVEL).update(x, y), TwoSampleCdf(false_alarm=LEVEL)
    p = width = 1.0
    for part in cut(x, seed):
        assert parts.update(part).p_bound(cdf) <= p
        assert parts.half_width <= width
        p, width = parts.p_bound(cdf), parts.half_width
        two_parts.update(part, [])
    for part in cut(y, seed + 1):
        two_parts.update([], part)
    assert parts.p_bound(cdf) == whole.p_bound(cdf)
    points = np.linspace(-0.1, 1.1, 30)
    np.testing.assert_array_equal(parts.interval(points), whole.interval(points))
    assert (two_parts.p_bound, two_parts.interval) == (two.p_bound, two.interval)
    lower, upper = whole.interval(points)
    assert np.all(lower <= upper)
    if whole.n_used:
        levels = np.searchsorted(np.sort(x[: whole.n_used]), points, side="right") / whole.n_used
        np.testing.assert_allclose(lower, np.maximum(levels - whole.half_width, 0.0))


@kinds
@settings(max_examples=10)
@given(seed=seeds)
def test_rows_that_are_not_finite_are_counted_and_left_out(kind, seed):
    rows = draw(kind, seed, 100)
    spoilt = np.insert(rows, [0, 50, 100], [math.nan, math.inf, math.nan])
    clean, counted = MAKERS[kind]().update(rows), MAKERS[kind]().update(spoilt)
    assert (counted.n, counted.n_nonfinite) == (100, 3)
    assert counted.interval == clean.interval
    assert counted.result(0.5, resolution=0.1).n_nonfinite == 3


@settings(max_examples=20)
@given(seed=seeds, n=st.integers(1, 2000))
def test_minus_infinity_is_a_value_for_quantiles_and_laws(seed, n):
    rows = np.where(np.random.default_rng(seed).random(n) < 0.5, -math.inf, 0.0)
    sequence = QuantileSequence(0.2, false_alarm=LEVEL).update(rows)
    assert sequence.n == n
    assert not sequence.refutes(-math.inf)
    band = CdfBand(false_alarm=LEVEL).update(rows)
    assume(band.n_used)
    lower, upper = band.interval([-math.inf])
    share = np.mean(np.isneginf(rows[: band.n_used]))
    assert lower[0] <= share <= upper[0]
