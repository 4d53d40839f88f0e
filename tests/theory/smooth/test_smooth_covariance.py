import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import theory

variances = st.floats(1e-4, 10)


@given(st.integers(0, 2000), st.integers(1, 10**5), variances)
def test_increments_keep_their_digits(lag, depth, variance):
    with mpmath.workdps(60):
        k = lambda t: mpmath.exp(-(t**2) / (2 * mpmath.mpf(variance)))  # noqa: E731
        step = mpmath.mpf(1) / depth
        tau = lag * step
        exact = float((2 * k(tau) - k(tau - step) - k(tau + step)) / (2 - 2 * k(step)))
    got = theory.rbf_increments_covariance(lag, depth=depth, variance=variance)
    assert got == pytest.approx(exact, rel=1e-12, abs=2e-15)


def test_increments_tend_to_the_derivative_at_second_order():
    tau = np.linspace(0, 1, 11)
    error = [
        np.abs(
            theory.rbf_increments_covariance(np.rint(tau * L), depth=L)
            - theory.rbf_derivative_covariance(tau)
        ).max()
        for L in (1000, 2000)
    ]
    assert math.log2(error[0] / error[1]) == pytest.approx(2, abs=0.05)


@given(variances)
def test_derivative_is_minus_the_second_derivative(variance):
    # by a central difference of the covariance itself
    step = 1e-3 * math.sqrt(variance)
    tau = np.linspace(0, 3, 7) * math.sqrt(variance)
    k = [np.asarray(theory.rbf_covariance(tau + shift, variance)) for shift in (-step, 0, step)]
    second = (k[0] - 2 * k[1] + k[2]) / step**2
    np.testing.assert_allclose(theory.rbf_derivative_covariance(tau, variance), -variance * second, atol=1e-5)


@given(st.floats(1e-3, 3), st.sampled_from([1.5, 2.5]), st.floats(0.05, 2))
def test_matern_is_the_bessel_form(time, smoothness, scale):
    z = math.sqrt(2 * smoothness) * time / scale
    exact = 2 ** (1 - smoothness) / math.gamma(smoothness) * z**smoothness * special.kv(smoothness, z)
    got = theory.matern_covariance(time, smoothness=smoothness, scale=scale)
    assert got == pytest.approx(exact, rel=1e-10, abs=1e-300)


def test_ones_at_zero_and_no_overflow_far_away():
    far = [0.0, 1e200]
    np.testing.assert_array_equal(theory.rbf_covariance(far), [1, 0])
    np.testing.assert_array_equal(theory.rbf_derivative_covariance(far), [1, 0])
    np.testing.assert_array_equal(theory.matern_covariance(far, smoothness=1.5, scale=0.1), [1, 0])
    np.testing.assert_array_equal(theory.rbf_increments_covariance([0, 2**52], depth=1), [1, 0])
    assert theory.rbf_increments_covariance(1, depth=10**6, variance=1e300) == 1


@given(st.integers(2, 60), variances)
def test_increments_have_a_covariance_matrix(depth, variance):
    k = np.arange(depth)
    matrix = theory.rbf_increments_covariance(k[:, None] - k, depth=depth, variance=variance)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-11


def test_unknown_smoothness_is_refused():
    with pytest.raises(ValueError, match="smoothness=2"):
        theory.matern_covariance(0.1, smoothness=2, scale=1)
    with pytest.raises(ValueError, match="variance=0"):
        theory.rbf_covariance(0.1, 0)
