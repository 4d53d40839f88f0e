"""
Covariances of smooth Gaussian weights along the layers, V_k = 𝒱(k/L) (section 4, O1 to O4).

Notation: k(τ) = E 𝒱_t 𝒱_{t+τ} in depth-time τ = lag/L, ℓ the length scale, all variances 1. MFBV's
experiments take *increments* of a process of squared-exponential covariance, divided by their standard
deviation; the limit of fine steps is its derivative, normalised.
"""

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray


def _time(value: npt.ArrayLike) -> FloatArray:
    return np.abs(_validate.real("time", value, fix="give a distance in depth-time, lag / depth"))


def _variance(value: npt.ArrayLike) -> FloatArray:
    fix = "give the squared length scale in depth-time, 0.01 in the paper"
    return _validate.real("variance", value, above=0, fix=fix)


def rbf_covariance(time: npt.ArrayLike, variance: npt.ArrayLike = 0.01) -> float | FloatArray:
    r"""
    Squared-exponential covariance exp(−τ²/(2ℓ²)) at a distance τ in depth-time.

    Parameters
    ----------
    time : array_like of float
        τ = lag/L, of either sign.
    variance : array_like of float, optional
        ℓ² > 0; 0.01, as in MFBV's experiments, by default.

    Returns
    -------
    float or ndarray of float64
        The covariance, 1 at 0.

    Raises
    ------
    ValueError
        If `time` is not finite or `variance` is not positive.

    Examples
    --------
    >>> round(rbf_covariance(0.1), 6)
    0.606531
    """
    tau, square = _time(time), _variance(variance)
    with np.errstate(over="ignore", under="ignore"):
        return _validate.plain(np.exp(-tau * tau / (2 * square)))


def rbf_derivative_covariance(time: npt.ArrayLike, variance: npt.ArrayLike = 0.01) -> float | FloatArray:
    r"""
    Covariance (1 − τ²/ℓ²) exp(−τ²/(2ℓ²)) of the normalised derivative of a squared-exponential process.

    The limit L → ∞ of `rbf_increments_covariance`. Its integral over the line is 0.

    Parameters
    ----------
    time : array_like of float
        τ = lag/L, of either sign.
    variance : array_like of float, optional
        ℓ² > 0; 0.01, as in MFBV's experiments, by default.

    Returns
    -------
    float or ndarray of float64
        The covariance: 1 at 0, 0 at ℓ, negative beyond.

    Raises
    ------
    ValueError
        If `time` is not finite or `variance` is not positive.

    Notes
    -----
    −k''(τ)/(−k''(0)), k squared-exponential.

    Examples
    --------
    >>> round(rbf_derivative_covariance(0.05), 6)
    0.661873
    """
    tau, square = _time(time), _variance(variance)
    with np.errstate(over="ignore", under="ignore"):
        # beyond 40 length scales the exponential is 0 and the square may overflow
        ratio = np.minimum(tau / np.sqrt(square), 40.0) ** 2
        return _validate.plain((1 - ratio) * np.exp(-ratio / 2))


def rbf_increments_covariance(
    lags: npt.ArrayLike, *, depth: npt.ArrayLike, variance: npt.ArrayLike = 0.01
) -> float | FloatArray:
    r"""
    Covariance of the normalised increments over 1/L of a squared-exponential process, at finite L.

    (2k(τ) − k(τ−δ) − k(τ+δ))/(2 − 2k(δ)) with δ = 1/L, τ = mδ: a second difference, whose digits cancel
    like L². Computed as k(τ) − exp(−(τ−δ)²/(2ℓ²)) (1 − e^{−x})²/(2p), x = τδ/ℓ², p = 1 − k(δ), the form
    k(τ)(1 − 2k(δ) sinh²(x/2)/p) without its overflow; relative error about 1e-14 but near its zero.

    Parameters
    ----------
    lags : array_like of int
        Distances m between layers, of either sign.
    depth : array_like of int
        Number of layers L >= 1.
    variance : array_like of float, optional
        ℓ² > 0; 0.01, as in MFBV's experiments, by default.

    Returns
    -------
    float or ndarray of float64
        The covariance, 1 at lag 0; `rbf_derivative_covariance` of m/L up to O(1/(Lℓ)²).

    Raises
    ------
    ValueError
        If a lag is not whole, `depth` is not a whole number >= 1 or `variance` is not positive.

    Examples
    --------
    >>> round(rbf_increments_covariance(50, depth=1000), 8)
    0.6618...
    """
    m = _validate.lags(lags)
    L, square = _validate.depth(depth, minimum=1), _variance(variance)
    with np.errstate(over="ignore", under="ignore"):
        step = 1 / (L * np.sqrt(square))
        distinct = -np.expm1(-step * step / 2)
        size = np.minimum(m * step, 1e100)
        shift = np.exp(-((size - step) ** 2) / 2) * np.expm1(-size * step) ** 2
        # a step below 1e-154 of a length scale has no representable square: the derivative, up to rounding
        usual = np.exp(-size * size / 2) - shift / (2 * np.where(distinct > 0, distinct, 1.0))
        limit = np.asarray(rbf_derivative_covariance(m / L, square))
    return _validate.plain(np.where(distinct > 1e-300, usual, limit))


def matern_covariance(time: npt.ArrayLike, *, smoothness: float, scale: npt.ArrayLike) -> float | FloatArray:
    r"""
    Matérn covariance of smoothness 3/2 or 5/2 at a distance τ in depth-time.

    With z = √(2ν) |τ|/ℓ: (1 + z)e^{−z} at ν = 3/2, paths once differentiable; (1 + z + z²/3)e^{−z} at
    ν = 5/2, twice.

    Parameters
    ----------
    time : array_like of float
        τ = lag/L, of either sign.
    smoothness : {1.5, 2.5}
        ν.
    scale : array_like of float
        Length scale ℓ > 0 in depth-time.

    Returns
    -------
    float or ndarray of float64
        The covariance, 1 at 0.

    Raises
    ------
    ValueError
        If `smoothness` is not 1.5 or 2.5, `time` is not finite or `scale` is not positive.

    Notes
    -----
    Rasmussen and Williams (2006), section 4.2.

    Examples
    --------
    >>> round(matern_covariance(0.1, smoothness=1.5, scale=0.1), 6)
    0.483358
    """
    tau = _time(time)
    nu = float(_validate.real("smoothness", smoothness, above=0, fix="give 1.5 or 2.5"))
    if nu not in (1.5, 2.5):
        raise ValueError(f"smoothness={nu:g}: must be 1.5 or 2.5; use rbf_covariance for smoother weights")
    length = _validate.real("scale", scale, above=0, fix="give the length scale in depth-time, such as 0.1")
    with np.errstate(over="ignore", under="ignore"):
        # e^-800 is 0 already
        z = np.minimum(np.sqrt(2 * nu) * (tau / length), 800.0)
        return _validate.plain((1 + z + (z * z / 3 if nu == 2.5 else 0.0)) * np.exp(-z))
