"""
Mean of the log-norm of networks with correlated layers, to second order in the scaling.

Notation: V and W stationary, Gaussian, independent; m = a² Σ_{j,k<L} γ_V κ(γ_W), the first-order mean square
of the difference (F2); c = κ(1) the mean-square gain; e = h_0/‖h_0‖. With
h_L − h_0 = δ₁ + δ₂ + ..., δ₁ = a Σ V_k g_k and δ₂ = a² Σ_{j<k} V_k D_k W_k V_j g_j,

    log‖h_L‖/‖h_0‖ = ⟨e, δ₁⟩ + ⟨e, δ₂⟩ + ‖δ₁‖²/2 − ⟨e, δ₁⟩² + ...   (‖h_0‖ = 1).

* E⟨e, δ₁⟩ = 0, E‖δ₁‖² = m and E⟨e, δ₁⟩² = m/d, the rows of V being alike.
* Averaging δ₂ over V pairs column m of V_k with row m of V_j: coordinate i of E δ₂ is
  (a²/d) Σ_{j<k} γ_V Σ_m E relu'(u_k) (W_k)_{mi} relu(u_j), u the m-th coordinate of W e. By Stein's identity
  the mean is (e_i/d)(E relu''(u_k) relu(u_j) + γ_W E relu'(u_k) relu'(u_j)), and the bracket is κ(γ_W)
  (Euler's relation: κ is homogeneous in the scales of u_j and u_k). Hence
  E δ₂ = (a²/d) Σ_{j<k} γ_V κ(γ_W) e = (m − c L a²)/(2d) e.

Together ((d − 1) m − c L a²)/(2d). Independent layers have m = c L a²: the centre cL a²(d − 2)/(2d) of I8
and I11. Linear res-1 with fractional weights has m = L^{2H} a², c = 1: F3.
"""

import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray


def correlated_log_mean(
    *,
    width: npt.ArrayLike,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    first_order: npt.ArrayLike,
    gain: npt.ArrayLike = 0.5,
) -> float | FloatArray:
    r"""
    Mean of log(‖h_L‖/‖h_0‖) to second order, ((d − 1) m − c L α²)/(2d), for correlated layers.

    For m, the first-order mean square, and Lα² small: errors are O(m² + L²α⁴). Negative, a contraction,
    where antipersistence makes m small beside Lα². Its spread is √(m/d), which is larger.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling >= 0.
    first_order : array_like of float
        m >= 0, from `first_order_difference` or `fractional_first_order` at this depth and scaling.
    gain : array_like of float, optional
        Mean-square gain c of one branch; 1/2 (res-3) by default, 1 for linear res-1.

    Returns
    -------
    float or ndarray of float64
        A mean of natural logarithms of norm ratios, not squared.

    Raises
    ------
    ValueError
        If `width` >= 1 or `depth` >= 0 is not a whole number, or another argument is negative.

    Notes
    -----
    *derived* (behind F3, and F2's second order); proof at the top of the module.

    Examples
    --------
    >>> round(correlated_log_mean(width=10, depth=100, alpha=0.01, first_order=0.005), 6)
    0.002
    """
    d, L = _validate.width(width), _validate.depth(depth)
    a, c = _validate.alpha(alpha), _validate.gain(gain)
    m = _validate.gain(first_order, field="first_order")
    return _validate.plain(((d - 1) * m - c * L * a * a) / (2 * d))
