"""The words of the correlated engine, forward and backward: all that it knows of the block language.

A word takes the vectors that the word before left, one a column, and leaves its own in a free buffer. Factors
1/√d of the matrices wait until something has to multiply the columns anyway.

Backward, the words are performed in reverse on the gradients of their output. To add a word: two functions
and a line in each of `perform` and `perform_back`.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.engines.correlated._norms import norm, norm_back
from montecarlo.engines.correlated._records import Vector
from montecarlo.engines.correlated._state import factor_of, log_vector, schedule_of
from montecarlo.kernels._lane_product import lane_product
from montecarlo.kernels._product import VECTOR, product
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.kernels._words import (
    ACTIVATION,
    BIAS,
    BRANCH_NORM,
    LINEAR_V,
    LINEAR_W,
    NORM,
    STREAM_NORM,
)

V, W = 0, 1
"""Places in `Work.log_inputs`."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(VECTOR)


@inline
def keeps(word):
    """Return whether a word keeps something for the backward pass, in a slot of the tape."""
    return word in (NORM, ACTIVATION, BRANCH_NORM, STREAM_NORM)


@helper
def kept_words(sentence):
    """Return the slots that a layer needs."""
    slots = np.int64(0)
    for word in sentence:
        slots += np.int64(keeps(word))
    return slots


@inline
def whole(network):
    """Return the states as the vectors that a sentence begins with."""
    return Vector(np.int64(0), network.width, np.int64(0), np.int64(0), False, False)


@inline
def perform(network, k, state, tape, work, slot):
    """Perform a sentence on all states; return the vectors that it leaves."""
    vector = whole(network)
    for word in network.constants.sentence:
        if word in (NORM, BRANCH_NORM):
            vector = norm(network, state, vector, tape, slot)
        elif word == LINEAR_W:
            factor = factor_of(network, vector.roots, vector.inner_roots)
            remember(network, W, k, state, vector, work, factor)
            vector = linear_w(network, k, False, state, vector)
        elif word == BIAS:
            front, size, roots, inner_roots, _, normed = vector
            vector = Vector(front, size, roots, inner_roots, True, normed)
        elif word == ACTIVATION:
            vector = activation(network, k, state, vector, tape, slot)
        elif word == LINEAR_V:
            # The factor that V's image has, but for V's own √d.
            factor = factor_of(network, vector.roots, vector.inner_roots + 1) * network.root_inner
            remember(network, V, k, state, vector, work, factor)
            vector = linear_v(network, k, False, state, vector)
        slot += np.int64(keeps(word))
    return vector


@inline
def perform_back(network, k, state, tape, work, slot, outputs):
    """Perform the transposed derivative of a sentence on all gradients; store weight-gradient norms."""
    sentence = network.constants.sentence
    vector = whole(network)
    slot += kept_words(sentence)
    for position in range(sentence.size - 1, -1, -1):
        word = sentence[position]
        slot -= np.int64(keeps(word))
        if word in (NORM, BRANCH_NORM):
            vector = norm_back(network, state, vector, tape, slot)
        elif word == LINEAR_W:
            finish(network, W, k, state, vector, work, outputs.weight_w)
            vector = linear_w(network, k, True, state, vector)
        elif word == ACTIVATION:
            vector = activation_back(network, state, vector, tape, slot)
        elif word == LINEAR_V:
            finish(network, V, k, state, vector, work, outputs.weight_v)
            vector = linear_v(network, k, True, state, vector)
    return vector


@inline
def remember(network, matrix, k, state, vector, work, factor):
    """Remember the log-norms of what a matrix meets, for those of its gradients."""
    if work.log_inputs.size > 0:
        for c in range(network.networks):
            work.log_inputs[matrix, c, k] = log_vector(network, state, vector, c) + math.log(factor)


@inline
def finish(network, matrix, k, state, vector, work, weights):
    """Store the log-norms of a matrix's gradients: the products of the vectors on its two sides."""
    if weights.size > 0:
        schedule = schedule_of(network.constants, k)
        log_schedule = math.log(schedule) if schedule > 0.0 else -np.inf
        for c in range(network.networks):
            log_alpha = math.log(network.scales[c]) - work.starts[0, c] - work.starts[1, c] + log_schedule
            log_p = log_alpha + log_vector(network, state, vector, c)
            log_p -= vector.roots * math.log(network.root_d)
            log_p -= vector.inner_roots * math.log(network.root_inner)
            weights[c, k] = log_p + work.log_inputs[matrix, c, k]


@inline
def free(vector):
    """Return a buffer that holds neither the vector nor the state."""
    return np.int64(2) if vector.front == 1 else np.int64(1)


@inline
def linear_w(network, k, transposed, state, vector):
    """Multiply with √d times W or its transpose."""
    front = free(vector)
    rows = network.width if transposed else network.inner
    multiply(network, network.paths.w, k, transposed, rows, state, vector, front)
    return Vector(front, rows, vector.roots + 1, vector.inner_roots, False, vector.normed)


@inline
def linear_v(network, k, transposed, state, vector):
    """Multiply with √M times V or its transpose."""
    front = free(vector)
    rows = network.inner if transposed else network.width
    multiply(network, network.paths.v, k, transposed, rows, state, vector, front)
    return Vector(front, rows, vector.roots, vector.inner_roots + 1, False, vector.normed)


@inline
def multiply(network, matrices, k, transposed, rows, state, vector, front):
    """Store the products of a vector with the matrix of a layer."""
    apply(
        network.own, matrices, k, network.constants.depth, transposed, rows, vector.size,
        state.buffers[vector.front], network.columns, state.buffers[front],
    )  # fmt: skip


@helper
def apply(own, matrices, k, layers, transposed, rows, size, table, columns, out):
    """Store the products of the columns of a table with a matrix, or each with its own."""
    if own:
        lane_product(matrices, np.uint64(k), np.uint64(layers), transposed, rows, size, table, columns, out)
    else:
        down, along = (_ONE, rows) if transposed else (size, _ONE)
        product(matrices[k], _ZERO, down, along, rows, size, table, columns, out)


@inline
def activation(network, k, state, vector, tape, slot):
    """Evaluate σ and σ'.

    A σ that bends is homogeneous: factors wait on. Others see the entries themselves.
    """
    front = free(vector)
    z, values = state.buffers[vector.front], state.buffers[front]
    if network.bends:
        below = np.float32(network.sigma.negative_slope)
        bend(z, values, tape.active[slot], vector.size * network.columns, below)
        return Vector(front, vector.size, vector.roots, vector.inner_roots, False, vector.normed)
    scale = factor_of(network, vector.roots, vector.inner_roots)
    evaluate(network, k, z, values, tape.slopes[slot], vector, scale, state.exponents)
    return Vector(front, vector.size, np.int64(0), np.int64(0), False, vector.normed)


@helper
def bend(z, values, active, n, below):
    """Evaluate a piecewise linear activation; store who is active."""
    for i in range(_ZERO, n):
        x = z[i]
        positive = x > np.float32(0.0)
        active[i] = np.uint8(positive)
        values[i] = x if positive else below * x


@helper
def evaluate(network, k, z, values, slopes, vector, scale, exponents):
    """Evaluate any activation at ``2**exponent * scale * z + bias_std * bias``.

    The values are in the frame of the column's exponent, or both are in none.
    """
    below = network.sigma.negative_slope
    row, first, step = np.uint64(k), _ZERO, _ONE
    for c in range(_ZERO, network.columns):
        if network.own:
            row = np.uint64(c) // _LANES * np.uint64(network.constants.depth) + np.uint64(k)
            first, step = np.uint64(c) % _LANES, _LANES
        frame = np.int64(0) if vector.normed else exponents[c]
        bounded = min(max(frame, -EVALUATION_LIMIT), EVALUATION_LIMIT)
        up = math.ldexp(scale, int(bounded))
        down = math.ldexp(1.0, int(-bounded))
        for i in range(_ZERO, vector.size):
            place = np.uint64(i) * network.columns + np.uint64(c)
            x = np.float64(z[place]) * up
            if vector.biased:
                bias = network.paths.biases[row, first + np.uint64(i) * step]
                x += np.float64(bias) * network.constants.bias_std
            if math.isnan(below):
                s = network.sigma.value(x)
                t = network.sigma.slope(x)
            else:
                t = 1.0 if x > 0.0 else below
                s = t * x
            values[place] = np.float32(s * down)
            slopes[place] = np.float32(t)


@inline
def activation_back(network, state, vector, tape, slot):
    """Multiply by σ'."""
    front, n = free(vector), vector.size * network.columns
    x, out = state.buffers[vector.front], state.buffers[front]
    if network.bends:
        bend_back(x, out, tape.active[slot], n, np.float32(network.sigma.negative_slope))
    else:
        slopes = tape.slopes[slot]
        for i in range(_ZERO, n):
            out[i] = x[i] * slopes[i]
    return Vector(front, vector.size, vector.roots, vector.inner_roots, False, False)


@helper
def bend_back(values, out, active, n, below):
    """Multiply by the slopes of a piecewise linear activation."""
    for i in range(_ZERO, n):
        x = values[i]
        out[i] = x if active[i] != np.uint8(0) else below * x
