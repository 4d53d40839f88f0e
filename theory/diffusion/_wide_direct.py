"""
Laws of the norm ratios of wide res-1 networks (S4, *derived*): σ acts on the hidden state itself.

Given the layer scalings G_k = ‖σ(h_k)‖²/d the coordinates of h_k are independent Brownian motions B^i read on
one random clock T:

    T_{k+1} = T_k + a² M(T_k),   M(t) = (1/d) Σ_i σ(B^i_t)²,   ‖h_k‖²/d = (1/d) Σ_i (B^i_{T_k})².

This is exact for Gaussian V and h_0. As d → ∞ M(t) → ρ(t), S4 with T for S; around it `M = ρ + Y/√d` with the
covariances of σ(B_s)², σ(B_t)², which are those of one Brownian motion. Linearised,
`δT_L = d^{-1/2} Σ_k a² Y(T_k) ∏_{j>k} (1 + a² ρ'(T_j))`, hence log ‖h_L‖²/‖h_0‖² − log T_L/T_0 is d^{-1/2}
times a sum of squares of one Brownian motion, whose variance follows from Hermite coefficients. Unlike in
res-2, units that are active stay active: that is what the covariances say.

Gradients: `‖p_k‖² = ‖p_{k+1}‖² (1 + a² (1/d) Σ_i σ'(B^i)² ξ_i² + 2a d^{-1/2} ‖D p‖/‖p‖ ξ)`, and
`‖D p_{k+1}‖²/‖p_{k+1}‖²` exceeds ρ₁, since a unit that is active now was active later in depth, where p grew.
"""

import math

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common._activations import Activation
from theory.common._gaussian_moments import even_moments, square_coefficients
from theory.common._point_mass import PointMass
from theory.common._validate import FloatArray

_ORDER = 40
_NODES = 500
# Beyond this range of log T the sums grow linearly in it: σ is homogeneous there.
_RANGE = 60.0
_STEP = 0.02

Law = rv_frozen | PointMass
"""What `wide_log_norm_laws` returns."""


def direct_laws(
    sigma: Activation, slope: Activation, d: int, L: int, a: float, *, start: float, spread: float
) -> tuple[Law, Law]:
    """
    Return the laws of log(‖h_L‖/‖h_0‖) and log(‖p_0‖/‖p_L‖); arguments as in `wide_log_norm_laws`.

    Examples
    --------
    Linear res-1 has N(1/2 − 1/d, 1/d) in the limit (S2):

    >>> hidden, _ = direct_laws("identity", np.ones_like, 100, 1000, 1000**-0.5, start=1.0, spread=0.0)
    >>> print(f"{hidden.mean():.3f} {100 * hidden.var():.3f}")
    0.490 0.998
    """
    log_clock = _clock(sigma, L, a, math.log(start))
    total = log_clock[-1] - log_clock[0]
    inside = int(np.searchsorted(log_clock - log_clock[0], _RANGE, side="right"))
    layers = min(L, max(1, inside - 1))
    clock = np.exp(log_clock[: layers + 1] - log_clock[0]) * start
    hidden, sensitivity = _hidden_variance(sigma, clock, a)
    gradient_mean, gradient = _gradient(sigma, slope, clock, a)
    rest = (L - layers) / layers  # of the layers beyond the range
    hidden *= 1 + rest
    gradient *= 1 + rest
    gradient_mean *= 1 + rest
    # E log S falls behind log E S by half of the relative variance; that of h_0 is 2/d.
    mean = total - 0.5 * hidden / d
    variance = hidden / d + (sensitivity - 1) ** 2 * spread
    return half_normal(mean, variance), half_normal(gradient_mean - 0.5 * gradient / d, gradient / d)


def half_normal(mean: float, variance: float) -> Law:
    """Return the law of half of a normal number: a log-norm from its logarithm of a squared norm."""
    if variance <= 0:  # rounding may leave less than nothing
        return PointMass(0.5 * mean)
    return stats.norm(0.5 * mean, 0.5 * math.sqrt(variance))


def _clock(sigma: Activation, L: int, a: float, start: float) -> FloatArray:
    """Return log T_k, k = 0..L."""
    grid = np.arange(start - 1.0, start + _RANGE + 2.0, _STEP)
    with np.errstate(over="ignore", invalid="ignore"):
        growth = np.log1p(a * a * even_moments(sigma, np.exp(grid))[0] * np.exp(-grid)).tolist()
    logs = np.empty(L + 1)
    y = logs[0] = start
    foot = float(grid[0])
    last = len(growth) - 2
    for k in range(L):
        position = (y - foot) / _STEP
        if not math.isfinite(position):
            break
        index = min(int(position), last)
        t = min(position - index, 1.0)
        y += (1 - t) * growth[index] + t * growth[index + 1]
        logs[k + 1] = y
    if not math.isfinite(y):
        raise ArithmeticError("alpha: the norm leaves every float range; give a smaller scaling")
    return logs


def _groups(layers: int) -> tuple[np.ndarray, FloatArray]:
    """Return middle layers of consecutive groups and how many layers each stands for."""
    ends = np.unique(np.linspace(0, layers, min(layers, _NODES) + 1).round().astype(int))
    return (ends[:-1] + ends[1:] - 1) // 2, np.diff(ends).astype(float)


def _log_slope(function: Activation, clock: FloatArray, *, floor: float = 0.0) -> FloatArray:
    """Return the derivative of E f(√T Z)² in T."""
    h = 1e-4
    up, down = (even_moments(function, clock * math.exp(s))[0] for s in (h, -h))
    return (up - down) / (2 * h * clock) + floor


def _variance(coefficients: FloatArray, clock: FloatArray) -> float:
    """Return the variance of Σ_i f_i(B_{t_i}), from normalised Hermite coefficients of every f_i."""
    correlation = np.sqrt(np.minimum.outer(clock, clock) / np.maximum.outer(clock, clock))
    power = np.ones_like(correlation)
    total = 0.0
    for n in range(1, coefficients.shape[1]):
        power *= correlation
        if np.any(coefficients[:, n]):
            total += float(coefficients[:, n] @ power @ coefficients[:, n])
    return total


def _propagators(sigma: Activation, clock: FloatArray, a: float) -> FloatArray:
    """Return the logarithms of ∏_{j<k} (1 + a² ρ'(T_j)), k = 0..layers; ratios are responses of T."""
    nodes = np.linspace(0, len(clock) - 1, min(len(clock), 2000)).round().astype(int)
    slopes = np.interp(np.arange(len(clock)), nodes, _log_slope(sigma, clock[nodes]))
    return np.concatenate([[0.0], np.cumsum(np.log1p(np.maximum(a * a * slopes[:-1], -0.999)))])


def _hidden_variance(sigma: Activation, clock: FloatArray, a: float) -> tuple[float, float]:
    """Return d times the variance of log ‖h_L‖²/‖h_0‖², and how log T_L responds to log T_0."""
    layers = len(clock) - 1
    response = _propagators(sigma, clock, a)
    middle, count = _groups(layers)
    weight = count * a * a * np.exp(response[-1] - response[middle + 1]) / clock[-1]
    inner = weight[:, None] * square_coefficients(sigma, clock[middle], _ORDER)
    ends = np.zeros((2, _ORDER + 1))
    ends[:, 2] = -math.sqrt(2), math.sqrt(2)  # B²/t at the first and the last layer
    times = np.concatenate([clock[[0, -1]], clock[middle]])
    sensitivity = math.exp(response[-1]) * clock[0] / clock[-1]
    return _variance(np.concatenate([ends, inner]), times), sensitivity


def _gradient(sigma: Activation, slope: Activation, clock: FloatArray, a: float) -> tuple[float, float]:
    """Return the mean of log ‖p_0‖²/‖p_L‖² as d → ∞, and d times its variance."""
    layers = len(clock) - 1
    middle, count = _groups(layers)
    times = clock[middle]
    gain, fourth = even_moments(slope, times)
    growth = 1 + a * a * gain
    mean = float(np.sum(count * np.log(growth)))
    slopes = square_coefficients(slope, times, _ORDER)
    # ‖D p‖²/‖p‖²: units that are active at both layers, E σ'(B_s)² σ'(B_t)².
    both = np.minimum.outer(times, times) / np.maximum.outer(times, times)
    overlap = np.zeros_like(both)
    power = np.ones_like(both)
    for n in range(_ORDER + 1):
        overlap += power * np.outer(slopes[:, n], slopes[:, n])
        power = power * np.sqrt(both)
    # log of Q_k = E ‖p‖² after the layers above k, on the middle layers.
    steps = count * np.log(growth)
    log_q = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
    relative = np.exp(np.minimum(log_q[1:][None, :] - log_q[1:][:, None], 0.0))
    later = np.triu(relative * overlap, 1) * (count * (growth - 1) / np.maximum(gain, 1e-300))[None, :]
    aligned = gain * np.exp(-log_q[1:]) + later.sum(axis=1)
    noise = count * (4 * a * a * aligned + 2 * a**4 * fourth) / growth**2
    # σ'² itself, and what ρ₁ gains when the clock is ahead.
    response = _propagators(sigma, clock, a)[middle]
    ahead = count * a * a * _log_slope(slope, times) / growth
    behind = np.tril(np.exp(np.minimum(response[:, None] - response[None, :], 700.0)), -1)
    inner = (ahead @ behind) * count * a * a
    pieces = np.concatenate(
        [
            (count * a * a / growth)[:, None] * slopes,
            inner[:, None] * square_coefficients(sigma, times, _ORDER),
        ]
    )
    return mean, float(noise.sum()) + _variance(pieces, np.concatenate([times, times]))
