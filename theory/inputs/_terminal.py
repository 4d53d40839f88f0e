"""
How fast the angle of two inputs closes in the end (C2; *derived*).

Two inputs that are nearly one differ by a tangent: θ = ‖T_⊥‖/‖h‖, T_⊥ the part of T across h. In the limit
of C1 `log θ` is a Brownian motion of drift −1/(2d) and variance 1/d a unit of t. At finite a a layer maps
the frame (ĥ, T̂_⊥) to columns of a QR decomposition, and θ to θ r_22/r_11: `log θ_L − log θ_0` is a sum of
L i.i.d. terms, whose law is the one of post-norm networks (N10), since r_22/r_11 does not see a norm of the
stream.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from theory.common import _validate
from theory.normalised._post_norm_law import _layer_points

if TYPE_CHECKING:
    from scipy.stats._distn_infrastructure import rv_frozen

_SHIFTS = 6
"""Of the cubature: their means differ by half a per cent at most."""


def terminal_angle_law(*, width: int, time: float) -> rv_frozen:
    """
    Return the limit law of log(θ_t/θ_0) for two inputs of res-3 that are nearly one (C2; *derived*).

    Parameters
    ----------
    width : int
        d >= 2; the hidden width does not matter.
    time : float
        Depth-time t = Σ a_k² > 0.

    Returns
    -------
    frozen scipy.stats.norm
        N(−t/(2d), t/d); natural logarithm.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> law = terminal_angle_law(width=3, time=30.0)
    >>> print(f"{law.mean():.1f} {law.var():.1f}")
    -5.0 10.0
    """
    from scipy import stats

    d = float(_validate.width(width, minimum=2))
    t = float(_validate.real("time", time, above=0, fix="give the depth-time a²L"))
    return stats.norm(-t / (2 * d), math.sqrt(t / d))


def terminal_angle_exponent(
    *, width: int, alpha: float | None = None, hidden_width: int | None = None
) -> float:
    """
    Return the limit of (log θ_L)/(a²L), the exponent at which two inputs of res-3 align (C2; *derived*).

    Parameters
    ----------
    width : int
        d >= 2. At d = 1 the cosine does not move.
    alpha : float, optional
        a, for the exact exponent of networks of this scaling, E log(r_22/r_11)/a², to about 2e-3 of it;
        without it the limit a → 0, −1/(2d).
    hidden_width : int, optional
        M, the width by default; only with `alpha`.

    Returns
    -------
    float
        A unit of depth-time; natural logarithm.

    Raises
    ------
    ValueError
        If an argument is out of range, or a hidden width is given without `alpha`.

    Examples
    --------
    >>> print(f"{terminal_angle_exponent(width=2):.3f} {terminal_angle_exponent(width=2, alpha=0.4):.3f}")
    -0.250 -0.335
    """
    d = int(_validate.width(width, minimum=2))
    if alpha is None:
        if hidden_width is not None:
            raise ValueError(
                f"hidden_width={hidden_width}: must go with alpha, the limit has none; leave it out"
            )
        return -0.5 / d
    a = float(_validate.real("alpha", alpha, above=0, fix="give the factor before the branch"))
    M = d if hidden_width is None else hidden_width
    M = int(_validate.whole("hidden_width", M, minimum=1, fix="give the number of rows of W"))
    means = [float(_layer_points(d, M, a, "relu", None, shift).mean()) for shift in range(_SHIFTS)]
    return float(np.mean(means)) / a**2
