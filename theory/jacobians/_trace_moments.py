"""
Spread of the singular values of the Jacobian, exactly at every width and depth (J3; *derived*).

Notation of `theory.jacobians._volumes`, Gaussian weights, G = JᵀJ. For e uniform on the sphere ``E (eᵀGe)² =
(2 E tr G² + E (tr G)²)/(d(d+2))``, and that is Π q_1 with q_1 = E R² of one layer (I7), as J e is a chain of
rotation invariant steps. The second elementary symmetric function of G has the mean C(d, 2) Π q_2 (J1, i =
2). Two equations for E tr G² and E (tr G)².

Limits at α² L = τ, t = γτ: m_2 from the same, m_3 by zonal polynomials.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.jacobians._lyapunov import depth_time
from theory.jacobians._volumes import BranchActivation, Layers, check_layers, volume_factors


class TraceMoments(NamedTuple):
    """
    Natural logarithms of mean traces of G = JᵀJ, normalised to 1 for the identity.

    Attributes
    ----------
    log_trace : float
        log E tr G / d.
    log_square_trace : float
        log E tr G² / d.
    log_trace_square : float
        log E (tr G)² / d².
    """

    log_trace: float
    log_square_trace: float
    log_trace_square: float


def fourth_moment_factors(layers: Layers) -> FloatArray:
    """Return q_1 = E R² layer by layer, Gaussian weights."""
    d, M = layers.width, layers.units
    a2, b2 = np.square(layers.alpha), np.square(layers.skip)
    if layers.linear:
        return b2 * b2 + (1 + 2 / d) * (2 * a2 * b2 + a2 * a2)
    return b2 * b2 + a2 * b2 * (1 + 2 / d) + a2 * a2 * (d + 2) * (M + 5) / (4 * d * M)


def log_trace_moments(
    *,
    width: int,
    depth: int,
    alpha: npt.ArrayLike,
    hidden_width: int | None = None,
    skip: npt.ArrayLike = 1.0,
    activation: BranchActivation = "relu",
) -> TraceMoments:
    """
    Return log E tr G/d, log E tr G²/d and log E (tr G)²/d² of G = JᵀJ, J = ∂h_L/∂h_0 (J3; *derived*).

    Exact at every width, hidden width, depth and scaling with Gaussian weights (the first one for every
    symmetric law): ``E tr G²/d = [(d+2) Π q_1 − (d−1) Π q_2]/3`` and ``E (tr G)²/d² = [(d+2) Π q_1 + 2(d−1) Π
    q_2]/(3d)``, with q_1 = E R² (I7, G1b) and q_2 of `volume_second_moment`.

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha, skip : float or array_like (depth,)
        a_k >= 0 and b_k, one for all layers or one each; b = 1 by default.
    hidden_width : int, optional
        M, the width by default.
    activation : {"relu", "identity"}, optional
        res-3, by default, or linear res-1.

    Returns
    -------
    TraceMoments

    Raises
    ------
    ValueError
        If an argument is out of range, or there is not one number a layer.

    Examples
    --------
    >>> moments = log_trace_moments(width=10, depth=60, alpha=(1 / 60) ** 0.5)
    >>> round(math.exp(moments.log_square_trace), 4)  # 5.4366 at infinite width and depth
    5.8669
    """
    layers = check_layers(
        width=width, depth=depth, alpha=alpha, hidden_width=hidden_width, skip=skip, activation=activation
    )
    d = layers.width
    with np.errstate(divide="ignore"):
        first = float(np.sum(np.log(volume_factors(layers, 1))))
        q_1 = float(np.sum(np.log(fourth_moment_factors(layers))))
        q_2 = float(np.sum(np.log(volume_factors(layers, 2)))) if d > 1 else -math.inf
    share = math.exp(q_2 - q_1) if q_1 > -math.inf else 0.0
    return TraceMoments(
        log_trace=first,
        log_square_trace=q_1 + math.log(((d + 2) - (d - 1) * share) / 3),
        log_trace_square=q_1 + math.log(((d + 2) + 2 * (d - 1) * share) / (3 * d)),
    )


def trace_moment_limit(*, order: int, width: int, gain: float = 0.5, time: float = 1.0) -> float:
    """
    Return the limit of E tr Gⁿ/d at α² L = τ and fixed width, n = 1, 2 or 3 (J3; *derived*).

    ``m_2 = [(d+2)e^{2t(1+2/d)} − (d−1)e^{2t(1−1/d)}]/3`` and ``m_3 = (d+2)(d+4)e^{t(3+12/d)}/15 −
    3(d−1)(d+2)e^{t(3+2/d)}/20 + (d−1)(d−2)e^{t(3−6/d)}/12``, t = γτ. As d → ∞ they tend to
    `wide_trace_moment`: at d = 10 the second is 4 % larger at t = 1/4, 9 % at t = 1/2.

    Parameters
    ----------
    order : int
        n, from 1 to 3.
    width : int
        d >= 1.
    gain, time : float, optional
        γ and τ as in `log_determinant_limit_law`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> [round(trace_moment_limit(order=n, width=10, time=1.0), 4) for n in (1, 2, 3)]
    [1.6487, 5.9017, 31.1427]
    """
    d, n = int(_validate.width(width)), int(_validate.whole("order", order, minimum=1, fix="give 1, 2 or 3"))
    if n > 3:
        raise ValueError(f"order={n}: must be at most 3, higher ones are not known; give 1, 2 or 3")
    t = depth_time(gain=gain, time=time)
    if n == 1:
        terms = [(1.0, t)]
    elif n == 2:
        terms = [((d + 2) / 3, 2 * t * (1 + 2 / d)), (-(d - 1) / 3, 2 * t * (1 - 1 / d))]
    else:
        terms = [
            ((d + 2) * (d + 4) / 15, t * (3 + 12 / d)),
            (-3 * (d - 1) * (d + 2) / 20, t * (3 + 2 / d)),
            ((d - 1) * (d - 2) / 12, t * (3 - 6 / d)),
        ]
    return math.fsum(weight * math.exp(rate) for weight, rate in terms if weight)
