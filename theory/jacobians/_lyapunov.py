"""
Limit laws of the determinant and of the QR diagonal at the critical scaling (J1, J2; *derived*).

Notation: α² L → τ, t = γτ with the gain γ: 1/2 for res-3, whatever M, 1 for linear res-1. The Jacobian tends
to the solution of dJ = √(t/d) dB J, B a d × d matrix of Brownian motions on [0, 1].

Itô on log det: ``d log|det J| = √(t/d) tr dB − (t/2) ds``, as E tr dB² = d ds. On the i-volumes: ``log
vol_i²`` has the drift t(i − (i² + i)/d) and the noise 2√(t/d) Σ_{j≤i} dB_jj in a frame that turns with J;
differences of neighbouring i are independent.
"""

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._validate import FloatArray


def depth_time(*, gain: float, time: float) -> float:
    """Return t = γτ > 0."""
    gamma = float(_validate.real("gain", gain, above=0, fix="give 0.5 for ReLU branches, 1 for linear ones"))
    fix = "give τ, the limit of alpha² L: 1 for alpha = depth**-0.5"
    return gamma * float(_validate.real("time", time, above=0, fix=fix))


def log_determinant_limit_law(*, gain: float = 0.5, time: float = 1.0) -> rv_frozen:
    """
    Return the limit law N(−t/2, t) of log|det J|, at every width and hidden width (J1; *derived*).

    Natural logarithm. E det J = 1 at every depth, carried by ever fewer networks. O(1/L) off at
    depth L: for linear res-1 the mean is −τ/2 − τ²(1 + 2/d)/(4L) and the variance τ + τ²(1/2 + 2/d)/L.

    Parameters
    ----------
    gain : float, optional
        Mean-square gain γ of the branch; 1/2 (res-3) by default, 1 for linear res-1.
    time : float, optional
        τ, the limit of α²L; 1 by default. t = γτ.

    Returns
    -------
    frozen scipy.stats.norm

    Raises
    ------
    ValueError
        If an argument is not positive.

    Examples
    --------
    >>> law = log_determinant_limit_law()
    >>> float(law.mean()), round(float(law.var()), 12)
    (-0.25, 0.5)
    """
    t = depth_time(gain=gain, time=time)
    return stats.norm(-0.5 * t, np.sqrt(t))


def lyapunov_exponents(*, width: int) -> FloatArray:
    """
    Return (d − 2i)/(2d), i = 1..d: the growth of log r_ii in a unit of t, J = QR (J2; *derived*).

    In the limit of large depth at α² L = τ, t = γτ; they add up to −1/2, and the largest is that of log‖J v‖
    (I8). Along one very deep network the sorted logs of singular values grow at these rates.

    Parameters
    ----------
    width : int
        d >= 1.

    Returns
    -------
    ndarray of float64 (width,)
        Descending.

    Raises
    ------
    ValueError
        If the width is not a whole number >= 1.

    Examples
    --------
    >>> lyapunov_exponents(width=4)
    array([ 0.25,  0.  , -0.25, -0.5 ])
    """
    d = int(_validate.width(width))
    modes = np.arange(1, d + 1, dtype=np.float64)
    return (d - 2.0 * modes) / (2.0 * d)


def qr_diagonal_limit_law(*, mode: int, width: int, gain: float = 0.5, time: float = 1.0) -> rv_frozen:
    """
    Return the limit law N((d − 2i)t/(2d), t/d) of log r_ii (natural log), J = QR (J2; *derived*).

    Independent over i. At finite depth the vector of log r_ii is a random walk whose steps are the QR
    diagonals of single layers: exact with Gaussian weights. O(1/L) off at depth L, most at i = d.

    Parameters
    ----------
    mode : int
        i from 1 to d.
    width : int
        d >= 1.
    gain, time : float, optional
        γ and τ as in `log_determinant_limit_law`.

    Returns
    -------
    frozen scipy.stats.norm

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> law = qr_diagonal_limit_law(mode=4, width=4, time=2.0)
    >>> float(law.mean()), float(law.var())
    (-0.5, 0.25)
    """
    d, i = int(_validate.width(width)), int(_validate.whole("mode", mode, minimum=1, fix="give 1 to d"))
    if i > d:
        raise ValueError(f"mode={i}: must be at most the width {d}; give 1 to d")
    t = depth_time(gain=gain, time=time)
    return stats.norm((d - 2 * i) * t / (2 * d), np.sqrt(t / d))
