import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

import theory

NODES = 12


def chi_square_nodes(freedom):
    if freedom == 0:
        return np.zeros(1), np.ones(1)
    x, w = special.roots_genlaguerre(NODES, freedom / 2 - 1)
    return 2 * x, w / w.sum()


def quadrature_moment(order, width, alpha, activation):
    """E R^m by Gauss quadrature of statement I6, exact for polynomials of this degree."""
    z, wz = special.roots_hermitenorm(NODES)
    wz = wz / wz.sum()
    c, wc = chi_square_nodes(width - 1)
    total = 0.0
    for active in range(width + 1) if activation == "relu" else [None]:
        if active is None:
            g, wg, share = np.ones(1), np.ones(1), 1.0
        else:
            g, wg = chi_square_nodes(active)
            g, share = g / width, stats.binom.pmf(active, width, 0.5)
        g_, z_, c_ = np.meshgrid(g, z, c, indexing="ij")
        R = (1 + alpha * np.sqrt(g_ / width) * z_) ** 2 + alpha**2 * g_ / width * c_
        total += share * np.einsum("ijk,i,j,k->", R**order, wg, wz, wc)
    return total


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("width", [1, 2, 3, 6])
@pytest.mark.parametrize("order", [1, 2, 3, 5, 7])
def test_moments_against_quadrature_of_the_exact_law(activation, width, order):
    for alpha in (0.05, 0.6, 3.0):
        got = theory.radial_moment(order=order, width=width, alpha=alpha, activation=activation)
        assert got == pytest.approx(quadrature_moment(order, width, alpha, activation), rel=1e-11)


@pytest.mark.statistical
def test_moments_against_networks():
    # two z-tests at 5.5 standard errors: false alarm 8e-8
    rng = np.random.default_rng(2)
    n, d, a = 200_000, 3, 0.5
    W, V = rng.normal(size=(2, n, d, d)) / math.sqrt(d)
    h = np.array([0.6, 0.0, 0.8])
    R = ((h + a * np.einsum("nij,nj->ni", V, np.maximum(W @ h, 0))) ** 2).sum(1)
    for order in (1, 2):
        sample = R**order
        z = (sample.mean() - theory.radial_moment(order=order, width=d, alpha=a)) / sample.std()
        assert abs(z) * math.sqrt(n) < 5.5


@given(st.integers(1, 10**4), st.floats(1e-8, 10))
def test_first_two_moments_in_closed_form(d, a):
    first = theory.log_radial_moment(order=1, width=d, alpha=a)
    second = theory.log_radial_moment(order=2, width=d, alpha=a)
    assert first == pytest.approx(math.log1p(a**2 / 2), rel=1e-12)
    by_hand = a**2 * (1 + 2 / d) + a**4 * (d + 2) * (d + 5) / (4 * d**2)
    assert second == pytest.approx(math.log1p(by_hand), rel=1e-12)


@given(st.integers(1, 200), st.floats(1e-3, 5), st.sampled_from(["relu", "identity"]))
def test_variance_is_the_second_moment_less_the_square(d, a, activation):
    m1, m2 = (theory.radial_moment(order=m, width=d, alpha=a, activation=activation) for m in (1, 2))
    variance = theory.radial_variance(width=d, alpha=a, activation=activation)
    assert variance == pytest.approx(m2 - m1**2, rel=1e-9, abs=1e-12)
    relative = theory.relative_variance(width=d, depth=7, alpha=a, activation=activation)
    assert relative == pytest.approx((m2 / m1**2) ** 7 - 1, rel=1e-8, abs=1e-11)


@given(st.integers(1, 50), st.floats(1e-3, 3), st.integers(1, 12))
def test_log_moments_are_convex_in_the_order(d, a, m):
    log = [0.0] + [theory.log_radial_moment(order=k, width=d, alpha=a) for k in (m, m + 1, m + 2)]
    assert log[1] + log[3] >= 2 * log[2] * (1 - 1e-12)
    assert log[2] / (m + 1) >= log[1] / m * (1 - 1e-12)


def test_wide_networks_lose_their_fluctuations():
    log = theory.log_radial_moment(order=3, width=10**9, alpha=0.8)
    assert log == pytest.approx(3 * math.log1p(0.32), rel=1e-8)


@pytest.mark.parametrize("alpha", [1e-18, 1e-3, 1.0, 1e100])
def test_everything_stays_finite(alpha):
    size = {"width": 10**4, "depth": 10**6, "alpha": alpha}
    assert math.isfinite(theory.log_norm_moment(order=200, **size))
    assert math.isfinite(theory.log_relative_variance(**size))
    assert math.isfinite(theory.log_networks_for_mean(**size, relative_error=0.01))


@given(st.integers(1, 100), st.integers(0, 10**5), st.integers(0, 10**5), st.floats(1e-4, 2))
def test_norm_moments_compose_over_depth(width, first, second, alpha):
    log = [
        theory.log_norm_moment(order=3, width=width, depth=L, alpha=alpha)
        for L in (first, second, first + second)
    ]
    assert log[0] + log[1] == pytest.approx(log[2], rel=1e-12)


def test_networks_for_a_mean_of_one_gaussian_layer():
    # width 1, a = 1: variance 6.25, mean 1.5
    log = theory.log_networks_for_mean(width=1, depth=1, alpha=1.0, relative_error=0.1)
    assert math.exp(log) == pytest.approx(6.25 / 2.25 / 0.01, rel=1e-12)


def test_arrays_broadcast():
    got = theory.log_norm_moment(order=2, width=5, depth=[1, 2], alpha=[[0.0], [0.1], [0.2]])
    assert np.shape(got) == (3, 2)
    assert np.all(np.asarray(got)[0] == 0)


@pytest.mark.parametrize(
    "bad", [{"order": 0}, {"order": 1.5}, {"width": 0}, {"alpha": -1}, {"activation": "tanh"}]
)
def test_bad_input_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        theory.log_radial_moment(**{"order": 1, "width": 1, "alpha": 1.0, **bad})
