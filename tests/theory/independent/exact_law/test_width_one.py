"""The exact law at width 1, where layers are 1 + aYZ: against K_0 in closed form and quadrature."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from scipy import special

from theory import ExactNormLaw


def integral_of_k0(z):
    """The integral of K_0 from 0 to z in closed form with Struve functions."""
    z = np.minimum(np.abs(z), 600.0)
    struve = special.k0(z) * special.modstruve(-1, z) + special.k1(z) * special.modstruve(0, z)
    return np.where(z > 0, math.pi * z / 2 * struve, 0.0)


@pytest.mark.parametrize("z", [1e-3, 1.0, 5.0])
def test_integral_of_k0_against_mpmath(z):
    exact = mpmath.quad(lambda s: mpmath.besselk(0, s), [0, min(z, 1), z])
    assert float(integral_of_k0(z)) == pytest.approx(float(exact), abs=1e-13)


def tanh_sinh(f, ends):
    """Integrate a vectorised function with singular points at the ends of intervals alone."""
    s = np.linspace(-3.1, 3.1, 1241)
    weights = (s[1] - s[0]) * np.pi / 2 * np.cosh(s) / np.cosh(np.pi / 2 * np.sinh(s)) ** 2
    total = 0.0
    for low, high in itertools.pairwise(ends):
        half = 0.5 * (high - low)
        # From the nearer end: a singular point is met at distances far below one rounding of its place.
        gap = half * np.exp(-np.pi / 2 * np.abs(np.sinh(s))) / np.cosh(np.pi / 2 * np.sinh(s))
        total += half * np.sum(weights * np.where(s < 0, f(low, gap), f(high, -gap)))
    return total


@pytest.mark.parametrize("x", [-0.7, 0.03])
def test_two_layers_of_width_1_against_quadrature(x):
    """The convolution by tanh-sinh quadrature, singular points at the ends of its intervals."""
    a = 0.8

    def signed(u):
        return np.sign(u) * integral_of_k0(u) / math.pi

    def cdf(t):  # continuous part, mass 1/2
        return 0.5 * (signed(np.expm1(t) / a) + signed((np.exp(t) + 1) / a))

    def pdf(t):
        r = np.exp(t)
        return 0.5 * r * (special.k0(np.abs(np.expm1(t)) / a) + special.k0((r + 1) / a)) / (math.pi * a)

    def product(end, gap):
        return pdf(end + gap) * cdf((x - end) - gap)

    both = tanh_sinh(product, sorted({-32, -8, -2, min(0, x), max(0, x), 2, 3.5}))
    expected = (0.25 if x >= 0 else 0) + float(cdf(x)) + both
    law = ExactNormLaw(width=1, depth=2, alpha=a)
    assert law.error < 2e-9
    assert float(law.cdf(x)) == pytest.approx(expected, abs=law.error)


@pytest.mark.parametrize("alpha", [1e-90, 1e-8, 1e8, 1e90])
def test_width_1_at_extreme_scalings(alpha):
    """x/a -> YZ as a -> 0 and x - log a -> log|YZ| as a -> infinity, up to O(a^{±1})."""
    law = ExactNormLaw(width=1, depth=1, alpha=alpha)
    for t in (0.01, 0.7, 5.0):
        inside = 2 / math.pi * float(integral_of_k0(t))
        if alpha < 1:
            measured = float(law.cdf(alpha * t)), float(law.cdf(-alpha * t))
            expected = 0.75 + 0.25 * inside, 0.25 - 0.25 * inside
        else:
            measured = (float(law.cdf(math.log(alpha) + math.log(t))),)
            expected = (0.5 + 0.5 * inside,)
        assert measured == pytest.approx(expected, abs=3e-7 if 1e-9 < alpha < 1e9 else 1e-11)
