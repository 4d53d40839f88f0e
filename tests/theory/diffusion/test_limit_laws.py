import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from theory import (
    critical_angle_law,
    critical_difference_second_moment,
    critical_log_difference_law,
    critical_log_norm_law,
    critical_mean_cosine,
)

# Each band of a distribution function has this false-alarm probability (Dvoretzky-Kiefer-Wolfowitz).
FALSE_ALARM = 1e-6


def band(n):
    return np.sqrt(np.log(2 / FALSE_ALARM) / (2 * n))


@pytest.mark.parametrize("d", [1, 2, 3, 40, 1000])
def test_log_norm_is_half_of_the_squared_version(d):
    law = critical_log_norm_law(width=d)
    assert 2 * law.mean() == pytest.approx(1 / 2 - 1 / d, abs=1e-15)
    assert 4 * law.var() == pytest.approx(2 / d)
    linear = critical_log_norm_law(width=d, gain=1.0, time=0.3)
    assert 2 * linear.mean() == pytest.approx((1 - 2 / d) * 0.3, abs=1e-15)
    assert 4 * linear.var() == pytest.approx(4 * 0.3 / d)


@given(st.integers(1, 10_000), st.floats(0.01, 1), st.floats(0.01, 3))
def test_norm_and_angle_make_a_martingale(d, gain, time):
    """E R cos θ = 1 and E R² = e^{γt}, so the mean square of the difference is e^{γt} − 1."""
    law = critical_log_norm_law(width=d, gain=gain, time=time)
    mean_norm = np.exp(law.mean() + law.var() / 2)
    assert mean_norm * critical_mean_cosine(width=d, gain=gain, time=time) == pytest.approx(1)
    mean_square = np.exp(2 * law.mean() + 2 * law.var())
    assert mean_square - 1 == pytest.approx(critical_difference_second_moment(gain=gain, time=time))


def test_res3_constants():
    assert critical_difference_second_moment() == pytest.approx(np.exp(0.5) - 1)
    assert critical_mean_cosine(width=40) == pytest.approx(np.exp(-39 / 160))
    assert critical_angle_law(width=40).mean_cosine() == pytest.approx(np.exp(-39 / 160), rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 3, 10, 40, 1000, 10_000])
@pytest.mark.parametrize(("gain", "time"), [(0.5, 1.0), (1.0, 1.0), (0.5, 1e-3)])
def test_difference_law_has_its_mean_square_and_mass(d, gain, time):
    law = critical_log_difference_law(width=d, gain=gain, time=time)
    assert law.error < 1e-8
    mean_square = law.expect(lambda x: np.exp(2 * x))
    assert mean_square == pytest.approx(critical_difference_second_moment(gain=gain, time=time), rel=1e-8)


def test_difference_law_of_width_one():
    """D = |R − 1| with R lognormal."""
    law, normal = critical_log_difference_law(width=1), critical_log_norm_law(width=1)
    for D in (1e-3, 0.2, 0.9, 1.0, 1.5, 6.0):
        below = normal.cdf(np.log(1 - D)) if D < 1 else 0.0
        assert law.cdf(np.log(D)) == pytest.approx(normal.cdf(np.log(1 + D)) - below, abs=1e-11)


def test_difference_law_of_width_two():
    """Over the angle, a wrapped normal, the disc of radius D cuts an interval of R."""
    law, normal = critical_log_difference_law(width=2), critical_log_norm_law(width=2)

    def inside(theta, D):
        density = sum(2 * stats.norm.pdf(theta + 2 * np.pi * k, scale=0.5) for k in range(-3, 4))
        root = np.sqrt(D * D - np.sin(theta) ** 2)
        low = np.cos(theta) - root
        below = normal.cdf(np.log(low)) if low > 0 else 0.0
        return density * (normal.cdf(np.log(np.cos(theta) + root)) - below)

    for D in (0.3, 0.8):
        exact = integrate.quad(inside, 0, np.arcsin(D), args=(D,), limit=200, epsabs=1e-9)[0]
        assert law.cdf(np.log(D)) == pytest.approx(exact, abs=1e-7)


def test_difference_law_at_small_times_is_chi_squared():
    """To first order H_t − H_0 is Gaussian: D² d/(γt) ~ χ²_d, with a relative correction of order √(t/d)."""
    law = critical_log_difference_law(width=5, time=1e-6)
    x = law.ppf([0.01, 0.3, 0.7, 0.99])
    np.testing.assert_allclose(law.cdf(x), stats.chi2.cdf(np.exp(2 * x) * 5 / 0.5e-6, 5), atol=1e-3)


@pytest.fixture(scope="module")
def sphere_walk():
    """Euler's method for dH = ‖H‖ (2d)^{-1/2} dB, in coordinates along and across H_0; d = 40, 120 steps."""
    d, steps, n = 40, 120, 30_000
    rng = np.random.default_rng(2206)
    along, across = np.ones(n), np.zeros(n)
    scale = np.sqrt(1 / (2 * d * steps))
    for _ in range(steps):
        noise = np.hypot(along, across) * scale
        along = along + noise * rng.standard_normal(n)
        across = np.sqrt(
            (across + noise * rng.standard_normal(n)) ** 2 + noise**2 * 2 * rng.standard_gamma((d - 2) / 2, n)
        )
    return along, across


@pytest.mark.statistical
def test_simulation_agrees(sphere_walk):
    """Three bands of false alarm 1e-6 each; the bias of 120 steps is about 0.003, the bands are 0.016."""
    along, across = sphere_walk
    n = along.size
    difference = np.log(np.hypot(along - 1, across))
    assert stats.kstest(difference, critical_log_difference_law(width=40).cdf).statistic < band(n)
    assert stats.kstest(
        np.log(np.hypot(along, across)), critical_log_norm_law(width=40).cdf
    ).statistic < band(n)
    assert stats.kstest(np.arctan2(across, along), critical_angle_law(width=40).cdf).statistic < band(n)


@pytest.mark.statistical
@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_simulation_refutes_a_constant_off_by_three_per_cent(sphere_walk, factor):
    along, across = sphere_walk
    wrong = critical_log_difference_law(width=40, gain=0.5 * factor)
    statistic = stats.kstest(np.log(np.hypot(along - 1, across)), wrong.cdf).statistic
    assert statistic > 2 * band(along.size)


@given(d=st.integers(2, 200), gain=st.floats(0.1, 1.0), time=st.floats(0.01, 2.0))
@settings(max_examples=4)
def test_difference_law_is_a_law(d, gain, time):
    law = critical_log_difference_law(width=d, gain=gain, time=time)
    p = np.array([1e-8, 0.1, 0.5, 0.9, 1 - 1e-8])
    x = law.ppf(p)
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(law.cdf(x), p, atol=1e-12)
    assert (np.asarray(law.pdf(x)) > 0).all()
    assert law.expect(lambda x: np.exp(2 * x)) == pytest.approx(np.expm1(gain * time), rel=1e-6)


def test_refusals():
    with pytest.raises(ValueError, match=r"^width=1: must be a whole number >= 2; give"):
        critical_angle_law(width=1)
    with pytest.raises(ValueError, match=r"^gain=0: must be a finite number > 0; give 0.5 for ReLU"):
        critical_log_norm_law(width=3, gain=0.0)
    with pytest.raises(ValueError, match=r"^time=-1: must be a finite number > 0; give the depth-time"):
        critical_log_difference_law(width=3, time=-1.0)
