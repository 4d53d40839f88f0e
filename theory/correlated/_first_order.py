"""
First-order law of the difference for stationary weights, correlated along the layers or not (F2).

Notation: a the layer scaling, V and W stationary and independent, with lag covariances γ_V(m)/d and
γ_W(m)/d of their entries. Proof: to first order h_L − h_0 = a Σ V_k g(h_0, θ_k); the entries of V are
independent, so that, the terms being centred,

    E‖h_L − h_0‖² = a² Σ_{j,k<L} γ_V(j−k) E⟨g(h_0, θ_j), g(h_0, θ_k)⟩.

W_j h_0 and W_k h_0 have coordinates of variance ‖h_0‖²/d and correlation γ_W(j−k): the scalar product is
‖h_0‖² κ(γ_W), κ the arc-cosine kernel (S5). V needs no Gaussian law, W does, and the width does not enter.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._dual import arc_cosine_kernel
from theory.common._validate import FloatArray
from theory.independent import _growth

Kernel = Callable[[FloatArray], npt.ArrayLike]

_SLACK = 1e-12


def lag_covariance(field: str, value: npt.ArrayLike, depth: int) -> FloatArray:
    """
    Check covariances at lags 0 to `depth` − 1 of unit-variance entries and cut what lies beyond.

    Parameters
    ----------
    field : str
        Name of the argument, for the message.
    value : array_like of float (lags,)
        γ(0) = 1, γ(1), ...
    depth : int
        Number of layers L >= 1, lags needed.

    Returns
    -------
    ndarray of float64 (depth,)
        The covariances, clipped to [−1, 1] where rounding left it.

    Raises
    ------
    ValueError
        If there are fewer than `depth` lags, γ(0) is not 1 or some |γ(m)| is above 1.

    Examples
    --------
    >>> lag_covariance("gamma_v", [1.0, 0.5, 0.1], 2)
    array([1. , 0.5])
    """
    fix = "give covariances at lags 0, 1, ..., depth - 1 of unit-variance entries"
    gamma = _validate.real(
        field, value, above=-1 - _SLACK, below=1 + _SLACK, closed_above=True, closed_below=True, fix=fix
    )
    if gamma.ndim != 1 or len(gamma) < depth:
        raise ValueError(f"{field} of shape {gamma.shape}: must hold at least depth={depth} lags; {fix}")
    if abs(gamma[0] - 1) > _SLACK:
        raise ValueError(f"{field}[0]={gamma[0]:g}: must be 1; {fix}")
    return np.clip(gamma[:depth], -1.0, 1.0)


def log_first_order_difference(
    *,
    alpha: npt.ArrayLike,
    depth: int,
    gamma_v: npt.ArrayLike,
    gamma_w: npt.ArrayLike | None = None,
    kernel: Kernel = arc_cosine_kernel,
    gain: float = 1.0,
) -> float | FloatArray:
    r"""
    Natural logarithm of the first-order mean square of the difference, E‖h_L − h_0‖²/‖h_0‖².

    Costs O(L). Exact for the linearised network at every width; for the network itself up to a factor
    1 + o(1) where the value tends to 0. `correlated_mean_square` gives the next term of wide networks, about
    one half to one quarter of the value itself; for linear res-1 that is antipersistent, see Notes.

    Parameters
    ----------
    alpha : array_like of float
        Layer scaling a >= 0; any size.
    depth : int
        Number of layers L >= 1.
    gamma_v, gamma_w : array_like of float (lags,)
        Covariances at lags 0, 1, ..., at least L of them, of the unit-variance entries of √d V and √d W;
        `gamma_w` None, the default, says that the branch has no inner weights (res-1).
    kernel : callable, optional
        Correlation c of W h_0 in two layers to the mean overlap of their branches E⟨g, g'⟩/‖h_0‖²;
        `arc_cosine_kernel`, res-3, by default. For res-2: `dual_activation` of variance
        s = ‖h_0‖²/d + σ_b² and covariance c ‖h_0‖²/d, divided by ‖h_0‖²/d, for independent biases.
    gain : float, optional
        Without inner weights, ‖g(h_0)‖²/‖h_0‖²; 1 (linear res-1) by default.

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
    F2, *derived*; proof at the top of the module (res-1 and res-2 *derived* too: the same lines). The
    second order has mean a²/d Σ_{j<k} γ_V κ(γ_W) h_0 = (value − c L a²)/(2d) h_0, c = κ(1). For linear
    res-1 with H < 1/2 its square, (L a²/2d)², exceeds the first order a² L^{2H} until β > 1 − H: between
    1/2 and 1 − H the difference is small but not this.

    Examples
    --------
    >>> independent = [1.0] + [0.0] * 99
    >>> size = {"depth": 100, "gamma_v": independent, "gamma_w": independent}
    >>> round(log_first_order_difference(alpha=1e-200, **size), 6)
    -917.122014
    """
    L = int(_validate.depth(depth, minimum=1))
    a, c = _validate.alpha(alpha), float(_validate.gain(gain))
    overlap = lag_covariance("gamma_v", gamma_v, L)
    if gamma_w is None:
        overlap = overlap * c
    else:
        overlap = overlap * np.asarray(kernel(lag_covariance("gamma_w", gamma_w, L)), dtype=np.float64)
    pairs = 2.0 * np.arange(L, 0, -1)
    pairs[0] = L
    # A sum of squares: only rounding can make it negative, where antipersistence cancels all of it.
    total = max(float(np.sum(pairs * overlap)), 0.0)
    with np.errstate(divide="ignore"):
        return _validate.plain(2 * np.log(a) + np.log(total))


def first_order_difference(
    *,
    alpha: npt.ArrayLike,
    depth: int,
    gamma_v: npt.ArrayLike,
    gamma_w: npt.ArrayLike | None = None,
    kernel: Kernel = arc_cosine_kernel,
    gain: float = 1.0,
) -> float | FloatArray:
    r"""
    First-order mean square of the difference, a² Σ_{j,k<L} γ_V(j−k) κ(γ_W(j−k)).

    Arguments, errors and validity as in `log_first_order_difference` (F2, *derived*).

    Parameters
    ----------
    alpha : array_like of float
        Layer scaling a >= 0.
    depth : int
        Number of layers L >= 1.
    gamma_v, gamma_w : array_like of float (lags,)
        Lag covariances; no inner weights by default.
    kernel : callable, optional
        Mean overlap of two branches; `arc_cosine_kernel` by default.
    gain : float, optional
        Without inner weights, ‖g(h_0)‖²/‖h_0‖²; 1 by default.

    Returns
    -------
    float or ndarray of float64
        E‖h_L − h_0‖²/‖h_0‖² to first order; inf above 1.8e308.

    Raises
    ------
    ValueError
        If an argument is out of range or has too few lags.

    Examples
    --------
    >>> independent = [1.0] + [0.0] * 99
    >>> round(first_order_difference(alpha=0.1, depth=100, gamma_v=independent, gamma_w=independent), 12)
    0.5
    """
    log = log_first_order_difference(
        alpha=alpha, depth=depth, gamma_v=gamma_v, gamma_w=gamma_w, kernel=kernel, gain=gain
    )
    return _validate.plain(_growth.exp(np.asarray(log)))
