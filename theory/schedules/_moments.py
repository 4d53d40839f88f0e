"""
Moments of networks with schedules, factors of the stream and hidden widths, without norms (G1, G2, G3, G4).

Blocks `h_k = b_k h_{k−1} + a_k V_k ReLU(W_k h_{k−1})`, W of M rows and entries of variance 1/d, V of entries
of variance 1/M; any real b_k (0 and negative ones too), any a_k. With `f_k = b_k² + a_k²/2` and independent
layers

    E‖h_L‖²/‖h_0‖² = Π f_k,   E‖h_L − (Π b_k) h_0‖²/‖h_0‖² = Π f_k − Π b_k²,

for every symmetric law of the weights, and the same for gradients. V of variance 1/d is the same network with
a² M/d in the place of a² (`value_scaling`). Proofs: docs/theory/schedules.md.
"""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._layers import scalings, skips
from theory.common._validate import FloatArray

Matrix = Literal["V", "W"]


def _depth(depth: int) -> int:
    return int(_validate.depth(depth, minimum=1))


def _hidden_width(hidden_width: int | None, width: int) -> int:
    fix = "give the number of rows of W"
    value = width if hidden_width is None else hidden_width
    return int(_validate.whole("hidden_width", value, minimum=1, fix=fix))


def _factors(depth: int, alpha: npt.ArrayLike, skip: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return b_k² and f_k."""
    L = _depth(depth)
    square = np.square(skips(skip, L))
    return square, square + 0.5 * np.square(scalings(alpha, L))


def _log_product(factors: FloatArray) -> float:
    with np.errstate(divide="ignore"):
        return math.fsum(np.log(factors)) if np.all(factors > 0) else -math.inf


def _exp(value: float) -> float:
    return math.exp(value) if value < 709.0 else math.inf


def _without(factors: FloatArray) -> FloatArray:
    """Return Π_{j≠k} factors_j for every k, zeros included."""
    before = np.concatenate([[1.0], np.cumprod(factors)[:-1]])
    after = np.concatenate([np.cumprod(factors[::-1])[:-1][::-1], [1.0]])
    return before * after


def value_scaling(*, alpha: npt.ArrayLike, width: int, hidden_width: int) -> float | FloatArray:
    """
    Return the α that makes V of entry variance 1/M of the same network with entry variance 1/d (G2;
    *derived*).

    √(M/d) V/√M has the law of V/√d: wherever V is drawn with variance 1/d, use a√(M/d) in every other formula
    of the chapter. Gradients in the entries of V then have the factor M/d of `schedule_weight_gradients`.

    Parameters
    ----------
    alpha : array_like
        Layer scaling a >= 0.
    width, hidden_width : int
        d and M, at least 1.

    Returns
    -------
    float or ndarray of float64
        a√(M/d).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> value_scaling(alpha=0.1, width=16, hidden_width=64)
    0.2
    """
    d = float(_validate.width(width))
    return _validate.plain(_validate.alpha(alpha) * math.sqrt(_hidden_width(hidden_width, width) / d))


def log_schedule_second_moment(*, depth: int, alpha: npt.ArrayLike, skip: npt.ArrayLike = 1.0) -> float:
    """
    Return the natural logarithm of E‖h_L‖²/‖h_0‖² = Π (b_k² + a_k²/2) (G1; *derived*).

    Exact at every width and hidden width and for every symmetric law of independent layers. The same number
    is E‖p_0‖²/‖p_L‖². b² + a²/2 = 1 preserves the mean square exactly.

    Parameters
    ----------
    depth : int
        L >= 1.
    alpha : float or array_like (depth,)
        a_k >= 0, one for all layers or one each.
    skip : float or array_like (depth,), optional
        b_k, factors of the stream, of any sign; 1 by default.

    Returns
    -------
    float
        −inf if a layer has a = b = 0.

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 1, or there is not one number a layer.

    Examples
    --------
    >>> import numpy as np
    >>> round(log_schedule_second_moment(depth=100, alpha=0.9 / np.sqrt(np.arange(1, 101))), 6)
    1.987838
    """
    return _log_product(_factors(depth, alpha, skip)[1])


def schedule_second_moment(*, depth: int, alpha: npt.ArrayLike, skip: npt.ArrayLike = 1.0) -> float:
    """
    Return E‖h_L‖²/‖h_0‖² = Π (b_k² + a_k²/2) (G1; *derived*); arguments as `log_schedule_second_moment`.

    Examples
    --------
    >>> schedule_second_moment(depth=2, alpha=[1.0, 2.0], skip=[1.0, -0.5])
    3.375
    """
    return _exp(log_schedule_second_moment(depth=depth, alpha=alpha, skip=skip))


def schedule_difference_second_moment(
    *, depth: int, alpha: npt.ArrayLike, skip: npt.ArrayLike = 1.0
) -> float:
    """
    Return E‖h_L − (Π b_k) h_0‖²/‖h_0‖² = Π (b_k² + a_k²/2) − Π b_k² (G1; *derived*).

    Arguments and hypotheses as `log_schedule_second_moment`; E h_L = (Π b_k) h_0.

    Examples
    --------
    >>> schedule_difference_second_moment(depth=2, alpha=[1.0, 2.0], skip=[1.0, -0.5])
    3.125
    >>> f"{schedule_difference_second_moment(depth=10, alpha=1e-20):.3e}"  # no cancellation
    '5.000e-40'
    """
    square, factors = _factors(depth, alpha, skip)
    # Π f − Π b² = Σ_k (b² before k) (a_k²/2) (f after k): no difference of near numbers.
    before = np.concatenate([[1.0], np.cumprod(square)[:-1]])
    after = np.concatenate([np.cumprod(factors[::-1])[:-1][::-1], [1.0]])
    half = 0.5 * np.square(scalings(alpha, _depth(depth)))
    return math.fsum(before * half * after)


def log_schedule_fourth_moment(
    *,
    width: int,
    depth: int,
    alpha: npt.ArrayLike,
    hidden_width: int | None = None,
    skip: npt.ArrayLike = 1.0,
) -> float:
    """
    Return the natural logarithm of E‖h_L‖⁴/‖h_0‖⁴ = Π E R_k², with Gaussian weights (G1; *derived*).

    `E R² = b⁴ + a²b²(1 + 2/d) + a⁴ (d+2)(M+5)/(4dM)`. By duality the same for gradients.

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha, skip : float or array_like (depth,)
        a_k >= 0 and b_k, one for all layers or one each; b = 1 by default.
    hidden_width : int, optional
        M, the width by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range, or there is not one number a layer.

    Examples
    --------
    >>> round(math.exp(log_schedule_fourth_moment(width=1, depth=1, alpha=1.0)), 10)  # I7
    8.5
    """
    d, L = float(_validate.width(width)), _depth(depth)
    M = _hidden_width(hidden_width, width)
    a2, b2 = np.square(scalings(alpha, L)), np.square(skips(skip, L))
    return _log_product(b2 * b2 + a2 * b2 * (1 + 2 / d) + a2 * a2 * (d + 2) * (M + 5) / (4 * d * M))


def schedule_weight_gradients(
    *,
    width: int,
    depth: int,
    alpha: npt.ArrayLike,
    matrix: Matrix,
    hidden_width: int | None = None,
    skip: npt.ArrayLike = 1.0,
    value_variance: Literal["1/M", "1/d"] = "1/M",
) -> FloatArray:
    """
    Return E‖∂ℓ/∂V_k‖² or E‖∂ℓ/∂W_k‖² over ‖p_L‖²‖h_0‖², layer by layer (G3; *derived*).

    For every symmetric law of independent layers and p_L independent of them: `(a_k² M/(2d)) Π_{j≠k} f_j` for
    V and `(a_k²/2) Π_{j≠k} f_j` for W, equal (I5) only where M = d. Gradients are those in the entries that
    are used; with V of variance 1/d both are `(a_k² M/(2d)) Π_{j≠k} (b_j² + a_j² M/(2d))`.

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha, skip : float or array_like (depth,)
        a_k >= 0 and b_k, one for all layers or one each; b = 1 by default.
    matrix : {"V", "W"}
        Which matrix.
    hidden_width : int, optional
        M, the width by default.
    value_variance : {"1/M", "1/d"}, optional
        Variance of the entries of V; 1/M by default.

    Returns
    -------
    ndarray of float64 (depth,)

    Raises
    ------
    ValueError
        If an argument is out of range, or there is not one number a layer.

    Examples
    --------
    >>> schedule_weight_gradients(width=4, hidden_width=8, depth=2, alpha=[1.0, 2.0], matrix="V")
    array([3., 6.])
    >>> schedule_weight_gradients(width=4, hidden_width=8, depth=2, alpha=[1.0, 2.0], matrix="W")
    array([1.5, 3. ])
    """
    _validate.choice("matrix", matrix, ("V", "W"), fix="choose one")
    _validate.choice("value_variance", value_variance, ("1/M", "1/d"), fix="choose one")
    L = _depth(depth)
    ratio = _hidden_width(hidden_width, width) / float(_validate.width(width))
    a = scalings(alpha, L)
    if value_variance == "1/d":
        factors = np.square(skips(skip, L)) + 0.5 * ratio * a * a
    else:
        factors = _factors(depth, a, skip)[1]
    scale = ratio if matrix == "V" or value_variance == "1/d" else 1.0
    return 0.5 * scale * a * a * _without(factors)


def gate_gradient_second_moment(
    *, width: int, depth: int, alpha: npt.ArrayLike, skip: npt.ArrayLike = 1.0
) -> FloatArray:
    """
    Return E(∂ℓ/∂a_k)²/(‖p_L‖²‖h_0‖²) = Π_{j≠k} f_j/(2d), layer by layer (G4; *derived*).

    a_k is a trained number before the branch (SkipInit, ReZero). Exact for every symmetric law and every
    hidden width, at a = 0 too, where V- and W-gradients vanish.

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha, skip : float or array_like (depth,)
        a_k >= 0 and b_k, one for all layers or one each; b = 1 by default.

    Returns
    -------
    ndarray of float64 (depth,)

    Raises
    ------
    ValueError
        If an argument is out of range, or there is not one number a layer.

    Examples
    --------
    >>> gate_gradient_second_moment(width=4, depth=2, alpha=[0.0, 2.0])
    array([0.375, 0.125])
    """
    d = float(_validate.width(width))
    return _without(_factors(depth, alpha, skip)[1]) / (2 * d)
