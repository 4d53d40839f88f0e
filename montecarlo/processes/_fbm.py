"""Fractional Gaussian noise: increments of fractional Brownian motion, ``fbm:H``.

``γ(m) = (|m-1|^{2H} - 2 m^{2H} + (m+1)^{2H}) / 2`` cancels to its relative part m^-2. The binomial series

    γ(m) = m^{2H} Σ_{j>=1} C(2H, 2j) m^{-2j},    m >= 2,

has terms of one sign, that of 2H - 1, so it keeps full relative accuracy at every lag, and gives exactly
white noise at H = 1/2.
"""

from __future__ import annotations

import math

from montecarlo.processes._family import Family


def fgn_covariance(m: int, hurst: float) -> float:
    """Return γ(m) of fractional Gaussian noise with unit variance.

    Examples
    --------
    >>> [fgn_covariance(m, 0.5) for m in range(3)]
    [1.0, 0.0, 0.0]
    >>> round(fgn_covariance(1, 0.75), 12) == round(2**0.5 - 1, 12)
    True
    """
    if m == 0:
        return 1.0
    power = 2.0 * hurst
    if m == 1:
        return math.expm1((power - 1.0) * math.log(2.0))
    square = 1.0 / (m * m)
    term = 0.5 * power * (power - 1.0) * square
    total, j = term, 2.0
    while abs(term) > 1e-17 * abs(total):
        term *= (power - j) * (power - j - 1.0) / ((j + 1.0) * (j + 2.0)) * square
        total += term
        j += 2.0
    return math.pow(m, power) * total


def _allowed(hurst: float) -> bool:
    return 0.0 < hurst < 1.0


def _lag(m: int, depth: int, hurst: float) -> float:
    return fgn_covariance(m, hurst)


FAMILY = Family(
    name="fbm",
    parameters=("H",),
    meaning="fractional Gaussian noise, the increments of fractional Brownian motion (H = 1/2: white noise)",
    rule="0 < H < 1",
    example="fbm:0.7",
    allowed=_allowed,
    lag=_lag,
)
