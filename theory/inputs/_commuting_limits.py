"""
How far a finite network is from the limit of width and depth, taken in either order (C4; *derived*).

Res-3 at a = L^{-1/2}, Gaussian weights: `S_L/S_0` is a product of L independent R (I6), so

    E (S_L/S_0 − e^{1/2})² = (E R²)^L − 2 e^{1/2} (1 + 1/(2L))^L + e

exactly, with `E R² = 1 + a²(1 + 2/d) + a⁴(d+2)(M+5)/(4dM)`. The variance is 2e/d to leading order, whatever
L, and the bias −e^{1/2}/(8L), whatever d: the error is of the order d^{-1/2} + L^{-1}.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from theory.common import _validate


class CommutingError(NamedTuple):
    """Distance of S_L/S_0 to its limit e^{1/2} of width and depth.

    Attributes
    ----------
    mean_square : float
        E (S_L/S_0 − e^{1/2})².
    bias : float
        E S_L/S_0 − e^{1/2}, negative.
    variance : float
        Var S_L/S_0.
    """

    mean_square: float
    bias: float
    variance: float


def commuting_error(*, width: int, depth: int, hidden_width: int | None = None) -> CommutingError:
    """
    Return the exact mean-square distance of S_L/S_0, S = ‖h‖²/d, to its wide and deep limit (C4; *derived*).

    Parameters
    ----------
    width : int
        d.
    depth : int
        L >= 1; the scaling is L^{-1/2}.
    hidden_width : int, optional
        M, the width by default.

    Returns
    -------
    CommutingError

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> error = commuting_error(width=1000, depth=1000)
    >>> print(f"{error.variance * 1000 / (2 * math.e):.3f} {error.bias * 8000 / math.exp(0.5):.3f}")
    1.001 -1.000
    """
    d = float(_validate.width(width))
    L = int(_validate.depth(depth, minimum=1))
    M = d if hidden_width is None else hidden_width
    M = float(_validate.whole("hidden_width", M, minimum=1, fix="give the number of rows of W"))
    log_mean = L * math.log1p(0.5 / L)
    # E R² over (E R)²: what is left of the terms that do not vanish with 1/d and 1/M.
    excess = (2 / d) / L + ((d + 2) * (M + 5) / (d * M) - 1) / (4 * L * L)
    variance = math.exp(2 * log_mean) * math.expm1(L * math.log1p(excess / (1 + 0.5 / L) ** 2))
    bias = math.exp(0.5) * math.expm1(log_mean - 0.5)
    return CommutingError(variance + bias * bias, bias, variance)


def commuting_error_expansion(*, width: int, depth: int) -> float:
    """
    Return the leading order of `commuting_error`'s mean square, 2e/d + e/(64 L²) (C4; *derived*).

    Parameters
    ----------
    width, depth : int
        As in `commuting_error`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{commuting_error_expansion(width=1000, depth=10):.5f}")
    0.00586
    """
    d, L = float(_validate.width(width)), int(_validate.depth(depth, minimum=1))
    return 2 * math.e / d + math.e / (64 * L * L)
