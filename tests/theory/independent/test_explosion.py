import math

import numpy as np
import pytest
from scipy import special, stats

import theory


def exact_log_mean_and_variance(width, alpha):
    """E log R and Var log R of statement I6: Poisson mixture of χ² logarithms, Gauss–Laguerre over G."""
    first = second = 0.0
    for active in range(1, width + 1):
        x, w = special.roots_genlaguerre(24, active / 2 - 1)
        share = stats.binom.pmf(active, width, 0.5) * w / w.sum()
        for weight, square in zip(share, alpha**2 * 2 * x / width**2, strict=True):
            if weight < 1e-20:
                continue
            mean = 0.5 / square
            j = np.arange(
                max(0, int(mean - 12 * math.sqrt(mean) - 40)), int(mean + 12 * math.sqrt(mean) + 40)
            )
            chance = stats.poisson.pmf(j, mean)
            # relative to log(1/s²) so that nothing large cancels
            log = special.digamma(width / 2 + j) - math.log(mean)
            first += weight * (chance * log).sum() / chance.sum()
            second += weight * (chance * (log**2 + special.polygamma(1, width / 2 + j))).sum() / chance.sum()
    return first, second - first**2


@pytest.mark.parametrize("width", [1, 3, 4, 5, 8])
def test_expansion_converges_at_its_order(width):
    # narrow networks have the largest next terms
    alphas = (0.16, 0.08) if width > 1 else (0.05, 0.025)
    exact = [exact_log_mean_and_variance(width, a)[0] for a in alphas]
    for order in (1, 2):
        error = [
            theory.explosion_log_mean(width=width, depth=1, alpha=a, order=order) - e
            for a, e in zip(alphas, exact, strict=True)
        ]
        if width == 4:
            assert max(map(abs, error)) < 1e-9  # one term only
            continue
        observed = math.log2(abs(error[0] / error[1]))
        assert observed == pytest.approx(2 * order + 2, abs=0.35)


@pytest.mark.parametrize("width", [1, 2, 3, 8])
@pytest.mark.parametrize("alpha", [1e-3, 0.01, 0.0101, 0.1])
def test_exact_mean_without_an_order(width, alpha):
    exact = exact_log_mean_and_variance(width, alpha)[0]
    # the Gauss–Laguerre rule above is good to 1e-10 at width 1
    got = theory.explosion_log_mean(width=width, depth=1, alpha=alpha)
    assert got == pytest.approx(exact, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("width", [1, 3, 40])
def test_exact_mean_is_that_of_the_exact_law(width):
    law = theory.ExactNormLaw(width=width, depth=100, alpha=0.5)
    alphas = np.array([[0.0, 0.5], [0.2, 0.01]])
    got = theory.explosion_log_mean(width=width, depth=100, alpha=alphas)
    assert got.shape == alphas.shape
    assert got[0, 0] == 0
    assert got[0, 1] == pytest.approx(2 * law.mean(), rel=1e-12)
    # the two methods meet at α = 0.01
    near = theory.explosion_log_mean(width=width, depth=100, alpha=0.01 * (1 + 1e-12))
    assert near == pytest.approx(got[1, 1], rel=1e-10)


def test_width_1_where_the_default_expansion_was_off():
    size = {"width": 1, "depth": 2000, "alpha": 2000**-0.25}
    exact = theory.explosion_log_mean(**size)
    assert exact == pytest.approx(-25.5417, abs=1e-3)
    error = [abs(theory.explosion_log_mean(**size, order=n) - exact) for n in (1, 2, 3)]
    assert error[0] > error[1] > 5 * error[2]
    assert error[1] == pytest.approx(0.94, abs=0.01)
    with pytest.raises(ValueError, match="order=4"):
        theory.explosion_log_mean(**size, order=4)


@pytest.mark.parametrize(("width", "alpha"), [(1, 0.3), (3, 1.0), (40, 3.0)])
def test_expansion_is_refused_where_its_terms_grow(width, alpha):
    with pytest.raises(ValueError, match=f"order=4: must end .* width {width} and alpha={alpha:g}"):
        theory.explosion_log_mean(width=width, depth=1, alpha=[1e-3, alpha], order=4)
    # order 1 is the limit law's rate, asked for at any scaling
    rate = theory.explosion_rate(width) * alpha**2
    assert theory.explosion_log_mean(width=width, depth=1, alpha=alpha, order=1) == pytest.approx(rate)


def test_plane_has_no_power_of_the_scaling():
    assert theory.explosion_log_mean(width=2, depth=10**6, alpha=0.3, order=8) == 0
    assert abs(exact_log_mean_and_variance(2, 0.05)[0]) < 1e-12


@pytest.mark.parametrize("width", [1, 2, 3, 10])
def test_variance_and_rate_are_leading_orders(width):
    error = []
    for a in (0.05, 0.025):
        mean, variance = exact_log_mean_and_variance(width, a)
        assert mean / a**2 == pytest.approx(theory.explosion_rate(width), abs=20 * a**2)
        error.append(variance / theory.explosion_log_variance(width=width, depth=1, alpha=a) - 1)
    assert abs(error[1]) < 0.02
    assert error[0] / error[1] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("h0", [[0.8], [0.83, -0.31]])
def test_rate_of_rademacher_networks(rademacher_networks, h0):
    rate = []
    for alpha in (0.04, 0.02):
        net = rademacher_networks(h0=h0, p_last=h0, depth=1, alpha=alpha)
        rate.append(np.log((net.h[:, -1] ** 2).sum(1) / np.square(h0).sum()).mean() / alpha**2)
    # Richardson: the next term is of relative order α²
    assert (4 * rate[1] - rate[0]) / 3 == pytest.approx(theory.explosion_rate(len(h0)), abs=1e-5)


def test_rademacher_networks_of_width_2_drift_at_fourth_order(rademacher_networks):
    # why the limit 1/2 at width 2 is restricted to Gaussian V or β > 1/6; 11 directions average
    # cos 4θ and cos² 4θ exactly
    drift = []
    for angle in 0.1 + 2 * np.pi * np.arange(11) / 11:
        h0 = [math.cos(angle), math.sin(angle)]
        net = rademacher_networks(h0=h0, p_last=h0, depth=1, alpha=0.02)
        drift.append(np.log((net.h[:, -1] ** 2).sum(1)).mean() / 0.02**4)
    assert np.mean(drift) == pytest.approx(-1 / 32, rel=1e-3)


@pytest.mark.statistical
@pytest.mark.parametrize("width", [1, 2, 3])
def test_probability_against_the_radial_law(width):
    # binomial count of 4000 at 5.5 standard errors (false alarm 4e-8), 0.02 for the finite depth
    rng = np.random.default_rng(4)
    n, L = 4000, 300
    a = L**-0.25
    G = 2 * rng.standard_gamma(rng.binomial(width, 0.5, (L, n)) / 2) / width
    tangent = 2 * rng.standard_gamma((width - 1) / 2, (L, n))
    R = (1 + a * np.sqrt(G / width) * rng.normal(size=(L, n))) ** 2 + a**2 * G / width * tangent
    got = (np.log(R).sum(0) > 0).mean()
    predicted = theory.explosion_probability(width=width, depth=L, alpha=a)
    assert abs(got - predicted) < 0.02 + 5.5 * math.sqrt(predicted * (1 - predicted) / n)


def test_probability_tends_to_its_limit():
    deep = theory.explosion_probability(width=[1, 2, 3, 40], depth=10**9, alpha=10**-1.8)
    np.testing.assert_allclose(deep, theory.explosion_limit_probability([1, 2, 3, 40]), atol=1e-6)


def test_critical_scaling_gives_the_limit_law_of_i8():
    # log‖h_L‖²/‖h_0‖² ~ N(1/2 − 1/d, 2/d)
    got = theory.explosion_probability(width=40, depth=100, alpha=0.1)
    assert got == pytest.approx(stats.norm.sf(0, 0.5 - 1 / 40, math.sqrt(2 / 40)), rel=1e-12)


def test_linear_res_1_matches_geometric_brownian_motion():
    # S2: log‖H_t‖² ~ N((1 − 2/d)t, 4t/d)
    assert theory.explosion_rate(10, gain=1) == pytest.approx(0.8)
    assert theory.explosion_log_variance(width=10, depth=100, alpha=0.1, gain=1) == pytest.approx(0.4)


@pytest.mark.parametrize("bad", [0, 9, 1.5])
def test_order_out_of_range_is_refused(bad):
    with pytest.raises(ValueError, match="order="):
        theory.explosion_log_mean(width=3, depth=1, alpha=0.1, order=bad)
