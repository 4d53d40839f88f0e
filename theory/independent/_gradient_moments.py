"""Mean squares of gradients at any width and depth (I3): those of the hidden states, bias or none.

The gradient obeys ``p_k = p_{k+1} + a (∂g)ᵀ Vᵀ p_{k+1}``; hypotheses and proof idea are in each docstring.
"""

import numpy.typing as npt

from theory.common._validate import FloatArray
from theory.independent._second_moments import (
    hidden_difference_second_moment,
    hidden_second_moment,
    log_hidden_difference_second_moment,
    log_hidden_second_moment,
)


def log_gradient_second_moment(
    *, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    Natural logarithm of E‖p_0‖²/‖p_L‖², p_k the gradient of the loss in h_k.

    Exact for every width, depth and symmetric weight law if the direction of p_L does not depend
    on the hidden layers and, for ReLU, if no pre-activation is exactly 0 (always so for weights
    with a density). Biases of res-2 do not enter. Not valid for res-1 with ReLU.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (ReLU in res-3 or res-2) by default, 1 for identity activations.

    Returns
    -------
    float or ndarray of float64
        L log(1 + c a²).

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 0, or `alpha` or `gain` is negative.

    Notes
    -----
    I3, MFBV for res-3, by Jacobians: p_k = (I + a Wᵀ D Vᵀ) p_{k+1}. *Derived* here: with the sign
    flip of I4 the mask D is Bernoulli(1/2), independent of V, W and the past, so
    E‖Wᵀ D Vᵀ p‖² = ‖p‖² Σ_i E D_i ‖W_i‖²/d = ‖p‖²/2. A tie, (W h)_i = 0, makes P(D_i = 1) smaller
    than 1/2: with Rademacher weights, d = 2 and h_0 = (1, 1) the first layer has
    1/4 instead of 1/2. Under h_0 = A x with x uniform on [0, 1]^n such ties have probability 0
    for almost every a unless rows of A depend on each other linearly with coefficients ±1
    (chance about 2^{-n} for Rademacher A at d = 2).

    Examples
    --------
    >>> round(log_gradient_second_moment(depth=10**6, alpha=1e-3), 6)
    0.5
    """
    return log_hidden_second_moment(depth=depth, alpha=alpha, gain=gain)


def gradient_second_moment(
    *, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    E‖p_0‖²/‖p_L‖² = (1 + c a²)^L, p_k the gradient of the loss in h_k.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (ReLU in res-3 or res-2) by default, 1 for identity activations.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        As `log_gradient_second_moment`.

    Notes
    -----
    I3, MFBV; hypotheses (no ties) and proof in `log_gradient_second_moment`.

    Examples
    --------
    >>> round(gradient_second_moment(depth=2, alpha=1.0), 12)
    2.25
    """
    return hidden_second_moment(depth=depth, alpha=alpha, gain=gain)


def log_gradient_difference_second_moment(
    *, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    Natural logarithm of E‖p_0 − p_L‖²/‖p_L‖², p_k the gradient of the loss in h_k.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0; 0 gives −inf.
    alpha : array_like of float
        Layer scaling a >= 0; 0 gives −inf.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (ReLU in res-3 or res-2) by default, 1 for identity activations.

    Returns
    -------
    float or ndarray of float64
        log of (1 + c a²)^L − 1.

    Raises
    ------
    ValueError
        As `log_gradient_second_moment`.

    Notes
    -----
    I3, MFBV; hypotheses (no ties) and proof in `log_gradient_second_moment`: the p_k, read
    backwards, are a martingale as well.

    Examples
    --------
    >>> round(log_gradient_difference_second_moment(depth=10**6, alpha=1e-3), 6)
    -0.432752
    """
    return log_hidden_difference_second_moment(depth=depth, alpha=alpha, gain=gain)


def gradient_difference_second_moment(
    *, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    E‖p_0 − p_L‖²/‖p_L‖² = (1 + c a²)^L − 1, p_k the gradient of the loss in h_k.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling a >= 0.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (ReLU in res-3 or res-2) by default, 1 for identity activations.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        As `log_gradient_second_moment`.

    Notes
    -----
    I3, MFBV; hypotheses (no ties) and proof in `log_gradient_second_moment`.

    Examples
    --------
    >>> round(gradient_difference_second_moment(depth=10**6, alpha=1e-3), 6)
    0.648721
    """
    return hidden_difference_second_moment(depth=depth, alpha=alpha, gain=gain)
