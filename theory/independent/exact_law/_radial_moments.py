"""Every moment of the norm ratio with Gaussian weights (I7), and when a sample mean is useless.

Notation: R = ‖h_{k+1}‖²/‖h_k‖² of one layer (I6), a the layer scaling, d the width,
Q = ‖g(h)‖²·d/‖h‖², which is χ²_N with N ~ Bin(d, 1/2) for ReLU(W h) and the number d for g(h) = h.
Given Q, R = s² X with s² = a²Q/d² and X noncentral χ²_d(1/s²), hence

    E[R^m | Q] = Σ_i C(m, i) (d + 2(m−i)) (d + 2(m−i) + 2) ⋯ (d + 2m − 2) s^{2i}.

E Q^i follows from E[(χ²_N)^i | N] = N (N+2) ⋯ (N+2i−2), rewritten in falling factorials, whose
binomial mean is E N(N−1)⋯(N−r+1) = d(d−1)⋯(d−r+1)/2^r. All coefficients of the resulting polynomial
in a²/(2d²) are positive integers and are computed exactly.
"""

import math
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent import _growth

BranchActivation = Literal["relu", "identity"]
_ACTIVATIONS = ("relu", "identity")


@lru_cache(maxsize=64)
def _doubled_energy_moments(order: int, width: int, activation: str) -> tuple[int, ...]:
    """2^i E Q^i for i = 0..order: whole numbers."""
    if activation == "identity":
        return tuple((2 * width) ** i for i in range(order + 1))
    moments = [1]
    # factorial[r] is the coefficient of x(x-1)..(x-r+1) in x(x+2)..(x+2i-2)
    factorial = [1]
    for i in range(order):
        grown = [0] * (len(factorial) + 1)
        for r, coefficient in enumerate(factorial):
            grown[r + 1] += coefficient
            grown[r] += (r + 2 * i) * coefficient
        factorial = grown
        falling, total = 1, 0
        for r, coefficient in enumerate(factorial):
            total += coefficient * falling << (i + 1 - r)
            falling *= width - r
        moments.append(total)
    return tuple(moments)


@lru_cache(maxsize=64)
def _log_coefficients(order: int, width: int, activation: str) -> tuple[float, ...]:
    """Logarithms of K_1..K_m, where E R^m = 1 + Σ K_i (a²/(2d²))^i."""
    energies = _doubled_energy_moments(order, width, activation)
    logs = []
    noncentral = 1
    for i in range(1, order + 1):
        # for i -> i+1 the product gains the factor d + 2(m-i) at its lower end
        noncentral *= width + 2 * (order - i)
        logs.append(math.log(math.comb(order, i) * noncentral * energies[i]))
    return tuple(logs)


def _checked_order(order: int) -> int:
    return int(_validate.whole("order", order, minimum=1, fix="give the power m of R, a number like 1 or 2"))


def _checked_width(width: int) -> int:
    return int(_validate.width(width))


def log_radial_moment(
    *, order: int, width: int, alpha: npt.ArrayLike, activation: BranchActivation = "relu"
) -> float | FloatArray:
    r"""
    Natural logarithm of E R^m, R = ‖h_{k+1}‖²/‖h_k‖² the squared norm ratio of one layer.

    Exact for Gaussian weights at every width. For other laws only m = 1 holds.

    Parameters
    ----------
    order : int
        The power m >= 1. The cost grows like m²: instantaneous up to some hundreds.
    width : int
        Number of coordinates d >= 1.
    alpha : array_like of float
        Layer scaling a >= 0; 0 gives 0.
    activation : {"relu", "identity"}, optional
        "relu" (default): res-3, and res-2 with ReLU without bias. "identity": res-1 with σ(h) = h.

    Returns
    -------
    float or ndarray of float64
        Relative error about 1e-14 of E R^m − 1.

    Raises
    ------
    ValueError
        If `order` or `width` is not a whole number >= 1, `alpha` is negative, or the activation
        is another one.

    Notes
    -----
    I7, *derived* for every m by conditioning in I6 on the active units; proof at the top of the module.

    Examples
    --------
    >>> round(log_radial_moment(order=1, width=40, alpha=1.0), 6)
    0.405465
    >>> round(log_radial_moment(order=2, width=1, alpha=1.0), 6)  # E R² = 1 + 3 + 18/4
    2.140066
    """
    m, d, a = _checked_order(order), _checked_width(width), _validate.alpha(alpha)
    _validate.choice("activation", activation, _ACTIVATIONS, fix="only these have a radial law")
    with np.errstate(divide="ignore"):
        log_variable = 2 * np.log(a) - math.log(2 * d * d)
    excess = np.full(a.shape, -np.inf)
    for i, log_coefficient in enumerate(_log_coefficients(m, d, activation), start=1):
        excess = np.logaddexp(excess, log_coefficient + i * log_variable)
    return _validate.plain(np.logaddexp(0.0, excess))


def radial_moment(
    *, order: int, width: int, alpha: npt.ArrayLike, activation: BranchActivation = "relu"
) -> float | FloatArray:
    r"""
    E R^m, R = ‖h_{k+1}‖²/‖h_k‖² the squared norm ratio of one layer with Gaussian weights.

    For res-3, E R = 1 + a²/2 and E R² = 1 + a²(1 + 2/d) + a⁴(d+2)(d+5)/(4d²).

    Parameters
    ----------
    order : int
        The power m >= 1.
    width : int
        Number of coordinates d >= 1.
    alpha : array_like of float
        Layer scaling a >= 0.
    activation : {"relu", "identity"}, optional
        "relu" (default): res-3. "identity": res-1 with σ(h) = h.

    Returns
    -------
    float or ndarray of float64
        The moment; inf above 1.8e308.

    Raises
    ------
    ValueError
        As `log_radial_moment`.

    Notes
    -----
    I7, *derived*; proof at the top of the module.

    Examples
    --------
    >>> round(radial_moment(order=2, width=1, alpha=1.0), 10)
    8.5
    """
    value = log_radial_moment(order=order, width=width, alpha=alpha, activation=activation)
    return _validate.plain(_growth.exp(np.asarray(value)))


def log_norm_moment(
    *,
    order: int,
    width: int,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    activation: BranchActivation = "relu",
) -> float | FloatArray:
    r"""
    Natural logarithm of E(‖h_L‖/‖h_0‖)^{2m}, which is L log E R^m.

    Exact for Gaussian weights; by I4 the same for gradients, E(‖p_0‖/‖p_L‖)^{2m}.

    Parameters
    ----------
    order : int
        Half the power of the norm ratio, m >= 1.
    width : int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    activation : {"relu", "identity"}, optional
        "relu" (default): res-3. "identity": res-1 with σ(h) = h.

    Returns
    -------
    float or ndarray of float64
        Finite for every depth and scaling.

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 0, or as `log_radial_moment`.

    Notes
    -----
    I7, *derived*: the ratios of the layers are independent copies of R (I6).

    Examples
    --------
    >>> round(log_norm_moment(order=2, width=40, depth=1000, alpha=1000**-0.5), 4)
    1.0497
    """
    L = _validate.depth(depth)
    log_moment = log_radial_moment(order=order, width=width, alpha=alpha, activation=activation)
    return _validate.plain(L * np.asarray(log_moment))
