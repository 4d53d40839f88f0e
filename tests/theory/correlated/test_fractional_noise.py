import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

hursts = st.floats(0.01, 0.99)


def exact_covariance(lag, hurst):
    with mpmath.workdps(60):
        m, power = mpmath.mpf(abs(lag)), 2 * mpmath.mpf(hurst)
        return (abs(m - 1) ** power - 2 * m**power + (m + 1) ** power) / 2


@given(st.integers(-(10**9), 10**9), hursts)
def test_covariance_keeps_all_digits(lag, hurst):
    exact = float(exact_covariance(lag, hurst))
    assert theory.fractional_noise_covariance(lag, hurst) == pytest.approx(exact, rel=1e-14, abs=0)


@pytest.mark.parametrize("hurst", [0.5 - 1e-9, 0.5 + 1e-9])
def test_covariance_keeps_its_digits_next_to_independence(hurst):
    for lag in (1, 2, 10, 10**6):
        exact = float(exact_covariance(lag, hurst))
        assert theory.fractional_noise_covariance(lag, hurst) == pytest.approx(exact, rel=1e-14, abs=0)


def test_formula_as_written_loses_the_digits():
    # what the series is for
    m, power = 1e6, 0.4
    naive = 0.5 * ((m - 1) ** power - 2 * m**power + (m + 1) ** power)
    assert naive != pytest.approx(theory.fractional_noise_covariance(10**6, 0.2), rel=1e-5, abs=0)


@given(st.integers(0, 60), hursts)
def test_partial_and_pair_sums(depth, hurst):
    gamma = np.asarray(theory.fractional_noise_covariance(np.arange(1, depth + 1), hurst))
    partial = theory.fractional_noise_partial_sum(np.arange(depth + 1), hurst)
    np.testing.assert_allclose(partial, np.concatenate([[0], np.cumsum(gamma)]), atol=1e-13)
    j, k = np.triu_indices(depth, 1)
    pairs = np.asarray(theory.fractional_noise_covariance(k - j, hurst)).sum() if depth > 1 else 0.0
    assert theory.fractional_noise_pair_sum(depth, hurst) == pytest.approx(pairs, abs=1e-11)


@given(st.integers(1, 40), hursts)
def test_area_is_the_double_sum(depth, hurst):
    k = np.arange(depth)
    power = np.where(k > 0, k, 0.0) ** (2 * hurst) * (k > 0)
    gap = np.abs(k[:, None] - k)
    motion = 0.5 * (power[:, None] + power - gap.astype(float) ** (2 * hurst) * (gap > 0))
    gamma = np.asarray(theory.fractional_noise_covariance(gap, hurst))
    brute = (gamma * motion).sum()
    assert theory.fractional_noise_area(depth, hurst) == pytest.approx(brute, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("hurst", "power"), [(0.1, 1.0), (0.4, 1.6), (0.7, 2.8)])
def test_area_grows_as_it_says(hurst, power):
    area = [theory.fractional_noise_area(L, hurst) for L in (20_000, 40_000)]
    assert np.log2(area[1] / area[0]) == pytest.approx(power, abs=0.02)


def test_independent_layers():
    assert theory.fractional_noise_pair_sum(1000, 0.5) == 0
    assert theory.fractional_noise_area(1000, 0.5) == pytest.approx(1000 * 999 / 2)


@pytest.mark.parametrize("bad", [0, 1, np.nan, -0.2])
def test_hurst_out_of_range_is_refused(bad):
    with pytest.raises(ValueError, match="hurst="):
        theory.fractional_noise_covariance(1, bad)
    with pytest.raises(ValueError, match=r"lags=0\.5"):
        theory.fractional_noise_covariance(0.5, 0.3)
