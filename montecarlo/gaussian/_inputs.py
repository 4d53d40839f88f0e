"""Several inputs and tangents through one Gaussian network: sixteen networks in lanes, forward only.

For V with independent N(0, 1/d) entries and vectors s_1 .. s_m that do not depend on V, the images ``V s_i``
have jointly the law of ``Σ_j C_ij ξ_j / √d`` with independent standard normal vectors ξ_j and ``C Cᵀ`` the
Gram matrix of the s_i, since the rows of V are independent normal: the images are drawn, never the matrix.

The factor is ``C = M √D`` from the decomposition ``G = M D Mᵀ``, row by row (M lower triangular with ones on
its diagonal). A row ends where its residual ``G_ii - Σ_{l ≤ j} M_il² D_l`` falls to ``8 ε √d G_ii`` with
ε = 2**-52: the vector then lies in the span of those before it up to the rounding of the dot products, and
its own normals get weight zero. Sines of angles below ``√(8 ε √d)`` (2.4e-7 at d = 1000) are thus taken as
zero. Since the row of a copy of vector k repeats row k operation by operation, equal vectors stay equal bit
for bit, as do multiples by powers of two; other multiples stay multiples up to rounding.

Every vector has its own power of two a network: images of a matrix are linear, so only activations that are
not homogeneous see it, and an input's exponent alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo._jit import JIT_OFF, helper, inline, kernel
from montecarlo.gaussian._lanes import NETWORKS, Rows, dot
from montecarlo.streams._keys import ROLE_IMAGE_BIAS, ROLE_IMAGE_START, ROLE_IMAGE_V, ROLE_IMAGE_W
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

BLOCK_RES1 = 1

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
_EVALUATION_LIMIT = 100  # as in the other engines: beyond 2**±100 an activation is taken as homogeneous
_TOLERANCE = 8.0 * 2.0**-52

_SCALAR_FUNCTION = types.FunctionType(types.float64(types.float64))
_RUN_BLOCK = types.void(
    _SCALAR_FUNCTION, _SCALAR_FUNCTION, types.float64,
    types.int64, types.float64, types.int64, types.int64, types.float64,
    types.float64[:, ::1], types.int64[::1], types.int64[::1], types.int64[::1],
    types.uint32, types.uint32, types.uint64, types.float64[:, :, ::1], types.float64[:, :, :, ::1],
)  # fmt: skip


class _Combination(Rows):
    """Rows of sixteen lanes at any element of an array."""

    def at(self, position: int, index: Any) -> Any:
        """Load sixteen elements from `index` on."""
        kind = self.double if self._types[position].dtype == types.float64 else self.single
        base = self.builder.gep(self.bases[position], [index])
        return self.builder.load(self.builder.bitcast(base, kind.as_pointer()), align=4)


def _combine_python(normals, stride, coefficients, start, count, keep, rows, out, out_start):
    n = int(rows) * NETWORKS
    target = out[int(out_start) : int(out_start) + n].reshape(-1, NETWORKS)
    if not keep:
        target[:] = 0.0
    for j in range(int(count)):
        weights = coefficients[int(start) + j * NETWORKS :][:NETWORKS]
        target += weights * normals[j * int(stride) : j * int(stride) + n].reshape(-1, NETWORKS)


def _combine_compiled(typingctx, normals, stride, coefficients, start, count, keep, rows, out, out_start):
    """Add ``Σ_{j < count} coefficients[start + 16 j + lane] normals[j stride + 16 row + lane]`` to a table.

    Its rows are taken as zero where they are not to be kept. The sum runs over j in order.
    """
    index = types.uint64
    signature = types.void(normals, index, coefficients, index, index, types.boolean, index, out, index)

    def codegen(context, builder, sig, args):
        lanes = _Combination(context, builder, sig, args)
        stride, start, count, rows = args[1], args[3], args[4], args[6]
        keep = builder.icmp_unsigned("!=", args[5], ir.Constant(args[5].type, 0))
        sixteen = ir.Constant(rows.type, NETWORKS)
        nothing = ir.Constant(lanes.double, [0.0] * NETWORKS)
        total = cgutils.alloca_once(builder, lanes.double)
        with cgutils.for_range(builder, rows) as loop:
            offset = builder.mul(loop.index, sixteen)
            builder.store(builder.select(keep, lanes.load(7, loop.index), nothing), total)
            with cgutils.for_range(builder, count) as inner:
                weight = lanes.at(2, builder.add(start, builder.mul(inner.index, sixteen)))
                normal = lanes.at(0, builder.add(offset, builder.mul(inner.index, stride)))
                product = builder.fmul(weight, lanes.widen(normal))
                builder.store(builder.fadd(builder.load(total), product), total)
            lanes.store(builder.load(total), 7, loop.index)
        return context.get_dummy_value()

    return signature, codegen


combine: Any = _combine_python if JIT_OFF else intrinsic(_combine_compiled)


@inline
def fill_vector(k0, k1, layer_role, replica_low, replica_high, groups, vector, out, start):
    """Fill ``out[start : start + 4 * groups * 16]`` with the normals of one vector.

    The counter is (vector * groups + group, layer | role << 28, low and high word of the replica): numbers
    of a vector do not depend on how many there are.
    """
    n = groups * _SIXTEEN
    first = np.uint32(vector * groups)
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        group = np.uint32(first + np.uint32(np.uint32(i) >> np.uint32(4)))
        w0, w1, w2, w3 = philox(group, layer_role, np.uint32(replica_low + lane), replica_high, k0, k1)
        z0, z1 = box_muller(w0, w1)
        z2, z3 = box_muller(w2, w3)
        out[start + i] = z0
        out[start + n + i] = z1
        out[start + np.uint64(2) * n + i] = z2
        out[start + np.uint64(3) * n + i] = z3


@helper
def fill_vectors(k0, k1, layer_role, low, high, groups, count, out):
    """Fill `out` with the normals of all vectors, one after the other."""
    size = groups * _FOUR * _SIXTEEN
    for v in range(_ZERO, count):
        fill_vector(k0, k1, layer_role, low, high, groups, v, out, v * size)


@helper
def diagonal_of_gram(vectors, size, rows, count, gram):
    """Store the squared norms of the vectors in the diagonal of `gram`, shape (count, count, 16) flat."""
    for v in range(_ZERO, count):
        dot(vectors, v * size, vectors, v * size, rows, gram, (v * count + v) * _SIXTEEN)


@helper
def rest_of_gram(vectors, size, rows, count, gram):
    """Store the products of different vectors below the diagonal of `gram`."""
    for v in range(_ONE, count):
        for w in range(_ZERO, v):
            dot(vectors, v * size, vectors, w * size, rows, gram, (v * count + w) * _SIXTEEN)


@helper
def factor(gram, count, tolerance, scale, units, pivots, roots, coefficients):
    """Store ``scale * C`` in `coefficients`, with ``C Cᵀ`` the Gram matrix, a lane each (see the module)."""
    for lane in range(_ZERO, _SIXTEEN):
        for i in range(_ZERO, count):
            row = i * count
            square = gram[(row + i) * _SIXTEEN + lane]
            floor = tolerance * square
            residual = square
            for j in range(_ZERO, i):
                unit = 0.0
                if residual > floor and pivots[j] > 0.0:
                    unit = gram[(row + j) * _SIXTEEN + lane]
                    for l in range(_ZERO, j):
                        unit -= (units[row + l] * units[j * count + l]) * pivots[l]
                    unit /= pivots[j]
                    residual -= (unit * unit) * pivots[j]
                units[row + j] = unit
                coefficients[(row + j) * _SIXTEEN + lane] = (unit * roots[j]) * scale
            pivots[i] = residual if residual > floor else 0.0
            if not square < np.inf:
                pivots[i] = np.nan  # reaches the state, where `rescale` finds it
            roots[i] = math.sqrt(pivots[i])
            coefficients[(row + i) * _SIXTEEN + lane] = roots[i] * scale


@helper
def apply(normals, size, rows, count, coefficients, keep, out):
    """Store the images of all vectors in `out`, or add them to it."""
    for v in range(_ZERO, count):
        combine(
            normals, size, coefficients, v * count * _SIXTEEN, np.uint64(v + _ONE), keep, rows, out, v * size
        )


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
            e = int(min(max(exponents[v * _SIXTEEN + lane], -_EVALUATION_LIMIT), _EVALUATION_LIMIT))
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
            if wanted or (block != BLOCK_RES1 and k < depth):
                rest_of_gram(state, size, rows, count, gram)
            if wanted:
                record(gram, count, exponents, first, position, log_norm, cosine)
                position += 1
            if position == layers.size:
                break
            layer = np.uint32(k)
            if block == BLOCK_RES1:
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
