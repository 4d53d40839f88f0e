"""High-probability and mean bounds at the critical scaling α = L^{-1/2} (I9)."""

import math

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent import _growth


def critical_difference_bounds(
    *, width: npt.ArrayLike, failure_probability: npt.ArrayLike
) -> tuple[float | FloatArray, float | FloatArray]:
    r"""
    Bounds of ‖h_L − h_0‖²/‖h_0‖² that hold with probability at least 1 − δ at α = L^{-1/2}.

    For blocks with ‖h‖²/2 <= E‖g(h)‖² <= ‖h‖² and L large enough (MFBV do not say how large in a
    form that we rely on). The lower one is negative, so says nothing, unless dδ > 1408/9 ≈ 156.4.
    For res-3 with Gaussian weights the quantiles of the exact law (I6) are far sharper.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 64.
    failure_probability : array_like of float
        δ in (0, 1): the chance that either bound fails.

    Returns
    -------
    low, high : float or ndarray of float64
        exp(3/8 − √(22/(dδ))) − 1 and exp(1 + √(10/(dδ))) + 1, ratios of squared norms; the upper
        is inf above 1.8e308.

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 64 or `failure_probability` is not inside (0, 1).

    Notes
    -----
    I9, MFBV. Taken over as given there, not re-derived here.

    Examples
    --------
    >>> low, high = critical_difference_bounds(width=4000, failure_probability=0.1)
    >>> round(low, 4), round(high, 4)
    (0.1508, 4.1839)
    """
    d, delta = _validate.width(width, minimum=64), _validate.failure_probability(failure_probability)
    scale = d * delta
    low = np.expm1(3 / 8 - np.sqrt(22 / scale))
    high = _growth.exp(1 + np.sqrt(10 / scale)) + 1
    return _validate.plain(low), _validate.plain(high)


def critical_gradient_bounds() -> tuple[float, float]:
    r"""
    Bounds of the limit of E‖p_0 − p_L‖²/‖p_L‖² at α = L^{-1/2}, L → ∞.

    For blocks whose mean-square gain lies between 1/2 and 1, backwards too. Both ends are attained:
    the lower by res-3, the upper by res-1 with identity activation. At finite depth use
    `second_moment_bounds` with ``difference=True``.

    Returns
    -------
    low, high : float
        e^{1/2} − 1 and e − 1.

    Notes
    -----
    I9, MFBV. They are the limits of (1 + c/L)^L − 1 at c = 1/2 and c = 1.

    Examples
    --------
    >>> low, high = critical_gradient_bounds()
    >>> round(low, 6), round(high, 6)
    (0.648721, 1.718282)
    """
    return math.expm1(0.5), math.expm1(1.0)
