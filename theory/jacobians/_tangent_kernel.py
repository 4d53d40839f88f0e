"""
The neural tangent kernel of res-3 at initialisation, at one input: both moments at every size (J4;
*derived*).

Notation: M units, V of entry variance 1/M and W of 1/d, Gaussian; p_L isotropic and independent of the
layers, K = Σ_k ‖∂ℓ/∂V_k‖² + ‖∂ℓ/∂W_k‖² over the residual layers, μ = M/d. A trained read-out adds ‖h_L‖², a
trained embedding ‖p_0‖²‖x‖², each of mean (1 + a²/2)^L times its value at depth 0.

Mean: G3. Second moment: the blocks before layer j, between j and k and after k are independent; averages over
the isotropic directions at their ends leave q_1 = E R² for each layer outside, and u_r = E tr G²/d, w_r = E
(tr G)²/d² (J3) of the r layers between.
"""

import math

import numpy as np

from theory.common import _validate
from theory.jacobians._lyapunov import depth_time
from theory.jacobians._trace_moments import fourth_moment_factors
from theory.jacobians._volumes import check_layers, volume_factors


def _check(width: int, depth: int, alpha: float, hidden_width: int | None) -> tuple[int, int, int, float]:
    d, L = int(_validate.width(width)), int(_validate.depth(depth, minimum=1))
    a = float(_validate.alpha(alpha))
    fix = "give the number of rows of W"
    M = d if hidden_width is None else int(_validate.whole("hidden_width", hidden_width, minimum=1, fix=fix))
    return d, M, L, a


def log_tangent_kernel_mean(
    *, width: int, depth: int, alpha: float, hidden_width: int | None = None
) -> float:
    """
    Return log of E K/(‖p_L‖²‖h_0‖²) = L (a²/2)(1 + M/d)(1 + a²/2)^{L−1} (J4; *derived*).

    Natural logarithm. Exact at every size and for every symmetric law of independent layers; K sums over V
    and W of the residual layers.

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha : float
        Layer scaling a >= 0.
    hidden_width : int, optional
        M, the width by default.

    Returns
    -------
    float
        −inf at a = 0.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(math.exp(log_tangent_kernel_mean(width=8, depth=1000, alpha=1000**-0.5)), 3)  # tends to √e
    1.648
    """
    d, M, L, a = _check(width, depth, alpha, hidden_width)
    if a == 0:
        return -math.inf
    return math.log(0.5 * L * a * a * (1 + M / d)) + (L - 1) * math.log1p(0.5 * a * a)


def log_tangent_kernel_second_moment(
    *, width: int, depth: int, alpha: float, hidden_width: int | None = None
) -> float:
    """
    Return log of E K²/(‖p_L‖⁴‖h_0‖⁴), natural logarithm (J4; *derived*).

    Exact at every width, hidden width, depth and scaling, with Gaussian weights and an isotropic p_L. Cost
    O(L).

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha : float
        Layer scaling a >= 0.
    hidden_width : int, optional
        M, the width by default.

    Returns
    -------
    float
        −inf at a = 0.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> size = {"width": 32, "depth": 1000, "alpha": 1000**-0.5}
    >>> spread = log_tangent_kernel_second_moment(**size) - 2 * log_tangent_kernel_mean(**size)
    >>> round(math.expm1(spread), 4), round(tangent_kernel_variance_limit(width=32), 4)
    (0.0436, 0.0435)
    """
    d, M, L, a = _check(width, depth, alpha, hidden_width)
    if a == 0:
        return -math.inf
    layers = check_layers(width=d, depth=1, alpha=a, hidden_width=M, skip=1.0, activation="relu")
    q_1 = float(fourth_moment_factors(layers)[0])
    q_2 = float(volume_factors(layers, 2)[0]) if d > 1 else 0.0
    mu, a2 = M / d, a * a
    one = L * q_1 * (mu * (M + 5) / (4 * d) + (M + 5) / (4 * M) + (M + 1) / (2 * d))
    # u_r and w_r of r layers, in units of q_1^r
    r = np.arange(max(L - 1, 0))
    share = (q_2 / q_1) ** r
    u, w = ((d + 2) - (d - 1) * share) / 3, ((d + 2) + 2 * (d - 1) * share) / (3 * d)
    x_1, x_2 = (M + 1) / (4 * M), 1 / M
    above, below = 0.5 + a2 * (M + 5) / (4 * M), 0.5 + a2 * (M + 1) / (4 * M)
    both = (1 + mu * mu) * above * (below * w + a2 * u / (M * d)) + mu * above**2 * w
    mixed = (
        w / 4
        + a2 * (x_1 * w + x_2 * u / d)
        + a2 * a2 * (x_1**2 * w + x_1 * x_2 * u / d + w / (2 * M * M) + (M + 3) * u / (4 * d * M * M))
    )
    pairs = 2 * math.fsum((L - 1 - r) * (both + mu * mixed))
    return math.log(a2 * a2 * (one + pairs)) + (L - 2) * math.log(q_1)


def tangent_kernel_variance_limit(*, width: int, time: float = 1.0) -> float:
    """
    Return the limit of Var K/(E K)² as L → ∞ at α² L = τ, whatever the hidden width (J4; *derived*).

    ``e^{2τ/d}[(d+2)/(3d) + (4(d−1)/(3d)) ψ] − 1`` with ``ψ = (x − 1 + e^{−x})/x²``, x = 3τ/d; that is 4τ/(3d)
    + O(1/d²), bounded in L where plain networks grow like exp(5L/d). At depth L it is larger: by 3 % at L =
    100, d = 32, by 27 % at L = 10.

    Parameters
    ----------
    width : int
        d >= 1.
    time : float, optional
        τ, the limit of α²L; 1 by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(1000 * tangent_kernel_variance_limit(width=1000), 2)  # 4/3 as d → ∞
    1.34
    """
    d = int(_validate.width(width))
    x = 3 * depth_time(gain=1.0, time=time) / d
    psi = (x + math.expm1(-x)) / x**2 if x > 1e-4 else 0.5 - x / 6 + x * x / 24
    # (d+2)/(3d) + (2/3)(1 − 1/d) = 1: no difference of near numbers
    rest = 4 * (d - 1) / (3 * d) * (psi - 0.5)
    return math.expm1(2 * x / 3) + math.exp(2 * x / 3) * rest
