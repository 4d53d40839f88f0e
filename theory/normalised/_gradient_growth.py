"""Growth of gradients of pre-norm networks in depth: wide networks (N5) and exponents (N8); *derived*."""

from __future__ import annotations

import math

import numpy as np

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation
from theory.normalised._gradient_finite import refuse_infinite_mean
from theory.normalised._gradient_process import gradient_process


def prenorm_gradient_exponent(
    *,
    beta: float,
    width: int | None = None,
    activation: Activation = "relu",
    derivative: Activation | None = None,
) -> float:
    """
    Return the exponent e of E‖p_0‖²/‖p_L‖² ~ L^e of pre-RMSNorm networks with a = L^{-β} (N8; *derived*).

    Wide networks have (1 − 2β)c'/c for β < ½, and 0 from ½ on. At fixed width the power of τ in N6 is p,
    which replaces c'/c and tends to it as d grows. That of the typical ‖p_0‖ at fixed width is not known.

    Parameters
    ----------
    beta : float
        β >= 0.
    width : int, optional
        d; infinite by default.
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
        If β is negative or the mean is infinite at this width.

    Examples
    --------
    >>> prenorm_gradient_exponent(beta=0.25)
    0.5
    >>> print(f"{prenorm_gradient_exponent(beta=0.25, width=16):.4f}")
    0.6603
    """
    b = float(_validate.real("beta", beta, above=0, closed_above=True, fix="give the exponent in L^-β"))
    if width is None:
        energy = activation_energy(activation, derivative=derivative)
        power = energy.slope / energy.mean
    else:
        process = gradient_process(width, activation, derivative, "rms")
        refuse_infinite_mean(
            process.width, activation, "rms", lambda d: gradient_process(d, activation, derivative, "rms")
        )
        power = 0.5 * (process.index - math.sqrt(process.index**2 - 2 * process.mean_rate))
    return power * max(0.0, 1 - 2 * b)


def wide_prenorm_gradient(
    *,
    depth: int,
    alpha: float,
    activation: Activation = "relu",
    derivative: Activation | None = None,
    mean_square: float = 1.0,
) -> float:
    """
    Return E‖p_0‖²/‖p_L‖² of infinitely wide pre-norm networks, Π (1 + a²c'/S_k), S_k = S_0 + a²ck (N5;
    *derived*).

    For 1-homogeneous σ, c' = c and the product is S_L/S_0. At finite width N6 is off by 0.9 % at d = 16, τ =
    2.

    Parameters
    ----------
    depth : int
        L >= 1.
    alpha : float
        a >= 0.
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.
    mean_square : float, optional
        S_0 > 0; 1 by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{wide_prenorm_gradient(depth=100, alpha=0.1):.6f}")
    1.500000
    """
    L = int(_validate.depth(depth, minimum=1))
    square = float(_validate.alpha(alpha)) ** 2
    S = float(_validate.real("mean_square", mean_square, above=0, fix="give ‖h_0‖²/d"))
    energy = activation_energy(activation, derivative=derivative)
    path = S + square * energy.mean * np.arange(L)
    return math.exp(math.fsum(np.log1p(square * energy.slope / path)))
