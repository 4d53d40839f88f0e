"""The norms of the Gaussian engine: a number a lane forward, a projection of rank one on the way back.

The direction ``n(x) = x/length`` of an RMS norm is that of x: no table changes, its scale waits with other
lengths, and the stream's frame is left for true units. A layer norm takes the mean off a table. Backward,
with x the table and w the weight that make ``w x xᵀ = n nᵀ/d``, the gradient q becomes
``(q - w x (x·q))/length``, less its mean for layer norms. Of a pair ``ξ + κ x`` the product
``x·ξ + κ ‖x‖²`` is known already.

The norm of zero is zero, and so is its derivative there.

The first argument of each word is None in the kernel of networks that are plain. Numba then sees that nothing
behind that question is ever reached, and compiles none of it.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline, merged
from montecarlo.engines.gaussian._pointwise import condition, evaluated, sloped
from montecarlo.engines.gaussian._records import (
    PAIR,
    RAW,
    TABLE,
    TILTED,
    TILTED_PAIR,
    Vector,
    divided,
    squares_of,
    table_of,
)
from montecarlo.engines.gaussian._state import frames, keep_direction, rescale, shift_lane
from montecarlo.kernels._lanes import NETWORKS, dot
from montecarlo.kernels._state import UNBOUNDED
from montecarlo.kernels._tilts import renew, spread, sums, sums_and_dot, tilt
from montecarlo.kernels._words import LAYER, TANH
from montecarlo.streams._blocks import Table

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)
_NONE = np.int64(0)
_UNBOUNDED = np.int64(UNBOUNDED)


@inline
def norm(rest, network, vector, state, tape, work, slot):
    """Normalise the state, with which a branch begins."""
    if rest is None:
        return vector
    constants, d = network.constants, np.float64(network.rows)
    if constants.norm == TANH:
        return evaluated(network, vector, state, tape, work, slot, constants.norm_gamma)
    table, squares = table_of(network, tape, slot), Table(state.squares, _ZERO)
    kept = squares_of(tape, slot + _ONE)
    layer = constants.norm == LAYER
    if layer:
        squares = kept
        means(network, state.mantissas, work)
        tilt(state.mantissas, work.mean, state.mantissas, work.zeros, network.rows, table, squares)
    elif tape.keeps:
        keep_direction(network, state, table, kept)  # as it is: exponents have no bound
    for lane in range(_ZERO, _SIXTEEN):
        unit = state.unit[lane]
        length = math.sqrt(squares.array[squares.start + lane] / d)
        if constants.norm_eps > 0.0:
            length = math.hypot(length, math.sqrt(constants.norm_eps) * unit)
        weight = 1.0 / (length * length) if length > 0.0 else 0.0
        work.lengths[lane] = weight
        tape.weights[slot * _SIXTEEN + lane] = weight / d
        tape.lengths[slot * _SIXTEEN + lane] = length / unit
    return Vector(TABLE if layer else RAW, slot, network.rows, _NONE, _NONE, True, False, True)


@merged
def means(network, x, work):
    """Store the means of a vector of the stream."""
    sums(x, network.rows, work.mean)
    for lane in range(_ZERO, _SIXTEEN):
        work.mean[lane] /= np.float64(network.rows)


@inline
def norm_back(rest, network, vector, state, tape, work, slot):
    """Multiply with the derivative of the norm that begins a branch."""
    if rest is None:
        return vector
    if network.constants.norm == TANH:
        return sloped(network, vector, state, tape, work, slot)
    x, row = Table(work.products, _ZERO), slot * _SIXTEEN
    pair = vector.form == PAIR
    if pair:
        x = Table(work.fresh, _ZERO)
        condition(vector, tape, work)
        squares = squares_of(tape, vector.slot + _ONE)
        for lane in range(_ZERO, _SIXTEEN):
            work.along[lane] = work.across[lane] + work.second[lane] * squares.array[squares.start + lane]
    else:
        dot(table_of(network, tape, slot), x, network.rows, work.along)
        for lane in range(_ZERO, _SIXTEEN):
            work.second[lane] = 0.0
    if network.constants.norm == LAYER:
        if not pair:
            sums(x, network.rows, work.mean)  # that of a pair has come with its products
        for lane in range(_ZERO, _SIXTEEN):
            work.mean[lane] /= np.float64(network.rows)
        tilt(x, work.mean, x, work.zeros, network.rows, x, work.met)
    for lane in range(_ZERO, _SIXTEEN):
        length = tape.lengths[row + lane]
        work.second[lane] -= tape.weights[row + lane] * work.along[lane]
        work.first[lane] = 1.0 / length if length > 0.0 else 0.0
    form = TILTED_PAIR if pair else TILTED
    return Vector(form, slot, network.rows, vector.by_w, vector.by_v, False, False, False)


@helper
def branch_norm(rest, network, vector, state, tape, work, slot):
    """Normalise the table that a branch ends with."""
    if rest is None:
        return vector
    constants, d, row = network.constants, np.float64(network.rows), vector.slot * _SIXTEEN
    if constants.norm == TANH:
        return evaluated(network, vector, state, tape, work, slot, constants.norm_gamma)
    table = table_of(network, tape, vector.slot)
    if constants.norm == LAYER:
        means(network, table, work)
        tilt(table, work.mean, table, work.zeros, network.rows, table, work.first)
    else:
        dot(table, table, network.rows, work.first)
    for lane in range(_ZERO, _SIXTEEN):
        scale = divided(network, vector, math.sqrt(work.lengths[lane]))
        if not vector.own:
            scale /= state.unit[lane]
        length = scale * math.sqrt(work.first[lane] / d)
        if constants.norm_eps > 0.0:
            length = math.hypot(length, math.sqrt(constants.norm_eps))
        factor = scale / length if length > 0.0 else 0.0
        work.lengths[lane] = factor * factor
        tape.weights[row + lane] = factor * factor / d
        tape.lengths[row + lane] = length
    return Vector(TABLE, vector.slot, network.rows, _NONE, _NONE, True, False, False)


@helper
def branch_norm_back(rest, network, vector, state, tape, work, slot):
    """Multiply the gradient with the derivative of the norm that ends a branch."""
    if rest is None:
        return vector
    if network.constants.norm == TANH:
        return sloped(network, vector, state, tape, work, slot)
    image, row = table_of(network, tape, slot - _ONE), (slot - _ONE) * _SIXTEEN
    lean(network, state, image, tape, work, row)
    products = Table(work.products, _ZERO)
    tilt(state.mantissas, work.mean, image, work.second, network.rows, products, work.met)
    for lane in range(_ZERO, _SIXTEEN):
        work.lengths[lane] = work.first[lane] * work.first[lane]
    return Vector(TABLE, slot, network.rows, _NONE, _NONE, False, False, False)


@merged
def lean(network, state, direction, tape, work, row):
    """Find what the derivative of a norm takes off the gradient itself, and one over its length."""
    if network.constants.norm == LAYER:
        sums_and_dot(state.mantissas, direction, network.rows, work.mean, work.along)
    else:
        dot(direction, state.mantissas, network.rows, work.along)
        for lane in range(_ZERO, _SIXTEEN):
            work.mean[lane] = 0.0
    for lane in range(_ZERO, _SIXTEEN):
        length = tape.lengths[row + lane]
        work.mean[lane] /= np.float64(network.rows)
        work.second[lane] = -tape.weights[row + lane] * work.along[lane]
        work.first[lane] = 1.0 / length if length > 0.0 else 0.0


@helper
def stream_norm(rest, network, state, tape, work, slot):
    """Normalise the stream, which has exponent 0 from then on."""
    if rest is None:
        return
    constants, d, row = network.constants, np.float64(network.rows), slot * _SIXTEEN
    squares = Table(state.squares, _ZERO)
    if constants.norm == LAYER:
        squares = Table(work.met, _ZERO)
        spread(state.mantissas, network.rows, work.mean, work.met)
    else:
        for lane in range(_ZERO, _SIXTEEN):
            work.mean[lane] = 0.0
    away = False
    for lane in range(_ZERO, _SIXTEEN):
        unit = state.unit[lane]
        length = math.sqrt(squares.array[squares.start + lane] / d)
        if constants.norm_eps > 0.0:
            length = math.hypot(length, math.sqrt(constants.norm_eps) * unit)
        length /= unit
        some = length > 0.0
        work.first[lane] = 1.0 / length if some else 0.0
        work.mean[lane] /= unit
        tape.weights[row + lane] = 1.0 / d if some else 0.0
        tape.lengths[row + lane] = length
        away |= state.exponents[lane] != 0
    if away:
        for lane in range(_ZERO, _SIXTEEN):
            if state.exponents[lane] != 0:
                shift_lane(state, lane, network.rows, -state.exponents[lane])
        frames(state)
    renew(
        state.mantissas, work.mean, state.mantissas, work.zeros, work.first, network.rows,
        table_of(network, tape, slot), state.squares,
    )  # fmt: skip
    kept = squares_of(tape, slot + _ONE)  # the next layer's first matrix meets it
    for lane in range(_ZERO, _SIXTEEN):
        kept.array[kept.start + lane] = state.squares[lane]
    rescale(state, network.rows, _UNBOUNDED)


@helper
def stream_norm_back(rest, network, state, tape, work, slot):
    """Multiply the gradient with the derivative of the stream's norm."""
    if rest is None:
        return
    direction = table_of(network, tape, slot)
    lean(network, state, direction, tape, work, slot * _SIXTEEN)
    renew(
        state.mantissas, work.mean, direction, work.second, work.first, network.rows, work.products,
        state.squares,
    )  # fmt: skip
    rescale(state, network.rows, _UNBOUNDED)
