"""
Gradients of pre-norm networks at a²L = τ, L → ∞, at fixed width (N6, N6L; *derived*).

H = h in depth-time is a Brownian motion of variance c a coordinate, R = ‖H‖². A tangent T moves by
`dT = √(c'(‖T‖² − (T·Ĥ)²)/R) dB'` with B' independent of H, so that given H, E TTᵀ stays a multiple of I and
grows at the rate κ/R, κ = c'(d − 1). By J0 E‖p_0‖² is that of an isotropic tangent:

    E‖p_0‖²/‖p_L‖² = E exp(κ ∫_0^τ dt/R_t) = E^{(μ)} (ρ_τ/ρ_0)^{2p},

where ρ = √R is under E^{(μ)} a Bessel process of index μ = √(ν² − 2κ/c) instead of ν = d/2 − 1, p = (ν −
μ)/2. The Bessel moment is a ₁F₁. It is finite if and only if 2κ/c <= ν².

(‖T‖⁴, ‖T‖²(T·Ĥ)², (T·Ĥ)⁴) has closed means, too, in the clock ∫dt/R, which is independent of the angle: three
rates, of which the largest decides whether ‖p_0‖² has a variance. Proofs: docs/theory/normalised.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation
from theory.common._validate import FloatArray

_NORMS = ("rms", "layer")
_REACH = 13.0


@dataclass(frozen=True)
class GradientProcess:
    """
    What N6 depends on.

    Attributes
    ----------
    dimension : int
        That of the Bessel process ρ = ‖H‖ or ‖CH‖.
    width : int
        d.
    energy, slope : float
        c and c'.
    """

    dimension: int
    width: int
    energy: float
    slope: float

    @property
    def index(self) -> float:
        """ν."""
        return 0.5 * self.dimension - 1

    @property
    def mean_rate(self) -> float:
        """κ/c: growth of E‖T‖² in the clock c∫dt/R, (rank of the tangent's noise) c'/c."""
        return self.slope / self.energy * (self.width - 1 if self.dimension == self.width else self.width - 2)

    @property
    def highest_rate(self) -> float:
        """ν²/2, the largest rate whose exponential is integrable."""
        return 0.5 * self.index**2


def gradient_process(
    width: int, activation: Activation, derivative: Activation | None, norm: str
) -> GradientProcess:
    """Return the process of a pre-norm network, or refuse its width, norm or activation."""
    d = int(_validate.width(width, minimum=2))
    _validate.choice("norm", norm, _NORMS, fix="choose one")
    energy = activation_energy(activation, derivative=derivative)
    return GradientProcess(d if norm == "rms" else d - 1, d, energy.mean, energy.slope)


def square_rates(width: int, ratio: float) -> tuple[FloatArray, FloatArray]:
    """Return rates and weights of E‖T‖⁴ in the clock c∫dt/R, T isotropic, c'/c = ratio, RMS norm."""
    d, q = float(width), ratio
    # Means of (‖T‖⁴, ‖T‖²y, y²), y = (T·Ĥ)²; b = ‖T‖² − y is what both noises act on.
    matrix = np.array(
        [
            [(2 * d + 4) * q, -(2 * d + 4) * q, 0.0],
            [1 + q, (d + 4) * q - (1 + q) - (d - 1), -(d + 4) * q],
            [0.0, 6 * (1 + q), -6 * (1 + q) - 2 * (d - 1)],
        ]
    )
    start = np.array([1.0, 1 / d, 3 / (d * (d + 2))])
    rates, vectors = np.linalg.eig(matrix)
    weights = vectors[0] * np.linalg.solve(vectors, start)
    return np.asarray(np.real(rates), np.float64), np.asarray(np.real(weights), np.float64)


def log_bessel_moment(*, index: float, rate: float, start: float, time: float, power: float = 0.0) -> float:
    """
    Return log E[exp(rate ∫_0^t ds/ρ_s²) (ρ_t/ρ_0)^{2·power}], ρ a Bessel process of the given index.

    Parameters
    ----------
    index : float
        ν >= 0.
    rate : float
        λ <= ν²/2.
    start : float
        ρ_0² > 0.
    time : float
        t > 0.
    power : float, optional
        r, above −(1 + (ν + √(ν² − 2λ))/2); 0 by default.

    Notes
    -----
    With μ = √(ν² − 2λ), q = (ν − μ)/2 + r and x = ρ_0²/(2t), it is `x^{-q} Γ(μ+1+q)/Γ(μ+1) ₁F₁(−q; μ+1; −x)`,
    summed here as a Poisson mixture of the moments of χ²: all terms are positive.

    Examples
    --------
    >>> print(f"{math.exp(log_bessel_moment(index=7.0, rate=15.0, start=16.0, time=0.5)):.5f}")
    1.48965
    """
    mu = math.sqrt(max(0.0, index * index - 2 * rate))
    q = 0.5 * (index - mu) + power
    x = 0.5 * start / time
    if x > max(1e4, 50 * (abs(q) + mu) ** 2):
        # The Poisson sum would be long, and its Gamma functions inexact; the expansion in 1/x has converged.
        term, total = 1.0, 0.0
        for k in range(12):
            term *= (k - q) * (k - q - mu) / ((k + 1) * x)
            total += term
        return math.log1p(total)
    reach = _REACH * math.sqrt(x) + 60.0 + 2 * abs(q)
    n = np.arange(max(0.0, math.floor(x - reach)), math.ceil(x + reach) + 1)
    log_terms = stats.poisson.logpmf(n, x) + special.gammaln(mu + 1 + q + n) - special.gammaln(mu + 1 + n)
    return float(special.logsumexp(log_terms)) - q * math.log(x)
