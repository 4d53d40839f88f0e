"""The arithmetic of the correlated engine's states.

Error analysis. Products are float32 with a sum of d fused terms, as in the dense engine; states are pairs of
float32 numbers, which lose nothing to the number of layers; norms are float64. Differences are taken from
the states, except small ones, which are float32 sums of L terms, relative error about √L·6e-8.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.kernels._columns import (
    LARGE_BITS,
    SMALL_BITS,
    advance_columns,
    clear_column,
    column_log_norm,
    rescale_column,
)
from montecarlo.kernels._records import alpha_of

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_ABS = np.uint32(0x7FFFFFFF)
_VISIBLE = 10.0 * math.log(2.0)  # a state 2**-10 of its start away still has 38 bits of the distance


@helper
def begin(network, state, starts, lowest):
    """Begin at the given vectors, each in the frame of its own exponent; the lost ones stay lost."""
    d, columns = network.width, network.columns
    for i in range(_ZERO, d):
        for c in range(_ZERO, columns):
            place = np.uint64(i) * columns + np.uint64(c)
            state.high[place] = starts[i, c]
            state.low[place] = np.float32(0.0)
            state.difference[place] = np.float32(0.0)
    for c in range(_ZERO, columns):
        peak = np.uint32(0)
        for i in range(_ZERO, d):
            place = np.uint64(i) * columns + np.uint64(c)
            peak = max(peak, np.uint32(np.float32(state.high[place]).view(np.uint32) & _ABS))
        state.exponents[c] = 0
        state.start_exponents[c] = 0
        state.peaks[c] = peak
        fit(network, state, np.uint64(c), lowest)
        state.start_exponents[c] = state.exponents[c]
    state.waiting[0] = -1


@helper
def fit(network, state, column, lowest):
    """Rescale a column; clear it if it is lost, here or on the way before."""
    d, columns = network.width, network.columns
    state.exponents[column], is_finite = rescale_column(
        state.high, state.low, state.difference, d, columns, column, state.peaks[column],
        state.exponents[column], state.start_exponents[column], lowest,
    )  # fmt: skip
    if not is_finite or not state.finite[column]:
        state.finite[column] = False
        clear_column(state.high, state.low, state.difference, d, columns, column)


@inline
def factor_of(network, roots, inner_roots):
    """Return the factor of a number of √d and of √M."""
    factor = 1.0
    for _ in range(roots):
        factor = factor / network.root_d
    for _ in range(inner_roots):
        factor = factor / network.root_inner
    return factor


@helper
def set_frames(network, state):
    """Compute the columns' factors for increments."""
    factor = factor_of(network, state.waiting[0], state.waiting[1]) * state.schedule[0]
    for c in range(state.steps.size):
        exponent = state.exponents[c]
        step, behind = network.scales[c] * factor, min(exponent - state.start_exponents[c], 0)
        unit = factor if state.units[c] == network.scales[c] else step
        if state.waiting[2] != 0:
            step = math.ldexp(step, int(max(-exponent, -2000)))
            behind = -max(exponent, state.start_exponents[c])
        state.steps[c] = np.float32(step)
        state.frames[c] = np.float32(math.ldexp(unit, int(max(behind, -2000))))


@inline
def schedule_of(constants, k):
    """Return the factor of α in a layer."""
    return alpha_of(constants, k) / constants.alpha if constants.alphas.size > 1 else 1.0


@inline
def advance(network, k, state, vector, lowest):
    """Add a branch, or its transposed derivative, to all columns, each with its α; keep them in range."""
    waiting, schedule = state.waiting, schedule_of(network.constants, k)
    same = vector.roots == waiting[0] and vector.inner_roots == waiting[1] and schedule == state.schedule[0]
    if not same or np.int64(vector.normed) != waiting[2]:
        waiting[0], waiting[1], waiting[2] = vector.roots, vector.inner_roots, np.int64(vector.normed)
        state.schedule[0] = schedule
        set_frames(network, state)
    if network.constants.skip != 1.0:
        shrink(network, state)
    if network.width == _ONE:
        for c in range(_ZERO, network.columns):
            state.before[c] = state.high[c]
    advance_columns(
        state.high, state.low, state.difference, state.buffers[vector.front], state.steps, state.frames,
        network.width, network.columns, state.peaks,
    )  # fmt: skip
    outside = np.uint32(0)
    for c in range(_ZERO, network.networks):
        # A peak below SMALL_BITS wraps to a large number.
        outside = max(outside, np.uint32(state.peaks[c] - SMALL_BITS))
    if outside >= np.uint32(LARGE_BITS - SMALL_BITS):
        keep_in_range(network, state, lowest)


@helper
def shrink(network, state):
    """Multiply the states with the skip factor."""
    skip = network.constants.skip
    for c in range(_ZERO, network.columns):
        behind = min(state.exponents[c] - state.start_exponents[c], 0)
        frame = math.ldexp(1.0, int(max(behind, -2000)))
        for i in range(_ZERO, network.width):
            place = np.uint64(i) * network.columns + np.uint64(c)
            old = np.float64(state.high[place]) + np.float64(state.low[place])
            put(state, place, skip * old, (skip - 1.0) * old * frame)


@inline
def put(state, place, new, change):
    """Store an entry of a state, and add to that of its difference."""
    state.high[place] = np.float32(new)
    state.low[place] = np.float32(new - np.float64(state.high[place]))
    state.difference[place] = np.float32(np.float64(state.difference[place]) + change)


@helper
def settle(network, state, lowest):
    """Look at the largest entries of all states, and keep them in range."""
    for c in range(_ZERO, network.columns):
        peak = np.uint32(0)
        for i in range(_ZERO, network.width):
            place = np.uint64(i) * network.columns + np.uint64(c)
            peak = max(peak, np.uint32(np.float32(state.high[place]).view(np.uint32) & _ABS))
        state.peaks[c] = peak
        fit(network, state, np.uint64(c), lowest)
    set_frames(network, state)


@helper
def keep_in_range(network, state, lowest):
    """Rescale the columns that need it.

    A single unit that cancels to exactly zero did so for lack of digits: 2**-25 of it is left.
    """
    peaks, high = state.peaks, state.high
    changed = False
    for c in range(_ZERO, network.networks):
        lone = network.width == _ONE and state.before[c] != np.float32(0.0)
        if lone and peaks[c] == np.uint32(0) and state.low[c] == 0.0:
            high[c] = state.before[c] * np.float32(2.0**-25)
            peaks[c] = np.uint32(np.float32(high[c]).view(np.uint32) & _ABS)
        exponent = state.exponents[c]
        fit(network, state, np.uint64(c), lowest)
        changed = changed or state.exponents[c] != exponent
    if changed:
        set_frames(network, state)


@helper
def log_state(network, state, c):
    """Return the natural log of the norm of a state."""
    column = np.uint64(c)
    return column_log_norm(
        state.high, state.low, network.width, network.columns, column, state.exponents[column]
    )


@helper
def log_vector(network, state, vector, c):
    """Return that of a vector, without the factors that wait; the state itself has more digits."""
    if vector.front == 0:
        return log_state(network, state, c)
    column, table = np.uint64(c), state.buffers[vector.front]
    frame = np.int64(0) if vector.normed else state.exponents[column]
    return column_log_norm(table, state.none, vector.size, network.columns, column, frame)


@helper
def log_distance(network, state, starts, c, log_start):
    """Return the natural log of ``‖2**exponent * (high + low) - start‖``.

    From the state itself where it has moved visibly. Below, its rounding would show, and the sum of the
    increments takes over, which in turn keeps the rounding of the largest state that there was on the way.
    """
    d, columns, column = network.width, network.columns, np.uint64(c)
    exponent = state.exponents[column]
    up = max(exponent, np.int64(0))
    largest = 0.0
    total = 0.0
    for second in range(2):
        for j in range(_ZERO, d):
            place = np.uint64(j) * columns + column
            x = np.float64(state.high[place]) + np.float64(state.low[place])
            x = math.ldexp(x, int(max(exponent - up, -2000)))
            x -= math.ldexp(np.float64(starts[j, column]), int(max(-up, -2000)))
            if second == 0:
                largest = max(largest, abs(x))
            else:
                total += (x / largest) * (x / largest)
        if not largest > 0.0:
            break
    if largest > 0.0:
        moved = math.log(largest) + 0.5 * math.log(total) + up * math.log(2.0)
        if moved > log_start - _VISIBLE:
            return moved
    frame = max(exponent, state.start_exponents[column])
    log_scale = math.log(state.units[column])
    return column_log_norm(state.difference, state.none, d, columns, column, frame) + log_scale
