"""The limits of E‖p_0‖² and E‖p_0‖⁴ of pre-norm networks at fixed width (N6, N6L, N7; *derived*)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy import stats

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation
from theory.normalised._gradient_finite import gradient_variance_is_finite, refuse_infinite_mean
from theory.normalised._gradient_process import (
    GradientProcess,
    gradient_process,
    log_bessel_moment,
    square_rates,
)


def _checked_positive(field: str, value: float, fix: str) -> float:
    return float(_validate.real(field, value, above=0, fix=fix))


def prenorm_gradient_limit(
    *,
    width: int,
    time: float,
    activation: Activation = "relu",
    derivative: Activation | None = None,
    norm: Literal["rms", "layer"] = "rms",
    mean_square: float = 1.0,
    power: float = 0.0,
    start: float = 0.0,
    final_norm: bool = False,
) -> float:
    """
    Return the limit of E‖p_s‖²/‖p_L‖² of pre-norm networks as L → ∞ at a²L = τ, width fixed (N6, N6L, N7;
    *derived*).

    p_L isotropic and independent of the network. Finite networks are O(1/L) away, 1 to 2 % at L = 5: for ReLU
    and RMS norm `prenorm_gradient_chain` is exact.

    Parameters
    ----------
    width : int
        d; at least 11 for ReLU, 12 for GELU, 13 for tanh, one more with the layer norm.
    time : float
        τ > 0, the limit of a²L (of Σ a_k² if max a_k → 0).
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.
    norm : {"rms", "layer"}, optional
        Norm before the branch; "rms" by default.
    mean_square : float, optional
        S_0 > 0: ‖h_0‖²/d, or ‖Ch_0‖²/(d−1) with the layer norm; 1 by default.
    power : float, optional
        r: the value is E‖p_s‖² (S_τ/S_0)^r, S_τ that of the same network; 0 by default.
    start : float, optional
        s in [0, τ), depth-time of p_s; 0 (p_0) by default.
    final_norm : bool, optional
        Whether p_L is the gradient behind a final RMS norm, of an isotropic b: E‖p_0‖²/‖b‖², with the factor
        1 − 1/d. Then `power` must be 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the mean is infinite at this width, or an argument is out of range.

    Examples
    --------
    >>> print(f"{prenorm_gradient_limit(width=16, time=2.0):.5f}")  # infinitely wide: 2
    2.01739
    >>> prenorm_gradient_limit(width=10, time=2.0)
    Traceback (most recent call last):
    ...
    ValueError: width=10: must be >= 11 for 'relu' with norm='rms', E‖p_0‖² grows without bound in L below;
    test log‖p_0‖, or give a wider network
    """
    process = gradient_process(width, activation, derivative, norm)
    tau = _checked_positive("time", time, "give a²L")
    S = _checked_positive("mean_square", mean_square, "give ‖h_0‖²/d")
    r = float(_validate.real("power", power, fix="give an exponent of S, such as 0 or -1"))
    s = float(
        _validate.real(
            "start", start, above=0, below=tau, closed_above=True, fix="give a depth-time before the last"
        )
    )
    refuse_infinite_mean(
        process.width, activation, norm, lambda d: gradient_process(d, activation, derivative, norm)
    )
    if final_norm:
        if r or norm != "rms":
            raise ValueError(
                f"power={r:g}: must be 0 with norm='rms' beside final_norm; the final norm fixes the power"
            )
        factor = (1 - 1 / process.width) / S
        return factor * process_moment(process, S, tau, s, -1.0)
    return process_moment(process, S, tau, s, r)


def process_moment(process: GradientProcess, S: float, tau: float, s: float, power: float) -> float:
    """E exp(κ∫_s^τ dt/R) (S_τ/S_0)^power."""
    c, dimension = process.energy, process.dimension
    fixed = {"index": process.index, "rate": process.mean_rate, "power": power}
    if 1e6 * c * s < dimension * S:  # an error of 1e-6
        return math.exp(log_bessel_moment(start=dimension * S, time=c * tau, **fixed))
    # ρ_s² is c s times a noncentral χ²; the moment from there on is a smooth function of its logarithm.
    law = stats.ncx2(dimension, dimension * S / (c * s), scale=c * s)
    low, high = np.log(law.ppf(1e-14)), np.log(law.isf(1e-14))
    x, weight = np.polynomial.legendre.leggauss(96)
    logs = 0.5 * (low + high) + 0.5 * (high - low) * x
    mass = (
        0.5
        * (high - low)
        * weight
        * np.exp(logs)
        * np.exp(stats.ncx2.logpdf(np.exp(logs) / (c * s), dimension, dimension * S / (c * s)))
    )
    values = [log_bessel_moment(start=math.exp(u), time=c * (tau - s), **fixed) for u in logs.tolist()]
    growth = np.exp(np.array(values) + power * (logs - math.log(dimension * S)))
    return float(mass @ growth / mass.sum())


def prenorm_weight_gradient_limit(
    *,
    width: int,
    hidden_width: int,
    alpha: float,
    time: float,
    matrix: Literal["V", "W"],
    start: float = 0.0,
    activation: Activation = "relu",
    derivative: Activation | None = None,
    mean_square: float = 1.0,
) -> float:
    """
    Return E‖∂ℓ/∂V‖²/‖p_L‖² or E‖∂ℓ/∂W‖²/‖p_L‖² of one layer of deep pre-RMSNorm networks (N7; *derived*).

    `a²Mc E‖p_s‖²` and `a²dc' E‖p_s‖²`, E‖p_s‖² that of N6; relative error O(a²), none at the last layer.

    Parameters
    ----------
    width, hidden_width : int
        d and M; d as in `prenorm_gradient_limit`.
    alpha : float
        a >= 0 of the layer.
    time : float
        τ > 0.
    matrix : {"V", "W"}
        Which matrix.
    start : float, optional
        Depth-time of the layer's output, in [0, τ]; 0 by default.
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
        If the mean is infinite at this width, or an argument is out of range.

    Examples
    --------
    >>> size = {"width": 16, "hidden_width": 64, "alpha": 0.1, "time": 1.0, "start": 1.0}
    >>> [round(prenorm_weight_gradient_limit(matrix=matrix, **size), 6) for matrix in ("V", "W")]
    [0.32, 0.08]
    """
    _validate.choice("matrix", matrix, ("V", "W"), fix="choose one")
    M = int(_validate.whole("hidden_width", hidden_width, minimum=1, fix="give the number of rows of W"))
    energy = activation_energy(activation, derivative=derivative)
    size = M * energy.mean if matrix == "V" else int(_validate.width(width)) * energy.slope
    square = float(_validate.alpha(alpha)) ** 2
    if start == time:  # p_L itself; the width is checked all the same
        prenorm_gradient_limit(width=width, time=time, activation=activation, derivative=derivative)
        return square * size
    growth = prenorm_gradient_limit(
        width=width,
        time=time,
        activation=activation,
        derivative=derivative,
        mean_square=mean_square,
        start=start,
    )
    return square * size * growth


def prenorm_gradient_fourth_moment(
    *,
    width: int,
    time: float,
    activation: Activation = "relu",
    derivative: Activation | None = None,
    mean_square: float = 1.0,
) -> float:
    """
    Return the limit of E‖p_0‖⁴/‖p_L‖⁴ of pre-RMSNorm networks, a²L = τ, L → ∞ (N6; *derived*).

    Parameters
    ----------
    width : int
        d; at least 21 for ReLU, 22 for GELU, 24 for tanh.
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
        If the variance is infinite at this width, or an argument is out of range.

    Examples
    --------
    >>> mean = prenorm_gradient_limit(width=32, time=1.0)
    >>> print(f"{prenorm_gradient_fourth_moment(width=32, time=1.0) / mean**2 - 1:.4f}")
    0.0546
    """
    process = gradient_process(width, activation, derivative, "rms")
    tau = _checked_positive("time", time, "give a²L")
    S = _checked_positive("mean_square", mean_square, "give ‖h_0‖²/d")
    if not gradient_variance_is_finite(width=width, activation=activation, derivative=derivative):
        raise ValueError(
            f"width={width}: too small for a variance of ‖p_0‖² with {activation!r}, it is infinite as "
            "L → ∞; test log‖p_0‖, or give a wider network"
        )
    rates, weights = square_rates(process.width, process.slope / process.energy)
    return math.fsum(
        weight
        * math.exp(
            log_bessel_moment(
                index=process.index, rate=rate, start=process.width * S, time=process.energy * tau
            )
        )
        for rate, weight in zip(rates.tolist(), weights.tolist(), strict=True)
    )
