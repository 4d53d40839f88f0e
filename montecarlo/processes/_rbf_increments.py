"""Normalised increments of a smooth process, ``rbf-increments:VARIANCE``.

With k(τ) = exp(-τ²/(2v)) and δ = 1/L, the increments over a layer have at lag τ = m δ the covariance

    γ = (2 k(τ) - k(τ-δ) - k(τ+δ)) / (2 - 2 k(δ))
      = k(τ) (1 - 2 k(δ) sinh²(τδ/(2v)) / (1 - k(δ))),

the second form free of cancellation for small τδ/v. For L → ∞ it is (1 - τ²/v) exp(-τ²/(2v)), the covariance
of the derivative process.
"""

from __future__ import annotations

import math

from montecarlo.processes._family import Family


def _allowed(variance: float) -> bool:
    return 1e-12 <= variance <= 1e12


def _lag(m: int, depth: int, variance: float) -> float:
    delta = 1.0 / depth
    tau = m * delta

    def k(x: float) -> float:
        return math.exp(-x * x / (2.0 * variance))

    variance_of_increment = -math.expm1(-delta * delta / (2.0 * variance))
    ratio = tau * delta / variance
    if ratio > 1.0:  # the three terms differ by factors above e/2: nothing cancels, and sinh might overflow
        return (k(tau) - 0.5 * k(tau - delta) - 0.5 * k(tau + delta)) / variance_of_increment
    return k(tau) * (1.0 - 2.0 * k(delta) * math.sinh(0.5 * ratio) ** 2 / variance_of_increment)


FAMILY = Family(
    name="rbf-increments",
    parameters=("VARIANCE",),
    meaning="normalised increments over [k/L, (k+1)/L] of a process with kernel exp(-τ²/(2 VARIANCE))",
    rule="1e-12 <= VARIANCE <= 1e12",
    example="rbf-increments:0.01",
    allowed=_allowed,
    lag=_lag,
    smooth=True,
)
