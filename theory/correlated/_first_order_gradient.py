"""
First-order law of the gradients' difference for stationary weights (res-3): the backward twin of F2.

Notation: a the layer scaling, p_k the gradient at layer k, V and W stationary and independent with lag
covariances γ_V(m)/d, γ_W(m)/d, D_k the diagonal matrix of active units of W_k h_0. To first order
p_0 − p_L = a Σ W_kᵀ D_k V_kᵀ p_L, and the entries of V are independent of W, so that

    E‖p_0 − p_L‖² = a² ‖p_L‖² Σ_{j,k<L} γ_V(j−k) E (D_j D_k W_j W_kᵀ)_{11}.

Of the d coordinates of a row of W_j and W_k, those orthogonal to h_0 do not know who is active; the one along
h_0 does. With c = γ_W(j−k), P(c) = 1/4 + arcsin(c)/(2π) the probability that both are active, and κ the
arc-cosine kernel, the expectation is (1 − 1/d) c P(c) + κ(c)/d.

Forward, the mean of ReLU makes the branches of all layers overlap by κ(0) = 1/(2π): the difference grows like
Σ γ_V. Backward, what survives at large width is Σ γ_V γ_W P: for fractional noise it grows like L up to
H = 3/4 and like L^{4H−2} from there. Gradients of wide networks thus tend to the identity for
β > max(1/2, 2H − 1), before hidden states do, whose scaling is max(1/2, H); the term κ/d brings the latter
back at fixed width, with the weight 1/d.
"""

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._dual import arc_cosine_kernel
from theory.common._validate import FloatArray
from theory.correlated._first_order import lag_covariance
from theory.independent import _growth


def log_first_order_gradient_difference(
    *,
    width: int | None,
    alpha: npt.ArrayLike,
    depth: int,
    gamma_v: npt.ArrayLike,
    gamma_w: npt.ArrayLike,
) -> float | FloatArray:
    r"""
    Natural logarithm of the first-order mean square of the gradients' difference, E‖p_0 − p_L‖²/‖p_L‖².

    For res-3. Costs O(L). Exact for the linearised network at every width; for the network itself up to a
    factor 1 + o(1) where the value tends to 0.

    Parameters
    ----------
    width : int or None
        Width d >= 1; None for the limit d → ∞.
    alpha : array_like of float
        Layer scaling a >= 0; any size.
    depth : int
        Number of layers L >= 1.
    gamma_v, gamma_w : array_like of float (lags,)
        Covariances at lags 0, 1, ..., at least L of them, of the unit-variance entries of √d V and √d W.

    Returns
    -------
    float or ndarray of float64
        Shape of `alpha`; −inf at a = 0.

    Raises
    ------
    ValueError
        If an argument is out of range or has too few lags.

    Notes
    -----
    *Derived*, as F2's backward twin; proof at the top of the module. For independent layers it is a² L/2, as
    the difference of hidden states is (duality, I4); for correlated ones the two differ.

    Examples
    --------
    >>> import theory
    >>> gamma = theory.fractional_noise_covariance(np.arange(1000), 0.7)
    >>> size = {"alpha": 1e-3, "depth": 1000, "gamma_v": gamma, "gamma_w": gamma}
    >>> forward = theory.first_order_difference(**size)
    >>> backward = np.exp(log_first_order_gradient_difference(width=None, **size))
    >>> print(f"{forward:.6f} {backward:.6f}")
    0.003042 0.000687
    """
    L = int(_validate.depth(depth, minimum=1))
    a = _validate.alpha(alpha)
    outer = lag_covariance("gamma_v", gamma_v, L)
    inner = lag_covariance("gamma_w", gamma_w, L)
    share = 0.0 if width is None else 1.0 / float(_validate.width(width))
    both_active = 0.25 + np.arcsin(inner) / (2 * np.pi)
    overlap = (1.0 - share) * inner * both_active + share * np.asarray(arc_cosine_kernel(inner))
    pairs = 2.0 * np.arange(L, 0, -1)
    pairs[0] = L
    total = max(float(np.sum(pairs * outer * overlap)), 0.0)
    with np.errstate(divide="ignore"):
        return _validate.plain(2 * np.log(a) + np.log(total))


def first_order_gradient_difference(
    *,
    width: int | None,
    alpha: npt.ArrayLike,
    depth: int,
    gamma_v: npt.ArrayLike,
    gamma_w: npt.ArrayLike,
) -> float | FloatArray:
    r"""
    First-order mean square of the gradients' difference for res-3, E‖p_0 − p_L‖²/‖p_L‖².

    Arguments, errors and validity as in `log_first_order_gradient_difference` (*derived*).

    Parameters
    ----------
    width : int or None
        Width d >= 1; None for the limit d → ∞.
    alpha : array_like of float
        Layer scaling a >= 0.
    depth : int
        Number of layers L >= 1.
    gamma_v, gamma_w : array_like of float (lags,)
        Lag covariances.

    Returns
    -------
    float or ndarray of float64
        The mean square to first order; inf above 1.8e308.

    Raises
    ------
    ValueError
        If an argument is out of range or has too few lags.

    Examples
    --------
    >>> independent = [1.0] + [0.0] * 99
    >>> size = {"depth": 100, "gamma_v": independent, "gamma_w": independent}
    >>> round(first_order_gradient_difference(width=10, alpha=0.1, **size), 12)
    0.5
    """
    log = log_first_order_gradient_difference(
        width=width, alpha=alpha, depth=depth, gamma_v=gamma_v, gamma_w=gamma_w
    )
    return _validate.plain(_growth.exp(np.asarray(log)))
