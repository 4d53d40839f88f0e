import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import theory

COVARIANCES = [
    theory.rbf_covariance,
    theory.rbf_derivative_covariance,
    lambda t: theory.matern_covariance(t, smoothness=1.5, scale=0.2),
]


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_constant_is_the_limit_of_f2(covariance):
    constant = theory.ode_identity_constant(covariance, covariance)
    error = []
    for depth in (1000, 2000):
        gamma = np.asarray(covariance(np.arange(depth) / depth))
        sum_of_lags = theory.first_order_difference(
            alpha=1 / depth, depth=depth, gamma_v=gamma, gamma_w=gamma
        )
        error.append(abs(sum_of_lags / constant - 1))
    assert error[1] < 5e-3
    assert error[1] < 0.6 * error[0]


@given(st.floats(0.01, 10))
def test_constant_of_an_rbf_in_closed_form(variance):
    got = theory.ode_identity_constant(lambda t: theory.rbf_covariance(t, variance), gain=0.3)
    exact = math.sqrt(2 * math.pi * variance) * special.erf(1 / math.sqrt(2 * variance)) + 2 * variance * (
        math.expm1(-1 / (2 * variance))
    )
    assert got == pytest.approx(0.3 * exact, rel=1e-11)


def test_constant_weights_attain_the_largest_constant():
    assert theory.ode_identity_constant(np.ones_like, np.ones_like) == pytest.approx(0.5, rel=1e-13)


def test_covariance_above_one_is_refused():
    with pytest.raises(ValueError, match="covariance=2"):
        theory.ode_identity_constant(lambda t: 2 * np.ones_like(t))


@given(
    st.lists(st.floats(1e-250, 1e250), min_size=1, max_size=8),
    st.floats(1e-300, 1e300),
    st.floats(1e-200, 1e200),
)
def test_log_bound_against_high_precision(norms, alpha, norm_w):
    with mpmath.workdps(1200):
        product = mpmath.mpf(1)
        for norm in norms:
            product *= 1 + mpmath.mpf(alpha) * norm * norm_w
        exact = float(mpmath.log(product - 1))
    got = theory.log_gronwall_bound(alpha=alpha, norms_v=norms, norms_w=norm_w)
    assert got == pytest.approx(exact, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 2.0])
def test_bounds_every_network(alpha):
    rng = np.random.default_rng(31)
    n, d, depth = 50, 4, 20
    V, W = rng.normal(size=(2, n, depth, d, d)) / math.sqrt(d)
    h = np.tile([0.5] * d, (n, 1))
    start, largest = h, np.zeros(n)
    for k in range(depth):
        h = h + alpha * np.einsum("nij,nj->ni", V[:, k], np.maximum(np.einsum("nij,nj->ni", W[:, k], h), 0))
        largest = np.maximum(largest, np.sqrt(((h - start) ** 2).sum(1)))
    norms = [np.linalg.norm(M, ord=2, axis=(-2, -1)) for M in (V, W)]
    bound = theory.gronwall_bound(alpha=alpha, norms_v=norms[0], norms_w=norms[1])
    assert bound.shape == (n,)
    assert np.all(largest <= bound)
    # per network scalings broadcast against the layers
    again = theory.gronwall_bound(alpha=np.full(n, alpha), norms_v=norms[0], norms_w=norms[1])
    np.testing.assert_array_equal(bound, again)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=20), st.floats(0.01, 2))
def test_bound_is_attained_by_aligned_layers(norms, alpha):
    h = 1.0
    for norm in norms:
        h += alpha * norm * h
    assert theory.gronwall_bound(alpha=alpha, norms_v=norms) == pytest.approx(h - 1, rel=1e-9, abs=1e-12)


def test_no_movement_and_no_axis():
    assert theory.log_gronwall_bound(alpha=1, norms_v=[0, 0]) == -math.inf
    assert theory.gronwall_bound(alpha=0, norms_v=[1.0]) == 0
    assert theory.gronwall_bound(alpha=1e300, norms_v=[1e300] * 3) == math.inf
    with pytest.raises(ValueError, match="axis of layers"):
        theory.gronwall_bound(alpha=1, norms_v=1.0)


@pytest.mark.statistical
def test_volume_of_networks():
    # variance of 4000 numbers at 5.5 standard errors (12.3 %, false alarm 4e-8), 4 % for finite depth; width
    # 1 to 3 alike; the same with a variance d times as large is refuted
    rng = np.random.default_rng(32)
    n, depth, beta = 4000, 200, 0.5
    scale = depth**-beta
    t = np.arange(depth) / depth
    covariance = lambda tau: theory.rbf_covariance(tau, 0.1)  # noqa: E731
    root = np.linalg.cholesky(covariance(t[:, None] - t) + 1e-10 * np.eye(depth))
    deviation = theory.ode_log_volume_deviation(depth=depth, beta=beta, covariance_v=covariance)
    for d in (1, 3):
        V = (root @ rng.normal(size=(depth, n * d * d))).reshape(depth, n, d, d) / math.sqrt(d)
        log = np.log(np.abs(np.linalg.det(np.eye(d) + scale * V))).sum(0)
        # O(a² L) of each layer is a shift of the mean, not of the spread
        ratio = log.var() / deviation**2
        assert abs(ratio - 1) < 0.123 + 0.04
        assert abs(ratio / 3 - 1) > 0.123 + 0.04
