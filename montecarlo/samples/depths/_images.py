"""Coupled depths of Gaussian res-1 networks by images: sixteen networks in lanes, no matrix is drawn.

One fresh Gaussian matrix Ξ belongs to each layer of the deepest network. A network that is r times shallower
has ``√d V = (Ξ_1 + ... + Ξ_r) / √r`` in the layer that spans the same time, so that each matrix acts on the
current σ(h) of all depths at once: their images are ``ξ C`` (`montecarlo.engines.gaussian._gram`). A
shallower network keeps its σ(h) until its layer ends, and adds the images to its state one by one.

States are plain float64: where there is a limit at large depth they stay in range. A network that leaves it
all the same has infinite or NaN rows, which the caller marks.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import helper, kernel
from montecarlo.engines.gaussian._gram import apply, factor, fill_vectors
from montecarlo.kernels._lanes import NETWORKS, dot, fill_normals
from montecarlo.kernels._state import SCALAR_FUNCTION, draw_input
from montecarlo.streams._keys import ROLE_IMAGE_START, ROLE_IMAGE_V

_V = np.uint32(ROLE_IMAGE_V << 28)
_START = np.uint32(ROLE_IMAGE_START << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)
_TOLERANCE = 8.0 * 2.0**-52

_MATRIX = types.float64[:, ::1]
_RUN_BLOCK = types.void(
    SCALAR_FUNCTION, types.float64, types.int64, types.int64, types.int64[::1], types.float64[::1],
    types.int64, types.float64, types.uint32, types.uint32, types.uint64, _MATRIX, _MATRIX, _MATRIX, _MATRIX,
)  # fmt: skip


@helper
def draw_starts(k0, k1, low, high, groups, rows, input_scale, x, fresh, start):
    """Store h_0 = A x of sixteen networks: normal given x, with variance ``‖x‖²/n`` an entry."""
    n_in = np.uint64(x.size)
    fill_normals(k0, k1, _START, low, high, groups, fresh, _ZERO)
    for lane in range(_ZERO, _SIXTEEN):
        draw_input(k0, k1, np.uint32(low + np.uint32(lane)), high, x, n_in)
        total = 0.0
        for j in range(_ZERO, n_in):
            total += np.float64(x[j]) * np.float64(x[j])
        scale = input_scale * math.sqrt(total / np.float64(n_in))
        for j in range(_ZERO, rows):
            start[j * _SIXTEEN + lane] = scale * np.float64(fresh[j * _SIXTEEN + lane])


@helper
def activate(value, negative_slope, scale, state, start, n, out):
    """Store ``scale σ(h)`` of one depth."""
    if math.isnan(negative_slope):
        for i in range(_ZERO, n):
            out[start + i] = scale * value(state[start + i])
    else:
        for i in range(_ZERO, n):
            x = state[start + i]
            out[start + i] = scale * (x if x > 0.0 else negative_slope * x)


@helper
def renew_gram(vectors, size, rows, stale, count, gram):
    """Store the rows of the Gram matrix of the vectors from `stale` on; those before have not changed."""
    for v in range(stale, count):
        for w in range(_ZERO, np.uint64(v + _ONE)):
            dot(vectors, v * size, vectors, w * size, rows, gram, (v * count + w) * _SIXTEEN)


@helper
def compare(state, size, rows, v, gap, squares, largest):
    """Store ``‖h^v − h^{v+1}‖²`` of the sixteen networks, and raise the largest so far to it."""
    first = v * size
    second = np.uint64(v + _ONE) * size
    for i in range(_ZERO, rows * _SIXTEEN):
        gap[i] = state[first + i] - state[second + i]
    dot(gap, _ZERO, gap, _ZERO, rows, squares, v * _SIXTEEN)
    for lane in range(_ZERO, _SIXTEEN):
        i = v * _SIXTEEN + lane
        largest[i] = max(largest[i], squares[i])


@helper
def half_log(square, reference):
    """Return the natural log of a ratio of norms from their squares; -inf for an exact zero."""
    return -np.inf if square == 0.0 else 0.5 * math.log(square / reference)


@kernel(signature=_RUN_BLOCK)
def run_block(
    value, negative_slope, width, depth, ratios, scales, n_in, input_scale, k0, k1, first_replica,
    strong, end, ratio, cosine,
):  # fmt: skip
    """Sample the networks ``first_replica ... first_replica + len(ratio) - 1`` at all depths, shallow first.

    ``ratios[v]`` is the number of layers of the deepest network, of depth `depth`, that one layer of network
    v spans, a multiple of ``ratios[v + 1]``; the last is 1. ``scales[v]`` is α of network v over
    ``√ratios[v]``. Batches of sixteen start at multiples of sixteen, whatever the block.
    """
    rows = np.uint64(width)
    count = np.uint64(ratios.size)
    groups = (rows + _FOUR - _ONE) // _FOUR
    size = groups * _FOUR * _SIXTEEN
    root_d = math.sqrt(np.float64(width))
    tolerance = _TOLERANCE * root_d

    state = np.zeros(count * size, np.float64)
    image = np.zeros(count * size, np.float64)
    start = np.zeros(size, np.float64)
    gap = np.zeros(size, np.float64)
    normals = np.zeros(count * size, np.float32)
    fresh = np.zeros(size, np.float32)
    gram = np.zeros(count * count * _SIXTEEN, np.float64)
    coefficients = np.zeros(count * count * _SIXTEEN, np.float64)
    units = np.zeros(count * count, np.float64)
    pivots = np.zeros(count, np.float64)
    roots = np.zeros(count, np.float64)
    squares = np.zeros(count * _SIXTEEN, np.float64)
    largest = np.zeros(count * _SIXTEEN, np.float64)
    norms, ends, products = np.zeros((3, NETWORKS), np.float64)
    x = np.zeros(n_in, np.float32)

    begin = np.uint64(first_replica) // _SIXTEEN * _SIXTEEN
    stop = np.uint64(first_replica) + np.uint64(ratio.shape[0])
    for batch in range(begin, stop, _SIXTEEN):
        low = np.uint32(np.uint64(batch) & np.uint64(0xFFFFFFFF))
        high = np.uint32(np.uint64(batch) >> np.uint64(32))
        draw_starts(k0, k1, low, high, groups, rows, input_scale, x, fresh, start)
        for v in range(_ZERO, count):
            for i in range(_ZERO, size):
                state[v * size + i] = start[i]
        largest[:] = 0.0
        for k in range(depth):
            stale = _ZERO
            while k % ratios[stale] != 0:
                stale = np.uint64(stale + _ONE)
            for v in range(stale, count):
                activate(value, negative_slope, scales[v], state, v * size, rows * _SIXTEEN, image)
            renew_gram(image, size, rows, stale, count, gram)
            factor(gram, count, tolerance, 1.0 / root_d, units, pivots, roots, coefficients)
            fill_vectors(k0, k1, np.uint32(np.uint32(k) | _V), low, high, groups, count, normals)
            apply(normals, size, rows, count, coefficients, True, state)
            for v in range(_ZERO, np.uint64(count - _ONE)):
                if (k + 1) % ratios[v] == 0:
                    compare(state, size, rows, v, gap, squares, largest)
        dot(start, _ZERO, start, _ZERO, rows, norms, _ZERO)
        first = np.uint64(batch) - np.uint64(first_replica)
        for v in range(_ZERO, count):
            dot(state, v * size, state, v * size, rows, ends, _ZERO)
            dot(state, v * size, start, _ZERO, rows, products, _ZERO)
            for lane in range(_ZERO, _SIXTEEN):
                row = np.uint64(first + lane)  # before the first replica of the block: it wraps, and is large
                if row >= np.uint64(ratio.shape[0]):
                    continue
                ratio[row, v] = half_log(ends[lane], norms[lane])
                both = math.sqrt(ends[lane]) * math.sqrt(norms[lane])
                cosine[row, v] = min(max(products[lane] / both, -1.0), 1.0) if both > 0.0 else np.nan
                if np.uint64(v + _ONE) < count:
                    i = v * _SIXTEEN + lane
                    strong[row, v] = half_log(largest[i], norms[lane])
                    end[row, v] = half_log(squares[i], norms[lane])
