"""
The angle of two inputs of res-3 at fixed width as a diffusion (C1; *derived*).

Two inputs meet the same V and W, so increments of their states have covariance `κ(c)‖H‖‖H'‖/d` a unit of
depth-time, coordinate by coordinate, and the cosine c is a diffusion of its own (C1):

    dc = [κ(c)(d−2+c²)/d − (d−1)c/(2d)] dt + √((1−c²)(1−2cκ(c))/d) dB.

In the angle, `c = cos θ`, with `δ(θ) = (sin θ − θ cos θ)/π`, so that 2κ = c + δ, most of it cancels (Itô):

    dθ = −(1 − 2/d) (1 − θ cot θ)/(2π) dt + √((sin²θ − cos θ δ)/d) dB.

The drift is S5's times 1 − 2/d: at d = 2 the angle is a martingale up to its reflection at π. At θ → 0 the
noise is θ/√d, so `log θ` is a Brownian motion of drift −1/(2d) (C2); at θ → π the angle is a Bessel process
of dimension d − 1.

The scale density is `e^{−(d−2)Q(θ)}`, Q the same at every width. With `Q = log cos(θ/2) + R(θ)`, R is
smooth on [0, π].
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray

_DEGREE = 60
"""Of the Chebyshev series of R', which is analytic: its last coefficients are below 1e-15."""
_SERIES = 1e-2
"""Angles below which differences of close numbers are taken from their Taylor series."""


class AngleDiffusion(NamedTuple):
    """Drift and variance of an angle, a unit of depth-time.

    Attributes
    ----------
    drift : float or ndarray
        Of dθ.
    variance : float or ndarray
        Of dθ.
    """

    drift: float | FloatArray
    variance: float | FloatArray


def angle_diffusion(*, width: int, angle: npt.ArrayLike) -> AngleDiffusion:
    """
    Return drift and variance of the angle of two inputs of res-3 at α = 1/√L (C1; *derived*).

    Parameters
    ----------
    width : int
        d >= 2; the hidden width does not matter.
    angle : array_like
        θ in (0, π), radians.

    Returns
    -------
    AngleDiffusion
        Per unit of depth-time t = Σ a_k², same shape as `angle`.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> drift, variance = angle_diffusion(width=2, angle=1.0)
    >>> print(f"{drift:.3f} {variance:.4f}")
    -0.000 0.3281
    """
    d = float(_validate.width(width, minimum=2))
    theta = _validate.real("angle", angle, above=0, below=math.pi, fix="give an angle in radians")
    drift = -(d - 2) * excess(theta) / (2 * d * np.sin(theta))
    return AngleDiffusion(_validate.plain(drift), _validate.plain(spread(theta) / d))


def excess(theta: FloatArray) -> FloatArray:
    """Return δ(θ) = (sin θ − θ cos θ)/π, which is 2κ − c."""
    small = np.abs(theta) < _SERIES
    square = theta * theta
    series = theta * square / 3 * (1 - square / 10 * (1 - square / 28))
    return np.where(small, series, np.sin(theta) - theta * np.cos(theta)) / math.pi


def spread(theta: FloatArray) -> FloatArray:
    """Return d times the variance of dθ, sin²θ − cos θ δ = 1 − 2cκ."""
    return np.sin(theta) ** 2 - np.cos(theta) * excess(theta)


def _smooth_slope(theta: FloatArray) -> FloatArray:
    """Return R', R = Q − log cos(θ/2): 2·drift/variance over d − 2, and tan(θ/2)/2."""
    phi = math.pi - theta
    # Next to π both terms are about 1/φ: their difference over a common denominator, with φ's sines.
    s, c = np.sin(phi), -np.cos(phi)
    rest = (s - theta * c) / math.pi
    middle = -excess(theta) / (s * spread(theta)) + 0.5 * np.tan(0.5 * np.minimum(theta, 3.0))
    # tan(θ/2)/2 = (1 − c)/(2 sin θ).
    near = (-2 * rest + (1 - c) * (s * s - c * rest)) / (2 * s * (s * s - c * rest))
    return np.where(theta < 2.0, middle, near)


@lru_cache(maxsize=1)
def _series() -> np.polynomial.Chebyshev:
    """Return R as a Chebyshev series, R(0) = 0."""
    slope = np.polynomial.Chebyshev.interpolate(_smooth_slope, _DEGREE, domain=[0.0, math.pi])
    return slope.integ(lbnd=0.0)


def scale_exponent(theta: FloatArray, phi: FloatArray) -> FloatArray:
    """Return Q, of an angle and of its supplement: the scale density is e^{−(d−2)Q}; −∞ at θ = π.

    Parameters
    ----------
    theta, phi : ndarray
        θ and π − θ, both, so that neither end loses digits.
    """
    with np.errstate(divide="ignore"):
        return np.log(np.sin(0.5 * phi)) + _series()(theta)
