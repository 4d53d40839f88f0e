"""The arithmetic of the Gaussian engine's states: sixteen networks in lanes, as the dense engine's one."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import apart, inline
from montecarlo.common._scalars import larger, ldexp, smaller
from montecarlo.kernels._difference import settle_difference
from montecarlo.kernels._lanes import NETWORKS, advance, dot
from montecarlo.kernels._state import LARGEST, UNBOUNDED
from montecarlo.kernels._tilts import stretch

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)
_LARGE = LARGEST**2  # squares of norms
_SMALL = 1.0 / _LARGE
_DEEP = -400  # an exponent below which branches in true units would leave the range of a state's mantissas


@apart
def begin(state, rows, log_starts, lowest):
    """Begin at the state's mantissas; store the logs of the norms there."""
    for lane in range(_ZERO, _SIXTEEN):
        state.exponents[lane] = 0
        state.starts[lane] = 0
    for i in range(_ZERO, rows * _SIXTEEN):
        state.difference[i] = 0.0
    dot(state.mantissas, state.mantissas, rows, state.squares)
    rescale(state, rows, lowest)
    for lane in range(_ZERO, _SIXTEEN):
        state.starts[lane] = state.exponents[lane]
        log_starts[lane] = log_state(state, lane)
    frames(state)
    for i in range(_ZERO, rows * _SIXTEEN):
        state.origin[i] = state.mantissas[i]


@apart
def frames(state):
    """Store, a lane, a unit, and the factor from increments of the state to those of the difference."""
    for lane in range(_ZERO, _SIXTEEN):
        below = smaller(state.exponents[lane] - state.starts[lane], 0)
        state.frame[lane] = ldexp(1.0, larger(below, -2000))
        state.unit[lane] = ldexp(1.0, smaller(larger(-state.exponents[lane], -2000), 1000))


@inline
def step(network, state, x, y, work, lowest):
    """Add ``first x + second y`` to the state, the coefficients those of `work`."""
    if network.rows == _ONE:
        for lane in range(_ZERO, _SIXTEEN):
            work.before[lane] = state.mantissas[lane]
    advance(
        state.mantissas, state.difference, x, y, work.first, work.second, state.frame, network.rows,
        state.squares,
    )  # fmt: skip
    if network.rows == _ONE:
        rescue_cancellation(state, work.before)
    rescale(state, network.rows, lowest)


@inline
def skip(network, state):
    """Multiply the state by the skip factor; the step that follows rescales it."""
    factor = network.constants.skip
    if factor != 1.0:
        stretch(state.mantissas, factor, state.difference, state.frame, network.rows)


@inline
def lift(state, rows):
    """Take states that are far below true units into a frame where increments of such units have room."""
    lowest = np.int64(0)
    for lane in range(_ZERO, _SIXTEEN):
        lowest = smaller(lowest, state.exponents[lane])
    if lowest < _DEEP:
        for lane in range(_ZERO, _SIXTEEN):
            if state.exponents[lane] < _DEEP:
                shift_lane(state, lane, rows, _DEEP - state.exponents[lane])
        frames(state)


@apart
def rescue_cancellation(state, before):
    """At width 1, keep 2**-25 of a state that cancelled to zero for lack of digits of its float32 normals."""
    for lane in range(_ZERO, _SIXTEEN):
        if state.mantissas[lane] == 0.0:
            state.mantissas[lane] = before[lane] * 2.0**-25
            state.squares[lane] = state.mantissas[lane] * state.mantissas[lane]


@inline
def rescale(state, rows, lowest):
    """Keep squared norms between 2**-80 and 2**80, lane by lane; mark lanes that are not finite as dead.

    Exponents do not fall below `lowest`, as in the dense engine.
    """
    inside = 0
    for lane in range(_ZERO, _SIXTEEN):
        # No short circuit: it would be a branch, and keep the loop from being vectorised.
        inside += np.int64((state.squares[lane] > _SMALL) & (state.squares[lane] < _LARGE))
    if inside != NETWORKS:
        for lane in range(_ZERO, _SIXTEEN):
            if not _SMALL < state.squares[lane] < _LARGE:
                rescale_lane(state, lane, rows, lowest)
        frames(state)


@apart
def rescale_lane(state, lane, rows, lowest):
    """Rescale one lane whose squared norm has left the range."""
    mantissas, difference, square = state.mantissas, state.difference, state.squares[lane]
    peak = 0.0
    for j in range(_ZERO, rows):
        entry = abs(mantissas[j * _SIXTEEN + lane])
        peak = larger(peak, entry)
        if not entry < np.inf:
            state.alive[lane] = False
    # The squares may overflow where the state does not.
    if not square < np.inf and not state.alive[lane]:
        for j in range(_ZERO, rows):
            mantissas[j * _SIXTEEN + lane] = 0.0
            difference[j * _SIXTEEN + lane] = 0.0
        state.squares[lane] = 0.0
        return
    if peak == 0.0:
        return
    shift = larger(math.frexp(peak)[1], lowest - state.exponents[lane])
    if shift != 0:
        shift_lane(state, lane, rows, shift)


@apart
def shift_lane(state, lane, rows, shift):
    """Take a power of two out of the mantissas of one lane into its exponent."""
    mantissas, difference = state.mantissas, state.difference
    exponent, start = state.exponents[lane], state.starts[lane]
    change = larger(exponent, start) - larger(exponent + shift, start)
    state.exponents[lane] = exponent + shift
    total = 0.0
    for j in range(_ZERO, rows):
        i = j * _SIXTEEN + lane
        mantissas[i] = ldexp(mantissas[i], -shift)
        difference[i] = ldexp(difference[i], change)
        total += mantissas[i] * mantissas[i]
    state.squares[lane] = total


@inline
def keep_direction(network, state, table, squares):
    """Tape h in float32 with its squared norm; where mantissas may be tiny, ``h/‖h‖`` instead."""
    hidden, n = table.array, network.rows * _SIXTEEN
    if network.lowest == UNBOUNDED:
        for i in range(_ZERO, n):
            hidden[table.start + i] = np.float32(state.mantissas[i])
        for lane in range(_ZERO, _SIXTEEN):
            squares.array[squares.start + lane] = state.squares[lane]
        return
    for lane in range(_ZERO, _SIXTEEN):
        some = state.squares[lane] > 0.0
        scale = 1.0 / math.sqrt(state.squares[lane]) if some else 0.0
        squares.array[squares.start + lane] = 1.0 if some else 0.0
        for i in range(lane, n, _SIXTEEN):
            hidden[table.start + i] = np.float32(scale * state.mantissas[i])


@inline
def half_log(square):
    """Return half the natural log of a square, -inf for zero."""
    return 0.5 * math.log(square) if square > 0.0 else -np.inf


@inline
def log_state(state, lane):
    """Return the natural log of the norm of one lane."""
    return half_log(state.squares[lane]) + state.exponents[lane] * _LN2


@apart
def forget_difference(state, rows):
    """Take the distance from the start anew, where the stream's norms have made it that of two ends."""
    for lane in range(_ZERO, _SIXTEEN):
        frame = larger(state.exponents[lane], state.starts[lane])
        up = larger(state.exponents[lane] - frame, -2000)
        start_up = larger(state.starts[lane] - frame, -2000)
        for i in range(lane, rows * _SIXTEEN, _SIXTEEN):
            end = ldexp(state.mantissas[i], up)
            state.difference[i] = end - ldexp(state.origin[i], start_up)


@apart
def log_difference(state, rows, lane):
    """Return the natural log of the norm of one lane's distance from the start, -inf for zero."""
    settle_difference(
        state.mantissas, state.origin, state.difference, rows, _SIXTEEN, lane, state.exponents[lane],
        state.starts[lane],
    )  # fmt: skip
    peak = 0.0
    for j in range(_ZERO, rows):
        peak = larger(peak, abs(state.difference[j * _SIXTEEN + lane]))
    if peak == 0.0:
        return -np.inf
    total = 0.0
    for j in range(_ZERO, rows):
        scaled = state.difference[j * _SIXTEEN + lane] / peak
        total += scaled * scaled
    return math.log(peak) + 0.5 * math.log(total) + larger(state.exponents[lane], state.starts[lane]) * _LN2
