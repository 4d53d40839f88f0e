"""Several inputs and tangents through one Gaussian network: sixteen networks in lanes, forward only.

Images come from Gram matrices (`montecarlo.engines.gaussian._gram`).

Every vector has its own power of two a network: images of a matrix are linear, so only activations that are
not homogeneous see it, and an input's exponent alone.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import helper, kernel
from montecarlo.engines.gaussian._gram import apply, diagonal_of_gram, factor, fill_vectors, rest_of_gram
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._state import EVALUATION_LIMIT, RES1, SCALAR_FUNCTION
from montecarlo.streams._keys import ROLE_IMAGE_BIAS, ROLE_IMAGE_START, ROLE_IMAGE_V, ROLE_IMAGE_W

_V = np.uint32(ROLE_IMAGE_V << 28)
_W = np.uint32(ROLE_IMAGE_W << 28)
_BIAS = np.uint32(ROLE_IMAGE_BIAS << 28)
_START = np.uint32(ROLE_IMAGE_START << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)
_LARGE = 2.0**80  # squared norms; with them in range no product of Gram entries can overflow
_SMALL = 2.0**-80
_TOLERANCE = 8.0 * 2.0**-52

_RUN_BLOCK = types.void(
    SCALAR_FUNCTION, SCALAR_FUNCTION, types.float64,
    types.int64, types.float64, types.int64, types.int64, types.float64,
    types.float64[:, ::1], types.int64[::1], types.int64[::1], types.int64[::1],
    types.uint32, types.uint32, types.uint64, types.float64[:, :, ::1], types.float64[:, :, :, ::1],
)  # fmt: skip


@helper
def rescale(state, size, rows, count, gram, exponents, alive):
    """Keep the squared norms of all vectors between 2**-80 and 2**80; mark lanes that are not finite as
    dead, and zero them.
    """
    outside = False
    for v in range(_ZERO, count):
        for lane in range(_ZERO, _SIXTEEN):
            outside |= not (_SMALL < gram[(v * count + v) * _SIXTEEN + lane] < _LARGE)
    if not outside:
        return
    for v in range(_ZERO, count):
        for lane in range(_ZERO, _SIXTEEN):
            if _SMALL < gram[(v * count + v) * _SIXTEEN + lane] < _LARGE:
                continue
            peak = 0.0
            for j in range(_ZERO, rows):
                entry = abs(state[v * size + j * _SIXTEEN + lane])
                if not entry < np.inf:
                    alive[lane] = False
                peak = max(peak, entry)
            if peak > 0.0 and alive[lane]:
                shift = math.frexp(peak)[1]
                exponents[v * _SIXTEEN + lane] += shift
                for j in range(_ZERO, rows):
                    i = v * size + j * _SIXTEEN + lane
                    state[i] = math.ldexp(state[i], -shift)
    for lane in range(_ZERO, _SIXTEEN):
        if not alive[lane]:
            for v in range(_ZERO, count):
                for j in range(_ZERO, rows):
                    state[v * size + j * _SIXTEEN + lane] = 0.0
    diagonal_of_gram(state, size, rows, count, gram)


@helper
def bend_free(image, size, n, count, owners, negative_slope):
    """Replace images by σ of inputs and σ' times tangents, for a piecewise linear σ without bias."""
    # Tangents first: they need the images of the inputs that they are attached to.
    for v in range(_ZERO, count):
        if owners[v] >= 0:
            start = v * size
            other = np.uint64(owners[v]) * size
            for i in range(_ZERO, n):
                slope = 1.0 if image[other + i] > 0.0 else negative_slope
                image[start + i] = slope * image[start + i]
    for v in range(_ZERO, count):
        if owners[v] < 0:
            start = v * size
            for i in range(_ZERO, n):
                x = image[start + i]
                image[start + i] = x if x > 0.0 else negative_slope * x


@helper
def bend(value, slope, negative_slope, image, size, n, count, owners, exponents, bias_std, bias, up, down):
    """Replace images by σ(z) of inputs and σ'(z) times tangents, in each vector's frame."""
    piecewise = not math.isnan(negative_slope)
    for v in range(_ZERO, count):
        for lane in range(_ZERO, _SIXTEEN):
            e = int(min(max(exponents[v * _SIXTEEN + lane], -EVALUATION_LIMIT), EVALUATION_LIMIT))
            up[v * _SIXTEEN + lane] = math.ldexp(1.0, e)
            down[v * _SIXTEEN + lane] = math.ldexp(1.0, -e)
    for v in range(_ZERO, count):
        if owners[v] >= 0:
            start = v * size
            owner = np.uint64(owners[v])
            for i in range(_ZERO, n):
                lane = np.uint64(i & np.uint64(15))
                x = up[owner * _SIXTEEN + lane] * image[owner * size + i]
                if bias_std > 0.0:
                    x += bias_std * np.float64(bias[i])
                if piecewise:
                    image[start + i] *= 1.0 if x > 0.0 else negative_slope
                else:
                    image[start + i] *= slope(x)
    for v in range(_ZERO, count):
        if owners[v] < 0:
            start = v * size
            for i in range(_ZERO, n):
                lane = np.uint64(i & np.uint64(15))
                x = up[v * _SIXTEEN + lane] * image[start + i]
                if bias_std > 0.0:
                    x += bias_std * np.float64(bias[i])
                y = (x if x > 0.0 else negative_slope * x) if piecewise else value(x)
                image[start + i] = y * down[v * _SIXTEEN + lane]


@helper
def product_of_lane(state, first, second, rows, lane):
    """Return the product of two vectors of one lane."""
    total = 0.0
    for j in range(_ZERO, rows):
        total += state[first + j * _SIXTEEN + lane] * state[second + j * _SIXTEEN + lane]
    return total


@helper
def place(mixing, normals, size, rows, count, state):
    """Store vectors with the Gram matrix ``mixing mixingᵀ`` and a uniformly random orientation in `state`.

    The orthonormal frame is that of Gram and Schmidt, of normal vectors; every product is removed twice,
    which makes it orthogonal to rounding. Vectors whose pivot is zero have no axis of their own.
    """
    for lane in range(_ZERO, _SIXTEEN):
        for v in range(_ZERO, count):
            for j in range(_ZERO, rows):
                i = v * size + j * _SIXTEEN + lane
                state[i] = np.float64(normals[i]) if mixing[v, v] > 0.0 else 0.0
            if mixing[v, v] > 0.0:
                for _ in range(2):
                    for w in range(_ZERO, v):
                        along = product_of_lane(state, v * size, w * size, rows, lane)
                        for j in range(_ZERO, rows):
                            i = j * _SIXTEEN + lane
                            state[v * size + i] -= along * state[w * size + i]
                    norm = math.sqrt(product_of_lane(state, v * size, v * size, rows, lane))
                    for j in range(_ZERO, rows):
                        state[v * size + j * _SIXTEEN + lane] /= norm
        for back in range(_ZERO, count):
            v = count - _ONE - back
            for j in range(_ZERO, rows):
                i = j * _SIXTEEN + lane
                total = 0.0
                for w in range(_ZERO, np.uint64(v + _ONE)):
                    total += mixing[v, w] * state[w * size + i]
                state[v * size + i] = total


@helper
def record(gram, count, exponents, first, position, log_norm, cosine):
    """Store log-norms and cosines of the sixteen networks in their rows of the output."""
    for lane in range(_ZERO, _SIXTEEN):
        row = first + lane  # before the first replica of the block: it wraps, and is large
        if row >= np.uint64(log_norm.shape[0]):
            continue
        for v in range(_ZERO, count):
            square = gram[(v * count + v) * _SIXTEEN + lane]
            log_norm[row, position, v] = (
                0.5 * math.log(square) + exponents[v * _SIXTEEN + lane] * _LN2 if square > 0.0 else -np.inf
            )
            cosine[row, position, v, v] = 1.0 if square > 0.0 else np.nan
            for w in range(_ZERO, v):
                norms = math.sqrt(square * gram[(w * count + w) * _SIXTEEN + lane])
                c = gram[(v * count + w) * _SIXTEEN + lane] / norms
                c = min(max(c, -1.0), 1.0) if norms > 0.0 else np.nan
                cosine[row, position, v, w] = c
                cosine[row, position, w, v] = c


@kernel(signature=_RUN_BLOCK)
def run_block(
    value, slope, negative_slope, block, bias_std, width, depth, alpha, mixing, start_exponents, owners,
    layers, k0, k1, first_replica, log_norm, cosine,
):  # fmt: skip
    """Sample the networks ``first_replica ... first_replica + len(log_norm) - 1`` on a common set of vectors.

    Vector i starts as 2**start_exponents[i] times row i of `mixing` in a random frame; ``owners[i]`` is the
    input that tangent i is attached to, -1 for inputs. `layers` (increasing) are those recorded. Batches of
    sixteen start at multiples of sixteen, whatever the block.
    """
    rows = np.uint64(width)
    count = np.uint64(mixing.shape[0])
    groups = (rows + _FOUR - _ONE) // _FOUR
    size = groups * _FOUR * _SIXTEEN
    n = rows * _SIXTEEN
    root_d = math.sqrt(np.float64(width))
    tolerance = _TOLERANCE * root_d
    free = not math.isnan(negative_slope) and bias_std == 0.0

    state = np.zeros(count * size, np.float64)
    image = np.zeros(count * size, np.float64)
    normals = np.zeros(count * size, np.float32)
    bias = np.zeros(size, np.float32)
    gram = np.zeros(count * count * _SIXTEEN, np.float64)
    coefficients = np.zeros(count * count * _SIXTEEN, np.float64)
    units = np.zeros(count * count, np.float64)
    pivots = np.zeros(count, np.float64)
    roots = np.zeros(count, np.float64)
    up = np.zeros(count * _SIXTEEN, np.float64)
    down = np.zeros(count * _SIXTEEN, np.float64)
    exponents = np.zeros(count * _SIXTEEN, np.int64)
    alive = np.ones(NETWORKS, np.bool_)

    begin = np.uint64(first_replica) // _SIXTEEN * _SIXTEEN
    end = np.uint64(first_replica) + np.uint64(log_norm.shape[0])
    for batch in range(begin, end, _SIXTEEN):
        low = np.uint32(np.uint64(batch) & np.uint64(0xFFFFFFFF))
        high = np.uint32(np.uint64(batch) >> np.uint64(32))
        fill_vectors(k0, k1, _START, low, high, groups, count, normals)
        place(mixing, normals, size, rows, count, state)
        for lane in range(_ZERO, _SIXTEEN):
            alive[lane] = True
            for v in range(_ZERO, count):
                exponents[v * _SIXTEEN + lane] = start_exponents[v]
        first = np.uint64(batch) - np.uint64(first_replica)
        position = 0
        for k in range(depth + 1):
            diagonal_of_gram(state, size, rows, count, gram)
            rescale(state, size, rows, count, gram, exponents, alive)
            wanted = position < layers.size and layers[position] == k
            if wanted or (block != RES1 and k < depth):
                rest_of_gram(state, size, rows, count, gram)
            if wanted:
                record(gram, count, exponents, first, position, log_norm, cosine)
                position += 1
            if position == layers.size:
                break
            layer = np.uint32(k)
            if block == RES1:
                image[:] = state
            else:
                factor(gram, count, tolerance, 1.0 / root_d, units, pivots, roots, coefficients)
                fill_vectors(k0, k1, np.uint32(layer | _W), low, high, groups, count, normals)
                apply(normals, size, rows, count, coefficients, False, image)
            if free:
                bend_free(image, size, n, count, owners, negative_slope)
            else:
                if bias_std > 0.0:
                    fill_vectors(k0, k1, np.uint32(layer | _BIAS), low, high, groups, _ONE, bias)
                bend(
                    value, slope, negative_slope, image, size, n, count, owners, exponents, bias_std, bias,
                    up, down,
                )  # fmt: skip
            diagonal_of_gram(image, size, rows, count, gram)
            rest_of_gram(image, size, rows, count, gram)
            factor(gram, count, tolerance, alpha / root_d, units, pivots, roots, coefficients)
            fill_vectors(k0, k1, np.uint32(layer | _V), low, high, groups, count, normals)
            apply(normals, size, rows, count, coefficients, True, state)
        for lane in range(_ZERO, _SIXTEEN):
            row = first + lane
            if not alive[lane] and row < np.uint64(log_norm.shape[0]):
                log_norm[row] = np.nan
                cosine[row] = np.nan
