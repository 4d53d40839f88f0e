"""Mean squares of hidden states and gradients at any width and depth (I1, I2, I3).

Notation: a the layer scaling, c = E‖g(h)‖²/‖h‖² the mean-square gain of the residual branch.
The branch is V g with V independent of the past and of g, centred, E VᵀV = I; hence, given h_k,

    E h_{k+1} = h_k,    E‖h_{k+1}‖² = ‖h_k‖² + a² E‖g(h_k)‖².

The mean square is closed, without any limit, exactly when E‖g(h)‖² is affine in ‖h‖²:

| block | activation | gain c | bias enters |
| --- | --- | --- | --- |
| res-3, and res-2 without bias | ReLU | 1/2: each (W h)_i is symmetric of variance ‖h‖²/d | no |
| res-2, symmetric bias of deviation s | ReLU | 1/2, with ‖h‖² + d s² for ‖h‖² | yes |
| res-1; res-2 without bias | identity | 1 | no |
| res-2, centred bias of deviation s | identity | 1, with ‖h‖² + d s² for ‖h‖² | yes |

res-1 with ReLU is not in this list (E‖ReLU(h)‖² depends on the signs of h): use
`second_moment_bounds`.
"""

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent import _growth


def _checked(
    depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    return _validate.depth(depth), _validate.alpha(alpha), _validate.gain(gain)


def _checked_bias_ratio(bias_ratio: npt.ArrayLike) -> FloatArray:
    fix = "give width * bias_std**2 / ‖h_0‖², 0 without bias"
    return _validate.real("bias_ratio", bias_ratio, above=0, closed_above=True, fix=fix)


def overlap_moment(
    *, layer: npt.ArrayLike, other_layer: npt.ArrayLike = 0, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    Mean scalar product of two hidden states, E⟨h_j, h_k⟩/‖h_0‖² = (1 + c a²)^min(j, k).

    Statement I1 in a form that a sample can test: hidden states are a martingale, E h_L = h_0, so
    with `other_layer` 0 the value is exactly 1 whatever the depth and the scaling. Valid for the
    blocks of the module's table without bias; the value 1 at `other_layer` 0 needs only that V is
    centred and independent of the rest, hence holds for every block with independent layers.

    Parameters
    ----------
    layer, other_layer : array_like of int
        Layer indices j and k >= 0; `other_layer` is 0, the embedded input, by default.
    alpha : array_like of float
        Layer scaling a >= 0; 0 is the identity network.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (res-3) by default, 1 for linear branches.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        If a layer is not a whole number >= 0, or `alpha` or `gain` is negative.

    Notes
    -----
    MFBV (I1, within their proofs); the two-layer form is *derived*: for j <= k,
    E[h_k | h_j] = h_j, hence E⟨h_j, h_k⟩ = E‖h_j‖², which is I2.

    Examples
    --------
    >>> overlap_moment(layer=1000, alpha=0.3)
    1.0
    >>> overlap_moment(layer=2, other_layer=1, alpha=1.0)
    1.5
    """
    fix = "give layer indices from 0 (the embedded input) to the depth"
    first = _validate.whole("layer", layer, minimum=0, fix=fix)
    second = _validate.whole("other_layer", other_layer, minimum=0, fix=fix)
    a, c = _validate.alpha(alpha), _validate.gain(gain)
    # 0 * inf cannot occur: log_growth is finite for finite input
    return _validate.plain(_growth.exp(np.minimum(first, second) * _growth.log_growth(a, c)))


def log_hidden_second_moment(
    *,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    gain: npt.ArrayLike = 0.5,
    bias_ratio: npt.ArrayLike = 0.0,
) -> float | FloatArray:
    r"""
    Natural logarithm of E‖h_L‖²/‖h_0‖², finite for every scaling and depth.

    Exact for every width, depth and symmetric weight law, ties of Rademacher weights included
    (ReLU(0)² = 0). Not the typical size: at large depth above the critical scaling the mean is
    carried by networks too rare to be sampled, see `log_relative_variance`.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0; 0 gives 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    gain : array_like of float, optional
        Mean-square gain c of the branch; 1/2 (res-3) by default, 1 for linear branches.
    bias_ratio : array_like of float, optional
        q = d s²/‖h_0‖² for res-2 with biases of deviation s; 0, no bias, by default.

    Returns
    -------
    float or ndarray of float64
        log of [1 + (1 + q)((1 + c a²)^L − 1)]; with q = 0 this is L log(1 + c a²).

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 0, or another argument is negative or not finite.

    Notes
    -----
    I2, MFBV for res-3 (c = 1/2, q = 0). The other rows of the module's table are *derived*:
    E‖h_{k+1}‖² + d s² = (1 + c a²)(E‖h_k‖² + d s²), a geometric sequence.

    Examples
    --------
    >>> round(log_hidden_second_moment(depth=10**6, alpha=1e-3), 6)
    0.5
    >>> round(log_hidden_second_moment(depth=10**6, alpha=1.0), 3)
    405465.108
    """
    L, a, c = _checked(depth, alpha, gain)
    q = _checked_bias_ratio(bias_ratio)
    without = L * _growth.log_growth(a, c)
    affine = np.logaddexp(0.0, np.log1p(q) + _growth.log_growth_minus_one(L, a, c))
    # the direct form keeps the last digits when there is no bias
    return _validate.plain(np.where(q == 0, without, affine))


def hidden_second_moment(
    *,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    gain: npt.ArrayLike = 0.5,
    bias_ratio: npt.ArrayLike = 0.0,
) -> float | FloatArray:
    r"""
    E‖h_L‖²/‖h_0‖² = (1 + c a²)^L, exact at every width, depth and symmetric weight law.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    gain : array_like of float, optional
        Mean-square gain c of the branch; 1/2 (res-3) by default, 1 for linear branches.
    bias_ratio : array_like of float, optional
        q = d s²/‖h_0‖² for res-2 with biases of deviation s; 0 by default.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms; inf above 1.8e308, where `log_hidden_second_moment` is still exact.

    Raises
    ------
    ValueError
        As `log_hidden_second_moment`.

    Notes
    -----
    I2, MFBV; source and generalisation as in `log_hidden_second_moment`.

    Examples
    --------
    >>> round(hidden_second_moment(depth=2, alpha=1.0), 12)
    2.25
    """
    value = log_hidden_second_moment(depth=depth, alpha=alpha, gain=gain, bias_ratio=bias_ratio)
    return _validate.plain(_growth.exp(np.asarray(value)))


def log_hidden_difference_second_moment(
    *,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    gain: npt.ArrayLike = 0.5,
    bias_ratio: npt.ArrayLike = 0.0,
) -> float | FloatArray:
    r"""
    Natural logarithm of E‖h_L − h_0‖²/‖h_0‖².

    Exact like `log_hidden_second_moment`, and accurate where the difference is far below rounding
    beside ‖h_L‖ (α down to 1e-300).

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0; 0 gives −inf.
    alpha : array_like of float
        Layer scaling a >= 0; 0 gives −inf.
    gain : array_like of float, optional
        Mean-square gain c of the branch; 1/2 (res-3) by default, 1 for linear branches.
    bias_ratio : array_like of float, optional
        q = d s²/‖h_0‖² for res-2 with biases of deviation s; 0 by default.

    Returns
    -------
    float or ndarray of float64
        log of (1 + q)((1 + c a²)^L − 1).

    Raises
    ------
    ValueError
        As `log_hidden_second_moment`.

    Notes
    -----
    I2, MFBV: by the martingale property (I1) E‖h_L − h_0‖² = E‖h_L‖² − ‖h_0‖². The gain and the
    bias are *derived* as in `log_hidden_second_moment`.

    Examples
    --------
    >>> round(log_hidden_difference_second_moment(depth=10**6, alpha=1e-18), 4)
    -69.7707
    """
    L, a, c = _checked(depth, alpha, gain)
    q = _checked_bias_ratio(bias_ratio)
    return _validate.plain(np.log1p(q) + _growth.log_growth_minus_one(L, a, c))


def hidden_difference_second_moment(
    *,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    gain: npt.ArrayLike = 0.5,
    bias_ratio: npt.ArrayLike = 0.0,
) -> float | FloatArray:
    r"""
    E‖h_L − h_0‖²/‖h_0‖² = (1 + c a²)^L − 1, exact at every width, depth and symmetric weight law.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    gain : array_like of float, optional
        Mean-square gain c of the branch; 1/2 (res-3) by default, 1 for linear branches.
    bias_ratio : array_like of float, optional
        q = d s²/‖h_0‖² for res-2 with biases of deviation s; 0 by default.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        As `log_hidden_second_moment`.

    Notes
    -----
    I2, MFBV; proof in `log_hidden_difference_second_moment`. At a = L^{-1/2} it tends to e^c − 1.

    Examples
    --------
    >>> round(hidden_difference_second_moment(depth=10**6, alpha=1e-3), 6)
    0.648721
    """
    L, a, c = _checked(depth, alpha, gain)
    q = _checked_bias_ratio(bias_ratio)
    return _validate.plain((1 + q) * _growth.expm1(L * _growth.log_growth(a, c)))


def second_moment_bounds(
    *,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    lowest_gain: npt.ArrayLike = 0.5,
    highest_gain: npt.ArrayLike = 1.0,
    difference: bool = False,
) -> tuple[float | FloatArray, float | FloatArray]:
    r"""
    Bounds of log E‖h_L‖²/‖h_0‖² for blocks whose gain is only known to lie in an interval.

    For any block with c₋‖h‖² <= E‖g(h)‖² <= c₊‖h‖² at every state h that occurs. The defaults are
    MFBV's hypothesis, 1/2 and 1. res-1 with ReLU meets c₊ = 1 always but c₋ = 1/2 not at every h
    (all coordinates negative give 0): pass `lowest_gain` 0 for a bound that always holds.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    lowest_gain, highest_gain : array_like of float, optional
        c₋ and c₊, 1/2 and 1 by default.
    difference : bool, optional
        Whether to bound E‖h_L − h_0‖²/‖h_0‖² instead; not by default.

    Returns
    -------
    low, high : float or ndarray of float64
        Natural logarithms.

    Raises
    ------
    ValueError
        If `lowest_gain` exceeds `highest_gain`, `depth` is not a whole number >= 0, or another
        argument is negative.

    Notes
    -----
    *derived* from MFBV's hypothesis: (1 + c₋ a²)^L <= E‖h_L‖²/‖h_0‖² <= (1 + c₊ a²)^L by induction
    on the layers; the difference by I1.

    Examples
    --------
    >>> low, high = second_moment_bounds(depth=100, alpha=0.1)
    >>> round(low, 4), round(high, 4)
    (0.4988, 0.995)
    """
    low = _validate.gain(lowest_gain, field="lowest_gain")
    high = _validate.gain(highest_gain, field="highest_gain")
    if np.any(low > high):
        raise ValueError(
            f"lowest_gain={lowest_gain!r}: must be <= highest_gain={highest_gain!r}; swap the two gains"
        )
    moment = log_hidden_difference_second_moment if difference else log_hidden_second_moment
    return moment(depth=depth, alpha=alpha, gain=low), moment(depth=depth, alpha=alpha, gain=high)
