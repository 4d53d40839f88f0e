"""Weight processes: covariances against high-precision formulas, factors against covariances."""

import math

import numpy as np
import pytest

from montecarlo.processes import PROCESSES, WeightProcess, find_process
from montecarlo.processes._circulant import CirculantFactor, NegativeEigenvalueError, embedding_length
from montecarlo.processes._fbm import fgn_covariance

NAMES = [
    *(f"fbm:{hurst}" for hurst in (0.001, 0.05, 0.3, 0.5, 0.7, 0.97, 0.999, 0.999999)),
    *("rbf:0.01", "rbf:1e-5", "rbf:0.0004", "rbf:100", "rbf:1e12"),
    *("rbf-increments:0.01", "rbf-increments:1e-5", "rbf-increments:100", "rbf-increments:1e12"),
    *("matern:0.5:0.1", "matern:1.5:0.1", "matern:2.5:0.1"),
    *("matern:1.5:1e-9", "matern:2.5:1e-9", "matern:2.5:0.004", "matern:1.5:1e9", "matern:2.5:1e9"),
]
USERS = [
    WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m),
    WeightProcess.from_lags(
        "wide", lambda m, depth: np.exp(-((m / depth / 3.0) ** 2))
    ),  # no embedding: low rank
    WeightProcess.from_lags("table", 2.0 * 0.5 ** np.arange(301)),
    WeightProcess.from_lags("white", 3.0 * (np.arange(400) == 0)),
    WeightProcess.from_kernel("brownian", np.minimum),
    WeightProcess.from_kernel("bridge", lambda s, t: np.minimum(s, t) - s * t),
    WeightProcess.from_kernel("constant", lambda s, t: 4.0),
    WeightProcess.from_kernel("zero", lambda s, t: 0.0),
]
PROCESSES_UNDER_TEST = [*map(find_process, NAMES), *USERS]


@pytest.mark.parametrize("depth", [1, 2, 3, 64, 301])
@pytest.mark.parametrize("process", PROCESSES_UNDER_TEST, ids=lambda p: p.name)
def test_factor_squares_to_the_covariance(process, depth):
    factor = process.factor(depth)
    matrix, covariance = factor.matrix(), process.covariance(depth)
    assert matrix.shape == (depth, factor.normals)
    assert covariance.shape == (depth, depth)
    scale = max(1.0, np.abs(covariance).max())
    np.testing.assert_allclose(matrix @ matrix.T, covariance, rtol=0.0, atol=1e-12 * scale)


@pytest.mark.parametrize("name", NAMES)
def test_named_processes_have_unit_variance(name):
    assert find_process(name).lag_covariance(50)[0] == 1.0


def test_every_family_is_covered():
    assert {key.split(":")[0] for key in PROCESSES} == {name.split(":")[0] for name in NAMES}


@pytest.mark.parametrize("hurst", [0.001, 0.05, 0.3, 0.499999, 0.7, 0.97, 0.999, 0.999999])
def test_fractional_noise_against_mpmath(hurst):
    mpmath = pytest.importorskip("mpmath")
    lags = [1, 2, 3, 10, 1000, 99_999, 10**6]
    with mpmath.workdps(60):
        h = mpmath.mpf(hurst) * 2
        exact = [
            float((mpmath.mpf(m - 1) ** h - 2 * mpmath.mpf(m) ** h + mpmath.mpf(m + 1) ** h) / 2)
            for m in lags
        ]
    np.testing.assert_allclose([fgn_covariance(m, hurst) for m in lags], exact, rtol=1e-14, atol=0.0)


def test_half_is_white_noise_exactly():
    assert find_process("fbm:0.5").lag_covariance(1000)[1:].tolist() == [0.0] * 999
    assert np.array_equal(find_process("fbm:0.5").factor(20).matrix(), np.eye(20))


@pytest.mark.parametrize("variance", [1e-7, 1e-4, 0.01, 1.0, 1e6])
@pytest.mark.parametrize("depth", [10, 1000, 100_000])
def test_increments_against_mpmath(variance, depth):
    mpmath = pytest.importorskip("mpmath")
    lags = np.unique(np.geomspace(1, depth - 1, 12).astype(int))
    process = find_process(f"rbf-increments:{variance}")
    with mpmath.workdps(60):

        def k(tau):
            return mpmath.exp(-(tau**2) / (2 * mpmath.mpf(variance)))

        delta = mpmath.mpf(1) / depth
        exact = [
            float((2 * k(m * delta) - k((m - 1) * delta) - k((m + 1) * delta)) / (2 - 2 * k(delta)))
            for m in lags.tolist()
        ]
    np.testing.assert_allclose(process.lag_covariance(depth)[lags], exact, rtol=0.0, atol=1e-14)


def test_increments_tend_to_the_derivative_process():
    tau = np.arange(100_000) / 100_000
    limit = (1.0 - tau**2 / 0.01) * np.exp(-(tau**2) / 0.02)
    error = np.abs(find_process("rbf-increments:0.01").lag_covariance(100_000) - limit).max()
    assert error < 1e-8  # O(δ²/v)


@pytest.mark.parametrize("nu", [0.5, 1.5, 2.5])
def test_matern_against_the_bessel_function(nu):
    mpmath = pytest.importorskip("mpmath")
    lags = find_process(f"matern:{nu}:0.2").lag_covariance(40)
    with mpmath.workdps(30):
        x = [mpmath.sqrt(2 * nu) * m / (40 * mpmath.mpf(0.2)) for m in range(1, 40)]
        exact = [float(2 ** (1 - nu) / mpmath.gamma(nu) * y**nu * mpmath.besselk(nu, y)) for y in x]
    np.testing.assert_allclose(lags[1:], exact, rtol=1e-13)


@pytest.mark.parametrize("hurst", [0.001, 0.05, 0.3, 0.97, 0.999])
@pytest.mark.parametrize("depth", [2, 3, 100, 997, 30_000])
def test_fractional_noise_is_embedded_without_padding(hurst, depth):
    assert find_process(f"fbm:{hurst}").factor(depth).normals in (depth, 2 * embedding_length(depth))


def test_a_wrong_circulant_entry_is_noticed():
    # Some implementations put 0 where the row folds back, instead of γ(n).
    lags = find_process("fbm:0.97").lag_covariance(101)
    CirculantFactor(100, lags)
    lags[-1] = 0.0
    with pytest.raises(NegativeEigenvalueError, match=r"eigenvalues down to -0\.\d+ times their mean"):
        CirculantFactor(100, lags)


def test_deep_smooth_paths_need_few_normals():
    for name in ("rbf:0.01", "rbf-increments:0.01"):
        factor = find_process(name).factor(100_000)
        assert factor.normals < 40
        rows = np.array([0, 1, 777, 50_000, 99_999])
        lags = find_process(name).lag_covariance(100_000)
        matrix = factor.matrix()[rows]
        expected = lags[np.abs(rows[:, None] - rows)]
        np.testing.assert_allclose(matrix @ matrix.T, expected, rtol=0.0, atol=1e-12)


def test_deep_fractional_noise_keeps_its_long_range():
    # Var(Σ x_k) = L^{2H}, here through the first moment of the amplitudes: an FFT of the lags back and forth.
    depth, hurst = 100_000, 0.999
    lags = find_process(f"fbm:{hurst}").lag_covariance(depth)
    m = np.arange(1, depth)
    total = depth + 2.0 * math.fsum((depth - m) * lags[1:])
    assert total == pytest.approx(depth ** (2.0 * hurst), rel=1e-12)
    factor = find_process(f"fbm:{hurst}").factor(depth)
    assert isinstance(factor, CirculantFactor)
    n = factor.normals // 2
    packed = factor._amplitudes
    power = np.concatenate([packed[:1], packed[1:-1:2], packed[-1:]]) ** 2 / factor.normals
    power[1:-1] *= 2.0
    np.testing.assert_allclose(np.fft.irfft(power, 2 * n)[:depth], lags, rtol=0.0, atol=1e-11)
