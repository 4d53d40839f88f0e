"""The arithmetic of the dense engine's states.

Notation: ``h' = b h + a g(h)`` forward, ``p = b p' + a (∂g)ᵀ p'`` backward, g the branch. A state (h or p) is
held as float64 mantissas with a power of two in front, ``2**exponent * mantissa``; its distance from the
start is accumulated separately, so that neither a difference of 1e-18 nor a norm of 10^100000 loses digits.

Error analysis. Products of weights and states are float32 with a sum of d fused terms, relative error about
√d·6e-8 of the increment; states, differences and norms are float64. A relative error ε of the increments
moves the four log-ratios by about ε/√(Ld) at the critical scaling, since the errors of the layers are
independent: below 1e-6 for d ≤ 10⁴.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.common._scalars import as_bits, larger, ldexp
from montecarlo.kernels._columns import LARGE_BITS, SMALL_BITS
from montecarlo.kernels._difference import settle_difference

NOW, START = 0, 1
"""Places in `State.exponents`."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_ABS = np.uint32(0x7FFFFFFF)
_LARGE, _SMALL = LARGE_BITS, SMALL_BITS


@helper
def log_norm(state, d, exponent):
    """Return the natural log of ``‖2**exponent * state[:d]‖``; -inf for an exact zero."""
    largest = 0.0
    for j in range(_ZERO, d):
        largest = larger(largest, abs(state[j]))
    if not largest > 0.0:
        return -np.inf if largest == 0.0 else np.nan
    total = 0.0
    for j in range(_ZERO, d):
        scaled = state[j] / largest
        total += scaled * scaled
    return math.log(largest) + 0.5 * math.log(total) + exponent * math.log(2.0)


@inline
def round_state(state, d, rounded):
    """Store float32 roundings of a state and return the largest magnitude as float32 bits."""
    for j in range(_ZERO, d):
        rounded[j] = np.float32(state[j])
    # Integer maximum: unlike a maximum of floats it vectorises, and it sees inf and nan.
    largest = np.uint32(0)
    for j in range(_ZERO, d):
        largest = larger(largest, np.uint32(as_bits(np.float32(rounded[j]), np.uint32) & _ABS))
    return largest


@helper
def begin(state, image, scale, d, lowest):
    """Start at ``scale * image``; return whether it is finite."""
    for j in range(_ZERO, d):
        state.mantissas[j] = np.float64(image[j]) * scale
        state.difference[j] = 0.0
    state.exponents[NOW] = state.exponents[START] = 0
    finite = rescale(state, d, lowest)
    state.exponents[START] = state.exponents[NOW]
    for j in range(_ZERO, d):
        state.start[j] = state.mantissas[j]
    return finite


@inline
def rescale(state, d, lowest):
    """Keep the largest mantissa between 2**-40 and 2**40, and round; return whether the state is finite."""
    largest = round_state(state.mantissas, d, state.buffers[0])
    # A zero may be a mantissa below float32's range, after a violent layer: the float64 state decides then.
    return _SMALL < largest < _LARGE or shift(state, d, lowest)


@helper
def shift(state, d, lowest):
    """Take the size of a state into its exponent; return whether it is finite.

    The exponent does not fall below `lowest`: networks with a bias or σ(0) ≠ 0 have a scale of their own near
    zero, and a small state has small mantissas there.

    The difference shares the frame of the larger of the two exponents: a state that collapses leaves a
    difference of the size of its start.
    """
    mantissas = state.mantissas
    peak = 0.0
    for j in range(_ZERO, d):
        if not abs(mantissas[j]) < np.inf:
            return False
        peak = larger(peak, abs(mantissas[j]))
    exponent, start = state.exponents[NOW], state.exponents[START]
    places = larger(math.frexp(peak)[1], lowest - exponent)
    if peak == 0.0 or places == 0:
        return True
    for j in range(_ZERO, d):
        mantissas[j] = ldexp(mantissas[j], -places)
    frame, new_frame = larger(exponent, start), larger(exponent + places, start)
    if new_frame != frame:
        for j in range(_ZERO, d):
            state.difference[j] = ldexp(state.difference[j], frame - new_frame)
    round_state(mantissas, d, state.buffers[0])
    state.exponents[NOW] = exponent + places
    return True


@inline
def advance(state, vector, alpha, skip, d, vanishes, lowest):
    """Go to b times the state plus a times the branch, and so does, in its own frame, the difference.

    See `rescale`. Where the weight law has no atoms (not `vanishes`), a state of one unit that cancels to
    exactly zero did so for lack of digits of its float32 increment: 2**-25 of it is left.
    """
    increment, mantissas = state.buffers[vector.front], state.mantissas
    exponent, start = state.exponents[NOW], state.exponents[START]
    scale = alpha / vector.divisor
    if vector.frame != exponent:  # a norm has left the frame of the state
        scale = ldexp(scale, larger(vector.frame - exponent, -2000))
    step, away = scale, skip - 1.0
    if exponent < start:
        behind = larger(exponent - start, -2000)
        step, away = ldexp(step, behind), ldexp(away, behind)
    before = mantissas[0]
    for j in range(_ZERO, d):
        old, change = mantissas[j], np.float64(increment[j])
        mantissas[j] = skip * old + scale * change
        state.difference[j] += away * old + step * change
    if d == _ONE and mantissas[0] == 0.0 and not vanishes:
        mantissas[0] = skip * before * 2.0**-25
    return rescale(state, d, lowest)


@helper
def log_state(state, d):
    """Return the natural log of the state's norm."""
    return log_norm(state.mantissas, d, state.exponents[NOW])


@helper
def log_difference(state, d):
    """Return the natural log of the norm of its distance from the start."""
    exponent, start_exponent = state.exponents[NOW], state.exponents[START]
    settle_difference(
        state.mantissas, state.start, state.difference, d, _ONE, _ZERO, exponent, start_exponent
    )
    return log_norm(state.difference, d, larger(exponent, start_exponent))
