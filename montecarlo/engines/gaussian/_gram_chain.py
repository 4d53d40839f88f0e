"""Several inputs and tangents as a Markov chain of Gram matrices: O(M) a layer, whatever the width is.

Given the past, a layer's images ``W n(h)`` are M independent normal rows whose covariance is the Gram
matrix of the m vectors, and the images of V are ``C N``, with ``C Cᵀ`` the Gram matrix of the units and N
of independent normals, d columns: m along the span of the vectors, and of the others their Gram matrix
alone matters, a Wishart matrix, which Bartlett's decomposition draws. So a layer takes m M normals, the
activation, and m² numbers.

The state is L with ``L Lᵀ`` the Gram matrix, row v with its own power of two, and C and L come from
orthogonalisation of rows, not from Gram matrices: small angles keep their relative precision.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.common._jit import helper, kernel, merged
from montecarlo.engines.gaussian._input_records import ROWS, VECTORS, Vectors
from montecarlo.kernels._records import CONSTANTS, DRAW, Constants, Sigma, address_of, alpha_of
from montecarlo.kernels._room import zeros
from montecarlo.kernels._state import EVALUATION_LIMIT, LARGEST, SCALAR_FUNCTION
from montecarlo.kernels._words import BIAS, NORM
from montecarlo.streams._keys import ROLE_IMAGE_BIAS, ROLE_IMAGE_V, ROLE_IMAGE_W, ROLE_RADIAL_WORDS
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_V = np.uint32(ROLE_IMAGE_V << 28)
_W = np.uint32(ROLE_IMAGE_W << 28)
_BIAS = np.uint32(ROLE_IMAGE_BIAS << 28)
_SQUARES = np.uint32(ROLE_RADIAL_WORDS << 28)
_ZERO, _ONE, _FOUR = np.uint64(0), np.uint64(1), np.uint64(4)
_LN2 = math.log(2.0)
_SPAN = 8.0 * 2.0**-52
"""What is left of a row beyond the rows before it, over its length, that is taken for rounding."""

_RUN_CHAIN = types.void(SCALAR_FUNCTION, SCALAR_FUNCTION, CONSTANTS, DRAW, VECTORS, ROWS)


class Network(NamedTuple):
    """One specification, and the vectors that go through it."""

    constants: Constants
    sigma: Sigma
    vectors: Vectors
    count: Any
    """m, the vectors."""
    across: Any
    """Columns that stand for the directions across the vectors, min(m, d − m)."""
    normed: bool
    biased: bool


class Work(NamedTuple):
    """State and room to work in."""

    frame: Any
    """L, shape (m, m)."""
    exponents: Any
    units: Any
    """Shape (m, M), padded."""
    mixing: Any
    """C, shape (m, m)."""
    rows: Any
    """Shape (m, m + across)."""
    noise: Any
    normals: Any
    bias: Any


@helper
def fill_normals(address, layer_role, vector, groups, out):
    """Fill the first ``4 groups`` places with the normals of one vector."""
    first = np.uint32(vector * groups)
    for g in range(_ZERO, groups):
        counter = np.uint32(first + np.uint32(g))
        w0, w1, w2, w3 = philox(counter, layer_role, address.low, address.high, address.k0, address.k1)
        z0, z1 = box_muller(w0, w1)
        z2, z3 = box_muller(w2, w3)
        out[g], out[groups + g] = z0, z1
        out[np.uint64(2) * groups + g], out[np.uint64(3) * groups + g] = z2, z3


@helper
def chi_of(address, layer, index, degrees):
    """Return a chi variable (Marsaglia and Tsang's rejection; the root of the square)."""
    if degrees <= 0:
        return 0.0
    shape = 0.5 * degrees if degrees > 1 else 1.5  # one degree of freedom by its power of a uniform
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    attempt = np.uint32(0)
    while True:
        counter = np.uint32(np.uint32(index) + np.uint32(attempt << np.uint32(12)))
        role = np.uint32(layer | _SQUARES)
        w0, w1, w2, w3 = philox(counter, role, address.low, address.high, address.k0, address.k1)
        x = np.float64(box_muller(w0, w1)[0])
        u = (np.float64(w2) + 0.5) * 2.0**-32
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
                square = 2.0 * d * v
                if degrees == 1:
                    square *= ((np.float64(w3) + 0.5) * 2.0**-32) ** 2
                return math.sqrt(square)
        attempt = np.uint32(attempt + np.uint32(1))


@helper
def orthogonalise(rows, count, size, lower):
    """Store the lower triangular factor of rows, which become orthonormal, or zero where they end."""
    for i in range(_ZERO, count):
        square = 0.0
        for u in range(_ZERO, size):
            square += rows[i, u] * rows[i, u]
        for j in range(_ZERO, count):
            lower[i, j] = 0.0
        for _ in range(2):
            for j in range(_ZERO, i):
                along = 0.0
                for u in range(_ZERO, size):
                    along += rows[i, u] * rows[j, u]
                for u in range(_ZERO, size):
                    rows[i, u] -= along * rows[j, u]
                lower[i, j] += along
        rest = 0.0
        for u in range(_ZERO, size):
            rest += rows[i, u] * rows[i, u]
        length = math.sqrt(rest)
        if not length > _SPAN * math.sqrt(square):
            # Not finite numbers go on to the record, where they are found.
            length = 0.0 if square < np.inf else np.nan
        lower[i, i] = length
        for u in range(_ZERO, size):
            rows[i, u] = rows[i, u] / length if length > 0.0 else 0.0


@helper
def square_of_row(frame, v, count):
    """Return the squared length of a row of L."""
    total = 0.0
    for j in range(_ZERO, count):
        total += frame[v, j] * frame[v, j]
    return total


@helper
def image(network, address, k, work):
    """Store the images of W in the units, in each vector's frame; behind a norm, as they are."""
    count, constants = network.count, network.constants
    M = np.uint64(constants.hidden_width)
    groups = (M + _FOUR - _ONE) // _FOUR
    role = np.uint32(np.uint32(k) | _W)
    for v in range(_ZERO, count):
        for u in range(_ZERO, M):
            work.units[v, u] = 0.0
    for j in range(_ZERO, count):
        fill_normals(address, role, j, groups, work.normals)
        for v in range(j, count):
            weight = work.frame[v, j] / math.sqrt(np.float64(constants.width))
            if network.normed:
                e = int(min(max(work.exponents[v], -EVALUATION_LIMIT), EVALUATION_LIMIT))
                square = square_of_row(work.frame, v, count) / constants.width
                scale = math.sqrt(square + constants.norm_eps * math.ldexp(1.0, -2 * e))
                weight = weight / scale if scale > 0.0 else 0.0
            for u in range(_ZERO, M):
                work.units[v, u] += weight * np.float64(work.normals[u])
    if network.biased:
        fill_normals(address, np.uint32(np.uint32(k) | _BIAS), _ZERO, groups, work.bias)


@helper
def bend(network, work):
    """Replace images by σ of inputs and σ' times tangents, back in each vector's frame."""
    owners, sigma, M = network.vectors.owners, network.sigma, np.uint64(network.constants.hidden_width)
    piecewise = not math.isnan(sigma.negative_slope)
    for step in range(2):  # tangents first: they need the images of the inputs that they are attached to
        for v in range(_ZERO, network.count):
            tangent = owners[v] >= 0
            if tangent == (step == 1):
                continue
            owner = np.uint64(owners[v]) if tangent else v
            e = int(min(max(work.exponents[owner], -EVALUATION_LIMIT), EVALUATION_LIMIT))
            up = 1.0 if network.normed else math.ldexp(1.0, e)
            down = math.ldexp(1.0, -e)
            for u in range(_ZERO, M):
                x = up * work.units[owner, u]
                if network.biased:
                    x += network.constants.bias_std * np.float64(work.bias[u])
                if tangent:
                    slope = (1.0 if x > 0.0 else sigma.negative_slope) if piecewise else sigma.slope(x)
                    work.units[v, u] *= slope
                else:
                    y = (x if x > 0.0 else sigma.negative_slope * x) if piecewise else sigma.value(x)
                    work.units[v, u] = y * down


@helper
def draw_noise(network, address, k, work):
    """Fill the noise with normals along the vectors, and a root of a Wishart matrix across them."""
    count, across = network.count, network.across
    columns = count + across
    groups = (columns + _FOUR - _ONE) // _FOUR
    free = np.int64(network.constants.width) - np.int64(count)
    role = np.uint32(np.uint32(k) | _V)
    for v in range(_ZERO, count):
        fill_normals(address, role, v, groups, work.normals)
        for j in range(_ZERO, columns):
            work.noise[v, j] = np.float64(work.normals[j])
        if free >= np.int64(count):
            for j in range(v, across):
                work.noise[v, count + j] = 0.0
            work.noise[v, count + v] = chi_of(address, np.uint32(k), v, free - np.int64(v))


@helper
def advance(network, address, k, work):
    """Go through layer k."""
    count, constants = network.count, network.constants
    columns, M = count + network.across, np.uint64(constants.hidden_width)
    image(network, address, k, work)
    bend(network, work)
    orthogonalise(work.units, count, M, work.mixing)
    draw_noise(network, address, k, work)
    factor = alpha_of(constants, k) / math.sqrt(np.float64(constants.hidden_width))
    for v in range(_ZERO, count):
        for j in range(_ZERO, columns):
            total = constants.skip * work.frame[v, j] if j < count else 0.0
            for w in range(_ZERO, np.uint64(v + _ONE)):
                total += factor * work.mixing[v, w] * work.noise[w, j]
            work.rows[v, j] = total
    orthogonalise(work.rows, count, columns, work.frame)
    for v in range(_ZERO, count):
        peak = math.sqrt(square_of_row(work.frame, v, count))
        if peak > 0.0 and peak < np.inf and not 1.0 / LARGEST < peak < LARGEST:
            shift = math.frexp(peak)[1]
            work.exponents[v] += shift
            for j in range(_ZERO, count):
                work.frame[v, j] = math.ldexp(work.frame[v, j], -shift)


@helper
def record(network, work, row, position, out):
    """Store log-norms and cosines; whether all are finite."""
    count, frame, finite = network.count, work.frame, True
    for v in range(_ZERO, count):
        square = square_of_row(frame, v, count)
        finite &= square < np.inf
        log_norm = 0.5 * math.log(square) + work.exponents[v] * _LN2 if square > 0.0 else -np.inf
        out.log_norm[row, position, v] = log_norm
        out.cosine[row, position, v, v] = 1.0 if square > 0.0 else np.nan
        for w in range(_ZERO, v):
            product = 0.0
            for j in range(_ZERO, count):
                product += frame[v, j] * frame[w, j]
            norms = math.sqrt(square * square_of_row(frame, w, count))
            c = min(max(product / norms, -1.0), 1.0) if norms > 0.0 else np.nan
            out.cosine[row, position, v, w] = c
            out.cosine[row, position, w, v] = c
    return finite


@helper
def forward(network, address, work, row, out):
    """Go through the layers up to the last one that is recorded."""
    layers, position = network.vectors.layers, 0
    for v in range(_ZERO, network.count):
        work.exponents[v] = network.vectors.exponents[v]
        for j in range(_ZERO, network.count):
            work.frame[v, j] = network.vectors.mixing[v, j]
    for k in range(network.constants.depth + 1):
        if layers[position] == k:
            if not record(network, work, row, np.uint64(position), out):
                out.log_norm[row] = np.nan
                out.cosine[row] = np.nan
                return
            position += 1
        if position == layers.size:
            return
        advance(network, address, k, work)


@merged
def build_work(network):
    """Return room for one network at a time."""
    m, columns = int(network.count), int(network.count + network.across)
    units = (network.constants.hidden_width + 3) // 4 * 4
    padded = max(units, (columns + 3) // 4 * 4)
    return Work(
        zeros((m, m), np.float64), zeros(m, np.int64),
        zeros((m, units), np.float64), zeros((m, m), np.float64),
        zeros((m, columns), np.float64), zeros((m, columns), np.float64),
        zeros(padded, np.float32), zeros(padded, np.float32),
    )  # fmt: skip


@kernel(signature=_RUN_CHAIN)
def run_chain(value, slope, constants, draw, vectors, out):
    """Sample the networks of a block on a common set of vectors, at most as many as the width."""
    normed, biased = False, False
    for word in constants.sentence:
        normed |= word == NORM
        biased |= word == BIAS
    count = np.uint64(vectors.mixing.shape[0])
    across = min(count, np.uint64(constants.width) - count)
    sigma = Sigma(value, slope, constants.negative_slope)
    network = Network(constants, sigma, vectors, count, across, normed, biased)
    work = build_work(network)
    for row in range(_ZERO, np.uint64(out.log_norm.shape[0])):
        forward(network, address_of(draw, row), work, row, out)
