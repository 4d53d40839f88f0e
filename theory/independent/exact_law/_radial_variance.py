"""Spread of the norm ratio with Gaussian weights (I7), and how many networks a sample mean would need.

The relative variance of ‖h_L‖²/‖h_0‖² is (E R²)^L/(E R)^{2L} − 1: it explodes with depth above the critical
scaling.
"""

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent import _growth
from theory.independent.exact_law._radial_moments import _ACTIVATIONS, BranchActivation


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
