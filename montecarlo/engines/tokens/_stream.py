"""The stream of a network: Gram matrices, Cholesky factors, norms, images of fresh matrices."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.engines.tokens._draws import fill_normals
from montecarlo.engines.tokens._matrices import Matrix, add_gram, fold, multiply
from montecarlo.engines.tokens._records import CHUNK

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_SIXTEEN = np.uint64(16)
_PIVOT = 64.0 * 2.0**-52


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
def find_input(network, norm, stream):
    """Turn the Gram matrix of the stream into that of normalised tokens and their tangents.

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
            if norm == 2:
                value -= gram[m * wide + i] * gram[m * wide + j] / d
            out[i * columns + j] = value
    if norm == 0:
        return
    tangents = m > n
    for i in range(_ZERO, n):
        r = inverse_root(out[i * columns + i] / d + network.scales.eps)
        along = r * r * out[(n + i) * columns + i] / d if tangents else 0.0
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


@helper
def inverse_root(x):
    """Return x**-0.5, and 0 for 0: a zero vector has no direction."""
    return 1.0 / math.sqrt(x) if x != 0.0 else 0.0


@helper
def normalise(network, vectors, stream):
    """Normalise tokens in place, and their tangents with them; the Gram matrix is measured first."""
    sizes, norm = network.sizes, network.words.norm
    if norm == 0:
        return
    measure(sizes, vectors, stream)
    m, n, stride = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.stride)
    gram, wide, width = stream.gram, m + _FOUR, np.uint64(sizes.width)
    d = np.float64(sizes.width)
    for i in range(_ZERO, n):
        mean = gram[m * wide + i] / d if norm == 2 else 0.0
        r = inverse_root(gram[i * wide + i] / d - mean * mean + network.scales.eps)
        if m > n:
            t = n + i
            t_mean = gram[m * wide + t] / d if norm == 2 else 0.0
            along = r * r * (gram[t * wide + i] / d - t_mean * mean)
            for j in range(_ZERO, width):
                known = along * (vectors[i * stride + j] - mean)
                vectors[t * stride + j] = r * ((vectors[t * stride + j] - t_mean) - known)
        for j in range(_ZERO, width):
            vectors[i * stride + j] = r * (vectors[i * stride + j] - mean)


@helper
def draw_images(network, batch, layer_role, factor, lower, out, stream, work):
    """Store the images of a fresh matrix of standard normal entries: `factor` times rows of normals."""
    sizes = network.sizes
    m, columns, stride = np.uint64(sizes.vectors), np.uint64(sizes.columns), np.uint64(sizes.stride)
    width = np.uint64(sizes.width)
    finite = load_coefficients(factor, stream.coefficients)
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
def load_coefficients(factor, coefficients):
    """Round a factor to float32, and return whether that left it finite."""
    largest = 0.0
    for i in range(_ZERO, np.uint64(factor.size)):
        largest = max(largest, abs(factor[i]))
        coefficients[i] = np.float32(factor[i])
    return largest < 1e37


@helper
def add_branch(network, alpha, stream):
    """Add the branch to the stream."""
    size = np.uint64(network.sizes.vectors * network.sizes.stride)
    x, branch, skip = stream.x, stream.branch, network.scales.skip
    for i in range(_ZERO, size):
        x[i] = skip * x[i] + alpha * branch[i]
