"""Smooth weights, ``rbf:VARIANCE``: V_k = 𝒱(k/L) with kernel exp(-τ²/(2 VARIANCE))."""

from __future__ import annotations

import math

from montecarlo.processes._family import Family


def _allowed(variance: float) -> bool:
    return 1e-12 <= variance <= 1e12


def _lag(m: int, depth: int, variance: float) -> float:
    tau = m / depth
    return math.exp(-tau * tau / (2.0 * variance))


FAMILY = Family(
    name="rbf",
    parameters=("VARIANCE",),
    meaning="values at k/L of a process with kernel exp(-τ²/(2 VARIANCE))",
    rule="1e-12 <= VARIANCE <= 1e12",
    example="rbf:0.01",
    allowed=_allowed,
    lag=_lag,
    smooth=True,
)
