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

from theory import _growth, _validate
from theory._validate import FloatArray

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


def radial_variance(
    *, width: npt.ArrayLike, alpha: npt.ArrayLike, activation: BranchActivation = "relu"
) -> float | FloatArray:
    r"""
    Var R of the squared norm ratio of one layer with Gaussian weights.

    Free of the cancellation in E R² − (E R)²; 2a²/d to leading order for ReLU, 4a²/d for identity.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.
    alpha : array_like of float
        Layer scaling a >= 0.
    activation : {"relu", "identity"}, optional
        "relu" (default): res-3. "identity": res-1 with σ(h) = h.

    Returns
    -------
    float or ndarray of float64
        2a²/d + a⁴(7d + 10)/(4d²) for ReLU, 4a²/d + 2a⁴/d for identity.

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 1, `alpha` is negative, or the activation is another one.

    Notes
    -----
    I7, *derived*: subtract (1 + a²/2)² or (1 + a²)² from E R².

    Examples
    --------
    >>> round(radial_variance(width=1, alpha=1.0), 12)  # 8.5 - 1.5²
    6.25
    """
    d, a = _validate.width(width), _validate.alpha(alpha)
    _validate.choice("activation", activation, _ACTIVATIONS, fix="only these have a radial law")
    with np.errstate(over="ignore", under="ignore"):
        square = a * a
        if activation == "identity":
            return _validate.plain(square * (4 + 2 * square) / d)
        return _validate.plain(square * (2 + square * (7 * d + 10) / (4 * d)) / d)


def _log_variance_ratio(d: FloatArray, a: FloatArray, activation: BranchActivation) -> FloatArray:
    """Logarithm of Var R/(E R)², finite for every a > 0."""
    c = 1.0 if activation == "identity" else 0.5
    quartic = 2 / d if activation == "identity" else (7 * d + 10) / (4 * d * d)
    with np.errstate(divide="ignore"):
        log_square = 2 * np.log(a)
    log_variance = log_square + np.logaddexp(np.log(4 * c / d), np.log(quartic) + log_square)
    return log_variance - 2 * _growth.log_growth(a, np.asarray(c))


def log_relative_variance(
    *,
    width: npt.ArrayLike,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    activation: BranchActivation = "relu",
) -> float | FloatArray:
    r"""
    Natural logarithm of Var(‖h_L‖²)/(E‖h_L‖²)², with Gaussian weights.

    The sample mean of n networks has relative standard error exp(value/2)/√n: well above log n the
    sample mean of ‖h_L‖² is useless, almost surely far too small, and so is its error bar.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0; 0 gives −inf.
    alpha : array_like of float
        Layer scaling a >= 0; 0 gives −inf.
    activation : {"relu", "identity"}, optional
        "relu" (default): res-3. "identity": res-1 with σ(h) = h.

    Returns
    -------
    float or ndarray of float64
        log of (E R²/(E R)²)^L − 1; close to 2La²/d (relu) while a is small and that is large.

    Raises
    ------
    ValueError
        If `width` >= 1 or `depth` >= 0 is not a whole number, `alpha` is negative, or the
        activation is another one.

    Notes
    -----
    I7, *derived*: E‖h_L‖⁴/(E‖h_L‖²)² = (1 + Var R/(E R)²)^L.

    Examples
    --------
    >>> round(log_relative_variance(width=40, depth=1000, alpha=1000**-0.5), 3)  # critical: benign
    -2.971
    >>> round(log_relative_variance(width=40, depth=10**4, alpha=10**-0.5), 1)  # hopeless
    49.3
    """
    d, L, a = _validate.width(width), _validate.depth(depth), _validate.alpha(alpha)
    _validate.choice("activation", activation, _ACTIVATIONS, fix="only these have a radial law")
    log_ratio = _log_variance_ratio(d, a, activation)
    # (1 + ratio)^L - 1 with gain·α² = ratio
    return _validate.plain(_growth.log_growth_minus_one(L, np.exp(log_ratio / 2), np.asarray(1.0)))


def relative_variance(
    *,
    width: npt.ArrayLike,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    activation: BranchActivation = "relu",
) -> float | FloatArray:
    r"""
    Var(‖h_L‖²)/(E‖h_L‖²)², with Gaussian weights.

    Parameters
    ----------
    width : array_like of int
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
        Squared coefficient of variation; inf above 1.8e308.

    Raises
    ------
    ValueError
        As `log_relative_variance`.

    Notes
    -----
    I7, *derived*; see `log_relative_variance`.

    Examples
    --------
    >>> round(relative_variance(width=1, depth=1, alpha=1.0), 6)  # 6.25/1.5²
    2.777778
    """
    value = log_relative_variance(width=width, depth=depth, alpha=alpha, activation=activation)
    return _validate.plain(_growth.exp(np.asarray(value)))


def log_networks_for_mean(
    *,
    width: npt.ArrayLike,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    relative_error: npt.ArrayLike,
    activation: BranchActivation = "relu",
) -> float | FloatArray:
    r"""
    Natural logarithm of the number of networks whose mean ‖h_L‖² has a given relative error.

    Above log(1e9) ≈ 21 do not test E‖h_L‖² by a sample mean: test log‖h_L‖ instead.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    relative_error : array_like of float
        Wanted standard error over the mean, > 0, such as 0.01.
    activation : {"relu", "identity"}, optional
        "relu" (default): res-3. "identity": res-1 with σ(h) = h.

    Returns
    -------
    float or ndarray of float64
        log of relative variance over squared relative error; negative where one network does.

    Raises
    ------
    ValueError
        If `relative_error` is not positive, or as `log_relative_variance`.

    Notes
    -----
    I7, *derived*: the variance of a mean of n is the variance over n.

    Examples
    --------
    >>> n = log_networks_for_mean(width=40, depth=1000, alpha=1000**-0.5, relative_error=0.01)
    >>> round(np.exp(n))
    513
    """
    fix = "give the standard error over the mean, such as 0.01"
    error = _validate.real("relative_error", relative_error, above=0, fix=fix)
    value = log_relative_variance(width=width, depth=depth, alpha=alpha, activation=activation)
    return _validate.plain(np.asarray(value) - 2 * np.log(error))
