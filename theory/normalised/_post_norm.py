"""
Post-RMSNorm networks, h ← n(h + a V σ(W h)), ‖h_0‖² = d: limits and angles (N10; *derived*).

On the sphere ‖h‖² = d the pre-activations are standard normal, and the state of a tangent orthogonal to h is
its length alone: log‖T_L‖ is a sum of independent terms of one law, log(r_22/r_11) of a layer. The direction
is an isotropic random walk, on the sphere, of which the Gegenbauer moments multiply. Proofs:
docs/theory/normalised.md.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation
from theory.common._validate import FloatArray
from theory.independent.exact_law._layer import active_norm
from theory.normalised._unit_energies import unit_energies

_FAR = 1e4


def wide_postnorm_gradient(
    *, depth: int, alpha: float, activation: Activation = "relu", derivative: Activation | None = None
) -> float:
    """
    Return E‖p_0‖²/‖p_L‖² of infinitely wide post-norm networks, ((1 + a²c')/(1 + a²c))^L (N10; *derived*).

    Parameters
    ----------
    depth : int
        L >= 1.
    alpha : float
        a >= 0.
    activation : str or callable, optional
        σ; "relu" by default, for which it is 1.
    derivative : callable, optional
        σ', needed beside a function.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{wide_postnorm_gradient(depth=100, alpha=0.1, activation='tanh'):.4f}")
    1.0723
    """
    L = int(_validate.depth(depth, minimum=1))
    square = float(_validate.alpha(alpha)) ** 2
    energy = activation_energy(activation, derivative=derivative)
    return math.exp(L * (math.log1p(square * energy.slope) - math.log1p(square * energy.mean)))


def postnorm_limit_law(
    *, width: int, time: float, activation: Activation = "relu", derivative: Activation | None = None
) -> rv_frozen:
    """
    Return the limit law of log(‖T_L‖/‖T_0‖), T orthogonal to h_0, as a²L → τ (N10; *derived*).

    Normal of mean ½[(c'−c) + (c−3c')/d]τ and variance (c+c')τ/d. By J0 the law of log(‖P p_0‖/‖p_L‖), p_L in
    the tangent space at h_L; for p_L isotropic in R^d add an independent ½ log Beta((d−1)/2, ½)
    (`read_out_law`). Variances at L = 20 are 4 to 5 % lower: `PostnormLaw` is exact.

    Parameters
    ----------
    width : int
        d >= 2.
    time : float
        τ > 0.
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.

    Returns
    -------
    frozen scipy.stats.norm

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> law = postnorm_limit_law(width=8, time=1.0)
    >>> print(f"{law.mean():.4f} {law.var():.4f}")  # −τ/(2d) and τ/d for ReLU
    -0.0625 0.1250
    """
    d = float(_validate.width(width, minimum=2))
    tau = float(_validate.real("time", time, above=0, fix="give a²L"))
    energy = activation_energy(activation, derivative=derivative)
    c, slope = energy.mean, energy.slope
    return stats.norm(0.5 * tau * ((slope - c) + (c - 3 * slope) / d), math.sqrt((c + slope) * tau / d))


def read_out_law(*, width: int) -> rv_frozen:
    """
    Return the law of ‖P p_L‖²/‖p_L‖², Beta((d−1)/2, ½): the tangential part of an isotropic p_L (N10;
    *derived*).

    A post-norm network's gradient sees this part alone, p_0·h_0 = 0. Its mean logarithm is not small: −0.153
    at d = 8.

    Parameters
    ----------
    width : int
        d >= 2.

    Returns
    -------
    frozen scipy.stats.beta

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 2.

    Examples
    --------
    >>> print(f"{0.5 * read_out_law(width=8).expect(np.log):.4f}")
    -0.0765
    """
    d = float(_validate.width(width, minimum=2))
    return stats.beta(0.5 * (d - 1), 0.5)


def mean_cosine(
    *,
    width: int,
    depth: int,
    alpha: float,
    hidden_width: int | None = None,
    activation: Activation = "relu",
    order: int = 1,
) -> float:
    """
    Return E cos∠(h_0, h_L), exact at every size, of post-RMSNorm and of plain res-3 networks (N10;
    *derived*).

    `(E cosφ)^L`, φ the angle of one layer. Order 2 is E[(d cos² − 1)/(d − 1)], also a power of that of one
    layer. For ReLU, post-norm and plain res-3 have the same directions; for other σ the value is that of the
    post-norm network.

    Parameters
    ----------
    width, depth : int
        d >= 2 and L >= 1.
    alpha : float
        a > 0.
    hidden_width : int, optional
        M, the width by default.
    activation : str or callable, optional
        σ; "relu" by default, the others by a cubature of relative error about 1e-5 a²/M.
    order : {1, 2}, optional
        Degree of the Gegenbauer polynomial of the cosine.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{mean_cosine(width=4, depth=20, alpha=1.0):.3f}")
    0.047
    >>> print(f"{mean_cosine(width=40, depth=1000, alpha=1000**-0.5):.5f} {math.exp(-39 / 160):.5f}")  # S2
    0.78373 0.78368
    """
    d = int(_validate.width(width, minimum=2))
    L = int(_validate.depth(depth, minimum=1))
    a = float(_validate.real("alpha", alpha, above=0, fix="give the factor before the branch"))
    k = int(_validate.whole("order", order, minimum=1, fix="give 1 or 2"))
    _validate.real("order", order, below=2, closed_below=True, fix="give 1 or 2")
    fix = "give the number of rows of W"
    M = int(_validate.whole("hidden_width", d if hidden_width is None else hidden_width, minimum=1, fix=fix))
    if activation == "relu":
        y, weights = active_norm(M)
        energies = y * y
    else:
        rule = unit_energies(activation, activation, M)  # the slope does not enter
        energies, weights = rule.A, rule.weights
    still = max(0.0, 1.0 - float(weights.sum()))
    layer = still + float(weights @ _resultant(d, k, 0.5 * M * d / (a * a * energies)))
    return layer**L


def _resultant(d: int, k: int, x: FloatArray) -> FloatArray:
    """Mean of the normalised Gegenbauer polynomial of degree k at cos∠(e, e + ξ/√(2x))."""
    half, b = 0.5 * k, 0.5 * d + k
    factor = math.exp(float(special.gammaln(0.5 * (d + k)) - special.gammaln(b)))
    near = np.minimum(x, _FAR)
    value = factor * near**half * special.hyp1f1(half, b, -near)
    # Past x = 10⁴ three terms of the expansion in 1/x are exact: (half)_j (half − b + 1)_j/j! x^{-j}.
    u, v = half * (half - b + 1) / x, (half + 1) * (half - b + 2) / (2 * x)
    return np.where(x > _FAR, 1 + u * (1 + v * (1 + (half + 2) * (half - b + 3) / (3 * x))), value)


def ngpt_mean_cosine(*, width: int, depth: int, step: float, dead: float = 0.0) -> float:
    """
    Return E cos∠(h_0, h_L) of networks h ← norm((1−α)h + αF), F isotropic on the sphere (N10; *derived*).

    nGPT's update with fresh Gaussian weights: (E cosφ)^L with cosφ = ((1−α)+αu)/√((1−α)²+α²+2α(1−α)u), u the
    first coordinate of F. (1−α)/√((1−α)²+α²) is its wide limit, 6 % below at d = 5.

    Parameters
    ----------
    width, depth : int
        d >= 2 and L >= 1.
    step : float
        α in (0, 1).
    dead : float, optional
        Probability that F is 0 and the layer the identity: 2^{-M} for ReLU branches of M units; 0 by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{ngpt_mean_cosine(width=5, depth=6, step=0.3):.4f}")
    0.6446
    >>> print(f"{ngpt_mean_cosine(width=5, depth=6, step=0.3, dead=2**-5):.4f}")
    0.6538
    """
    d = int(_validate.width(width, minimum=2))
    L = int(_validate.depth(depth, minimum=1))
    alpha = float(
        _validate.real("step", step, above=0, below=1, fix="give the learned step of nGPT, such as 0.05")
    )
    # u = cos θ with density sin^{d−2} θ: the trapezoidal rule converges geometrically unless α = ½.
    theta = (np.arange(4000) + 0.5) * (np.pi / 4000)
    u = np.cos(theta)
    weight = np.exp((d - 2) * np.log(np.sin(theta)))
    cosine = ((1 - alpha) + alpha * u) / np.sqrt((1 - alpha) ** 2 + alpha**2 + 2 * alpha * (1 - alpha) * u)
    fix = "give the probability of a dead branch, 2^-M for ReLU"
    lost = float(_validate.real("dead", dead, above=0, below=1, closed_above=True, fix=fix))
    return (lost + (1 - lost) * float(weight @ cosine / weight.sum())) ** L
