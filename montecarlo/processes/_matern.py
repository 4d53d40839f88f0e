"""Matérn weights, ``matern:NU:SCALE``: V_k = 𝒱(k/L), 𝒱 with a Matérn kernel.

With x = √(2ν) τ / SCALE the kernel is e^{-x} times 1 (ν = 1/2, Ornstein-Uhlenbeck), 1 + x (ν = 3/2) or
1 + x + x²/3 (ν = 5/2): paths with ν - 1/2 derivatives.
"""

from __future__ import annotations

import math

from montecarlo.processes._family import Family
from montecarlo.processes._markov import MarkovFactor

_POLYNOMIALS = {0.5: (1.0,), 1.5: (1.0, 1.0), 2.5: (1.0, 1.0, 1.0 / 3.0)}


def _allowed(nu: float, scale: float) -> bool:
    return nu in _POLYNOMIALS and 1e-9 <= scale <= 1e9


def _lag(m: int, depth: int, nu: float, scale: float) -> float:
    x = math.sqrt(2.0 * nu) * m / (depth * scale)
    decay = math.exp(-x)
    return decay * sum(c * x**i for i, c in enumerate(_POLYNOMIALS[nu])) if decay else 0.0


def _factor(depth: int, nu: float, scale: float) -> MarkovFactor:
    return MarkovFactor(depth, round(nu + 0.5), math.sqrt(2.0 * nu) / (depth * scale))


FAMILY = Family(
    name="matern",
    parameters=("NU", "SCALE"),
    meaning="values at k/L of a Matérn process of smoothness NU and length SCALE",
    rule="NU one of 0.5, 1.5, 2.5 and 1e-9 <= SCALE <= 1e9",
    example="matern:1.5:0.1",
    allowed=_allowed,
    lag=_lag,
    factor=_factor,
)
