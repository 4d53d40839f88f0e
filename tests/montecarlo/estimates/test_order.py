"""Orders of convergence on errors of known law: exact identities, coverage, refutation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from montecarlo.estimates import strong_order, weak_order

DEPTHS = np.array([16.0, 32.0, 64.0, 128.0, 256.0])


def errors(rng, *, order, bend=0.0, replicas=400):
    """Return log-errors of mean ``L^-order (1 + bend L^-1/2)`` whose depths share most of their noise."""
    shared = 0.4 * rng.standard_normal((replicas, 1))
    own = 0.2 * rng.standard_normal((replicas, len(DEPTHS)))
    return shared + own - order * np.log(DEPTHS) + np.log1p(bend / np.sqrt(DEPTHS))


@given(
    order=st.floats(-2.0, 3.0),
    shift=st.floats(-500.0, 500.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_factors_shift_nothing_and_powers_add(order, shift, seed):
    rows = errors(np.random.default_rng(seed), order=0.0, replicas=20)
    plain = strong_order(rows, DEPTHS)
    moved = strong_order(rows + shift - order * np.log(DEPTHS), DEPTHS)
    assert moved.value == pytest.approx(plain.value + order, abs=1e-9)
    # The allowance is a difference of slopes, which a power leaves as it is.
    assert moved.half_width == pytest.approx(plain.half_width, abs=1e-9)


@given(order=st.floats(0.1, 3.0), seed=st.integers(0, 2**32 - 1))
def test_exact_powers_are_found_exactly(order, seed):
    factor = np.random.default_rng(seed).standard_normal((10, 1))
    found = strong_order(factor - order * np.log(DEPTHS), DEPTHS)
    assert found.value == pytest.approx(order, abs=1e-12)
    assert found.half_width < 1e-11
    found = weak_order(-np.exp(0.01 * factor) * DEPTHS**-order, DEPTHS)
    assert found.value == pytest.approx(order, abs=1e-12)


@pytest.mark.parametrize("bend", [-0.01, 0.01])
@pytest.mark.parametrize("correction", [0.5, 1.0, 2.0])
def test_interval_ends_at_the_extrapolation(bend, correction):
    rows = np.zeros((2, 1)) - 0.5 * np.log(DEPTHS) + bend * DEPTHS**-correction
    found = strong_order(rows, DEPTHS, correction=correction)
    ends = sorted((found.value, 0.5))
    assert (found.lower, found.upper) == pytest.approx(ends, abs=1e-13)
    assert ends[1] - ends[0] > 1e-7


@pytest.mark.statistical
def test_coverage():
    # 1000 intervals at 95 %: fewer than 917 hits has probability 1e-6 at the nominal level.
    rng = np.random.default_rng(1)
    hits = [strong_order(errors(rng, order=0.5), DEPTHS, confidence=0.95).contains(0.5) for _ in range(1000)]
    assert sum(hits) >= stats.binom.ppf(1e-6, 1000, 0.95)
    # 0.05 here; 0.11 if the errors of a replica were taken as independent.
    widths = [strong_order(errors(rng, order=0.5), DEPTHS, confidence=0.95).half_width for _ in range(20)]
    assert np.mean(widths) < 0.06
    bent = [
        strong_order(errors(rng, order=0.5, bend=0.3), DEPTHS, confidence=0.95).contains(0.5)
        for _ in range(1000)
    ]
    assert sum(bent) >= stats.binom.ppf(1e-6, 1000, 0.95)


@pytest.mark.statistical
def test_a_wrong_order_is_refuted():
    rng = np.random.default_rng(2)
    hits = [
        strong_order(errors(rng, order=0.6, replicas=4000), DEPTHS, confidence=0.95).contains(0.5)
        for _ in range(100)
    ]
    assert not any(hits)


@pytest.mark.statistical
def test_pure_noise_is_undecided():
    rng = np.random.default_rng(3)
    for _ in range(50):  # five standard errors: 6e-7 a depth
        found = weak_order(rng.standard_normal((200, len(DEPTHS))) / DEPTHS, DEPTHS)
        assert math.isnan(found.value)
        assert (found.lower, found.upper) == (-math.inf, math.inf)
        assert "undecided: noise exceeds the bias from the depth 16" in str(found.warning)


@pytest.mark.statistical
def test_weak_order_drops_what_noise_hides():
    rng = np.random.default_rng(4)
    rows = 1.0 / DEPTHS + rng.standard_normal((10_000, len(DEPTHS))) * [0.1, 0.1, 0.1, 5.0, 0.1]
    found = weak_order(rows, DEPTHS)
    assert found.warning == "noise exceeds the bias from the depth 128 on"
    assert found.contains(1.0)
    hidden = weak_order(rows[:, [0, 1, 3]], DEPTHS[[0, 1, 3]])
    assert math.isnan(hidden.value)


def test_outcomes_that_are_no_errors():
    rows = np.random.default_rng(5).standard_normal((10, 3))
    depths = [2, 4, 8]
    lost = rows.copy()
    lost[3, 1] = np.nan
    found = strong_order(lost, depths)
    assert (found.n, found.n_nonfinite) == (9, 1)
    assert found.value == strong_order(np.delete(rows, 3, axis=0), depths).value
    assert "1 of 10 outcomes" in str(found.warning)
    lost[:, 0] = -np.inf
    assert "exactly zero" in str(strong_order(lost, depths).warning)
    assert "fewer than 2" in str(strong_order(lost[3:4], depths).warning)
    assert "fewer than 2" in str(weak_order(lost[3:4], depths).warning)
    flip = np.array([[0.3, -0.2, 0.1]]) + 0.001 * rows
    assert "changes sign" in str(weak_order(flip, depths).warning)
    heavy = np.where(np.arange(10)[:, None] == 0, 200.0, rows)
    assert "a few replicas carry" in str(strong_order(heavy, depths).warning)


@pytest.mark.parametrize("estimate", [strong_order, weak_order])
@pytest.mark.parametrize(
    ("shape", "depths", "options", "message"),
    [
        ((5,), [1, 2, 4], {}, "shape"),
        ((5, 2), [1, 2, 4], {}, "a column for each of 3 depths"),
        ((0, 3), [1, 2, 4], {}, "shape"),
        ((5, 2), [1, 2], {}, "3 or more"),
        ((5, 3), [4, 2, 1], {}, "increasing"),
        ((5, 3), [0, 2, 4], {}, "increasing"),
        ((5, 3), [1, 2, 4], {"confidence": 1.0}, "confidence"),
        ((5, 3), [1, 2, 4], {"correction": 0.0}, "correction"),
    ],
)
def test_bad_input(estimate, shape, depths, options, message):
    rows = 1.0 + 0.01 * np.random.default_rng(6).standard_normal(shape)
    with pytest.raises(ValueError, match=message):
        estimate(rows, depths, **options)
