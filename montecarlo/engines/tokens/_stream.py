"""The stream of a network: Gram matrices, Cholesky factors, norms, images of fresh matrices."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.engines.tokens._draws import fill_normals
from montecarlo.engines.tokens._matrices import Matrix, add_gram, fold, multiply
from montecarlo.engines.tokens._powers import (
    BRANCH,
    INPUT,
    STREAM,
    make_room_for_bias,
    norm_scales,
    split,
    sum_of,
    two_to,
)
from montecarlo.engines.tokens._records import CHUNK
from montecarlo.networks._transformer_words import LAYER, NO_NORM

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_CHUNK = np.uint64(CHUNK)
_SIXTEEN = np.uint64(16)
_PIVOT = 64.0 * 2.0**-52
_SMALLEST, _SMALLEST_OF_TWO = 2.0**-200, 2.0**-100
"""Mean square of a token over the largest one's, below which float32 loses entries, and their products."""


@helper
def cholesky(gram, factor, m, columns):
    """Store the lower triangular factor of a Gram matrix; return whether the matrix is finite.

    A row ends where its residual is rounding: the vector lies in the span of those before it.
    """
    finite = True
    for i in range(_ZERO, m):
        square = gram[i * columns + i]
        finite = finite and math.isfinite(square)
        for j in range(_ZERO, i):
            pivot = factor[j * columns + j]
            total = gram[i * columns + j]
            for l in range(_ZERO, j):
                total -= factor[i * columns + l] * factor[j * columns + l]
            factor[i * columns + j] = total / pivot if pivot > 0.0 else 0.0
        residual = square
        for l in range(_ZERO, i):
            residual -= factor[i * columns + l] * factor[i * columns + l]
        factor[i * columns + i] = math.sqrt(residual) if residual > _PIVOT * square else 0.0
        for j in range(np.uint64(i + _ONE), columns):
            factor[i * columns + j] = 0.0
    return finite


@helper
def measure(sizes, vectors, stream):
    """Store the Gram matrix of vectors of the stream, with the sums of their coordinates."""
    rows = np.uint64(sizes.vectors) + _FOUR
    stride = np.uint64(sizes.stride)
    add_gram(Matrix(vectors, _ZERO, stride), rows, stride, stream.sums)
    fold(stream.sums, rows, Matrix(stream.gram, _ZERO, rows))


@helper
def find_input(network, norm, bias, stream):
    """Turn the Gram matrix of the stream into that of normalised tokens and their tangents.

    Return the bias of the branch's first matrices over the power that tokens are held over.

    With x centred where the norm centres: ``n = r x`` with ``r = (‖x‖²/d + ε)^-1/2``, and the tangent of n is
    ``r (t - x r² (x·t)/d)``.
    """
    sizes = network.sizes
    m, columns, n = np.uint64(sizes.vectors), np.uint64(sizes.columns), np.uint64(sizes.rows)
    gram, out = stream.gram, stream.input
    wide = m + _FOUR
    d = np.float64(sizes.width)
    for i in range(_ZERO, m):
        for j in range(_ZERO, m):
            value = gram[i * wide + j]
            if norm == LAYER:
                value -= gram[m * wide + i] * gram[m * wide + j] / d
            out[i * columns + j] = value
    powers = stream.powers
    powers.tokens[INPUT], powers.tangents[INPUT] = powers.tokens[STREAM], powers.tangents[STREAM]
    if norm == NO_NORM:
        return make_room_for_bias(powers, INPUT, bias, out, n, m, columns)
    square, eps = norm_scales(network.scales.eps, powers, INPUT)
    tangents = m > n
    for i in range(_ZERO, n):
        r = inverse_root(square * (out[i * columns + i] / d) + eps)
        along = square * (r * r * out[(n + i) * columns + i] / d) if tangents else 0.0
        if tangents:
            for j in range(_ZERO, m):
                out[(n + i) * columns + j] = r * (out[(n + i) * columns + j] - along * out[i * columns + j])
        for j in range(_ZERO, m):
            out[i * columns + j] *= r
        if tangents:
            for j in range(_ZERO, m):
                out[j * columns + n + i] = r * (out[j * columns + n + i] - along * out[j * columns + i])
        for j in range(_ZERO, m):
            out[j * columns + i] *= r
    return make_room_for_bias(powers, INPUT, bias, out, n, m, columns)


@helper
def tokens_held(sizes, gram, bias, products):
    """Whether float32 holds every token of a Gram matrix beside the largest one, or the bias of them all."""
    columns, largest = np.uint64(sizes.columns), 0.0
    for i in range(_ZERO, np.uint64(sizes.tokens)):
        largest = max(largest, gram[i * columns + i])
    smallest = (_SMALLEST_OF_TWO if products else _SMALLEST) * largest
    if bias > 0.0 and bias * bias >= smallest / np.float64(sizes.width):
        return True
    fine = True
    for i in range(_ZERO, np.uint64(sizes.tokens)):
        fine &= not 0.0 < gram[i * columns + i] < smallest
    return fine


@helper
def inverse_root(x):
    """Return x**-0.5, and 0 for 0: a zero vector has no direction."""
    return 1.0 / math.sqrt(x) if x != 0.0 else 0.0


@helper
def normalise(network, vectors, place, stream):
    """Normalise tokens in place, and their tangents with them; the Gram matrix is measured first."""
    sizes, norm = network.sizes, network.words.norm
    if norm == NO_NORM:
        return
    measure(sizes, vectors, stream)
    m, n, stride = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.stride)
    gram, wide, width = stream.gram, m + _FOUR, np.uint64(sizes.width)
    d = np.float64(sizes.width)
    square, eps = norm_scales(network.scales.eps, stream.powers, place)
    for i in range(_ZERO, n):
        mean = gram[m * wide + i] / d if norm == LAYER else 0.0
        r = inverse_root(square * (gram[i * wide + i] / d - mean * mean) + eps)
        if m > n:
            t = n + i
            t_mean = gram[m * wide + t] / d if norm == LAYER else 0.0
            along = square * (r * r * (gram[t * wide + i] / d - t_mean * mean))
            for j in range(_ZERO, width):
                known = along * (vectors[i * stride + j] - mean)
                vectors[t * stride + j] = r * ((vectors[t * stride + j] - t_mean) - known)
        for j in range(_ZERO, width):
            vectors[i * stride + j] = r * (vectors[i * stride + j] - mean)


@helper
def draw_images(network, batch, layer_role, factor, lower, out, place, stream, work):
    """Store the images of a fresh matrix of standard normal entries: `factor` times rows of normals.

    Return whether they are finite.
    """
    sizes, powers = network.sizes, stream.powers
    m, columns, stride = np.uint64(sizes.vectors), np.uint64(sizes.columns), np.uint64(sizes.stride)
    width = np.uint64(sizes.width)
    finite, tokens, tangents = load_coefficients(sizes, factor, stream.coefficients, stream.largest)
    powers.tokens[place] += tokens
    powers.tangents[place] += tangents
    rows = np.uint64(sizes.rows), m
    for first in range(_ZERO, width, _CHUNK):
        count = min(_CHUNK, width - first)
        fill_normals(batch, layer_role, first, count, rows, work.counters, work.normals, _CHUNK)
        multiply(
            Matrix(stream.coefficients, _ZERO, columns), Matrix(work.normals, _ZERO, _CHUNK),
            Matrix(work.images, _ZERO, _CHUNK), m, m, (count + np.uint64(15)) // _SIXTEEN * _SIXTEEN, lower,
        )  # fmt: skip
        for i in range(_ZERO, m):
            for j in range(_ZERO, count):
                out[i * stride + first + j] = np.float64(work.images[i * _CHUNK + j])
    return finite


@helper
def load_coefficients(sizes, factor, coefficients, largest):
    """Round a factor to float32, tokens and tangents each over a power of two that brings them near 1.

    Store the largest coefficient of each row. Return whether all are finite, and both powers.
    """
    n, m, columns = np.uint64(sizes.rows), np.uint64(sizes.vectors), np.uint64(sizes.columns)
    tokens = load_rows(factor, _ZERO, n, columns, coefficients, largest)
    tangents = load_rows(factor, n, m, columns, coefficients, largest)
    finite = True
    for i in range(_ZERO, m):
        finite &= largest[i] < np.inf
    return finite, tokens, tangents


@helper
def load_rows(factor, first, end, columns, coefficients, largest):
    """Round rows of a factor to float32; return the power of two that they are held over."""
    most = 0.0
    for i in range(first, end):
        size = 0.0
        for j in range(i * columns, (i + _ONE) * columns):
            size = max(size, abs(factor[j]))
        largest[i] = size
        most = max(most, size)
    _, power = split(most)
    scale = two_to(-power)
    for i in range(first, end):
        largest[i] *= scale
        for j in range(i * columns, (i + _ONE) * columns):
            coefficients[j] = np.float32(factor[j] * scale)
    return power


@helper
def add_branch(network, alpha, stream):
    """Add the branch to the stream."""
    sizes, powers = network.sizes, stream.powers
    n, m, stride = np.uint64(sizes.rows), np.uint64(sizes.vectors), np.uint64(sizes.stride)
    power, skip, factor = sum_of(network.scales.skip, powers.tokens[STREAM], alpha, powers.tokens[BRANCH])
    powers.tokens[STREAM] = power
    _add(skip, factor, _ZERO, n * stride, stream)
    if m > n:
        power, skip, factor = sum_of(
            network.scales.skip, powers.tangents[STREAM], alpha, powers.tangents[BRANCH]
        )
        powers.tangents[STREAM] = power
        _add(skip, factor, n * stride, m * stride, stream)


@inline
def _add(skip, factor, first, end, stream):
    x, branch = stream.x, stream.branch
    for i in range(first, end):
        x[i] = skip * x[i] + factor * branch[i]
