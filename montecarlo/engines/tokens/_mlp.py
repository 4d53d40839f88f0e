"""The MLP: hidden units in chunks, drawn, activated, and added to their Gram matrix."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.engines.tokens._activations import Scale, activate, power_behind
from montecarlo.engines.tokens._draws import fill_normals, word_of
from montecarlo.engines.tokens._matrices import Matrix, add_gram, fold, multiply
from montecarlo.engines.tokens._powers import (
    BRANCH,
    INPUT,
    make_room_for_bias,
    split,
    two_to,
)
from montecarlo.engines.tokens._records import CHUNK
from montecarlo.engines.tokens._stream import cholesky, draw_images, load_coefficients
from montecarlo.streams._keys import TOKENS_DOWN, TOKENS_GATE, TOKENS_UP

_ZERO = np.uint64(0)
_CHUNK = np.uint64(CHUNK)
_SIXTEEN = np.uint64(16)


@helper
def add_bias(gram, n, columns, square):
    """Add a vector that all tokens share to their Gram matrix; tangents do not see it."""
    if square > 0.0:
        for i in range(_ZERO, n):
            for j in range(_ZERO, n):
                gram[i * columns + j] += square


@helper
def scaled_factor(source, factor, scale, bias, n, columns, out):
    """Store the factor of ``scale² S + bias² 11ᵀ``; return whether S is finite."""
    if bias == 0.0:
        for i in range(_ZERO, np.uint64(source.size)):
            out[i] = scale * factor[i]
        return True
    rows = np.uint64(source.size) // columns
    for i in range(_ZERO, np.uint64(source.size)):
        out[i] = scale * scale * source[i]
    add_bias(out, n, columns, bias * bias)
    # In place: entry (i, j) of the matrix is read before that of the factor is stored.
    return cholesky(out, out, rows, columns)


@helper
def draw_hidden(network, batch, layer, bias, stream, work):
    """Store the Gram matrix of the hidden units in `stream.input`, and their powers."""
    sizes, words, scales = network.sizes, network.words, network.scales
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    hidden = np.uint64(sizes.hidden)
    rows, powers = (n, m), stream.powers
    tokens, tangents = powers.tokens[INPUT], powers.tangents[INPUT]
    finite = cholesky(stream.input, stream.factor, m, columns)
    finite &= scaled_factor(stream.input, stream.factor, scales.up, bias, n, columns, stream.other)
    fits, more, tangents_more = load_coefficients(sizes, stream.other, stream.coefficients, stream.largest)
    finite &= fits
    up_power = gate_power = tokens + more
    tangents_power = tangents + tangents_more
    behind = power_behind(words.activation, up_power)
    tangents_gate = tangents_up = 1.0
    if words.gated:
        finite &= scaled_factor(stream.input, stream.factor, scales.gate, bias, n, columns, stream.other)
        fits, more, tangents_more = load_coefficients(
            sizes, stream.other, stream.gate_coefficients, stream.largest
        )
        finite &= fits
        gate_power = tokens + more
        behind = power_behind(words.activation, gate_power)
        # (σ(g) u)' = σ'(g) g' u + σ(g) u'
        of_gate, of_up = tangents + tangents_more + up_power, tangents_power + behind
        tangents_power = max(of_gate, of_up)
        tangents_gate, tangents_up = two_to(of_gate - tangents_power), two_to(of_up - tangents_power)
        behind += up_power
    powers.tokens[INPUT], powers.tangents[INPUT] = behind, tangents_power
    bent = Bent(gate_power, np.float32(tangents_gate), np.float32(tangents_up))
    up, gate = word_of(layer, TOKENS_UP), word_of(layer, TOKENS_GATE)
    for first in range(_ZERO, hidden, _CHUNK):
        count = min(_CHUNK, hidden - first)
        whole = (count + np.uint64(15)) // _SIXTEEN * _SIXTEEN
        fill_normals(batch, up, first, count, rows, work.counters, work.normals, _CHUNK)
        multiply(
            Matrix(stream.coefficients, _ZERO, columns), Matrix(work.normals, _ZERO, _CHUNK),
            Matrix(work.images, _ZERO, _CHUNK), m, m, whole, True,
        )  # fmt: skip
        if words.gated:
            fill_normals(batch, gate, first, count, rows, work.counters, work.normals, _CHUNK)
            multiply(
                Matrix(stream.gate_coefficients, _ZERO, columns), Matrix(work.normals, _ZERO, _CHUNK),
                Matrix(work.gates, _ZERO, _CHUNK), m, m, whole, True,
            )  # fmt: skip
        _store_hidden(network, count, whole, bent, stream, work)
        add_gram(Matrix(work.hidden, _ZERO, _CHUNK), m, whole, stream.sums)
    fold(stream.sums, m, Matrix(stream.input, _ZERO, columns))
    return finite


class Bent(NamedTuple):
    """Units that are activated."""

    power: Any
    """Of two, that they are held over."""
    gate: Any
    """What the part of a tangent weighs that comes through the gate; so does `up`."""
    up: Any


@helper
def _store_hidden(network, count, whole, bent, stream, work):
    """Activate a chunk of hidden units, their tangents with them; columns that are no units become zero."""
    sizes, words = network.sizes, network.words
    m, n = np.uint64(sizes.vectors), np.uint64(sizes.rows)
    images, gates, slopes, hidden = work.images, work.gates, work.slopes, work.hidden
    activated = gates if words.gated else images
    for i in range(_ZERO, n):
        row = i * _CHUNK
        scale = Scale(bent.power, stream.largest[i])
        activate(words.activation, scale, activated, row, whole, slopes, row)
        if m > n:
            t = (n + i) * _CHUNK
            if words.gated:
                for j in range(_ZERO, whole):
                    of_gate = slopes[row + j] * gates[t + j] * images[row + j]
                    images[t + j] = bent.gate * of_gate + bent.up * (gates[row + j] * images[t + j])
            else:
                for j in range(_ZERO, whole):
                    images[t + j] *= slopes[row + j]
        if words.gated:
            for j in range(_ZERO, whole):
                images[row + j] *= gates[row + j]
    for i in range(_ZERO, m):
        row = i * _CHUNK
        for j in range(_ZERO, whole):
            hidden[row + j] = np.float64(images[row + j])
        for j in range(count, whole):
            hidden[row + j] = 0.0


@helper
def scale_output(network, std, bias, gram, stream):
    """Store the factor of a Gram matrix behind a branch's last matrix and bias, and the branch's powers."""
    sizes, powers = network.sizes, stream.powers
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    std, power = split(std)
    for i in range(_ZERO, m * columns):
        gram[i] *= std * std
    powers.tokens[BRANCH] = powers.tokens[INPUT] + power
    powers.tangents[BRANCH] = powers.tangents[INPUT] + power
    bias = make_room_for_bias(powers, BRANCH, bias, gram, n, m, columns)
    add_bias(gram, n, columns, bias * bias)
    return cholesky(gram, stream.factor, m, columns)


@helper
def perform_mlp(network, batch, layer, bias, stream, work):
    """Store the branch of the MLP, whose input has the Gram matrix `stream.input`."""
    scales = network.scales
    finite = draw_hidden(network, batch, layer, bias, stream, work)
    finite &= scale_output(network, scales.down, scales.down_bias, stream.input, stream)
    role = word_of(layer, TOKENS_DOWN)
    return finite & draw_images(
        network, batch, role, stream.factor, True, stream.branch, BRANCH, stream, work
    )
