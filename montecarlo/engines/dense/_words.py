"""The words of the dense engine, forward and backward: all that it knows of the block language.

A word takes the vector that the word before left and leaves its own, in the other of two buffers. Units where
an activation has neither value nor slope are left out of its vector, and their weights are never generated;
what cannot use that is handed the vector `spread`.

`rest` is None in the kernel of plain networks and requests: numba then compiles nothing of norms and signs.

Backward, the words are performed in reverse on the gradient of their output. To add a word: two functions, a
line in each of `perform` and `perform_back`, its name in `_engine.WORDS`, and what `_block` says of it.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import LANES, inline
from montecarlo.common._scalars import larger, ldexp, smaller
from montecarlo.engines.dense._records import Vector
from montecarlo.engines.dense._state import NOW, START, rescale
from montecarlo.engines.dense._vector import finish, measure, pad, remember, spread, tilt, whole
from montecarlo.kernels._signs import fill_signs
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.kernels._words import (
    ACTIVATION,
    BIAS,
    BRANCH_NORM,
    LINEAR_V,
    LINEAR_W,
    NORM,
    SIGNED_ACTIVATION,
    TANH,
)
from montecarlo.streams._keys import ROLE_BIAS, ROLE_V, ROLE_W

V, W = np.int64(0), np.int64(1)
"""Rows of `Work.log_inputs`."""

_V = np.uint32(ROLE_V << 28)
_W = np.uint32(ROLE_W << 28)
_BIAS = np.uint32(ROLE_BIAS << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)


@inline
def is_activation(word):
    """Return whether a word leaves out units."""
    return (word == ACTIVATION) | (word == SIGNED_ACTIVATION)


@inline
def perform(rest, network, address, k, state, tape, work, slot):
    """Perform a sentence on a state; return the vector that it leaves, on all units."""
    vector = whole(network, state)
    sentence = network.constants.sentence
    for position in range(sentence.size):
        word = sentence[position]
        if vector.support != 0 and word != LINEAR_V:
            vector = spread(vector, state.buffers, tape)
        if (word == NORM) | (word == BRANCH_NORM):
            vector = norm(rest, network, vector, state, tape, slot)
        elif word == LINEAR_W:
            remember(rest, work.log_inputs, W, k, vector, state)
            vector = linear_w(network, address, k, vector, state.buffers, tape, work)
        elif word == BIAS:
            vector = bias(network, address, k, vector, work)
        elif word == ACTIVATION:
            vector = activation(network, vector, state.buffers, tape, work, slot)
        elif word == SIGNED_ACTIVATION:
            vector = signed_activation(rest, network, address, k, vector, state.buffers, tape, work, slot)
        elif word == LINEAR_V:
            remember(rest, work.log_inputs, V, k, vector, state)
            vector = linear_v(network, address, k, vector, state.buffers, tape, work)
        slot += tape.of_word[position]
    return spread(vector, state.buffers, tape)


@inline
def perform_back(rest, network, address, row, k, state, tape, work, slot, out):
    """Perform the transposed derivative of a sentence on a gradient; leave weight-gradient norms in `out`."""
    sentence = network.constants.sentence
    vector = whole(network, state)
    slot += tape.words
    for position in range(sentence.size - 1, -1, -1):
        word = sentence[position]
        if vector.support != 0 and not ((word == LINEAR_W) | (word == BIAS) | is_activation(word)):
            vector = spread(vector, state.buffers, tape)
        slot -= tape.of_word[position]
        if (word == NORM) | (word == BRANCH_NORM):
            vector = norm_back(rest, network, vector, state.buffers, tape, slot)
        elif word == LINEAR_W:
            finish(rest, network, out.weight_w, W, row, k, vector, state, work)
            vector = linear_w_back(network, address, k, vector, state.buffers, tape, work)
        elif is_activation(word):
            vector = activation_back(vector, state.buffers, tape, slot, position == 0)
        elif word == LINEAR_V:
            finish(rest, network, out.weight_v, V, row, k, vector, state, work)
            active = position > 0 and is_activation(sentence[position - 1])
            support = slot if active else np.int64(0)
            vector = linear_v_back(network, address, k, vector, state.buffers, tape, work, support)
    return spread(vector, state.buffers, tape)


@inline
def linear_w(network, address, k, vector, buffers, tape, work):
    """Multiply with W, entry by entry of the image; its factor 1/√d is applied at once."""
    x, image = buffers[vector.front], buffers[1 - vector.front]
    pad(x, network.width)
    size = network.inner
    network.project(
        address, np.uint32(np.uint32(k) | _W), tape.units[0], size, x, network.steps, work.scratch, image,
    )  # fmt: skip
    scale = np.float32(1.0 / (network.root_d * vector.divisor))
    for i in range(_ZERO, size):
        image[i] *= scale
    return Vector(1 - vector.front, vector.frame, 1.0, size, size, np.int64(0), False, False)


@inline
def linear_w_back(network, address, k, vector, buffers, tape, work):
    """Multiply with Wᵀ, from the rows of the units that the gradient has."""
    layer_role = np.uint32(np.uint32(k) | _W)
    return _combine(network, address, layer_role, network.root_d, vector, buffers, tape, work)


@inline
def linear_v(network, address, k, vector, buffers, tape, work):
    """Multiply with V, from the columns of the units that the vector has."""
    layer_role = np.uint32(np.uint32(k) | _V)
    return _combine(network, address, layer_role, network.root_inner, vector, buffers, tape, work)


@inline
def linear_v_back(network, address, k, vector, buffers, tape, work, support):
    """Multiply with Vᵀ, for the units of a row of the tape alone."""
    x, image = buffers[vector.front], buffers[1 - vector.front]
    count = tape.counts[support - 1] if support > 0 else network.inner
    pad(x, network.width)
    network.project(
        address, np.uint32(np.uint32(k) | _V), tape.units[support], count, x, network.steps, work.scratch,
        image,
    )  # fmt: skip
    divisor = vector.divisor * network.root_inner
    return Vector(1 - vector.front, vector.frame, divisor, count, network.inner, support, False, False)


@inline
def _combine(network, address, layer_role, root, vector, buffers, tape, work):
    x, image = buffers[vector.front], buffers[1 - vector.front]
    units = tape.units[vector.support]
    if vector.support != 0:  # behind all units of the smaller side stand those of the larger one
        pad(units, vector.count)
    pad(x, vector.count)
    network.combine(address, layer_role, units, vector.count, x, network.steps, work.scratch, image)
    divisor, d = vector.divisor * root, network.width
    return Vector(1 - vector.front, vector.frame, divisor, d, d, np.int64(0), False, False)


@inline
def bias(network, address, k, vector, work):
    """Draw the bias."""
    layer_role, steps = np.uint32(np.uint32(k) | _BIAS), (vector.size + _LANES - _ONE) // _LANES
    network.combine(address, layer_role, work.one_unit, _ONE, work.one_value, steps, work.scratch, work.bias)
    front, frame, divisor, count, size, support, _, _ = vector
    return Vector(front, frame, divisor, count, size, support, False, True)


@inline
def activation(network, vector, buffers, tape, work, slot):
    """Evaluate σ and σ' and keep the units where either is not zero.

    A piecewise linear σ is homogeneous: neither the frame nor a factor matters, and values are in the same
    frame. So are those of others, which are evaluated at the entries themselves.
    """
    z, values = buffers[vector.front], buffers[1 - vector.front]
    units, slopes = tape.units[slot + 1], tape.vectors[slot]
    below = network.sigma.negative_slope
    divisor = vector.divisor
    if not math.isnan(below) and not vector.biased:
        n = bend(z, vector.size, np.float32(below), units, values, slopes)
    else:
        n = evaluate(network, vector, z, work.bias, units, values, slopes)
        divisor = 1.0
    tape.counts[slot] = n
    return Vector(1 - vector.front, vector.frame, divisor, n, vector.size, slot + 1, False, False)


@inline
def signed_activation(rest, network, address, k, vector, buffers, tape, work, slot):
    """Evaluate σ(s x) and s σ'(s x) with fresh signs s, for a piecewise linear σ; keep units as above."""
    if rest is None:
        return vector
    z, values = buffers[vector.front], buffers[1 - vector.front]
    units, slopes = tape.units[slot + 1], tape.vectors[slot]
    fill_signs(
        address.k0, address.k1, np.uint32(k), address.low, address.high, vector.size, _ONE, _ZERO, work.bias
    )
    for i in range(_ZERO, vector.size):
        z[i] *= work.bias[i]
    n = bend(z, vector.size, np.float32(network.sigma.negative_slope), units, values, slopes)
    for i in range(_ZERO, n):
        slopes[i] *= work.bias[units[i]]
    tape.counts[slot] = n
    front = 1 - vector.front
    return Vector(front, vector.frame, vector.divisor, n, vector.size, slot + 1, False, False)


@inline
def bend(z, d, below, units, values, slopes):
    """Evaluate a piecewise linear activation; return the number of units."""
    n = _ZERO
    for i in range(_ZERO, d):
        x = np.float32(z[i])
        positive = x > np.float32(0.0)
        t = np.float32(1.0) if positive else below
        # Branch-free compaction: a branch on a fair coin would cost more than the stores.
        units[n] = np.uint32(i)
        values[n] = t * x
        slopes[n] = t
        n += np.uint64(t != np.float32(0.0))
    return n


@inline
def evaluate(network, vector, z, bias, units, values, slopes):
    """Evaluate any activation at the entries of a vector plus the bias; return the number of units."""
    n = _ZERO
    below = network.sigma.negative_slope
    bounded = smaller(larger(vector.frame, -EVALUATION_LIMIT), EVALUATION_LIMIT)
    up = ldexp(1.0, bounded) / vector.divisor
    down = ldexp(1.0, -bounded)
    for i in range(_ZERO, vector.size):
        x = np.float64(z[i]) * up
        if vector.biased:
            x += np.float64(bias[i]) * network.constants.bias_std
        if math.isnan(below):
            s = network.sigma.value(x)
            t = network.sigma.slope(x)
        else:
            t = 1.0 if x > 0.0 else below
            s = t * x
        units[n] = np.uint32(i)
        values[n] = np.float32(s * down)
        slopes[n] = np.float32(t)
        n += np.uint64(t != 0.0 or s != 0.0)
    return n


@inline
def activation_back(vector, buffers, tape, slot, last):
    """Multiply by σ'; the factor that waits is applied unless the sentence ends here."""
    x, out = buffers[vector.front], buffers[1 - vector.front]
    units, slopes = tape.units[slot + 1], tape.vectors[slot]
    n = tape.counts[slot]
    divisor = vector.divisor if last else 1.0
    scale = np.float32(divisor / vector.divisor)
    if vector.support == 0:
        for i in range(_ZERO, n):
            out[i] = x[units[i]] * (slopes[i] * scale)
    else:
        for i in range(_ZERO, n):
            out[i] = x[i] * (slopes[i] * scale)
    return Vector(1 - vector.front, vector.frame, divisor, n, vector.size, slot + 1, False, False)


@inline
def norm(rest, network, vector, state, tape, slot):
    """Normalise a vector; one of the state itself is read in float64."""
    if rest is None:
        return vector
    if vector.raw:
        return _norm(network, vector, state.mantissas, state.buffers, tape, slot)
    return _norm(network, vector, state.buffers[vector.front], state.buffers, tape, slot)


@inline
def _norm(network, vector, x, buffers, tape, slot):
    front, d = 1 - vector.front, network.width
    out, kept = buffers[front], tape.vectors[slot]
    if network.constants.norm == TANH:
        squash(network, vector, x, out, kept)
        return Vector(front, vector.frame, 1.0, d, d, np.int64(0), False, False)
    mean, factor, length = measure(network, x, vector.frame, vector.divisor)
    for j in range(_ZERO, d):
        out[j] = np.float32((np.float64(x[j]) - mean) * factor)
        kept[j] = out[j]
    tape.lengths[slot] = length
    return Vector(front, np.int64(0), 1.0, d, d, np.int64(0), False, False)


@inline
def squash(network, vector, x, out, slopes):
    """Evaluate tanh(γ x), in the frame of x as an activation is, and its slope."""
    gamma = network.constants.norm_gamma
    bounded = smaller(larger(vector.frame, -EVALUATION_LIMIT), EVALUATION_LIMIT)
    up = ldexp(gamma, bounded) / vector.divisor
    down = ldexp(1.0, -bounded)
    for j in range(_ZERO, network.width):
        t = math.tanh(np.float64(x[j]) * up)
        out[j] = np.float32(t * down)
        slopes[j] = np.float32(gamma * (1.0 - t * t))


@inline
def norm_back(rest, network, vector, buffers, tape, slot):
    """Multiply with a norm's derivative, ``(I - n nᵀ/d) / length``; the length waits as a factor."""
    if rest is None:
        return vector
    front, d = 1 - vector.front, network.width
    x, out, kept = buffers[vector.front], buffers[front], tape.vectors[slot]
    divisor = vector.divisor
    if network.constants.norm == TANH:
        for j in range(_ZERO, d):
            out[j] = x[j] * kept[j]
    else:
        mean, along = tilt(network, x, kept)
        keep = 1.0 if tape.lengths[slot] > 0.0 else 0.0
        for j in range(_ZERO, d):
            out[j] = np.float32(keep * (np.float64(x[j]) - mean - along * np.float64(kept[j])))
        divisor *= tape.lengths[slot] if keep > 0.0 else 1.0
    return Vector(front, vector.frame, divisor, d, d, np.int64(0), False, False)


@inline
def stream_norm(rest, network, state, tape, slot):
    """Normalise the stream, which has a scale of its own from then on."""
    if rest is None:
        return True
    exponent, start = state.exponents[NOW], state.exponents[START]
    mean, factor, length = measure(network, state.mantissas, exponent, 1.0)
    tape.lengths[slot] = length
    # Exponents from an old frame, of the difference or the state, to the new one.
    new_frame = larger(start, 0)
    moved = larger(exponent, start) - new_frame
    was = larger(exponent - new_frame, -2000)
    for j in range(_ZERO, network.width):
        old = state.mantissas[j]
        new = (old - mean) * factor
        change = ldexp(new, -new_frame) - ldexp(old, was)
        state.difference[j] = ldexp(state.difference[j], moved) + change
        state.mantissas[j] = new
        tape.vectors[slot, j] = np.float32(new)
    state.exponents[NOW] = 0
    return rescale(state, network.width, network.lowest)


@inline
def stream_norm_back(rest, network, state, tape, slot, lowest):
    """Multiply the gradient with the derivative of the stream's norm."""
    if rest is None:
        return True
    direction, length = tape.vectors[slot], tape.lengths[slot]
    mean, along = tilt(network, state.mantissas, direction)
    inverse = 1.0 / length if length > 0.0 else 0.0
    behind = larger(smaller(state.exponents[NOW] - state.exponents[START], 0), -2000)
    for j in range(_ZERO, network.width):
        old = state.mantissas[j]
        new = (old - mean - along * np.float64(direction[j])) * inverse
        state.difference[j] += ldexp(new - old, behind)
        state.mantissas[j] = new
    return rescale(state, network.width, lowest)
