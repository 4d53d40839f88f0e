import mpmath
import numpy as np
import pytest

from theory.independent.exact_law._bessel import log_ive

ARGUMENTS = [
    1e-200,
    1e-6,
    0.1,
    1.0,
    8.0,
    14.0,
    19.9,
    20.1,
    40.0,
    90.0,
    200.0,
    1500.0,
    2400.0,
    1e6,
    1e12,
    1e200,
]


@pytest.mark.parametrize("order", [-0.5, 0.0, 0.5, 1.0, 2.0, 4.5, 24.0, 48.5, 49.0, 60.0, 499.0, 4999.0])
def test_against_mpmath_on_all_branches(order):
    values = log_ive(order, np.array(ARGUMENTS))
    with mpmath.workdps(40):
        for z, value in zip(ARGUMENTS, values.tolist(), strict=True):
            if z < 1e100:
                expected = mpmath.log(mpmath.besseli(mpmath.mpf(order), mpmath.mpf(z))) - mpmath.mpf(z)
            else:  # mpmath sums a series of 1e200 terms there; the correction to this is 1e-197
                expected = -mpmath.log(2 * mpmath.pi * mpmath.mpf(z)) / 2
            assert value == pytest.approx(float(expected), rel=2e-15, abs=5e-14)
