import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import theory


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(1e-3, 0.999))
def test_simple_bound_is_implied_by_the_exact_mean(depth, variance, failure):
    size = {"depth": depth, "alpha": math.sqrt(variance / depth), "failure_probability": failure}
    assert theory.difference_markov_bound(**size, gain=1.0) <= theory.identity_bound(**size) * (1 + 1e-12)


def test_constants():
    size = {"depth": 10**8, "failure_probability": 0.25}
    # at Lα² = 1 the two bounds stand as e − 1 to 2
    ratio = theory.difference_markov_bound(**size, alpha=1e-4, gain=1.0) / theory.identity_bound(
        **size, alpha=1e-4
    )
    assert ratio == pytest.approx(math.expm1(1) / 2, rel=1e-7)
    assert theory.identity_bound(**size, alpha=1e-5) == pytest.approx(0.08, rel=1e-12)


def test_markov_bound_on_all_rademacher_networks(rademacher_networks):
    net = rademacher_networks(h0=[0.83, -0.31], p_last=[1, 0], depth=2, alpha=0.5)
    scale = (net.h[0, 0] ** 2).sum()
    largest = ((net.h - net.h[:, :1]) ** 2).sum(-1).max(1) / scale
    for failure in (0.01, 0.1, 0.5):
        bound = theory.difference_markov_bound(depth=2, alpha=0.5, failure_probability=failure)
        assert (largest > bound).mean() <= failure


@given(st.integers(1, 10**5), st.floats(1e-9, 1e-3), st.floats(0.01, 0.9))
def test_bounds_grow_with_depth_scaling_and_certainty(depth, alpha, failure):
    size = {"depth": depth, "alpha": alpha, "failure_probability": failure}
    for formula in (theory.identity_bound, theory.difference_markov_bound):
        base = formula(**size)
        assert formula(**{**size, "depth": depth + 1}) > base
        assert formula(**{**size, "alpha": alpha * 1.01}) > base
        assert formula(**{**size, "failure_probability": failure * 0.9}) > base


def test_above_the_critical_scaling_the_simple_bound_is_refused():
    with pytest.raises(ValueError, match="difference_markov_bound"):
        theory.identity_bound(depth=100, alpha=0.2, failure_probability=0.1)
    assert theory.identity_bound(depth=300, alpha=300**-0.5, failure_probability=0.5) == pytest.approx(4)


@pytest.mark.statistical
@pytest.mark.parametrize("law", ["uniform", "rademacher"])
def test_limit_law_against_networks(law):
    # Kolmogorov–Smirnov at p = 1e-7 each; the bias of depth 40 (1 % in scale) moves the cdf by 0.004
    rng = np.random.default_rng(3)
    n, d, L, a = 10_000, 3, 40, 1 / 40
    h0 = np.array([0.48, -0.36, 0.8])
    h = np.tile(h0, (n, 1))
    for _ in range(L):
        if law == "uniform":
            W, V = rng.uniform(-1, 1, (2, n, d, d))
        else:
            W, V = (2.0 * rng.integers(0, 2, (2, n, d, d)) - 1) / math.sqrt(d)
        h = h + a * np.einsum("nij,nj->ni", V, np.maximum(np.einsum("nij,nj->ni", W, h), 0))
    sample = ((h - h0) ** 2).sum(1) / (L * a**2)
    assert stats.kstest(sample, theory.identity_limit_law(d).cdf).pvalue > 1e-7
    for wrong in (theory.identity_limit_law(d, gain=0.55), stats.chi2(d + 1, scale=0.5 / (d + 1))):
        assert stats.kstest(sample, wrong.cdf).pvalue < 1e-7


@pytest.mark.parametrize("width", [1, 2, 40])
def test_limit_law_has_the_exact_mean(width):
    exact = theory.hidden_difference_second_moment(depth=10**6, alpha=1e-6) * 10**6
    assert theory.identity_limit_law(width).mean() == pytest.approx(exact, rel=1e-6)
    # norm-ratio variance of independent Gaussian coordinates
    assert theory.identity_limit_law(width).var() == pytest.approx(2 * 0.25 / width)


def test_quantiles_are_those_of_the_law():
    got = theory.identity_quantile(probability=[0.1, 0.9], width=7, depth=50, alpha=1e-3, gain=1.0)
    np.testing.assert_allclose(theory.identity_limit_law(7, 1.0).cdf(np.asarray(got) / 5e-5), [0.1, 0.9])


@pytest.mark.parametrize("bad", [{"width": 0}, {"gain": 0}])
def test_bad_input_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        theory.identity_limit_law(**{"width": 3, **bad})
