"""Which widths have gradients of finite mean square, and of finite variance of it, as L → ∞ (N6, N6L)."""

import itertools
from collections.abc import Callable
from typing import Literal

import numpy as np

from theory.common._activations import Activation
from theory.normalised._gradient_process import GradientProcess, gradient_process, square_rates


def gradient_mean_is_finite(
    *,
    width: int,
    activation: Activation = "relu",
    derivative: Activation | None = None,
    norm: Literal["rms", "layer"] = "rms",
) -> bool:
    """
    Return whether E‖p_0‖² of pre-norm networks stays finite as L → ∞ at fixed a²L (N6, N6L; *derived*).

    If and only if 8c'(d−1) <= c(d−2)² (RMS norm), with d − 1 for d under the layer norm: d >= 11 for ReLU, 12
    for GELU, 13 for tanh, one more with the layer norm.

    Parameters
    ----------
    width : int
        d >= 2.
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.
    norm : {"rms", "layer"}, optional
        Norm before the branch; "rms" by default.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> [gradient_mean_is_finite(width=d) for d in (10, 11)]
    [False, True]
    """
    process = gradient_process(width, activation, derivative, norm)
    return process.index > 0 and process.mean_rate <= process.highest_rate


def gradient_variance_is_finite(
    *, width: int, activation: Activation = "relu", derivative: Activation | None = None
) -> bool:
    """
    Return whether ‖p_0‖² of pre-RMSNorm networks has a finite variance as L → ∞ at fixed a²L (N6; *derived*).

    From d = 21 on for ReLU, 22 for GELU, 24 for tanh. Below, no test that needs a variance may look at the
    mean of ‖p_0‖²: look at its logarithm.

    Parameters
    ----------
    width : int
        d >= 2.
    activation : str or callable, optional
        σ; "relu" by default.
    derivative : callable, optional
        σ', needed beside a function.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> [gradient_variance_is_finite(width=d, activation="gelu") for d in (21, 22)]
    [False, True]
    """
    process = gradient_process(width, activation, derivative, "rms")
    rates, _ = square_rates(process.width, process.slope / process.energy)
    return process.index > 0 and float(np.max(rates)) <= process.highest_rate


def refuse_infinite_mean(
    width: int, activation: Activation, norm: str, process: Callable[[int], GradientProcess]
) -> None:
    """Raise a ValueError, with the least width, where E‖p_0‖² is infinite in the limit."""

    def finite(d: int) -> bool:
        at = process(d)
        return at.index > 0 and at.mean_rate <= at.highest_rate

    if finite(width):
        return
    least = next(d for d in itertools.count(width + 1) if finite(d))
    raise ValueError(
        f"width={width}: must be >= {least} for {activation!r} with norm={norm!r}, E‖p_0‖² grows without "
        "bound in L below; test log‖p_0‖, or give a wider network"
    )
