"""The MLP: hidden units in chunks, drawn, activated, and added to their Gram matrix."""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.engines.tokens._activations import activate
from montecarlo.engines.tokens._draws import fill_normals, word_of
from montecarlo.engines.tokens._matrices import Matrix, add_gram, fold, multiply
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
def draw_hidden(network, batch, layer, stream, work):
    """Store the Gram matrix of the hidden units in `stream.input`."""
    sizes, words, scales = network.sizes, network.words, network.scales
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    hidden = np.uint64(sizes.hidden)
    rows = n, m
    finite = cholesky(stream.input, stream.factor, m, columns)
    bias = scales.up_bias
    finite &= scaled_factor(stream.input, stream.factor, scales.up, bias, n, columns, stream.other)
    finite &= load_coefficients(stream.other, stream.coefficients)
    if words.gated:
        finite &= scaled_factor(stream.input, stream.factor, scales.gate, bias, n, columns, stream.other)
        finite &= load_coefficients(stream.other, stream.gate_coefficients)
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
        _store_hidden(network, count, whole, work)
        add_gram(Matrix(work.hidden, _ZERO, _CHUNK), m, whole, stream.sums)
    fold(stream.sums, m, Matrix(stream.input, _ZERO, columns))
    return finite


@helper
def _store_hidden(network, count, whole, work):
    """Activate a chunk of hidden units, their tangents with them; columns that are no units become zero."""
    sizes, words = network.sizes, network.words
    m, n = np.uint64(sizes.vectors), np.uint64(sizes.rows)
    images, gates, slopes, hidden = work.images, work.gates, work.slopes, work.hidden
    bent = gates if words.gated else images
    for i in range(_ZERO, n):
        row = i * _CHUNK
        activate(words.activation, bent, row, whole, slopes, row)
        if m > n:
            t = (n + i) * _CHUNK
            if words.gated:
                for j in range(_ZERO, whole):
                    images[t + j] = (
                        slopes[row + j] * gates[t + j] * images[row + j] + gates[row + j] * images[t + j]
                    )
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
def perform_mlp(network, batch, layer, stream, work):
    """Store the branch of the MLP, whose input has the Gram matrix `stream.input`."""
    sizes, scales = network.sizes, network.scales
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    finite = draw_hidden(network, batch, layer, stream, work)
    gram = stream.input
    for i in range(_ZERO, m * columns):
        gram[i] *= scales.down * scales.down
    add_bias(gram, n, columns, scales.down_bias * scales.down_bias)
    finite &= cholesky(gram, stream.factor, m, columns)
    role = word_of(layer, TOKENS_DOWN)
    return finite & draw_images(network, batch, role, stream.factor, True, stream.branch, stream, work)
