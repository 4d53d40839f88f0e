"""Mean squared gradients in the weights: the same at every layer (I5)."""

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent import _growth


def log_weight_gradient_second_moment(
    *, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    Natural logarithm of E‖∂loss/∂V_k‖²/(‖p_L‖²‖h_0‖²), the same for every layer k and for W_k.

    Frobenius norm of the whole matrix. Exact for res-3 (and res-2 with ReLU without bias) at every
    width, depth and symmetric law of independent layers, when the direction of p_L does not
    depend on the hidden layers and no pre-activation is exactly 0. With `gain` 1: V_k of res-1
    with identity activation, V_k and W_k of res-2 with identity activation, no bias.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 1.
    alpha : array_like of float
        Layer scaling a >= 0; 0 gives −inf.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (ReLU) by default, 1 for identity activations.

    Returns
    -------
    float or ndarray of float64
        log of c a² (1 + c a²)^(L−1).

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 1, or `alpha` or `gain` is negative.

    Notes
    -----
    I5, *derived*. ∂loss/∂V_{k+1} = a p_{k+1} g(h_k)ᵀ has squared norm a²‖p_{k+1}‖²‖g(h_k)‖². By I4
    the Jacobians of the layers above are independent of the layers below, so the expectation is
    a² · (1 + c a²)^(L−k−1) · c (1 + c a²)^k: the layer index cancels. For W_{k+1},
    ‖D Vᵀ p_{k+1}‖²‖h_k‖² has the factor c once too.

    Examples
    --------
    >>> round(log_weight_gradient_second_moment(depth=1, alpha=1.0), 6)
    -0.693147
    """
    L, a, c = _validate.depth(depth, minimum=1), _validate.alpha(alpha), _validate.gain(gain)
    return _validate.plain(_growth.log_gain_term(a, c) + (L - 1) * _growth.log_growth(a, c))


def weight_gradient_second_moment(
    *, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    E‖∂loss/∂V_k‖²/(‖p_L‖²‖h_0‖²) = c a² (1 + c a²)^(L−1), for every layer k and for W_k alike.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 1.
    alpha : array_like of float
        Layer scaling a >= 0.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (ReLU) by default, 1 for identity activations.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared Frobenius and Euclidean norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        As `log_weight_gradient_second_moment`.

    Notes
    -----
    I5, *derived*; hypotheses and proof in `log_weight_gradient_second_moment`. At a = L^{-1/2} it is
    c e^c / L to leading order: the whole network's V-gradient has mean square c e^c.

    Examples
    --------
    >>> round(1000 * weight_gradient_second_moment(depth=1000, alpha=1000**-0.5), 3)
    0.824
    """
    value = log_weight_gradient_second_moment(depth=depth, alpha=alpha, gain=gain)
    return _validate.plain(_growth.exp(np.asarray(value)))
