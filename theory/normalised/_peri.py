"""
Peri-RMSNorm, a norm before and one around the branch: h + a n(V σ(W n(h))) (N9; *derived*).

V σ(·) is isotropic given the past for Gaussian V, so that the increments are uniform on the sphere of radius
a√d, independent of each other and of the state, whatever σ, M and W are. Its gradients are those of N6 with 1
for c and c_P for c': the norm's derivative takes away the part of the tangent's image along the increment,
and divides by the energy.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from theory.common import _validate
from theory.common._activations import Activation, activation_function
from theory.common._gaussian_moments import Z_WEIGHTS, Z, slope_function
from theory.common._layers import scalings
from theory.normalised._gradient_finite import refuse_infinite_mean
from theory.normalised._gradient_limit import process_moment
from theory.normalised._gradient_process import GradientProcess

FEWEST_RELU_UNITS = 64
"""M from which on no sample sees that E (N−1)/(N−2) is infinite: P(N = 2) < 2e-16."""


def peri_second_moment(
    *,
    width: int,
    depth: int,
    alpha: npt.ArrayLike,
    initial_square: float,
    dead: float = 0.0,
    difference: bool = False,
) -> float:
    """
    Return E‖h_L‖² = ‖h_0‖² + d Σ a_k² of Peri-RMSNorm networks (N9; *derived*).

    Exact at every size, for every symmetric V and every W.

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha : float or array_like (depth,)
        a_k >= 0, one for all layers or one each.
    initial_square : float
        ‖h_0‖² >= 0.
    dead : float, optional
        Probability that a branch is 0 and its norm, too: 2^{-M} for ReLU if n(0) := 0; 0 by default.
    difference : bool, optional
        Whether to return E‖h_L − h_0‖², without the first term.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> peri_second_moment(width=8, depth=4, alpha=0.5, initial_square=8.0)
    16.0
    """
    d = float(_validate.width(width))
    a = scalings(alpha, int(_validate.depth(depth, minimum=1)))
    fix = "give the squared norm of the embedded input"
    start = float(_validate.real("initial_square", initial_square, above=0, closed_above=True, fix=fix))
    fix = "give the probability of a dead branch, 2^-M for ReLU"
    lost = float(_validate.real("dead", dead, above=0, below=1, closed_above=True, fix=fix))
    return (0.0 if difference else start) + d * (1 - lost) * math.fsum(a * a)


def peri_difference_variance(*, width: int, depth: int, alpha: npt.ArrayLike) -> float:
    """
    Return Var‖h_L − h_0‖² = 2d[(Σ a_k²)² − Σ a_k⁴] of Peri-RMSNorm networks, V Gaussian (N9; *derived*).

    2a⁴dL(L − 1) for one a. Arguments as `peri_second_moment`.

    Examples
    --------
    >>> peri_difference_variance(width=8, depth=4, alpha=1.0)
    192.0
    """
    d = float(_validate.width(width))
    squares = np.square(scalings(alpha, int(_validate.depth(depth, minimum=1))))
    return 2 * d * (math.fsum(squares) ** 2 - math.fsum(squares**2))


def peri_slope(
    *,
    width: int,
    hidden_width: int,
    activation: Activation = "relu",
    derivative: Activation | None = None,
) -> float:
    """
    Return c_P, which stands for c' in the gradients of Peri-RMSNorm networks (N9; *derived*).

    `c_P = ((d−1)/(d−2)) E[(Σσ'² − Σσ²σ'²/Σσ²)/Σσ²]` over M standard normals; c'/c as d, M → ∞. For ReLU it is
    ((d−1)/(d−2)) E[(N−1)/(N−2)], which N = 2 makes infinite at every M: it is visible up to M = 24, never
    from 64 on.

    Parameters
    ----------
    width : int
        d >= 3.
    hidden_width : int
        M >= 3; at least 64 for ReLU, where the mean is that on {N >= 3}.
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the mean is infinite, or an argument is out of range.

    Examples
    --------
    >>> print(f"{peri_slope(width=24, hidden_width=64):.4f}")
    1.0810
    >>> print(f"{peri_slope(width=24, hidden_width=12, activation='tanh'):.4f}")
    1.3269
    """
    d = float(_validate.width(width, minimum=3))
    fix = "give the number of rows of W; the mean is infinite below"
    factor = (d - 1) / (d - 2)
    if activation == "relu":
        M = int(_validate.whole("hidden_width", hidden_width, minimum=FEWEST_RELU_UNITS, fix=fix))
        n = np.arange(3.0, M + 1)
        log_share = special.gammaln(M + 1) - special.gammaln(n + 1) - special.gammaln(M - n + 1)
        share = np.exp(log_share - M * math.log(2.0))
        return factor * float(share @ ((n - 1) / (n - 2)) / share.sum())
    M = int(_validate.whole("hidden_width", hidden_width, minimum=3, fix=fix))
    s2 = np.square(activation_function(activation)(Z))
    t2 = np.square(activation_function(slope_function(activation, derivative))(Z))
    # 1/Σσ² = ∫ e^{−tΣσ²} dt and 1/(Σσ²)² = ∫ t e^{−tΣσ²} dt: M independent units factor.
    x, weight = np.polynomial.legendre.leggauss(16)
    edges = np.concatenate([[-30.0], np.arange(-12.0, 40.0, 1.0)])
    half = 0.5 * np.diff(edges)[:, None]
    v = (edges[:-1, None] + half * (1 + x)).ravel()
    t = np.exp(v)
    mass = (half * weight).ravel() * t
    damped = np.exp(-np.outer(t, s2))
    rest = (damped @ Z_WEIGHTS) ** (M - 1)
    first = damped @ (Z_WEIGHTS * t2)
    second = t * (damped @ (Z_WEIGHTS * t2 * s2))
    return factor * M * float(mass @ ((first - second) * rest))


def peri_gradient_limit(
    *,
    width: int,
    hidden_width: int,
    time: float,
    activation: Activation = "relu",
    derivative: Activation | None = None,
    mean_square: float = 1.0,
) -> float:
    """
    Return the limit of E‖p_0‖²/‖p_L‖² of Peri-RMSNorm networks, a²L = τ, L → ∞ (N9; *derived*).

    N6 with 1 for c and `peri_slope` for c'; p_L isotropic. Far from the limit at small depth: −8 % at L = 10.

    Parameters
    ----------
    width, hidden_width : int
        d and M, as in `peri_slope`.
    time : float
        τ > 0.
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.
    mean_square : float, optional
        S_0 = ‖h_0‖²/d > 0; 1 by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the mean is infinite at this width or hidden width, or an argument is out of range.

    Examples
    --------
    >>> print(f"{peri_gradient_limit(width=24, hidden_width=64, time=1.0):.4f}")
    2.1277
    """

    def process(d: int) -> GradientProcess:
        slope = peri_slope(width=d, hidden_width=hidden_width, activation=activation, derivative=derivative)
        return GradientProcess(d, d, 1.0, slope)

    tau = float(_validate.real("time", time, above=0, fix="give a²L"))
    S = float(_validate.real("mean_square", mean_square, above=0, fix="give ‖h_0‖²/d"))
    refuse_infinite_mean(width, activation, "peri-rms", process)
    return process_moment(process(width), S, tau, 0.0, 0.0)
