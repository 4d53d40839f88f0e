"""The vector between two words of the dense engine: how it begins, is spread, measured and normalised."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import LANES, inline
from montecarlo.common._scalars import larger, ldexp
from montecarlo.engines.dense._records import Vector
from montecarlo.engines.dense._state import log_norm
from montecarlo.kernels._records import alpha_of
from montecarlo.kernels._words import LAYER

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)


@inline
def whole(network, state):
    """Return the state's rounding as the vector that a sentence begins with."""
    d = network.width
    return Vector(np.int64(0), state.exponents[0], 1.0, d, d, np.int64(0), True, False)


@inline
def spread(vector, buffers, tape):
    """Return a vector on all units, with zeros where it had none."""
    if vector.support == 0:
        return vector
    values, out = buffers[vector.front], buffers[1 - vector.front]
    units = tape.units[vector.support]
    for j in range(_ZERO, vector.size):
        out[j] = np.float32(0.0)
    for i in range(_ZERO, vector.count):
        out[units[i]] = values[i]
    front, size = 1 - vector.front, vector.size
    return Vector(front, vector.frame, vector.divisor, size, size, np.int64(0), vector.raw, vector.biased)


@inline
def log_length(vector, state):
    """Return the log-norm of a vector."""
    if vector.raw:
        return log_norm(state.mantissas, vector.count, vector.frame)
    return log_norm(state.buffers[vector.front], vector.count, vector.frame) - math.log(vector.divisor)


@inline
def remember(rest, log_inputs, matrix, k, vector, state):
    """Remember the log-norm of what a matrix meets, for the norm of its gradient."""
    if rest is None:
        return
    if log_inputs.shape[1] > 0:
        log_inputs[matrix, k] = log_length(vector, state)


@inline
def finish(rest, network, weights, matrix, row, k, vector, state, work):
    """Store the log-norm of a matrix's gradient: the product of the vectors on its two sides."""
    if rest is None:
        return
    if weights.size > 0:
        log_p = log_length(vector, state) - work.starts[1]
        alpha = alpha_of(network.constants, k)
        log_alpha = math.log(alpha) if alpha > 0.0 else -np.inf
        weights[row, k] = log_alpha + log_p + work.log_inputs[matrix, k] - work.starts[0]


@inline
def pad(entries, n):
    """Put zeros behind the first n entries, up to a multiple of eight."""
    for i in range(n, (n + _LANES - _ONE) // _LANES * _LANES):
        entries[i] = 0


@inline
def measure(network, x, frame, divisor):
    """Return the mean that a norm takes off, the factor of what is left, and the length that it divides by.

    The factor makes the entries of x those of ``n(x)``; the length is √(mean square + ε) in true scale. The
    norm of zero is zero.
    """
    d = network.width
    mean = 0.0
    if network.constants.norm == LAYER:
        for j in range(_ZERO, d):
            mean += np.float64(x[j])
        mean /= np.float64(d)
    peak = 0.0
    for j in range(_ZERO, d):
        peak = larger(peak, abs(np.float64(x[j]) - mean))
    total = 0.0
    if peak > 0.0:
        for j in range(_ZERO, d):
            ratio = (np.float64(x[j]) - mean) / peak
            total += ratio * ratio
    floor = ldexp(math.sqrt(network.constants.norm_eps) * divisor, -frame)
    length = math.hypot(peak * math.sqrt(total / np.float64(d)), floor)
    if length == 0.0:
        return mean, 0.0, 0.0
    return mean, 1.0 / length, ldexp(length / divisor, frame)


@inline
def tilt(network, x, direction):
    """Return what a norm's derivative takes off: the mean, and the multiple of the direction."""
    mean = 0.0
    along = 0.0
    for j in range(_ZERO, network.width):
        mean += np.float64(x[j])
        along += np.float64(x[j]) * np.float64(direction[j])
    d = np.float64(network.width)
    return (mean / d if network.constants.norm == LAYER else 0.0), along / d
