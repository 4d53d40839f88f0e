"""Norms of the correlated engine, on the branch and on the stream, forward and backward.

A norm leaves a direction, which the tape keeps beside the length that it divided by; its derivative is
``(I - n nᵀ/d) / length``, less the mean for a layer norm. Sums are float64, over the units in order.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.engines.correlated._records import Vector
from montecarlo.engines.correlated._state import factor_of, put, settle
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.kernels._words import LAYER, TANH

_ZERO = np.uint64(0)


@inline
def norm(network, state, vector, tape, slot):
    """Normalise vectors of the width."""
    front = np.int64(2) if vector.front == 1 else np.int64(1)
    scale = factor_of(network, vector.roots, vector.inner_roots)
    if network.constants.norm == TANH:
        squash(network, state, vector, scale, front, tape.slopes[slot])
        return Vector(front, network.width, np.int64(0), np.int64(0), False, vector.normed)
    low = state.low if vector.front == 0 else state.none
    table, sums = state.buffers[vector.front], state.sums
    measure(network, table, low, sums)
    for c in range(_ZERO, network.columns):
        frame = np.int64(0) if vector.normed else state.exponents[c]
        sums[1, c], tape.lengths[slot, c] = inverse_of(network, sums[1, c], frame, scale)
    out, kept = state.buffers[front], tape.slopes[slot]
    for i in range(_ZERO, network.width):
        for c in range(_ZERO, network.columns):
            place = np.uint64(i) * network.columns + np.uint64(c)
            x = np.float64(table[place]) + (np.float64(low[place]) if low.size > 0 else 0.0)
            out[place] = np.float32((x - sums[0, c]) * sums[1, c])
            kept[place] = out[place]
    return Vector(front, network.width, np.int64(0), np.int64(0), False, True)


@helper
def measure(network, table, low, sums):
    """Store the means that a norm takes off, and the sums of the squares of what is left."""
    d, columns = network.width, network.columns
    sums[:] = 0.0
    if network.constants.norm == LAYER:
        for i in range(_ZERO, d):
            for c in range(_ZERO, columns):
                place = np.uint64(i) * columns + np.uint64(c)
                sums[0, c] += np.float64(table[place]) + (np.float64(low[place]) if low.size > 0 else 0.0)
        for c in range(_ZERO, columns):
            sums[0, c] /= np.float64(d)
    for i in range(_ZERO, d):
        for c in range(_ZERO, columns):
            place = np.uint64(i) * columns + np.uint64(c)
            x = np.float64(table[place]) + (np.float64(low[place]) if low.size > 0 else 0.0) - sums[0, c]
            sums[1, c] += x * x


@inline
def inverse_of(network, square, frame, scale):
    """Return the factor that normalises entries, and the length that it divides by, in true scale.

    The norm of zero is zero.
    """
    up = math.ldexp(scale, int(min(max(frame, -900), 900)))
    floor = math.sqrt(network.constants.norm_eps) / up
    length = math.hypot(math.sqrt(square / np.float64(network.width)), floor)
    return (1.0 / length if length > 0.0 else 0.0), length * up


@helper
def squash(network, state, vector, scale, front, slopes):
    """Evaluate tanh(γ x), in the frame of x as an activation is, and its slope."""
    x, out = state.buffers[vector.front], state.buffers[front]
    low = state.low if vector.front == 0 else state.none
    for c in range(_ZERO, network.columns):
        frame = np.int64(0) if vector.normed else state.exponents[c]
        bounded = int(min(max(frame, -EVALUATION_LIMIT), EVALUATION_LIMIT))
        up, down = math.ldexp(network.constants.norm_gamma * scale, bounded), math.ldexp(1.0, -bounded)
        for i in range(_ZERO, network.width):
            place = np.uint64(i) * network.columns + np.uint64(c)
            entry = np.float64(x[place]) + (np.float64(low[place]) if low.size > 0 else 0.0)
            t = math.tanh(entry * up)
            out[place] = np.float32(t * down)
            slopes[place] = np.float32(network.constants.norm_gamma * (1.0 - t * t))


@inline
def norm_back(network, state, vector, tape, slot):
    """Multiply with a norm's derivative; factors that wait wait on."""
    front = np.int64(2) if vector.front == 1 else np.int64(1)
    low = state.low if vector.front == 0 else state.none
    x, out, kept = state.buffers[vector.front], state.buffers[front], tape.slopes[slot]
    if network.constants.norm == TANH:
        for i in range(_ZERO, network.width * network.columns):
            out[i] = x[i] * kept[i]
    else:
        tilt(network, x, low, kept, state.sums)
        for c in range(_ZERO, network.columns):
            length = tape.lengths[slot, c]
            inverse = 1.0 / length if length > 0.0 else 0.0
            for i in range(_ZERO, network.width):
                place = np.uint64(i) * network.columns + np.uint64(c)
                left = np.float64(x[place]) + (np.float64(low[place]) if low.size > 0 else 0.0)
                left -= state.sums[0, c] + state.sums[1, c] * np.float64(kept[place])
                out[place] = np.float32(left * inverse)
    return Vector(front, network.width, vector.roots, vector.inner_roots, False, False)


@helper
def tilt(network, x, low, direction, sums):
    """Store what a norm's derivative takes off: the means, and the multiples of the directions."""
    d, columns = network.width, network.columns
    sums[:] = 0.0
    for i in range(_ZERO, d):
        for c in range(_ZERO, columns):
            place = np.uint64(i) * columns + np.uint64(c)
            entry = np.float64(x[place]) + (np.float64(low[place]) if low.size > 0 else 0.0)
            sums[0, c] += entry
            sums[1, c] += entry * np.float64(direction[place])
    for c in range(_ZERO, columns):
        sums[0, c] = sums[0, c] / np.float64(d) if network.constants.norm == LAYER else 0.0
        sums[1, c] /= np.float64(d)


@helper
def stream_norm(network, state, tape, slot):
    """Normalise the states, which have a scale of their own from then on."""
    measure(network, state.high, state.low, state.sums)
    kept = tape.slopes[slot]
    for c in range(_ZERO, network.columns):
        exponent, start = state.exponents[c], state.start_exponents[c]
        factor, tape.lengths[slot, c] = inverse_of(network, state.sums[1, c], exponent, 1.0)
        frame = max(start, np.int64(0))
        moved = math.ldexp(1.0, int(max(exponent, start) - frame))
        down, was = math.ldexp(1.0, int(-frame)), math.ldexp(1.0, int(max(exponent - frame, -2000)))
        for i in range(_ZERO, network.width):
            place = np.uint64(i) * network.columns + np.uint64(c)
            old = np.float64(state.high[place]) + np.float64(state.low[place])
            new = (old - state.sums[0, c]) * factor
            state.difference[place] = np.float32(np.float64(state.difference[place]) * moved)
            put(state, place, new, new * down - old * was)
            kept[place] = np.float32(new)
        state.exponents[c] = 0
    settle(network, state, network.lowest)


@helper
def stream_norm_back(network, state, tape, slot, lowest):
    """Multiply the gradients with the derivative of the stream's norm."""
    kept = tape.slopes[slot]
    tilt(network, state.high, state.low, kept, state.sums)
    for c in range(_ZERO, network.columns):
        length = tape.lengths[slot, c]
        inverse = 1.0 / length if length > 0.0 else 0.0
        behind = int(max(min(state.exponents[c] - state.start_exponents[c], 0), -2000))
        down = math.ldexp(1.0, behind)
        for i in range(_ZERO, network.width):
            place = np.uint64(i) * network.columns + np.uint64(c)
            old = np.float64(state.high[place]) + np.float64(state.low[place])
            new = (old - state.sums[0, c] - state.sums[1, c] * np.float64(kept[place])) * inverse
            put(state, place, new, (new - old) * down)
    settle(network, state, lowest)
