"""The words of the Gaussian engine, forward and backward: all that it knows of the block language.

Forward. For V with independent N(0, 1/d) entries and a vector s that does not depend on V, ``V s`` has the
law of ``‖s‖ ξ / √d``: the image is drawn, the matrix never. The same holds for ``W h``.

Backward. Given ``V s = u``, the transposed product is ``Vᵀ p = s (u·p)/‖s‖² + P ξ ‖p‖/√d`` with a fresh ξ and
P the projection onto the complement of s; likewise ``Wᵀ q`` given ``W h = y``. Conditioned on the forward
pass the layers are independent, so going through them in turn samples the gradients jointly with the hidden
states.

All of this is free of scale. With z the normals of an image, ``u = ‖s‖ z/√d``, and the formulas used below
are

    √d Vᵀ p = ‖p‖ (ξ + s κ),   κ = (z·p)/(‖p‖ ‖s‖) - (s·ξ)/‖s‖²,
    √d Wᵀ q = ‖q‖ (ξ' + h λ),   λ = (z'·q)/(‖q‖ ‖h‖) - (h·ξ')/‖h‖².

A word leaves its vector in the last slot of the tape that it takes (`slots_of`), so that the next one finds
what it meets in the slot before its own: in both passes. Lengths are factors that wait in `Work.lengths`.
Backward, the words are performed in reverse on the gradient of their output. An activation stands before a
matrix. To add a word: two functions and a line in each of `perform` and `perform_back`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import helper, merged
from montecarlo.engines.gaussian._records import is_matrix, slots_before, slots_of, squares_of, table_of
from montecarlo.engines.gaussian._state import half_log, keep_direction, log_state, step
from montecarlo.kernels._lanes import NETWORKS, bent_dot, bent_masked, bent_squares, dot, fill_normals, masked
from montecarlo.kernels._state import EVALUATION_LIMIT, UNBOUNDED
from montecarlo.kernels._words import ACTIVATION, BIAS, LINEAR_V
from montecarlo.streams._blocks import Table
from montecarlo.streams._keys import (
    ROLE_IMAGE_BIAS,
    ROLE_IMAGE_V,
    ROLE_IMAGE_W,
    ROLE_TRANSPOSE_V,
    ROLE_TRANSPOSE_W,
)

_V = np.uint32(ROLE_IMAGE_V << 28)
_W = np.uint32(ROLE_IMAGE_W << 28)
_BIAS = np.uint32(ROLE_IMAGE_BIAS << 28)
_TRANSPOSE_V = np.uint32(ROLE_TRANSPOSE_V << 28)
_TRANSPOSE_W = np.uint32(ROLE_TRANSPOSE_W << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)
_NONE = np.int64(0)
_UNBOUNDED = np.int64(UNBOUNDED)

RAW = np.int64(0)
"""The state itself."""
TABLE = np.int64(1)
"""A table; forward that of a slot, backward `Work.products`."""
BENT = np.int64(2)
"""σ of the table of a slot, for a piecewise linear σ."""
PAIR = np.int64(3)
"""Backward: normals in `Work.fresh` and a multiple of what a matrix met, whose slot it is."""


class Vector(NamedTuple):
    """What the words work on, in one of four forms."""

    form: Any
    slot: Any
    matrices: Any
    """How many matrices' lengths, and factors 1/√d, wait."""
    biased: bool
    """Whether a bias waits for the activation."""


@merged
def perform(network, batch, k, state, tape, work, slot):
    """Perform a sentence on a state, its tape from a slot on; return the vector that it leaves."""
    vector = Vector(RAW, slot, _NONE, False)
    nothing_waits(work)
    slot += slots_before(network)
    for word in network.constants.sentence:
        if is_matrix(word):
            vector = linear(network, batch, k, word, vector, state, tape, work, slot)
        elif word == BIAS:
            vector = bias(network, batch, k, vector, work)
        elif word == ACTIVATION:
            vector = activation(network, vector, state, tape, work, slot)
        slot += slots_of(network, word)
    return vector


@merged
def nothing_waits(work):
    """Forget the lengths that waited."""
    for lane in range(_ZERO, _SIXTEEN):
        work.lengths[lane] = 1.0


@merged
def add(network, vector, state, tape, work):
    """Add α times the branch to the state."""
    scale = network.constants.alpha
    for _ in range(vector.matrices):
        scale /= network.root_d
    for lane in range(_ZERO, _SIXTEEN):
        work.first[lane] = scale * math.sqrt(work.lengths[lane])
        work.second[lane] = 0.0
    table = table_of(network, tape, vector.slot)
    step(network, state, table, table, work, network.lowest)


@merged
def perform_back(network, batch, k, state, tape, work, slot, out):
    """Perform the transposed derivative of a sentence on a gradient; leave weight-gradient norms in `out`."""
    sentence = network.constants.sentence
    vector = Vector(RAW, slot, _NONE, False)
    nothing_waits(work)
    slot += tape.slots
    for position in range(sentence.size - 1, -1, -1):
        word = sentence[position]
        slot -= slots_of(network, word)
        if is_matrix(word):
            if vector.form == PAIR:
                vector = pull(network, vector, np.float32(1.0), tape, work)
            finish(network, batch, k, word, vector, state, work, out)
            bent = network.bends and position > 0 and sentence[position - 1] == ACTIVATION
            vector = linear_back(network, batch, k, word, vector, state, tape, work, slot, bent)
        elif word == ACTIVATION:
            vector = activation_back(network, vector, tape, work, slot)
    return vector


@merged
def add_back(network, vector, state, tape, work):
    """Add α times the transposed derivative of the branch to the gradient."""
    alpha, root_d = network.constants.alpha, network.root_d
    divisor = 1.0
    for _ in range(vector.matrices):
        divisor *= root_d
    x = y = Table(work.products, _ZERO)
    if vector.form == PAIR:
        x, y = Table(work.fresh, _ZERO), table_of(network, tape, vector.slot)
        squares = squares_of(tape, vector.slot + _ONE)
        scale = alpha / divisor
        for lane in range(_ZERO, _SIXTEEN):
            q_norm = math.sqrt(work.met[lane])
            square = squares.array[squares.start + lane]
            length = scale * math.sqrt(work.lengths[lane])
            along = work.along[lane] / math.sqrt(square) - work.across[lane] * q_norm / square
            work.first[lane] = length * q_norm
            work.second[lane] = length * along if square > 0.0 else 0.0
    else:
        for lane in range(_ZERO, _SIXTEEN):
            work.first[lane] = alpha * math.sqrt(work.lengths[lane]) / divisor
            work.second[lane] = 0.0
    step(network, state, x, y, work, _UNBOUNDED)


@merged
def linear(network, batch, k, word, vector, state, tape, work, slot):
    """Draw the image of a vector under a matrix; its length waits."""
    met, squares = table_of(network, tape, vector.slot), squares_of(tape, slot)
    if vector.form == RAW:
        if tape.keeps:
            keep_direction(network, state, met, squares)
    elif vector.form == BENT:
        bent_squares(met, np.float32(network.sigma.negative_slope), network.rows, squares)
    else:
        dot(met, met, network.rows, squares)
    if vector.form == RAW:
        squares = Table(state.squares, _ZERO)
    remember(network, k, word, vector, state, work, squares)
    for lane in range(_ZERO, _SIXTEEN):
        work.lengths[lane] *= squares.array[squares.start + lane]
    role = _V if word == LINEAR_V else _W
    fill_normals(batch.address, np.uint32(np.uint32(k) | role), network.groups, table_of(network, tape, slot))
    return Vector(TABLE, slot, vector.matrices + 1, False)


@merged
def linear_back(network, batch, k, word, vector, state, tape, work, slot, bent):
    """Draw the normals of a transposed product, and take the two products that condition them.

    Their coefficients wait for who uses the pair, that is an activation or the stream.
    """
    fresh, image, given = Table(work.fresh, _ZERO), table_of(network, tape, slot), slot - _ONE
    role = _TRANSPOSE_V if word == LINEAR_V else _TRANSPOSE_W
    fill_normals(batch.address, np.uint32(np.uint32(k) | role), network.groups, fresh)
    if vector.form == RAW:
        for lane in range(_ZERO, _SIXTEEN):
            work.met[lane] = state.squares[lane]
        dot(image, state.mantissas, network.rows, work.along)
    else:
        dot(image, work.products, network.rows, work.along)
    met = table_of(network, tape, given)
    if bent:
        bent_dot(met, np.float32(network.sigma.negative_slope), fresh, network.rows, work.across)
    else:
        dot(met, fresh, network.rows, work.across)
    return Vector(PAIR, given, vector.matrices + 1, False)


@merged
def remember(network, k, word, vector, state, work, squares):
    """Remember the log-norm of what a matrix meets, for the norm of its gradient."""
    if work.log_inputs.shape[1] == 0:
        return
    matrix = 0 if word == LINEAR_V else 1
    for lane in range(_ZERO, _SIXTEEN):
        log_input = state.exponents[lane] * _LN2 + half_log(squares.array[squares.start + lane])
        if vector.matrices > 0:
            log_input += half_log(work.lengths[lane]) - vector.matrices * math.log(network.root_d)
        work.log_inputs[matrix, k, lane] = log_input


@merged
def finish(network, batch, k, word, vector, state, work, out):
    """Store the log-norm of a matrix's gradient: the product of the vectors on its two sides."""
    weights, matrix = (out.weight_v, 0) if word == LINEAR_V else (out.weight_w, 1)
    if weights.size == 0:
        return
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(batch.row + lane)
        if row >= np.uint64(weights.shape[0]):
            continue
        log_p = log_state(state, lane) - work.log_starts[1, lane] if state.alive[lane] else np.nan
        log_norm = math.log(network.constants.alpha) + log_p - vector.matrices * math.log(network.root_d)
        log_norm += work.log_inputs[matrix, k, lane]
        log_norm -= work.log_starts[0, lane]
        if vector.form != RAW:
            log_norm += half_log(work.met[lane])
        weights[row, k] = log_norm


@merged
def bias(network, batch, k, vector, work):
    """Draw the bias; the activation adds it."""
    layer_role = np.uint32(np.uint32(k) | _BIAS)
    fill_normals(batch.address, layer_role, network.groups, Table(work.bias, _ZERO))
    return Vector(vector.form, vector.slot, vector.matrices, True)


@merged
def activation(network, vector, state, tape, work, slot):
    """Bend the image where it is read, or leave σ' and σ in two tables.

    A bent image is ``√d g / ‖h‖``: a piecewise linear σ is homogeneous.
    """
    if network.bends:
        return Vector(BENT, vector.slot, vector.matrices, False)
    piecewise = not math.isnan(network.sigma.negative_slope)
    if piecewise and vector.form == RAW and not vector.biased:
        bend(network, state, table_of(network, tape, slot), table_of(network, tape, slot + _ONE))
    else:
        evaluate(network, vector, state, tape, work, slot)
    nothing_waits(work)
    return Vector(TABLE, slot + _ONE, _NONE, False)


@helper
def bend(network, state, slopes, values):
    """Store σ' and σ of a state, for a piecewise linear σ: exponents do not matter."""
    below = network.sigma.negative_slope
    for i in range(_ZERO, network.rows * _SIXTEEN):
        x = state.mantissas[i]
        t = 1.0 if x > 0.0 else below
        slopes.array[slopes.start + i] = np.float32(t)
        values.array[values.start + i] = np.float32(t * x)


@helper
def evaluate(network, vector, state, tape, work, slot):
    """Store σ' and σ of a vector plus the bias in two slots, in the frame of the lane's exponent."""
    tables, mantissas, bias, sigma = tape.tables, state.mantissas, work.bias, network.sigma
    slopes, values = slot * network.size, (slot + _ONE) * network.size
    z, rows, raw, biased = vector.slot * network.size, network.rows, vector.form == RAW, vector.biased
    bias_std, below = network.constants.bias_std, sigma.negative_slope
    value, slope, piecewise = sigma.value, sigma.slope, not math.isnan(below)
    for lane in range(_ZERO, _SIXTEEN):
        bounded = min(max(state.exponents[lane], -EVALUATION_LIMIT), EVALUATION_LIMIT)
        up = math.ldexp(1.0, int(bounded))
        down = math.ldexp(1.0, int(-bounded))
        scale = math.sqrt(work.lengths[lane])
        for _ in range(vector.matrices):
            scale /= network.root_d
        for j in range(_ZERO, rows):
            i = j * _SIXTEEN + lane
            x = up * (mantissas[i] if raw else scale * np.float64(tables[z + i]))
            if biased:
                x += bias_std * np.float64(bias[i])
            if piecewise:
                t = 1.0 if x > 0.0 else below
                s = t * x
            else:
                t = slope(x)
                s = value(x)
            tables[values + i] = np.float32(s * down)
            tables[slopes + i] = np.float32(t)


@merged
def activation_back(network, vector, tape, work, slot):
    """Multiply by σ'."""
    if network.bends:
        return pull(network, vector, np.float32(network.sigma.negative_slope), tape, work)
    condition(vector, tape, work)
    slopes, values = table_of(network, tape, slot), table_of(network, tape, slot + _ONE)
    fresh, products = Table(work.fresh, _ZERO), work.products
    masked(slopes, fresh, values, work.second, network.rows, products, work.met)
    return Vector(TABLE, vector.slot, vector.matrices, False)


@merged
def pull(network, vector, below, tape, work):
    """Multiply a pair by the slopes at a bent image; with `below` = 1, where they are 1, just add it up."""
    condition(vector, tape, work)
    image, fresh = table_of(network, tape, vector.slot), Table(work.fresh, _ZERO)
    bent_masked(image, below, fresh, work.second, network.rows, work.products, work.met)
    return Vector(TABLE, vector.slot, vector.matrices, False)


@merged
def condition(vector, tape, work):
    """Store κ of a pair; the length of the gradient that the matrix met goes to those that wait."""
    squares = squares_of(tape, vector.slot + _ONE)
    for lane in range(_ZERO, _SIXTEEN):
        square = squares.array[squares.start + lane]
        product = work.met[lane] * square
        # Without active units, or for a gradient of zero, there is nothing to condition on.
        kappa = work.along[lane] / math.sqrt(product) - work.across[lane] / square
        work.second[lane] = kappa if product > 0.0 else 0.0
        work.lengths[lane] *= work.met[lane]
