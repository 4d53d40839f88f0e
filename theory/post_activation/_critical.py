"""
Post-activation blocks h' = h + aσ(Vh), V d×d Gaussian of variance 1/d, at a = 1/L: a flow along (1, …, 1)
(P1; *derived*).

Given h, V h ~ N(0, (‖h‖²/d) I): the drift of every coordinate is a μ(‖h‖²/d), μ(s) = E σ(√s Z), and the rest
is a martingale of variance L a² → 0. So the centred part of h stays and the mean coordinate ν obeys ν' = μ(ν²
+ V_0), at every fixed width. For ReLU, μ(s) = √(s/(2π)) and ν/√V_0 = sinh(m t + arsinh(ν_0/√V_0)), m =
1/√(2π).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import integrate

from theory.common import _validate
from theory.common._activations import Activation, activation_function
from theory.common._gaussian_moments import Z_WEIGHTS, Z

RELU_DRIFT = 1 / math.sqrt(2 * math.pi)
"""m = E ReLU(Z)."""


@dataclass(frozen=True)
class PostActivationState:
    """
    Limit of the hidden state of post-activation networks (P1).

    Attributes
    ----------
    mean : float
        Mean coordinate ν_t.
    mean_square : float
        S_t = ν_t² + V_0.
    """

    mean: float
    mean_square: float


def activation_drift(activation: Activation = "relu", *, mean_square: float = 1.0) -> float:
    """
    Return μ(s) = E σ(√s Z), the drift of a coordinate of post-activation networks (P1; *derived*).

    0 for odd σ, whose critical scaling is then β = ½ and not 1.

    Parameters
    ----------
    activation : str or callable, optional
        σ; "relu" by default.
    mean_square : float, optional
        s >= 0; 1 by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{activation_drift():.6f} {abs(activation_drift('tanh')):.6f}")
    0.398942 0.000000
    """
    fix = "give ‖h‖²/d"
    s = float(_validate.real("mean_square", mean_square, above=0, closed_above=True, fix=fix))
    return float(Z_WEIGHTS @ activation_function(activation)(math.sqrt(s) * Z))


def post_activation_flow(
    *, mean: float, variance: float, time: float = 1.0, activation: Activation = "relu"
) -> PostActivationState:
    """
    Return the limit of h_L of post-activation networks with a = 1/L, L → ∞, at every fixed width (P1;
    *derived*).

    In probability; fluctuations O(L^{-1/2}), bias O(1/L): 0.05 % at L = 1000.

    Parameters
    ----------
    mean : float
        ν_0, the mean coordinate of h_0.
    variance : float
        V_0 >= 0, the variance over the coordinates of h_0, which stays.
    time : float, optional
        Depth-time t = aL; 1 by default.
    activation : str or callable, optional
        σ; "relu" by default, in closed form. Others by an ODE of relative error 1e-10.

    Returns
    -------
    PostActivationState

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> state = post_activation_flow(mean=0.5, variance=1.0)
    >>> print(f"{state.mean:.6f} {state.mean_square:.6f}")
    0.998276 1.996555
    """
    start = float(_validate.real("mean", mean, fix="give the mean coordinate of h_0"))
    fix = "give the variance over the coordinates of h_0"
    spread = float(_validate.real("variance", variance, above=0, closed_above=True, fix=fix))
    t = float(_validate.real("time", time, above=0, closed_above=True, fix="give a·L, 1 for a = 1/L"))
    if activation == "relu":
        grow = RELU_DRIFT * t
        # √V_0 sinh(x + arsinh(ν/√V_0)) without the division, which V_0 = 0 would not survive.
        end = start * math.cosh(grow) + math.hypot(start, math.sqrt(spread)) * math.sinh(grow)
        return PostActivationState(end, end * end + spread)
    solved = integrate.solve_ivp(
        lambda _, nu: np.array([activation_drift(activation, mean_square=float(nu[0]) ** 2 + spread)]),
        (0.0, t),
        [start],
        method="DOP853",
        rtol=1e-10,
        atol=1e-12,
    )
    if not solved.success:
        raise ArithmeticError(
            f"time={t:g}: the flow could not be followed ({solved.message}); give a shorter time"
        )
    end = float(solved.y[0, -1])
    return PostActivationState(end, end * end + spread)
