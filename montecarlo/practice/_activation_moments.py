"""Moments of an activation at a normal number, quickly for many variances: tabulated between knots."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from montecarlo.networks._activations import Activation

_KNOT = 0.05  # between arguments of tabulated moments, in log variance


def values_of(function: Any, x: Any) -> Any:
    """Return a function of one float at every entry."""
    return np.vectorize(function, otypes=[np.float64])(x)


def activation_moments(activation: Activation, variance: float) -> tuple[float, float]:
    """Return c = E σ(√s Z)² and Var σ(√s Z)², off by 1e-4 at most between the knots in log s."""
    place = math.log(variance) / _KNOT if variance > 0 else -math.inf
    if not math.isfinite(place):
        return _moments_at(activation, 0.0)
    low = math.floor(place)
    share = place - low
    (c, v), (c_next, v_next) = (_moments_at(activation, math.exp(_KNOT * k)) for k in (low, low + 1))
    if min(c, c_next, v, v_next) <= 0:
        return _moments_at(activation, variance)
    between = [
        math.exp((1 - share) * math.log(x) + share * math.log(y)) for x, y in ((c, c_next), (v, v_next))
    ]
    return between[0], between[1]


@lru_cache(maxsize=4096)
def _moments_at(activation: Activation, variance: float) -> tuple[float, float]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(96)
    weights = weights / weights.sum()
    square = np.square(values_of(activation.value, math.sqrt(variance) * nodes))
    c = float(weights @ square)
    return c, max(float(weights @ np.square(square)) - c * c, 0.0)
