"""Norms of several inputs and of the tangents attached to them, sixteen networks in lanes."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.kernels._words import LAYER, TANH

_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)


@helper
def normalise(constants, shape, owners, table, frames):
    """Replace inputs by their norms, and tangents by the derivatives along them.

    Tangents come first: they need the inputs as they are. An input's exponent is gone then, and a tangent's
    is relative to it; tanh leaves both.
    """
    for tangents in range(2):
        for v in range(_ZERO, shape.count):
            if (owners[v] >= 0) != (tangents == 0):
                continue
            owner = np.uint64(owners[v]) if owners[v] >= 0 else v
            for lane in range(_ZERO, _SIXTEEN):
                frame = frames[owner * _SIXTEEN + lane]
                first, x = v * shape.size + lane, owner * shape.size + lane
                if constants.norm == TANH:
                    squash(constants.norm_gamma, shape.rows, table, first, x, frame)
                    continue
                divide(constants, shape.rows, table, first, x, frame)
                frames[v * _SIXTEEN + lane] -= frame


@helper
def squash(gamma, rows, table, first, x, frame):
    """Replace the entries of x by tanh(γ x), in their frame, or those of a tangent by the derivative."""
    bounded = int(min(max(frame, -EVALUATION_LIMIT), EVALUATION_LIMIT))
    up, down = math.ldexp(gamma, bounded), math.ldexp(1.0, -bounded)
    for j in range(_ZERO, rows * _SIXTEEN, _SIXTEEN):
        t = math.tanh(table[x + j] * up)
        table[first + j] = t * down if first == x else table[first + j] * (gamma * (1.0 - t * t))


@helper
def divide(constants, rows, table, first, x, frame):
    """Divide x by the root of its mean square, or project a tangent and divide it by the same."""
    layer = constants.norm == LAYER
    mean = mean_of(rows, table, x) if layer else 0.0
    square = 0.0
    for j in range(_ZERO, rows * _SIXTEEN, _SIXTEEN):
        square += (table[x + j] - mean) * (table[x + j] - mean)
    floor = math.ldexp(math.sqrt(constants.norm_eps), int(min(max(-frame, -1000), 1000)))
    length = math.hypot(math.sqrt(square / np.float64(rows)), floor)
    inverse = 1.0 / length if length > 0.0 else 0.0
    if first == x:
        for j in range(_ZERO, rows * _SIXTEEN, _SIXTEEN):
            table[x + j] = (table[x + j] - mean) * inverse
        return
    shift = mean_of(rows, table, first) if layer else 0.0
    along = 0.0
    for j in range(_ZERO, rows * _SIXTEEN, _SIXTEEN):
        along += table[first + j] * (table[x + j] - mean)
    along *= inverse * inverse / np.float64(rows)
    for j in range(_ZERO, rows * _SIXTEEN, _SIXTEEN):
        table[first + j] = (table[first + j] - shift - along * (table[x + j] - mean)) * inverse


@helper
def mean_of(rows, table, first):
    """Return the mean of a vector's entries."""
    total = 0.0
    for j in range(_ZERO, rows * _SIXTEEN, _SIXTEEN):
        total += table[first + j]
    return total / np.float64(rows)
