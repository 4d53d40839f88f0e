import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.independent import _growth

mpmath.mp.dps = 60


def exact(depth, alpha, gain):
    growth = mpmath.log1p(mpmath.mpf(gain) * mpmath.mpf(alpha) ** 2)
    # log1p of 60 digits loses terms below 1e-60, so tiny ones by their series
    if mpmath.mpf(alpha) < mpmath.mpf("1e-10"):
        y = mpmath.mpf(gain) * mpmath.mpf(alpha) ** 2
        growth = y - y**2 / 2 + y**3 / 3
    return growth, mpmath.log(mpmath.expm1(depth * growth))


@pytest.mark.parametrize("alpha", [1e-300, 1e-160, 1e-145, 1e-18, 1e-8, 1e-3, 0.3, 1.0, 40.0, 1e100, 1e200])
@pytest.mark.parametrize("depth", [1, 7, 10**6])
@pytest.mark.parametrize("gain", [0.5, 1.0])
def test_agrees_with_sixty_digits(alpha, depth, gain):
    growth, difference = exact(depth, alpha, gain)
    arguments = np.float64(alpha), np.float64(gain)
    if alpha > 1e-150:
        assert float(_growth.log_growth(*arguments)) == pytest.approx(float(growth), rel=4e-15)
    got = float(_growth.log_growth_minus_one(np.float64(depth), *arguments))
    assert got == pytest.approx(float(difference), rel=4e-15, abs=4e-15)


@given(st.floats(-280, 280), st.integers(1, 10**6))
def test_is_always_finite(log10_alpha, depth):
    arguments = np.float64(10.0**log10_alpha), np.float64(0.5)
    assert np.isfinite(_growth.log_growth(*arguments))
    assert np.isfinite(_growth.log_growth_minus_one(np.float64(depth), *arguments))


def test_zero_scaling_and_zero_depth_give_minus_infinity():
    got = _growth.log_growth_minus_one(np.array([0.0, 5.0]), np.array([0.1, 0.0]), np.array(0.5))
    assert np.all(got == -np.inf)
