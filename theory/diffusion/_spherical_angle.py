"""
Law of the angle between the ends of Brownian motion on the unit sphere of R^d.

Notation: Brownian motion of generator Δ/2 run for time τ, θ its angle from the start, `x = sin²(θ/2)`. By
Itô `dx = (d−1)/4 (1−2x) dτ + √(x(1−x)) dβ`: a Wright-Fisher diffusion with both mutation rates (d−1)/2, from
0. Its law is a mixture over the number m of ancestral lineages left at time τ (Griffiths 1979; used for the
sphere by Mijatović, Mramor and Uribe Bravo, "A note on the exact simulation of spherical Brownian motion"):

    x ~ Beta(a, a + m),  a = (d−1)/2,   P(m) = f_m(τ)/λ_m,  λ_k = k(k+d−2)/2,

with f_m the density of `T_m = Σ_{k≥m} Exp(λ_k)`, the time at which a pure death process from infinity leaves
m. This resums the Gegenbauer series, whose terms reach e^{O(d)} and cancel, into positive terms: it is stable
for every width and time, and its tails have relative precision.

f_m is a Fourier inversion on the vertical line through the saddle point, where the integrand does not
oscillate. With `c = m + n`, `n = (d−2)/2`, `X = n² − 2z`, the Laplace transform of T_m is

    φ_m(z) = Π_{k≥m} λ_k/(λ_k+z) = Γ(c+√X) Γ(c−√X) / (Γ(c+n) Γ(c−n)).
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from theory.common import _validate
from theory.common._validate import FloatArray

Complex = npt.NDArray[np.complexfloating]

# Standard deviations of m kept on either side of its mean.
_REACH = 9.5
# Stirling's series replaces log Γ where all arguments are at least this; its error is then below 1e-16.
_STIRLING = 30.0
# Points of the Fourier integral; a step is this part of 1/sd(T_m).
_STEP = 0.15
_CHUNK = 1 << 21


def _stirling_tail(z: Complex) -> Complex:
    """Return log Γ(z) − (z − 1/2) log z + z − log √(2π) for |z| >= 30."""
    w = 1 / (z * z)
    return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w / 1680))) / z


def _log_laplace(m: FloatArray, *, n: float, z: Complex) -> Complex:
    """Return log φ_m(z); m is broadcast against z."""
    c = m + n + 0j
    root = np.sqrt(n * n - 2 * z)
    if np.abs(c - root).min() < _STIRLING or m.min() < _STIRLING:
        top = special.loggamma(c + root) + special.loggamma(c - root)
        return top - special.gammaln(m + 2 * n) - special.gammaln(m)
    # Differences of the leading terms in closed form: log Γ itself would cancel 5 digits at d = 10^4.
    leading = (c - 0.5) * np.log1p(2 * z / (c * c - n * n))
    leading += 2 * (root * np.arctanh(root / c) - n * np.arctanh(n / c))
    return (
        leading
        + _stirling_tail(c + root)
        + _stirling_tail(c - root)
        - _stirling_tail(c + n)
        - _stirling_tail(c - n)
    )


def _scaled_tanh(X: FloatArray, tau: float) -> FloatArray:
    """Return tanh(√X τ/2)/√X, continued to X in (−(π/τ)², 0]."""
    root = np.sqrt(np.abs(X)) * tau / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(X > 0, np.tanh(root), np.tan(root)) / root * tau / 2
    return np.where(root < 1e-8, tau / 2, value)


def _saddle_points(m: FloatArray, *, n: float, tau: float) -> FloatArray:
    """Return about where e^{zτ} φ_m(z) is smallest on the real line, right of its pole −λ_m."""
    # E T_m of the process tilted by z, with the sum over k made an integral, is τ: tanh(√X τ/2)/√X = 1/M.
    # The left side decreases in X, so bisection; the precision of the point does not matter.
    M = m + n - 0.5
    low = np.full(m.shape, -((np.pi / tau) ** 2) * (1 - 1e-12))
    high = M * M
    for _ in range(60):
        middle = 0.5 * (low + high)
        right = _scaled_tanh(middle, tau) > 1 / M
        low, high = np.where(right, middle, low), np.where(right, high, middle)
    return 0.5 * (n * n - low)


def _lineages(*, width: int, tau: float) -> tuple[FloatArray, FloatArray]:
    """Return numbers m of lineages on a lattice and their probabilities times the lattice step."""
    n = 0.5 * (width - 2)
    centre = float(n / np.tanh(n * tau / 2) if n > 0 else 2 / tau) - n
    # The spread of m is that of T_m times the death rate; the sums run as far as they matter.
    k = max(centre, 1.0) * np.geomspace(1, 1e4, 4000)
    spread = float(np.trapezoid(4 / (k * (k + width - 2)) ** 2, k)) ** 0.5
    spread = 1 + spread * centre * (centre + width - 2) / 2
    low = max(0, math.floor(centre - _REACH * spread))
    high = math.ceil(centre + _REACH * spread + 30)
    # P(m) and the mixed laws are smooth in m on the scale of the spread: with a step of a sixth of it the sum
    # over a coarser lattice equals the full one to e^{-2π²·36}.
    step = max(1, math.floor(spread / 6))
    m = np.arange(low, high + step, step).astype(np.float64)
    positive = np.maximum(m, 1.0)[:, None]
    gamma = _saddle_points(positive, n=n, tau=tau)
    rate = 0.5 * positive * (positive + width - 2)
    first = positive + np.arange(12)
    beyond = (positive + 11.5) * np.geomspace(1, 1e3, 200)
    variance = ((0.5 * first * (first + width - 2) + gamma) ** -2.0).sum(axis=1)
    variance += np.trapezoid((0.5 * beyond * (beyond + width - 2) + gamma) ** -2.0, beyond, axis=1)
    variance = variance[:, None]
    # Few lineages: T_m is nearly one exponential variable, whose transform decays slowly.
    u = np.arange(400 if low > 30 else 3000) * _STEP / np.sqrt(variance)
    z = gamma + 1j * u
    real = np.exp(z * tau + _log_laplace(positive, n=n, z=z)).real
    density = (real.sum(axis=1) - 0.5 * real[:, 0]) * (u[:, 1] - u[:, 0]) / np.pi
    probability = step * np.maximum(density, 0.0) / rate[:, 0]
    if m[0] == 0:
        probability[0] = _absorbed(n=n, tau=tau, saddle=float(gamma[0, 0]))
    keep = probability > 1e-40
    return m[keep], probability[keep]


def _absorbed(*, n: float, tau: float, saddle: float) -> float:
    """Return P(no lineage is left) = P(T_1 <= τ), whose Laplace transform is φ_1(z)/z right of 0."""
    # Far enough from the pole at 0 for the step, and not so far that e^{zτ} makes the terms large.
    gamma = max(saddle, 6 / tau)
    step = min(0.15 * gamma, 0.5 / tau)
    z = gamma + 1j * step * np.arange(6000)
    values = (np.exp(z * tau + _log_laplace(np.ones(1), n=n, z=z)) / z).real
    return max(0.0, float(values.sum() - 0.5 * values[0]) * step / np.pi)


def _log_beta(a: float, b: FloatArray) -> FloatArray:
    """Return log B(a, b) without the cancellation of log Γ(b) − log Γ(a + b) at large b."""
    large = np.maximum(b, _STIRLING) + 0j
    tails = (_stirling_tail(large) - _stirling_tail(large + a)).real
    difference = a - a * np.log(a + b) - (b - 0.5) * np.log1p(a / b) + tails
    return np.where(b >= _STIRLING, special.gammaln(a) + difference, special.betaln(a, b))


class SphericalAngleLaw:
    """
    Law of the angle θ in [0, π] that Brownian motion on the sphere of R^d moves in time τ (S2, *derived*).

    A positive mixture of beta laws of sin²(θ/2), see the top of the module. Density and distribution function
    have relative errors below 1e-11 up to width 1e4 and 1e-10 up to 1e5, in the tails too (measured down to
    1e-12, τ from 0.01/d to 2/d). Building takes about 20 ms, a thousand values 1 to 30 ms.

    Parameters
    ----------
    width : int
        Dimension d >= 2 of the space around the sphere.
    time : float
        Brownian time τ > 0 (generator Δ/2); ReLU networks at α = 1/√L have τ = 1/(2d).

    Raises
    ------
    ArithmeticError
        If the weights do not sum to 1 within 1e-7 (τ below about 1e-10).

    Examples
    --------
    >>> law = SphericalAngleLaw(width=40, time=1 / 80)
    >>> round(law.mean_cosine(), 12) == round(float(np.exp(-39 / 160)), 12)
    True
    """

    def __init__(self, *, width: int, time: float) -> None:
        self.width = int(_validate.width(width, minimum=2))
        self.time = float(
            _validate.real("time", time, above=0, fix="give the Brownian time, e.g. 1/(2*width)")
        )
        m, probability = _lineages(width=self.width, tau=self.time)
        total = float(probability.sum())
        if not abs(total - 1) < 1e-7:
            raise ArithmeticError(f"time={self.time:g}: weights sum to {total:.9f}; give a longer time")
        self._m, self._probability = m, probability / total
        self._a = 0.5 * (self.width - 1)

    def __repr__(self) -> str:
        return f"SphericalAngleLaw(width={self.width}, time={self.time:g})"

    def mean_cosine(self) -> float:
        """Return E cos θ from the mixture; exactly it is exp(−(d−1)τ/2)."""
        return float(self._probability @ (self._m / (self.width - 1 + self._m)))

    def pdf(self, angle: npt.ArrayLike) -> float | FloatArray:
        """Return the density of θ at angles in radians; 0 outside [0, π]."""
        theta = np.asarray(angle, dtype=np.float64)
        inside = (theta >= 0) & (theta <= np.pi)
        x = np.sin(0.5 * np.where(inside, theta, 0.0)) ** 2
        y = np.cos(0.5 * np.where(inside, theta, 0.0)) ** 2
        a, m = self._a, self._m
        # dx/dθ = √(xy) is merged with the beta density, so that d = 2 has no singular factor at θ = 0.
        constant = np.log(self._probability) - _log_beta(a, a + m)

        def mixed(x: FloatArray, y: FloatArray) -> FloatArray:
            # log y from the smaller of the two, which is the exact one.
            with np.errstate(divide="ignore"):
                log_y = np.where(x < 0.5, np.log1p(-np.minimum(x, 0.5)), np.log(y))
            powers = special.xlogy(a - 0.5, x)[:, None] + (a + m - 0.5) * log_y[:, None]
            return np.exp(powers + constant).sum(axis=1)

        return _validate.plain(np.where(inside, _chunked(mixed, x, y, terms=m.size), 0.0))

    def cdf(self, angle: npt.ArrayLike) -> float | FloatArray:
        """Return P(θ <= angle) for angles in radians."""
        theta = np.clip(np.asarray(angle, dtype=np.float64), 0.0, np.pi)
        a, m = self._a, self._m

        def mixed(x: FloatArray, y: FloatArray) -> FloatArray:
            del y
            return special.betainc(a, a + m, x[:, None]) @ self._probability

        x = np.sin(0.5 * theta) ** 2
        return _validate.plain(np.clip(_chunked(mixed, x, x, terms=m.size), 0.0, 1.0))

    def sf(self, angle: npt.ArrayLike) -> float | FloatArray:
        """Return P(θ > angle), with relative precision where it is small."""
        theta = np.clip(np.asarray(angle, dtype=np.float64), 0.0, np.pi)
        a, m = self._a, self._m

        def mixed(x: FloatArray, y: FloatArray) -> FloatArray:
            # Each from the smaller of sin²(θ/2) and cos²(θ/2), which is the exact one.
            column, other = x[:, None], y[:, None]
            above = np.where(
                column < 0.5, special.betaincc(a, a + m, column), special.betainc(a + m, a, other)
            )
            return above @ self._probability

        x, y = np.sin(0.5 * theta) ** 2, np.cos(0.5 * theta) ** 2
        return _validate.plain(np.clip(_chunked(mixed, x, y, terms=m.size), 0.0, 1.0))

    def ppf(self, probability: npt.ArrayLike) -> float | FloatArray:
        """Return quantiles of θ in radians, by bisection to full precision."""
        p = _validate.level("probability", probability, fix="give a level")
        low, high = np.zeros(p.shape), np.full(p.shape, np.pi)
        for _ in range(54):
            middle = 0.5 * (low + high)
            below = np.asarray(self.cdf(middle)) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return _validate.plain(0.5 * (low + high))


def _chunked(
    mixed: Callable[[FloatArray, FloatArray], FloatArray], x: FloatArray, y: FloatArray, *, terms: int
) -> FloatArray:
    """Apply a mixture of many terms to flat pieces of the arrays, to bound the memory."""
    piece = max(1, _CHUNK // terms)
    flat = [
        mixed(x.ravel()[i : i + piece], y.ravel()[i : i + piece]) for i in range(0, max(1, x.size), piece)
    ]
    return np.concatenate(flat).reshape(x.shape)
