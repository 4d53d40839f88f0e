"""
The number of active units decides whether a res-1 network with ReLU grows (S6; Hayou, arXiv:2210.00688).

Derivation (*derived* here, by Itô): `dH = d^{-1/2} ‖relu(H)‖ dB` in law. Put `S = ‖relu(H)‖²` and A the
number of positive coordinates. The function relu² has a continuous derivative, so no local time appears,
and

    dS = A S/d dt + 2 S d^{-1/2} dβ,   d log S = (A − 2)/d dt + 2 d^{-1/2} dβ.

The martingale part is a Brownian motion whatever A does, so `log S_t/S_0 − ∫ (A − 2)/d ds ~ N(0, 4t/d)`
exactly.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._validate import FloatArray

ACTIVE_UNITS_CRITICAL = 2
"""Number of active units at which the drift of log‖relu(H)‖ changes sign, at every width."""

HALF_ACTIVE_CRITICAL_WIDTH = 4
"""Width at which the drift changes sign when half of the units are active."""


def active_units_drift(*, width: int, n_active: npt.ArrayLike) -> float | FloatArray:
    """
    Return the drift of log‖relu(H)‖² per unit of depth-time, (A − 2)/d (S6; Hayou 2022, *derived*).

    Res-1 with ReLU and Gaussian V at α = 1/√L. Negative below two active units, positive above; with half
    of the units active it changes sign at width 4.

    Parameters
    ----------
    width : int
        Width d >= 1.
    n_active : array_like
        Number A of positive coordinates, 1 <= A <= d; a mean number of them is allowed. Without active units
        the network stands still and log‖relu(H)‖² is −∞.

    Returns
    -------
    float or ndarray of float64
        Drift of the natural logarithm, same shape as `n_active`.

    Examples
    --------
    >>> active_units_drift(width=8, n_active=[1, 2, 4])
    array([-0.125,  0.   ,  0.25 ])
    """
    d = float(_validate.width(width))
    A = _validate.real(
        "n_active",
        n_active,
        above=0,
        below=d,
        closed_below=True,
        fix="give the number of positive coordinates",
    )
    return _validate.plain((A - 2) / d)


def active_units_noise_law(*, width: int, time: float = 1.0) -> rv_frozen:
    """
    Return the law of log‖relu(H_t)‖² − log‖relu(H_0)‖² − ∫ (A_s − 2)/d ds, N(0, 4t/d) (S6; *derived*).

    The martingale part of log‖relu(H)‖² is Gaussian although A is random: this checks drift and noise
    together. Exact in the diffusion limit, where log S stays finite and some unit always is active.

    Parameters
    ----------
    width : int
        Width d >= 1.
    time : float, optional
        Depth-time t; 1, the last layer, by default.

    Returns
    -------
    frozen scipy.stats.norm
        The law (natural logarithms).

    Examples
    --------
    >>> float(active_units_noise_law(width=16).std())
    0.5
    """
    d = float(_validate.width(width))
    t = float(_validate.real("time", time, above=0, fix="give the depth-time, 1 for the whole network"))
    return stats.norm(0.0, 2 * np.sqrt(t / d))


def single_unit_law(*, time: float = 1.0) -> rv_frozen:
    """
    Return the limit law of log(h_L/h_0) of res-1 with ReLU at width 1 (S6; Hayou 2022).

    For h_0 > 0 and α = 1/√L, N(−t/2, t): geometric Brownian motion without drift, `dH = H dB`. It stays
    positive, keeps its mean and tends to 0 in probability as t grows.

    Parameters
    ----------
    time : float, optional
        Depth-time t; 1 by default.

    Returns
    -------
    frozen scipy.stats.norm
        The law (natural logarithm).

    Examples
    --------
    >>> float(single_unit_law().mean())
    -0.5
    """
    t = float(_validate.real("time", time, above=0, fix="give the depth-time, 1 for the whole network"))
    return stats.norm(-0.5 * t, np.sqrt(t))
