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
Backward, the words are performed in reverse on the gradient of their output. A bias stands before an
activation, a norm at one of the two ends of a branch, and no word twice; else any order will do. To add a
word: two functions, a line in each of `perform` and `perform_back`, and its name in `_engine.WORDS`.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import inline, merged
from montecarlo.common._scalars import larger
from montecarlo.engines.gaussian._norms import branch_norm, branch_norm_back, norm, norm_back
from montecarlo.engines.gaussian._pointwise import (
    activation,
    activation_back,
    nothing_waits,
    pull,
    signed_activation,
)
from montecarlo.engines.gaussian._records import (
    BENT,
    PAIR,
    RAW,
    TABLE,
    TILTED_PAIR,
    Vector,
    divided,
    groups_of,
    is_matrix,
    log_divisor,
    rows_from,
    rows_to,
    squares_of,
    table_of,
    whole,
)
from montecarlo.engines.gaussian._state import half_log, keep_direction, lift, log_state, skip, step
from montecarlo.kernels._lanes import NETWORKS, bent_dot, bent_squares, dot, fill_normals
from montecarlo.kernels._records import alpha_of
from montecarlo.kernels._state import UNBOUNDED
from montecarlo.kernels._tilts import sums_and_dot
from montecarlo.kernels._words import (
    ACTIVATION,
    BIAS,
    BRANCH_NORM,
    LAYER,
    LINEAR_V,
    LINEAR_W,
    NORM,
    SIGNED_ACTIVATION,
)
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
_UNBOUNDED = np.int64(UNBOUNDED)


@merged
def perform(rest, network, batch, k, state, tape, work, slot):
    """Perform a sentence on a state, its tape from a slot on; return the vector that it leaves."""
    vector = whole(network, slot, network.stream_norm and k % tape.layers > 0)
    nothing_waits(work)
    slot += tape.before
    sentence = network.constants.sentence
    for position in range(sentence.size):
        word = sentence[position]
        if is_matrix(word):
            vector = linear(rest, network, batch, k, word, vector, state, tape, work, slot)
        elif word == BIAS:
            vector = bias(network, batch, k, vector, work)
        elif word == ACTIVATION:
            vector = activation(network, vector, state, tape, work, slot)
        elif word == SIGNED_ACTIVATION:
            vector = signed_activation(rest, network, batch, k, vector, state, tape, work, slot)
        elif word == NORM:
            vector = norm(rest, network, vector, state, tape, work, slot)
        elif word == BRANCH_NORM:
            vector = branch_norm(rest, network, vector, state, tape, work, slot)
        slot += tape.of_word[position]
    return vector


@inline
def add(network, k, vector, state, tape, work, lowest):
    """Multiply the state by the skip factor, and add a_k times the branch to it."""
    scale = divided(network, vector, alpha_of(network.constants, k))
    if vector.own:
        lift(state, network.rows)
    for lane in range(_ZERO, _SIXTEEN):
        work.first[lane] = scale * math.sqrt(work.lengths[lane])
        work.second[lane] = 0.0
    if vector.own:
        for lane in range(_ZERO, _SIXTEEN):
            work.first[lane] *= state.unit[lane]
    table = table_of(network, tape, vector.slot)
    skip(network, state)
    step(network, state, table, table, work, lowest)


@merged
def perform_back(rest, network, batch, k, state, tape, work, slot, out):
    """Perform the transposed derivative of a sentence on a gradient; leave weight-gradient norms in `out`."""
    sentence = network.constants.sentence
    vector = whole(network, slot, False)
    nothing_waits(work)
    slot += tape.slots
    for position in range(sentence.size - 1, -1, -1):
        word = sentence[position]
        slot -= tape.of_word[position]
        if is_matrix(word):
            if vector.form == PAIR:
                vector = pull(network, vector, np.float32(1.0), tape, work)
            finish(rest, network, batch, k, word, vector, state, work, out)
            vector = linear_back(network, batch, k, position, vector, state, tape, work, slot)
        elif (word == ACTIVATION) | (word == SIGNED_ACTIVATION):
            vector = activation_back(network, vector, state, tape, work, slot)
        elif word == NORM:
            vector = norm_back(rest, network, vector, state, tape, work, slot)
        elif word == BRANCH_NORM:
            vector = branch_norm_back(rest, network, vector, state, tape, work, slot)
    return vector


@inline
def add_back(network, k, vector, state, tape, work):
    """Multiply the gradient by the skip factor, and add a_k times what the branch made of it."""
    alpha = alpha_of(network.constants, k)
    divisor = divided_by(network, vector)
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
    elif vector.form == TABLE:
        for lane in range(_ZERO, _SIXTEEN):
            work.first[lane] = alpha * math.sqrt(work.lengths[lane]) / divisor
            work.second[lane] = 0.0
    else:
        y = table_of(network, tape, vector.slot)
        if vector.form == TILTED_PAIR:
            x = Table(work.fresh, _ZERO)
        for lane in range(_ZERO, _SIXTEEN):
            work.first[lane] *= alpha * math.sqrt(work.lengths[lane]) / divisor
            work.second[lane] *= work.first[lane]
    skip(network, state)
    step(network, state, x, y, work, _UNBOUNDED)


@inline
def divided_by(network, vector):
    """Return the product of the roots that wait."""
    divisor = 1.0
    for _ in range(vector.by_w):
        divisor *= network.root_d
    for _ in range(vector.by_v):
        divisor *= network.root_m
    return divisor


@inline
def linear(rest, network, batch, k, word, vector, state, tape, work, slot):
    """Draw the image of a vector under a matrix; its length waits."""
    met, squares = table_of(network, tape, vector.slot), squares_of(tape, slot)
    if vector.form == RAW:
        if tape.keeps and not vector.kept:
            keep_direction(network, state, met, squares)
        squares = Table(state.squares, _ZERO)
    elif vector.form == BENT:
        bent_squares(met, np.float32(network.sigma.negative_slope), vector.rows, squares)
    elif not vector.kept:
        dot(met, met, vector.rows, squares)
    remember(rest, network, k, word, vector, state, work, squares)
    for lane in range(_ZERO, _SIXTEEN):
        work.lengths[lane] *= squares.array[squares.start + lane]
    rows, role = rows_to(network, word), _V if word == LINEAR_V else _W
    image = table_of(network, tape, slot)
    fill_normals(batch.address, np.uint32(np.uint32(k) | role), groups_of(rows), image)
    return through(network, word, vector, TABLE, slot, rows)


@inline
def through(network, word, vector, form, slot, rows):
    """Return a vector behind a matrix, whose root waits with the others."""
    by_w, by_v = np.int64(word == LINEAR_W), np.int64(word == LINEAR_V)
    return Vector(form, slot, rows, vector.by_w + by_w, vector.by_v + by_v, vector.own, False, False)


@inline
def linear_back(network, batch, k, position, vector, state, tape, work, slot):
    """Draw the normals of a transposed product, and take the two products that condition them.

    Their coefficients wait for who uses the pair, that is an activation, a norm or the stream. A layer norm
    needs the sum of the normals, too.
    """
    sentence = network.constants.sentence
    word, before = sentence[position], sentence[larger(position - 1, 0)]
    fresh, image, given = Table(work.fresh, _ZERO), table_of(network, tape, slot), slot - _ONE
    rows, role = rows_from(network, word), _TRANSPOSE_V if word == LINEAR_V else _TRANSPOSE_W
    fill_normals(batch.address, np.uint32(np.uint32(k) | role), groups_of(rows), fresh)
    if vector.form == RAW:
        for lane in range(_ZERO, _SIXTEEN):
            work.met[lane] = state.squares[lane]
        dot(image, state.mantissas, vector.rows, work.along)
    else:
        dot(image, work.products, vector.rows, work.along)
    met = table_of(network, tape, given)
    if network.bends and position > 0 and before == ACTIVATION:
        bent_dot(met, np.float32(network.sigma.negative_slope), fresh, rows, work.across)
    elif position > 0 and before == NORM and network.constants.norm == LAYER:
        sums_and_dot(fresh, met, rows, work.mean, work.across)
    else:
        dot(met, fresh, rows, work.across)
    return through(network, word, vector, PAIR, given, rows)


@inline
def remember(rest, network, k, word, vector, state, work, squares):
    """Remember the log-norm of what a matrix meets, for the norm of its gradient."""
    if rest is None:
        return
    if work.log_inputs.shape[1] == 0:
        return
    matrix = 0 if word == LINEAR_V else 1
    for lane in range(_ZERO, _SIXTEEN):
        frame = np.int64(0) if vector.own else state.exponents[lane]
        log_input = frame * _LN2 + half_log(squares.array[squares.start + lane])
        if vector.by_w + vector.by_v > 0 or vector.own:
            log_input += half_log(work.lengths[lane]) - log_divisor(network, vector)
        work.log_inputs[matrix, k, lane] = log_input


@inline
def finish(rest, network, batch, k, word, vector, state, work, out):
    """Store the log-norm of a matrix's gradient: the product of the vectors on its two sides."""
    if rest is None:
        return
    weights, matrix = (out.weight_v, 0) if word == LINEAR_V else (out.weight_w, 1)
    if weights.size == 0:
        return
    alpha = alpha_of(network.constants, k)
    log_alpha = math.log(alpha) if alpha > 0.0 else -np.inf
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(batch.row + lane)
        if row >= np.uint64(weights.shape[0]):
            continue
        log_p = log_state(state, lane)
        if vector.form != RAW:
            log_p = half_log(work.lengths[lane]) + state.exponents[lane] * _LN2
        log_p = log_p - work.log_starts[1, lane] if state.alive[lane] else np.nan
        log_norm = log_alpha + log_p - log_divisor(network, vector)
        log_norm += work.log_inputs[matrix, k, lane]
        log_norm -= work.log_starts[0, lane]
        if vector.form != RAW:
            log_norm += half_log(work.met[lane])
        weights[row, k] = log_norm


@inline
def bias(network, batch, k, vector, work):
    """Draw the bias; the activation adds it."""
    layer_role = np.uint32(np.uint32(k) | _BIAS)
    fill_normals(batch.address, layer_role, groups_of(vector.rows), Table(work.bias, _ZERO))
    return Vector(
        vector.form, vector.slot, vector.rows, vector.by_w, vector.by_v, vector.own, True, vector.kept
    )
