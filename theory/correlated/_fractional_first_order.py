"""
The first-order law (F2) for fractional Gaussian noise, and how it grows with the depth.

Notation: H_V and H_W the Hurst indices, κ the arc-cosine kernel, κ(c) = 1/(2π) + e(c), e(c) = c/4 + c²/(4π)
+ ... Splitting κ, and Σ_{j,k<L} γ(j−k) = L^{2H},

    Σ_{j,k<L} γ_V κ(γ_W) = L^{2H_V}/(2π) + L (1/2 − 1/(2π)) + 2 Σ_{0<m<L} (L−m) γ_V(m) e(γ_W(m)).

The last sum has terms of size m^{2H_V+2H_W−4}: it is O(L) if H_V + H_W < 3/2 and O(L^{2H_V+2H_W−2}), below
L^{2H_V}, otherwise. Hence, for every H_W < 1,

    H_V > 1/2: ~ L^{2H_V}/(2π);    H_V = 1/2: = L/2;    H_V < 1/2: ~ S L, S = Σ_{m∈Z} γ_V(m) κ(γ_W(m)).

S > 0: it is the convolution of two positive spectral densities at 0 (plus, for the constant part of κ,
γ_V's own, which is 0 there). The exponent max(2H_V, 1) is V's alone; W only enters S. This is the
identity side of F1: β > max(H_V, 1/2).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.correlated._fractional_noise import fractional_noise_covariance, hurst_index
from theory.independent import _growth

_AT_ZERO = 1 / (2 * np.pi)
# Lags summed one by one before the tail is integrated.
_LAGS = 1 << 14


def _excess_slope(c: FloatArray) -> FloatArray:
    """(κ(c) − κ(0))/c, from 1/4 at 0; no cancellation."""
    return 0.25 + (np.arcsin(c) - c / (1 + np.sqrt(1 - c * c))) / (2 * np.pi)


@lru_cache(maxsize=64)
def _lag_sum(depth: int, hurst_v: float, hurst_w: float) -> float:
    m = np.arange(1, depth, dtype=np.float64)
    v = np.asarray(fractional_noise_covariance(m, hurst_v))
    w = np.asarray(fractional_noise_covariance(m, hurst_w))
    mixed = 2 * float(np.sum((depth - m) * v * w * _excess_slope(w)))
    return float(depth) ** (2 * hurst_v) * _AT_ZERO + depth * (0.5 - _AT_ZERO) + mixed


def log_fractional_first_order(
    *, alpha: npt.ArrayLike, depth: int, hurst_v: float, hurst_w: float | None = None
) -> float | FloatArray:
    r"""
    Natural logarithm of F2's first-order E‖h_L − h_0‖²/‖h_0‖² for res-3 with fractional weights.

    Sums in the order that loses no digits to antipersistence, O(L): 0.1 s for a million layers. Where it
    is right: see `log_first_order_difference`. (For linear res-1 the sum is L^{2H_V}, in closed form.)

    Parameters
    ----------
    alpha : array_like of float
        Layer scaling a >= 0; any size.
    depth : int
        Number of layers L >= 1.
    hurst_v : float
        Hurst index of V in (0, 1).
    hurst_w : float, optional
        Hurst index of W in (0, 1); that of V by default.

    Returns
    -------
    float or ndarray of float64
        Shape of `alpha`; −inf at a = 0.

    Raises
    ------
    ValueError
        If `alpha` is negative, `depth` is not a whole number >= 1 or an index is not inside (0, 1).

    Notes
    -----
    F2, *derived*; the sum is split at the top of the module. The next term is relatively the value itself
    times a factor of 1/2 for H <= 1/2 and 0.39 at H = 0.8 in wide networks (`correlated_mean_square`), and
    0.3 to 0.9 in simulations of width 3 and 10: at β = β_c + 0.3 and L = 1000, under 1 %.

    Examples
    --------
    >>> round(log_fractional_first_order(alpha=1e-300, depth=10**6, hurst_v=0.8), 4)
    -1361.2723
    """
    L = int(_validate.depth(depth, minimum=1))
    a, (v, w) = _validate.alpha(alpha), _indices(hurst_v, hurst_w)
    with np.errstate(divide="ignore"):
        return _validate.plain(2 * np.log(a) + np.log(_lag_sum(L, v, w)))


def fractional_first_order(
    *, alpha: npt.ArrayLike, depth: int, hurst_v: float, hurst_w: float | None = None
) -> float | FloatArray:
    r"""
    F2's first-order E‖h_L − h_0‖²/‖h_0‖² for res-3 with fractional weights.

    Validity as in `log_fractional_first_order` (F2, *derived*).

    Parameters
    ----------
    alpha : array_like of float
        Layer scaling a >= 0.
    depth : int
        Number of layers L >= 1.
    hurst_v : float
        Hurst index of V in (0, 1).
    hurst_w : float, optional
        Hurst index of W in (0, 1); that of V by default.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        If `alpha` is negative, `depth` is not a whole number >= 1 or an index is not inside (0, 1).

    Examples
    --------
    >>> round(fractional_first_order(alpha=0.1, depth=100, hurst_v=0.5, hurst_w=0.9), 12)
    0.5
    """
    log = log_fractional_first_order(alpha=alpha, depth=depth, hurst_v=hurst_v, hurst_w=hurst_w)
    return _validate.plain(_growth.exp(np.asarray(log)))


def fractional_growth(*, hurst_v: float, hurst_w: float | None = None) -> tuple[float, float]:
    r"""
    Exponent p and constant S of F2's sum for fractional weights: S L^p as L → ∞.

    With α = L^{-β} the first-order mean square is S L^{p−2β}. The next term is smaller by L^{1−2H_V} or
    L^{2H_W−2} on the persistent side, by L^{2H_V−1} or L^{2H_V+2H_W−3} on the other: close to H_V = 1/2 or
    H_W = 1 the constant is not reached at practical depths (it jumps from 1/(2π) to 1/2 at H_V = 1/2), and
    `fractional_first_order` should be used.

    Parameters
    ----------
    hurst_v : float
        Hurst index of V in (0, 1).
    hurst_w : float, optional
        Hurst index of W in (0, 1); that of V by default.

    Returns
    -------
    exponent : float
        p = max(2H_V, 1), whatever H_W is.
    constant : float
        S, with relative error below 1e-8: 1/(2π) for H_V > 1/2, 1/2 at 1/2, else Σ_m γ_V(m) κ(γ_W(m)).

    Raises
    ------
    ValueError
        If an index is not inside (0, 1).

    Notes
    -----
    F2 and the identity side of F1, *derived*; proof at the top of the module. Beyond 16384 lags the terms
    are powers of m times a smooth function of γ_W, integrated by Gauss's rule for that weight.

    Examples
    --------
    >>> fractional_growth(hurst_v=0.5)
    (1.0, 0.5)
    >>> exponent, constant = fractional_growth(hurst_v=0.2)
    >>> round(exponent, 6), round(constant, 6)
    (1.0, 0.393773)
    """
    v, w = _indices(hurst_v, hurst_w)
    if v >= 0.5:
        return max(2 * v, 1.0), _AT_ZERO if v > 0.5 else 0.5
    m = np.arange(1, _LAGS + 1, dtype=np.float64)
    gamma_v = np.asarray(fractional_noise_covariance(m, v))
    gamma_w = np.asarray(fractional_noise_covariance(m, w))
    near = float(np.sum(gamma_v * gamma_w * _excess_slope(gamma_w)))
    return 1.0, 0.5 - _AT_ZERO + 2 * (near + _tail(_LAGS + 0.5, v, w))


def _tail(start: float, v: float, w: float) -> float:
    """∫_start^∞ γ_V(x) e(γ_W(x)) dx, covariances at their leading power, in t = γ_W(x)/γ_W(start)."""
    first_v = v * (2 * v - 1) * start ** (2 * v - 2)
    first_w = w * (2 * w - 1) * start ** (2 * w - 2)
    q = 2 - 2 * w
    power = (1 - 2 * v) / q
    nodes, weights = special.roots_jacobi(24, 0.0, power)
    t = 0.5 * (1 + nodes)
    integral = float(np.sum(weights * _excess_slope(first_w * t))) * 0.5 ** (power + 1)
    return first_v * first_w * start / q * integral


def _indices(hurst_v: float, hurst_w: float | None) -> tuple[float, float]:
    v = float(hurst_index(hurst_v, field="hurst_v"))
    return v, v if hurst_w is None else float(hurst_index(hurst_w, field="hurst_w"))
