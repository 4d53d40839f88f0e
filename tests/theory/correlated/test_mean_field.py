import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import theory

hursts = st.floats(0.05, 0.95)


def fractional(depth, hurst):
    return np.asarray(theory.fractional_noise_covariance(np.arange(depth), hurst))


def brute(depth, alpha, gamma_v, gamma_w):
    """The closed system solved entry by entry, from its double sums."""
    C = np.ones((depth + 1, depth + 1))
    K = np.zeros((depth, depth))
    for j in range(depth):
        for k in range(j + 1):
            size = math.sqrt(C[j, j] * C[k, k])
            kappa = theory.arc_cosine_kernel(np.clip(gamma_w[j - k] * C[j, k] / size, -1, 1))
            K[j, k] = K[k, j] = gamma_v[j - k] * size * kappa
        for k in range(j + 2):
            C[j + 1, k] = C[k, j + 1] = 1 + alpha**2 * K[: j + 1, :k].sum()
    return np.diag(C) - 1


@given(st.integers(1, 12), st.floats(0.01, 1.5), hursts, hursts)
def test_recursion_is_the_closed_system(depth, alpha, v, w):
    gamma_v, gamma_w = fractional(depth, v), fractional(depth, w)
    got = theory.correlated_mean_square(depth=depth, alpha=alpha, gamma_v=gamma_v, gamma_w=gamma_w)
    np.testing.assert_allclose(got, brute(depth, alpha, gamma_v, gamma_w), rtol=1e-9, atol=1e-12)


@given(st.integers(1, 100), st.floats(1e-6, 2), st.sampled_from(["relu", "identity"]))
def test_independent_layers_are_exact_at_every_width(depth, alpha, activation):
    independent = np.eye(1, depth)[0]
    got = theory.correlated_mean_square(
        depth=depth, alpha=alpha, gamma_v=independent, gamma_w=independent, activation=activation
    )
    gain = 0.5 if activation == "relu" else 1.0
    exact = theory.hidden_difference_second_moment(depth=np.arange(depth + 1), alpha=alpha, gain=gain)
    np.testing.assert_allclose(got, exact, rtol=1e-9)


@given(st.integers(1, 100), hursts, hursts)
def test_first_order_is_f2(depth, v, w):
    got = theory.correlated_mean_square(
        depth=depth, alpha=1e-7, gamma_v=fractional(depth, v), gamma_w=fractional(depth, w)
    )
    first = theory.fractional_first_order(alpha=1e-7, depth=depth, hurst_v=v, hurst_w=w)
    assert got[-1] == pytest.approx(first, rel=1e-8, abs=0)


def test_constant_weights_give_the_bessel_function():
    # E‖exp(xV)h‖² → I_0(2x); Richardson in 1/L
    got = [
        theory.correlated_mean_square(depth=L, alpha=2 / L, gamma_v=np.ones(L), activation="identity")[-1]
        for L in (800, 1600)
    ]
    assert 2 * got[1] - got[0] == pytest.approx(special.i0(4.0) - 1, rel=1e-5)


def test_next_term_of_f2():
    # what `log_fractional_first_order` says of where F2 is right
    for hurst, factor in ((0.2, 0.5), (0.5, 0.5), (0.8, 0.39)):
        depth, beta = 500, max(hurst, 0.5) + 0.3
        gamma = fractional(depth, hurst)
        alpha = depth**-beta
        first = theory.fractional_first_order(alpha=alpha, depth=depth, hurst_v=hurst)
        wide = theory.correlated_mean_square(depth=depth, alpha=alpha, gamma_v=gamma, gamma_w=gamma)[-1]
        assert (wide / first - 1) / first == pytest.approx(factor, rel=0.03)


@pytest.mark.statistical
@pytest.mark.parametrize(("v", "w"), [(0.9, 0.9), (0.2, 0.9)])
def test_a_wide_network_at_large_scaling(fractional_paths, v, w):
    # 60 networks of width 120; 5.5 standard errors (false alarm 4e-8 each) and 5 % for 1/d; F2 alone, and
    # independent layers, must be refuted
    rng = np.random.default_rng(5)
    n, d, depth, alpha = 60, 120, 12, 0.6
    sample = np.empty(n)
    for i in range(n):
        V, W = (fractional_paths(rng, (d, d), depth, hurst) / math.sqrt(d) for hurst in (v, w))
        h = np.full(d, 1 / math.sqrt(d))
        for k in range(depth):
            h = h + alpha * V[k] @ np.maximum(W[k] @ h, 0)
        sample[i] = ((h - 1 / math.sqrt(d)) ** 2).sum()
    error = 5.5 * sample.std() / math.sqrt(n)
    predicted = theory.correlated_mean_square(
        depth=depth, alpha=alpha, gamma_v=fractional(depth, v), gamma_w=fractional(depth, w)
    )[-1]
    assert abs(sample.mean() - predicted) < error + 0.05 * predicted
    first = theory.fractional_first_order(alpha=alpha, depth=depth, hurst_v=v, hurst_w=w)
    independent = theory.hidden_difference_second_moment(depth=depth, alpha=alpha)
    for wrong in (first, independent):
        assert abs(sample.mean() - wrong) > error + 0.05 * predicted


def test_leaves_the_float_range_as_infinity():
    got = theory.correlated_mean_square(depth=20, alpha=1e30, gamma_v=np.ones(20), gamma_w=np.ones(20))
    assert got[1] == pytest.approx(0.5e60)
    assert np.all(got[8:] == math.inf)
    assert not np.isnan(got).any()


def test_relu_without_inner_weights_is_refused():
    with pytest.raises(ValueError, match="gamma_w=None"):
        theory.correlated_mean_square(depth=1, alpha=1, gamma_v=[1])
