"""
Laws at the critical scaling α = 1/√L, L → ∞, of branches that scale with their input (I8, S2; *derived*).

Notation: width d; `dH = ‖H‖ √(γ/d) dB` on depth-time [0, t], with γ the mean-square gain `E‖g(h)‖²/‖h‖²` of
the branch: 1/2 for res-3, 1 for linear res-1, (1 + m²)/2 for res-2 without bias and leaky ReLU of slope m.

Itô: `d log‖H‖ = (d−2)/(2d) γ dt + √(γ/d) dβ`. The noise is isotropic and proportional to ‖H‖, so H/‖H‖ is
Brownian motion on the sphere, independent of ‖H‖, run for `τ = γt/d`. Hence with `R = ‖H_t‖/‖H_0‖`, θ the
angle between H_t and H_0:

    log R ~ N((d−2)τ/2, τ),   E cos θ = exp(−(d−1)τ/2),
    (‖H_t − H_0‖/‖H_0‖)² = R² − 2R cos θ + 1, of mean e^{γt} − 1 since E R cos θ = 1.

At depth L the laws are off by O(1/L) in distribution function.
"""

import itertools

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._tabulated_law import TabulatedLaw
from theory.common._validate import FloatArray
from theory.diffusion._spherical_angle import SphericalAngleLaw

_TIME_FIX = "give the depth-time, 1 for the whole network"
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
# Standard deviations of log R that integrals keep.
_REACH = 9.5
_PANELS = 6
_NARROW = 3


def _brownian_time(*, width: int, gain: float, time: float) -> float:
    """Check the arguments and return τ = γt/d > 0."""
    d = float(_validate.width(width))
    gamma = float(_validate.real("gain", gain, above=0, fix="give 0.5 for ReLU branches, 1 for linear ones"))
    t = float(_validate.real("time", time, above=0, fix=_TIME_FIX))
    return gamma * t / d


def critical_log_norm_law(*, width: int, gain: float = 0.5, time: float = 1.0) -> rv_frozen:
    """
    Return the limit law of the natural logarithm of ‖h_L‖/‖h_0‖ at α = 1/√L (I8, S2; *derived*).

    Normal of mean (1/2 − 1/d)γt and variance γt/d: for res-3, mean 1/4 − 1/(2d) and variance 1/(2d), half
    and a quarter of those of log‖h_L‖²/‖h_0‖². Exact for the diffusion; O(1/L) off at depth L.

    Parameters
    ----------
    width : int
        Width d >= 1.
    gain : float, optional
        Mean-square gain γ of the branch; 1/2 (res-3) by default, 1 for linear res-1.
    time : float, optional
        Depth-time t = k/L; 1, the last layer, by default.

    Returns
    -------
    frozen scipy.stats.norm
        The law, with pdf, cdf, ppf, rvs, ...

    Examples
    --------
    >>> law = critical_log_norm_law(width=40)
    >>> round(float(law.mean()), 12), round(float(law.var()), 12)
    (0.2375, 0.0125)
    """
    tau = _brownian_time(width=width, gain=gain, time=time)
    return stats.norm(0.5 * (width - 2) * tau, np.sqrt(tau))


def critical_difference_second_moment(*, gain: float = 0.5, time: npt.ArrayLike = 1.0) -> float | FloatArray:
    """
    Return the limit of E‖h_L − h_0‖²/‖h_0‖² at α = 1/√L, e^{γt} − 1 at every width (I8; *derived*).

    Parameters
    ----------
    gain : float, optional
        Mean-square gain γ; 1/2 (res-3) by default.
    time : array_like, optional
        Depth-times t >= 0; 1 by default.

    Returns
    -------
    float or ndarray of float64
        The mean square, same shape as `time`.

    Examples
    --------
    >>> critical_difference_second_moment() == float(np.expm1(0.5))
    True
    """
    t = _validate.real("time", time, above=0, closed_above=True, fix=_TIME_FIX)
    return _validate.plain(np.expm1(_validate.gain(gain) * t))


def critical_mean_cosine(*, width: int, gain: float = 0.5, time: float = 1.0) -> float:
    """
    Return the limit of E cos∠(h_0, h_L) at α = 1/√L, exp(−(d−1)γt/(2d)) (S2; *derived*).

    Parameters
    ----------
    width : int
        Width d >= 1.
    gain : float, optional
        Mean-square gain γ; 1/2 (res-3) by default.
    time : float, optional
        Depth-time; 1 by default.

    Returns
    -------
    float
        The mean cosine; for res-3 exp(−(d−1)/(4d)).

    Examples
    --------
    >>> critical_mean_cosine(width=1)
    1.0
    """
    return float(np.exp(-0.5 * (width - 1) * _brownian_time(width=width, gain=gain, time=time)))


def critical_angle_law(*, width: int, gain: float = 0.5, time: float = 1.0) -> SphericalAngleLaw:
    """
    Return the limit law of the angle between h_0 and h_L at α = 1/√L (S2; *derived*).

    Brownian motion on the sphere run for γt/d. The angle of width 1 is 0 and has no density: it is refused.

    Parameters
    ----------
    width : int
        Width d >= 2.
    gain : float, optional
        Mean-square gain γ; 1/2 (res-3) by default.
    time : float, optional
        Depth-time; 1 by default.

    Returns
    -------
    SphericalAngleLaw
        Law of the angle in radians, with pdf, cdf, sf, ppf.

    Examples
    --------
    >>> law = critical_angle_law(width=10_000)
    >>> round(float(law.ppf(0.5)), 4)
    0.678
    """
    _validate.width(width, minimum=2)
    return SphericalAngleLaw(width=width, time=_brownian_time(width=width, gain=gain, time=time))


def critical_log_difference_law(*, width: int, gain: float = 0.5, time: float = 1.0) -> TabulatedLaw:
    """
    Return the limit law of the natural logarithm of ‖h_L − h_0‖/‖h_0‖ at α = 1/√L (S2; *derived*).

    In polar coordinates (D, ψ) about H_0 in the half-plane of H_0 and H_t, the density of log D is
    `D² ∫ f(log R, θ)/R² dψ`, f the product of a normal density and `SphericalAngleLaw`; Gauss-Legendre over
    the arc, tabulated in log D. For widths 1 to 1e4 and γt <= 2, the mass before scaling (its error is the
    attribute `error`) is within 1e-8 of 1 and the mean square within 1e-7 of e^{γt} − 1, relatively; at t = 1
    and width >= 3 both are within 3e-11. About 0.5 s.

    Parameters
    ----------
    width : int
        Width d >= 1.
    gain : float, optional
        Mean-square gain γ; 1/2 (res-3) by default.
    time : float, optional
        Depth-time t; 1 by default.

    Returns
    -------
    TabulatedLaw
        Law of log(‖H_t − H_0‖/‖H_0‖), with pdf, cdf, ppf, mean, expect, rvs.

    Raises
    ------
    ArithmeticError
        If the mass of the table is off by more than 1e-6.

    Examples
    --------
    >>> law = critical_log_difference_law(width=40)
    >>> bool(abs(law.expect(lambda x: np.exp(2 * x)) - np.expm1(0.5)) < 1e-9)
    True
    """
    tau = _brownian_time(width=width, gain=gain, time=time)
    angle = SphericalAngleLaw(width=width, time=tau) if width > 1 else None
    centre = 0.5 * np.log(np.expm1(tau * width))
    unit = np.sqrt(1 / width + tau)
    # Density near D = 0 is like D^d in log D: 40/d more on the left.
    low, high = float(centre - 36 / width - 12 * unit), float(centre + 12 * unit)
    # Narrow networks may collapse: log D then crowds around 0, where the table must be finer.
    scale, points = (0.002, 2401) if width <= _NARROW else (0.1, 801)

    def from_coordinate(z: FloatArray) -> FloatArray:
        return scale * np.sinh(z)

    def to_coordinate(x: FloatArray) -> FloatArray:
        return np.arcsinh(x / scale)

    def grid(points: int) -> FloatArray:
        ends = to_coordinate(np.array([low, high]))
        return np.linspace(float(ends[0]), float(ends[1]), points)

    # Mass below the rounding of the table would only put noise into means of e^{2x}.
    for _ in range(2):
        x = from_coordinate(grid(points // 4))
        density = _log_difference_density(x, width=width, tau=tau, angle=angle)
        kept = np.flatnonzero(density > 1e-15 * density.max())
        low, high = float(x[max(0, kept[0] - 1)]), float(x[min(x.size - 1, kept[-1] + 1)])
    z = grid(points)
    density = _log_difference_density(from_coordinate(z), width=width, tau=tau, angle=angle)
    law = TabulatedLaw.from_density(
        z,
        density * scale * np.cosh(z),
        from_coordinate=from_coordinate,
        to_coordinate=to_coordinate,
        slope=lambda x: 1 / np.hypot(x, scale),
    )
    if not law.error < 1e-6:
        raise ArithmeticError(f"width={width}, time={time:g}: mass of the law is off by {law.error:.1e}")
    return law


def _log_difference_density(
    x: FloatArray, *, width: int, tau: float, angle: SphericalAngleLaw | None
) -> FloatArray:
    """Return the density of log D at x, from the joint density of log R and θ."""
    D = np.exp(x)
    drift, spread = 0.5 * (width - 2) * tau, np.sqrt(tau)

    def normal(logs: FloatArray) -> FloatArray:
        return np.exp(-0.5 * ((logs - drift) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))

    if angle is None:
        # Width 1 never changes sign: D = |R − 1|.
        with np.errstate(divide="ignore", invalid="ignore"):
            below = np.where(D < 1, normal(np.log1p(-np.minimum(D, 1.0))) / (1 - D), 0.0)
        return D * (normal(np.log1p(D)) / (1 + D) + np.where(D < 1, below, 0.0))
    # Only the arc on which log R is within reach, in panels of equal length in log R: f(log R, θ)/R² varies
    # on the scale of R near the origin, which the arc passes when D is close to 1.
    low = np.maximum(np.log(np.abs(1 - D) + 1e-300), drift - _REACH * spread)
    high = np.minimum(np.log1p(D), drift + _REACH * spread)
    total = np.zeros(D.shape)
    cuts = np.linspace(low, np.maximum(low, high), _PANELS + 1)
    cosines = (np.expm1(2 * cuts) - D * D) / (2 * D)
    psi_cuts = np.arccos(np.clip(cosines, -1.0, 1.0))
    for last, first in itertools.pairwise(psi_cuts):
        half = 0.5 * (last - first)[:, None]
        psi = first[:, None] + half * (1 + _NODES)
        X, Y = 1 + D[:, None] * np.cos(psi), D[:, None] * np.sin(psi)
        square = np.maximum(X * X + Y * Y, 1e-300)
        joint = normal(0.5 * np.log(square)) / square
        seen = joint > 0
        joint[seen] *= np.asarray(angle.pdf(np.arctan2(Y[seen], X[seen])))
        total += (half * _WEIGHTS * joint).sum(axis=1)
    return D * D * total
