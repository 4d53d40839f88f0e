"""
Smooth weights, V_k = 𝒱(k/L), W_k = 𝒲(k/L): the neural ODE and the regimes around it (O1 to O4).

Notation: a = L^{-β}, r_V and r_W covariances in depth-time, x = aL = L^{1−β}. The network is Euler's scheme
for dH/dt = x 𝒱_t g(H_t, Θ_t) on [0, 1]: β decides the length of the time x.

* β = 1 (O1, O3): x = 1. Order 1 in 1/L pathwise (`convergence_order`), bounded by Grönwall.
* β > 1 (O2): x → 0 and F2's double sum becomes a double integral.
* β < 1 (O4): x → ∞. What MFBV state, max_k‖h_k − h_0‖/‖h_0‖ → ∞ in probability, needs assumptions of theirs
  that keep the weights from contracting; at fixed width it is false without any. *derived* counterexample:
  at d = 1 linear res-1 has log(h_k/h_0) = x (∫_0^{k/L} 𝒱 + o(1)), and paths whose integral stays negative
  (half of them, for constant 𝒱) never leave the unit interval: the difference ratio stays below 1. What
  holds at every width is `ode_log_volume_deviation`. The growth is exponential in L^{1−β}, not polynomial;
  for wide networks `correlated_mean_square` computes it. No rate of a typical norm is claimed: freezing the
  weights suggests log‖h_L‖ ~ x ∫ (largest real part of the spectrum of 𝒱_t), but where two eigenvalues cross
  in time analytic paths such as rbf may stay on the lower one for a while.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from theory.common import _validate
from theory.common._dual import arc_cosine_kernel
from theory.common._validate import FloatArray

Covariance = Callable[[FloatArray], npt.ArrayLike]

_POINTS = 12
_PANELS = 256


def _double_integral(integrand: Covariance) -> float:
    """∫∫ f(s−t) over the unit square, 2 ∫ (1−t) f(t) dt, by Gauss's rule on panels."""
    nodes, weights = special.roots_legendre(_POINTS)
    left = np.arange(_PANELS) / _PANELS
    t = left[:, None] + (1 + nodes) / (2 * _PANELS)
    values = np.asarray(integrand(t.ravel()), dtype=np.float64).reshape(t.shape)
    return float(np.sum(weights * (1 - t) * values) / _PANELS)


def ode_identity_constant(
    covariance_v: Covariance, covariance_w: Covariance | None = None, *, gain: float = 1.0
) -> float:
    r"""
    Constant C of O2: E‖h_L − h_0‖²/‖h_0‖² ~ C L^{2−2β} for smooth weights, β > 1.

    C = ∬ r_V(s−t) κ(r_W(s−t)) over the unit square. The norm ratio itself falls like L^{1−β}; relative error
    of the square O(1/L + L^{2−2β}). Between 0 and κ(1) = 1/2.

    Parameters
    ----------
    covariance_v, covariance_w : callable
        Depth-time distances τ in [0, 1], an array, to covariances r(τ) of unit-variance entries, such as
        `rbf_covariance`; `covariance_w` None, the default: no inner weights (res-1).
    gain : float, optional
        Without inner weights, ‖g(h_0)‖²/‖h_0‖²; 1 (linear res-1) by default.

    Returns
    -------
    float
        C, relative error below 1e-12 for covariances that vary over more than 1/100 of the depth.

    Raises
    ------
    ValueError
        If `gain` is negative or a covariance leaves [−1, 1].

    Notes
    -----
    O2: MFBV state the limit 0; the constant is *derived*, F2's double sum as a Riemann sum.

    Examples
    --------
    >>> from theory import rbf_covariance
    >>> round(ode_identity_constant(rbf_covariance, rbf_covariance), 6)
    0.090585
    """
    c = float(_validate.gain(gain))

    def correlation(covariance: Covariance, t: FloatArray) -> FloatArray:
        fix = "give a covariance of unit-variance entries"
        values = _validate.real(
            "covariance", covariance(t), above=-1 - 1e-9, below=1 + 1e-9, closed_above=True, fix=fix
        )
        return np.clip(values, -1.0, 1.0)

    def integrand(t: FloatArray) -> FloatArray:
        v = correlation(covariance_v, t)
        return v * (
            c if covariance_w is None else np.asarray(arc_cosine_kernel(correlation(covariance_w, t)))
        )

    return _double_integral(integrand)


def log_gronwall_bound(
    *, alpha: npt.ArrayLike, norms_v: npt.ArrayLike, norms_w: npt.ArrayLike = 1.0
) -> float | FloatArray:
    r"""
    Natural logarithm of Grönwall's bound ∏(1 + a‖V_k‖‖W_k‖) − 1 of ‖h_L − h_0‖/‖h_0‖, path by path (O3).

    Holds for each network, at every depth, scaling and law, for branches with ‖g(h, W)‖ <= ‖W‖‖h‖: res-3, and
    res-1 and res-2 without bias for 1-Lipschitz σ, σ(0) = 0. It also bounds max_k ‖h_k − h_0‖/‖h_0‖, and
    ‖p_0 − p_L‖/‖p_L‖. Finite beyond every float range.

    Parameters
    ----------
    alpha : array_like of float
        Layer scaling a >= 0; shape (...), one a network, or a scalar.
    norms_v, norms_w : array_like of float (..., depth)
        Operator norms of the layers' weights, largest singular values; broadcast together. `norms_w` is
        1, no inner weights (res-1), by default.

    Returns
    -------
    float or ndarray of float64 (...)
        Bound on log(‖h_L − h_0‖/‖h_0‖); −inf if no layer moves.

    Raises
    ------
    ValueError
        If an argument is negative or `norms_v` has no axis.

    Notes
    -----
    O3, MFBV. ‖h_{k+1}‖ <= (1 + a‖V_k‖‖W_k‖)‖h_k‖ and the differences telescope.

    Examples
    --------
    >>> round(log_gronwall_bound(alpha=0.5, norms_v=[2.0, 2.0]), 6)
    1.098612
    >>> round(log_gronwall_bound(alpha=1e-300, norms_v=[1e-300] * 4), 4)
    -1380.1648
    """
    fix = "give operator norms, largest singular values"
    v = _validate.real("norms_v", norms_v, above=0, closed_above=True, fix=fix)
    if v.ndim == 0:
        raise ValueError(f"norms_v={v:g}: must have an axis of layers; give one norm a layer")
    w = _validate.real("norms_w", norms_w, above=0, closed_above=True, fix=fix)
    a = _validate.alpha(alpha)
    with np.errstate(divide="ignore", under="ignore"):
        step = np.log(v) + np.log(w) + np.log(a)[..., None]
        total = np.logaddexp(0.0, step).sum(axis=-1)
        usual = total + np.log(-np.expm1(-total))
        tiny = special.logsumexp(step, axis=-1)
    # below this the product is its first term, and e^step may be 0 in floats
    return _validate.plain(np.where(total > 1e-200, usual, tiny))


def gronwall_bound(
    *, alpha: npt.ArrayLike, norms_v: npt.ArrayLike, norms_w: npt.ArrayLike = 1.0
) -> float | FloatArray:
    r"""
    Grönwall's bound ∏(1 + a‖V_k‖‖W_k‖) − 1 of ‖h_L − h_0‖/‖h_0‖; see `log_gronwall_bound` (O3, MFBV).

    Parameters
    ----------
    alpha : array_like of float
        Layer scaling a >= 0.
    norms_v, norms_w : array_like of float (..., depth)
        Operator norms; `norms_w` is 1 by default.

    Returns
    -------
    float or ndarray of float64 (...)
        A ratio of norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        If an argument is negative or `norms_v` has no axis.

    Examples
    --------
    >>> round(gronwall_bound(alpha=0.5, norms_v=[2.0, 2.0], norms_w=[1.0, 2.0]), 12)
    5.0
    """
    log = np.asarray(log_gronwall_bound(alpha=alpha, norms_v=norms_v, norms_w=norms_w))
    with np.errstate(over="ignore", under="ignore"):
        return _validate.plain(np.exp(log))


def ode_log_volume_deviation(
    *, depth: npt.ArrayLike, beta: npt.ArrayLike, covariance_v: Covariance
) -> float | FloatArray:
    r"""
    Standard deviation of log|det ∂h_L/∂h_0| of linear res-1 with smooth weights: L^{1−β} √(∬ r_V) (O4).

    The logarithm is L^{1−β} ∫ tr 𝒱_t dt, centred Gaussian, whatever the width. So at β < 1 the volume, hence
    the largest singular value (at least its d-th root), explodes like exp(const L^{1−β}) in half of the
    networks, and in the other half the smallest one vanishes as fast. A proof of O4 for the Jacobian's
    norm with probability 1/2 at least; nothing follows for a fixed h_0 beyond width 1, where it is the norm.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 1.
    beta : array_like of float
        Exponent of the scaling, above 0.
    covariance_v : callable
        Depth-time distances to covariances of unit-variance entries, as in `ode_identity_constant`.

    Returns
    -------
    float or ndarray of float64
        Natural-log units; relative error O(L^{−β} + 1/L).

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 1 or `beta` is not positive.

    Notes
    -----
    O4, *derived*: log|det(I + aV)| = a tr V + O(a²) and Var tr V = 1.

    Examples
    --------
    >>> round(ode_log_volume_deviation(depth=10_000, beta=0.5, covariance_v=np.ones_like), 6)
    100.0
    """
    L = _validate.depth(depth, minimum=1)
    b = _validate.real("beta", beta, above=0, fix="give the exponent in alpha = depth**-beta")
    return _validate.plain(L ** (1 - b) * np.sqrt(ode_identity_constant(covariance_v)))
