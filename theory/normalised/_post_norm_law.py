"""
The exact law of log(‖T_L‖/‖T_0‖) of post-RMSNorm networks (N10; *derived*).

One layer: x = log(r_22/r_11), QR of the columns `ê + (a/√(dM)) ξ√M…` of (h, T) after the layer. With A =
Σσ(z_m)², B = Σσσ'u, C = Σσ'²u² − B²/A, f = a/√(dM) and q = B/A, the first column is ê + f√A g and

    r_22² = (√δ + f√C n)² + f²C χ²_{d−2},    δ = 1 + q² − (m·t̂ − q m·ê)²,

m its direction: the image of the tangent has q times the image of h, which the projection turns into −qê.
What is left is an integral over 9 numbers for ReLU (N, A ~ χ²_N, B²/A ~ χ²_1, C ~ χ²_{N−1}) and 2M + 5
otherwise, done by a Sobol cubature with two shifts, whose difference is the error. The power L of the
characteristic function is inverted by FFT.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import special, stats

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation, activation_function
from theory.common._gaussian_moments import slope_function
from theory.common._tabulated_law import TabulatedLaw
from theory.common._validate import FloatArray
from theory.normalised._cubature import shifted_sobol

_LOG2_POINTS = 15
_CELLS = 1 << 17
_TABLE = 2000
_SMOOTHING = 0.01
"""Deviations of one layer's law by which it is smoothed: 1e-4/L of the variance."""


@lru_cache(maxsize=8)
def _layer_points(
    width: int,
    hidden_width: int,
    alpha: float,
    activation: Activation,
    derivative: Activation | None,
    shift: int,
) -> FloatArray:
    """Equally likely values of log(r_22/r_11)."""
    d, M = width, hidden_width
    relu = activation == "relu"
    log2_points = _LOG2_POINTS if relu or M <= 64 else _LOG2_POINTS - 2
    points = shifted_sobol((4 if relu else 2 * M) + 5, log2_points, shift=shift)
    if relu:
        # As `stats.binom.ppf`, which takes a fifth of the whole.
        N = np.searchsorted(stats.binom.cdf(np.arange(M), M, 0.5), points[:, 5]).astype(np.float64)
        A = np.where(N > 0, 2 * special.gammaincinv(np.maximum(0.5 * N, 0.5), points[:, 6]), 0.0)
        C = np.where(N > 1, 2 * special.gammaincinv(np.maximum(0.5 * (N - 1), 0.5), points[:, 8]), 0.0)
        zeta = np.where(N > 0, special.ndtri(points[:, 7]), 0.0)
        B, total = np.sqrt(A) * zeta, zeta * zeta + C
    else:
        z, u = special.ndtri(points[:, 5 : 5 + M]), special.ndtri(points[:, 5 + M :])
        s = activation_function(activation)(z)
        t = activation_function(slope_function(activation, derivative))(z) * u
        A, B, total = (s * s).sum(1), (s * t).sum(1), (t * t).sum(1)
        C = np.maximum(total - np.divide(B * B, A, out=np.zeros_like(A), where=A > 0), 0.0)
    q = np.divide(B, A, out=np.zeros_like(A), where=A > 0)
    f = alpha / math.sqrt(d * M)
    g1, g2, n = (special.ndtri(points[:, j]) for j in range(3))
    rest, rest_2 = (2 * special.gammaincinv(0.5 * (d - 2), points[:, j]) if d > 2 else 0.0 for j in (3, 4))
    w = f * np.sqrt(A)

    def value(sign: float) -> FloatArray:
        first, second = 1 + sign * w * g1, sign * w * g2
        across = w * w * rest
        r11 = first**2 + second**2 + across
        # 1 + q² − (m·t̂ − q m·ê)², without the cancellation.
        delta = ((first + q * second) ** 2 + (1 + q * q) * across) / r11
        r22 = (np.sqrt(delta) + sign * f * np.sqrt(C) * n) ** 2 + f * f * C * rest_2
        return np.where(A > 0, 0.5 * np.log(r22 / r11), 0.0)

    x = np.stack([value(1.0), value(-1.0)])
    # The mean is multiplied by L: it is corrected by numbers of known mean 0 that explain most of its error.
    energy = activation_energy(activation, derivative=derivative)
    known = [A - M * energy.mean, A * (g1 * g1 - 1), A * (g2 * g2 - 1), A * (rest - (d - 2))]
    known += [total - M * energy.slope, C * (n * n - 1), C * (rest_2 - (d - 2))]
    features = np.stack(known, axis=1)
    pairs = x.mean(0)
    centred = features - features.mean(0)
    slopes = np.linalg.lstsq(centred, pairs - pairs.mean(), rcond=None)[0]
    return (x - slopes @ features.mean(0)).reshape(-1)


class PostnormLaw(TabulatedLaw):
    """
    Exact law of log(‖T_L‖/‖T_0‖), natural logarithm, of post-RMSNorm networks (N10; *derived*).

    T a tangent orthogonal to h_0, ‖h_0‖² = d, Gaussian weights, any σ. By J0 on tangent spaces also the law
    of log(‖p_0‖/‖p_L‖) for p_L uniform in the tangent space at h_L, and with `isotropic` for p_L isotropic in
    R^d.

    Parameters
    ----------
    width : int
        d >= 2.
    depth : int
        L >= 1.
    alpha : float
        a > 0.
    hidden_width : int, optional
        M, the width by default.
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.
    isotropic : bool, optional
        Whether the independent ½ log Beta((d−1)/2, ½) of an isotropic p_L is added; not by default.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    The attribute `error` estimates the error of the cdf: some 1e-4, at every depth. An atom
    2^{-ML} of ReLU (no unit is active) is smeared.

    Examples
    --------
    >>> law = PostnormLaw(width=8, depth=10, alpha=0.3)
    >>> print(f"{law.mean():.3f} {law.std():.3f} {law.error < 1e-3}")
    -0.054 0.329 True
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        alpha: float,
        hidden_width: int | None = None,
        activation: Activation = "relu",
        derivative: Activation | None = None,
        isotropic: bool = False,
    ) -> None:
        d = int(_validate.width(width, minimum=2))
        L = int(_validate.depth(depth, minimum=1))
        a = float(_validate.real("alpha", alpha, above=0, fix="give the factor before the branch"))
        M = d if hidden_width is None else hidden_width
        M = int(_validate.whole("hidden_width", M, minimum=1, fix="give the number of rows of W"))
        slope = None if activation == "relu" else derivative
        shifts = [_layer_points(d, M, a, activation, slope, shift) for shift in (0, 1)]
        means = [float(x.mean()) for x in shifts]
        grid, cdf = _sum_law(np.concatenate(shifts), L, d if isotropic else None)
        deviation = float(np.concatenate(shifts).std())
        # A shift of the mean by e moves the cdf by at most e/(√(2π) √L σ).
        error = abs(means[1] - means[0]) * math.sqrt(L) / (math.sqrt(2 * math.pi) * deviation)
        super().__init__(grid, cdf, error=error + 2e-5 + 2.0 ** -float(M * L))


def _sum_law(points: FloatArray, depth: int, width: int | None) -> tuple[FloatArray, FloatArray]:
    """Distribution function of the sum of `depth` copies, and of ½ log Beta with a width, on a grid."""
    mean, deviation = float(points.mean()), float(points.std())
    spread = deviation * math.sqrt(depth)
    below = above = max(10 * spread, 1.05 * float(np.max(np.abs(points - mean))))
    if width is not None:
        below += 30.0 / (width - 1)
    period = below + above
    step = period / _CELLS
    place = (points - mean + below) / step
    cell = np.floor(place).astype(np.intp)
    part = place - cell
    mass = np.bincount(cell, 1 - part, _CELLS + 1)[:_CELLS] + np.bincount(cell + 1, part, _CELLS + 1)[:_CELLS]
    t = 2 * np.pi / period * np.arange(_CELLS // 2 + 1)
    # Sharing each point between two cells multiplies by sinc², which is taken back; times e^{it·below}:
    # centred.
    phi = np.fft.rfft(mass / points.size) / np.sinc(0.5 * step * t / np.pi) ** 2 * np.exp(1j * t * below)
    phi = phi**depth * np.exp(-0.5 * (_SMOOTHING * deviation * t) ** 2)
    if width is not None:
        half = 0.5 * (width - 1)
        # rfft is the conjugate of the characteristic function.
        shape = special.loggamma(half - 0.5j * t) - special.loggamma(half + 0.5 - 0.5j * t)
        phi *= np.exp(shape + special.gammaln(half + 0.5) - special.gammaln(half))
    density = np.fft.irfft(phi * np.exp(-1j * t * below), _CELLS)
    cdf = np.concatenate([[0.0], np.cumsum(np.maximum(density, 0.0))])
    edges = depth * mean - below + step * (np.arange(_CELLS + 1) - 0.5)
    inside = np.searchsorted(cdf, [1e-11, cdf[-1] - 1e-11])
    low, high = edges[max(inside[0] - 1, 0)], edges[min(inside[1] + 1, _CELLS)]
    grid = np.asarray(np.linspace(low, high, _TABLE), np.float64)
    table = np.interp(grid, edges, cdf / cdf[-1])
    table[0], table[-1] = 0.0, 1.0
    return grid, table
