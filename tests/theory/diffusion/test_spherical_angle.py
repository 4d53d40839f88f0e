import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from theory import SphericalAngleLaw

levels = np.array([1e-9, 1e-4, 0.02, 0.3, 0.5, 0.8, 0.99, 1 - 1e-6])


def gegenbauer_density(theta, d, tau):
    """Return the heat kernel of the sphere as its series, in enough digits to survive the cancellation."""
    with mp.workdps(80):
        theta, tau, x, a = mp.mpf(theta), mp.mpf(tau), mp.cos(mp.mpf(theta)), mp.mpf(d - 2) / 2
        before, here, total = mp.mpf(0), mp.mpf(1), mp.mpf(0)
        for n in range(400):
            total += (1 + n / a) * here * mp.exp(-n * (n + d - 2) * tau / 2)
            before, here = here, (2 * (n + a) * x * here - (n + 2 * a - 1) * before) / (n + 1)
        return float(total * mp.sin(theta) ** (d - 2) / mp.beta(mp.mpf(d - 1) / 2, mp.mpf(1) / 2))


@pytest.mark.parametrize(("d", "tau"), [(3, 1 / 6), (4, 0.02), (10, 1 / 20), (10, 0.5), (40, 1 / 80)])
def test_density_against_gegenbauer_series(d, tau):
    law = SphericalAngleLaw(width=d, time=tau)
    for theta in law.ppf(levels):
        assert law.pdf(theta) == pytest.approx(gegenbauer_density(theta, d, tau), rel=2e-11)


@pytest.mark.parametrize("tau", [0.01, 0.25, 3.0])
def test_width_two_is_a_wrapped_normal(tau):
    law = SphericalAngleLaw(width=2, time=tau)
    theta = np.linspace(0, np.pi, 41)
    turns = theta[:, None] + 2 * np.pi * np.arange(-9, 10)
    exact = 2 * stats.norm.pdf(turns, scale=np.sqrt(tau)).sum(axis=1)
    np.testing.assert_allclose(law.pdf(theta), exact, rtol=1e-11, atol=1e-40)


@pytest.mark.parametrize("d", [2, 3, 7, 40, 500, 10_000, 100_000])
@pytest.mark.parametrize("scale", [1e-3, 0.5, 1.0, 4.0])
def test_first_two_harmonics(d, scale):
    """The eigenvalues of Δ/2 give E cos θ and E cos² θ at every width and time."""
    tau = scale / d
    law = SphericalAngleLaw(width=d, time=tau)
    low, high = (law.ppf(1e-15), law.ppf(1 - 1e-15)) if d > 3 else (0.0, np.pi)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    theta = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    mass = 0.5 * (high - low) * weights * law.pdf(theta)
    assert mass.sum() == pytest.approx(1, abs=1e-10)
    first = np.exp(-0.5 * (d - 1) * tau)
    assert law.mean_cosine() == pytest.approx(first, rel=1e-12)
    assert (mass @ np.sin(theta) ** 2) / mass.sum() == pytest.approx(
        (1 - 1 / d) * -np.expm1(-d * tau), rel=1e-10
    )


def test_small_times_are_flat():
    """θ²/τ tends to χ² with d − 1 degrees of freedom; the curvature corrects it by a relative O(dτ)."""
    law = SphericalAngleLaw(width=6, time=1e-6)
    chi2 = stats.chi2.cdf(law.ppf(levels) ** 2 / 1e-6, 5)
    np.testing.assert_allclose(chi2, levels, rtol=1e-4)


def test_distribution_is_the_integral_of_the_density():
    law = SphericalAngleLaw(width=5, time=0.3)
    for theta in (0.2, 1.0, 2.5):
        below = integrate.quad(law.pdf, 0, theta, epsabs=1e-13)[0]
        assert law.cdf(theta) == pytest.approx(below, abs=1e-11)
    assert law.pdf(-0.1) == law.pdf(4.0) == 0
    assert law.cdf(4.0) == pytest.approx(1)
    assert law.sf(-1.0) == pytest.approx(1)


def test_tails_keep_relative_precision():
    law = SphericalAngleLaw(width=10_000, time=0.5e-4)
    far = law.ppf(0.5) + 0.15
    assert 0 < law.sf(far) < 1e-80
    nodes, weights = np.polynomial.legendre.leggauss(100)
    theta = far + 0.01 * (1 + nodes)
    assert law.sf(far) == pytest.approx(0.01 * weights @ law.pdf(theta), rel=1e-5)


@given(d=st.integers(2, 300), scale=st.floats(1e-3, 5), p=st.floats(1e-9, 1 - 1e-9))
@settings(max_examples=15)
def test_quantiles_invert_the_distribution(d, scale, p):
    law = SphericalAngleLaw(width=d, time=scale / d)
    theta = law.ppf(p)
    assert law.cdf(theta) == pytest.approx(p, rel=1e-9)
    assert law.cdf(theta) + law.sf(theta) == pytest.approx(1, abs=1e-10)


def test_refusals():
    with pytest.raises(ValueError, match=r"^width=1: must be a whole number >= 2; give"):
        SphericalAngleLaw(width=1, time=1.0)
    with pytest.raises(ValueError, match=r"^time=0: must be a finite number > 0; give the Brownian time"):
        SphericalAngleLaw(width=3, time=0.0)
    assert repr(SphericalAngleLaw(width=3, time=0.5)) == "SphericalAngleLaw(width=3, time=0.5)"
