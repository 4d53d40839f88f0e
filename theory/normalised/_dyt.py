"""
DyT networks, h + a V ReLU(W tanh(γh)), as d → ∞ (N12; *derived*).

`S_{k+1} = S_k + (a²/2) E tanh²(γ√S_k Z)`, and E‖p‖² has the factor `1 + (a²γ²/2) E sech⁴(γ√S_k Z)` a layer.
As S grows like a²L/2, sech⁴ sees the density of Z at 0 alone: log E‖p_0‖² grows like √L, between a power and
an exponential. At fixed width it is only so for d ≫ γ²a²L: each coordinate's time at 0 is random, and E over
these times adds

    d log(2 e^{s²/2} Φ(s)) − (its part linear in s),    s = (4γ/(3d)) √(a²L/2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from theory.common import _validate
from theory.common._validate import FloatArray

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(40)


@dataclass(frozen=True, eq=False)
class DytPath:
    """
    What the recursion of N12 gives at layers 0 to L.

    Attributes
    ----------
    mean_square : ndarray of float64 (depth + 1,)
        S_k.
    log_gradient : ndarray of float64 (depth + 1,)
        log E‖p_0‖²/‖p_k‖², natural logarithm: the growth that k layers give.
    """

    mean_square: FloatArray
    log_gradient: FloatArray


def _tanh_moments(deviation: float) -> tuple[float, float]:
    """E tanh²(uZ) and E sech⁴(uZ)."""
    # Panels from the scale 1/u on which tanh changes to the tail of Z.
    ends = np.concatenate([[0.0], np.geomspace(min(0.5 / deviation, 4.0), 9.0, 6)])
    half = 0.5 * np.diff(ends)[:, None]
    z = (ends[:-1, None] + half * (1 + _POINTS)).ravel()
    mass = (half * _WEIGHTS).ravel() * np.exp(-0.5 * z * z) * math.sqrt(2 / math.pi)
    t = np.tanh(deviation * z)
    return float(mass @ (t * t)), float(mass @ np.square(1 - t * t))


def dyt_recursion(*, depth: int, alpha: float, gain: float = 1.0, mean_square: float = 1.0) -> DytPath:
    """
    Return mean squares of hidden states and gradients of wide DyT networks (N12; *derived*).

    Exact as d → ∞ for an h_0 of Gaussian coordinates; at fixed width only while d ≫ γ²a²L
    (`dyt_width_correction`).

    Parameters
    ----------
    depth : int
        L >= 1.
    alpha : float
        a >= 0.
    gain : float, optional
        γ > 0; 1 by default.
    mean_square : float, optional
        S_0 > 0; 1 by default.

    Returns
    -------
    DytPath

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> path = dyt_recursion(depth=100, alpha=1.0)
    >>> print(f"{path.mean_square[-1]:.3f} {path.log_gradient[-1]:.4f}")
    39.774 7.4123
    """
    L = int(_validate.depth(depth, minimum=1))
    square = float(_validate.alpha(alpha)) ** 2
    gamma = float(_validate.real("gain", gain, above=0, fix="give the factor inside tanh"))
    S = float(_validate.real("mean_square", mean_square, above=0, fix="give ‖h_0‖²/d"))
    path, logs = np.empty(L + 1), np.zeros(L + 1)
    path[0] = S
    for k in range(L):
        energy, slope = _tanh_moments(gamma * math.sqrt(path[k]))
        path[k + 1] = path[k] + 0.5 * square * energy
        logs[k + 1] = logs[k] + math.log1p(0.5 * square * gamma**2 * slope)
    return DytPath(path, logs)


def dyt_expansion(*, depth: int, alpha: float, gain: float = 1.0) -> float:
    """
    Return the two leading terms of log E‖p_0‖²/‖p_L‖² of wide DyT networks (N12; *derived*).

    `(4γa/(3√π)) √L + [4/(3π) − 2a²γ²/(9π)] log L`; the constant that is left out is not known in closed form.

    Parameters
    ----------
    depth : int
        L >= 1.
    alpha, gain : float
        a >= 0 and γ > 0.

    Returns
    -------
    float
        Natural logarithm.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{dyt_expansion(depth=10_000, alpha=1.0):.4f}")
    78.4828
    """
    L = float(_validate.depth(depth, minimum=1))
    a = float(_validate.alpha(alpha))
    gamma = float(_validate.real("gain", gain, above=0, fix="give the factor inside tanh"))
    power = 4 * gamma * a / (3 * math.sqrt(math.pi))
    return power * math.sqrt(L) + (4 / (3 * math.pi) - 2 * (a * gamma) ** 2 / (9 * math.pi)) * math.log(L)


def dyt_mean_square_expansion(*, depth: int, alpha: float, gain: float = 1.0) -> float:
    """
    Return the two leading terms of S_L of wide DyT networks, a²L/2 − (2a/(γ√π))√L (N12; *derived*).

    Arguments as `dyt_expansion`.

    Examples
    --------
    >>> print(f"{dyt_mean_square_expansion(depth=10_000, alpha=1.0):.1f}")
    4887.2
    """
    L = float(_validate.depth(depth, minimum=1))
    a = float(_validate.alpha(alpha))
    gamma = float(_validate.real("gain", gain, above=0, fix="give the factor inside tanh"))
    return 0.5 * a * a * L - 2 * a / (gamma * math.sqrt(math.pi)) * math.sqrt(L)


def dyt_width_correction(*, width: int, depth: int, alpha: float, gain: float = 1.0) -> float:
    """
    Return what a finite width adds to log E‖p_0‖² of DyT networks, to leading order (N12; *derived*).

    d log(2e^{s²/2}Φ(s)) without its linear part, which the recursion holds; (4γ²a²L/(9d))(1 − 2/π) where s is
    small. 0.016 at d = 1024, L = 100, a = γ = 1, 0.26 at d = 64: the limits of large d and large L do not
    commute.

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha, gain : float
        a >= 0 and γ > 0.

    Returns
    -------
    float
        Natural-log units.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> [round(dyt_width_correction(width=d, depth=100, alpha=1.0), 3) for d in (1024, 256, 64)]
    [0.016, 0.064, 0.26]
    """
    d = float(_validate.width(width))
    L = float(_validate.depth(depth, minimum=1))
    a = float(_validate.alpha(alpha))
    gamma = float(_validate.real("gain", gain, above=0, fix="give the factor inside tanh"))
    s = 4 * gamma / (3 * d) * a * math.sqrt(0.5 * L)
    # log(2Φ(s)) = s√(2/π) − s²/π + …: the linear term is the recursion's.
    return d * (0.5 * s * s + math.log(2.0) + float(special.log_ndtr(s)) - s * math.sqrt(2 / math.pi))
