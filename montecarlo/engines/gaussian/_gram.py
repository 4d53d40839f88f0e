"""Images of one Gaussian matrix on several vectors: Gram matrix, its factor, combinations of normals.

For V with independent N(0, 1/d) entries and vectors s_1 .. s_m that do not depend on V, the images ``V s_i``
have jointly the law of ``Σ_j C_ij ξ_j / √d`` with independent standard normal vectors ξ_j and ``C Cᵀ`` the
Gram matrix of the s_i, since the rows of V are independent normal: the images are drawn, never the matrix.

The factor is ``C = M √D`` from the decomposition ``G = M D Mᵀ``, row by row (M lower triangular with ones on
its diagonal). A row ends where its residual ``G_ii - Σ_{l ≤ j} M_il² D_l`` falls to ``8 ε √d G_ii`` with
ε = 2**-52: the vector then lies in the span of those before it up to the rounding of the dot products, and
its own normals get weight zero. Sines of angles below ``√(8 ε √d)`` (2.4e-7 at d = 1000) are thus taken as
zero. Since the row of a copy of vector k repeats row k operation by operation, equal vectors stay equal bit
for bit, as do multiples by powers of two; other multiples stay multiples up to rounding.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, helper, inline, merged
from montecarlo.kernels._lanes import NETWORKS, Rows, dot
from montecarlo.kernels._room import zeros
from montecarlo.streams._blocks import Table
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)
_TOLERANCE = 8.0 * 2.0**-52


class Shape(NamedTuple):
    """Some vectors of sixteen networks each: tables that follow each other in one flat array."""

    count: Any
    """Vectors."""
    rows: Any
    """Units."""
    groups: Any
    """Counters of four units."""
    size: Any
    """Elements of one table."""
    root_d: float


class Gram(NamedTuple):
    """A Gram matrix of sixteen networks and its factor."""

    entries: Any
    """Shape (count, count, 16), flat; so are the coefficients."""
    coefficients: Any
    units: Any
    pivots: Any
    roots: Any


@merged
def build_shape(count, width):
    """Return the shape of vectors of a width."""
    rows = np.uint64(width)
    groups = (rows + _FOUR - _ONE) // _FOUR
    return Shape(np.uint64(count), rows, groups, groups * _FOUR * _SIXTEEN, math.sqrt(np.float64(width)))


@merged
def build_gram(shape):
    """Return room for a Gram matrix."""
    m = shape.count
    return Gram(
        zeros(m * m * _SIXTEEN, np.float64), zeros(m * m * _SIXTEEN, np.float64),
        zeros(m * m, np.float64), zeros(m, np.float64), zeros(m, np.float64),
    )  # fmt: skip


def _combine_python(normals, stride, coefficients, count, keep, rows, out):
    n = int(rows) * NETWORKS
    target = out.array[int(out.start) : int(out.start) + n].reshape(-1, NETWORKS)
    if not keep:
        target[:] = 0.0
    for j in range(int(count)):
        weights = coefficients.array[int(coefficients.start) + j * NETWORKS :][:NETWORKS]
        target += weights * normals[j * int(stride) : j * int(stride) + n].reshape(-1, NETWORKS)


def _combine_compiled(typingctx, normals, stride, coefficients, count, keep, rows, out):
    """Add ``Σ_{j < count} coefficients[16 j + lane] normals[j stride + 16 row + lane]`` to a table.

    Its rows are taken as zero where they are not to be kept. The sum runs over j in order.
    """
    index = types.uint64
    signature = types.void(normals, index, coefficients, index, types.boolean, index, out)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        stride, count, rows = args[1], args[3], args[5]
        keep = builder.icmp_unsigned("!=", args[4], ir.Constant(args[4].type, 0))
        nothing = ir.Constant(lanes.double, [0.0] * NETWORKS)
        total = cgutils.alloca_once(builder, lanes.double)
        with cgutils.for_range(builder, rows) as loop:
            builder.store(builder.select(keep, lanes.load(6, loop.index), nothing), total)
            with cgutils.for_range(builder, count) as inner:
                weight = lanes.load(2, inner.index)
                normal = lanes.load(0, loop.index, builder.mul(inner.index, stride))
                product = builder.fmul(weight, lanes.widen(normal))
                builder.store(builder.fadd(builder.load(total), product), total)
            lanes.store(builder.load(total), 6, loop.index)
        return context.get_dummy_value()

    return signature, codegen


combine: Any = _combine_python if JIT_OFF else intrinsic(_combine_compiled)


@helper
def diagonal_of_gram(vectors, shape, gram):
    """Store the squared norms of the vectors in the diagonal of their Gram matrix."""
    for v in range(_ZERO, shape.count):
        vector = Table(vectors, v * shape.size)
        dot(vector, vector, shape.rows, Table(gram.entries, (v * shape.count + v) * _SIXTEEN))


@helper
def rest_of_gram(vectors, shape, gram):
    """Store the products of different vectors below the diagonal."""
    size, count = shape.size, shape.count
    for v in range(_ONE, count):
        for w in range(_ZERO, v):
            entry = Table(gram.entries, (v * count + w) * _SIXTEEN)
            dot(Table(vectors, v * size), Table(vectors, w * size), shape.rows, entry)


@helper
def factor(gram, shape, scale):
    """Store ``scale * C`` in the coefficients, with ``C Cᵀ`` the Gram matrix, lane by lane."""
    count, tolerance = shape.count, _TOLERANCE * shape.root_d
    entries, coefficients, units, pivots, roots = gram
    for lane in range(_ZERO, _SIXTEEN):
        for i in range(_ZERO, count):
            row = i * count
            square = entries[(row + i) * _SIXTEEN + lane]
            floor = tolerance * square
            residual = square
            for j in range(_ZERO, i):
                unit = 0.0
                if residual > floor and pivots[j] > 0.0:
                    unit = entries[(row + j) * _SIXTEEN + lane]
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
def apply(normals, shape, gram, keep, out):
    """Store the images of all vectors in `out`, or add them to it."""
    for v in range(_ZERO, shape.count):
        coefficients = Table(gram.coefficients, v * shape.count * _SIXTEEN)
        image = Table(out, v * shape.size)
        combine(normals, shape.size, coefficients, np.uint64(v + _ONE), keep, shape.rows, image)


@inline
def fill_vector(address, layer_role, groups, vector, table):
    """Fill ``4 * groups`` rows of a table with the normals of one vector.

    The counter is (vector * groups + group, layer | role << 28, low and high word of the replica): numbers
    of a vector do not depend on how many there are.
    """
    n = groups * _SIXTEEN
    first = np.uint32(vector * groups)
    out, start = table.array, table.start
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        group = np.uint32(first + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(address.low + lane)
        w0, w1, w2, w3 = philox(group, layer_role, replica, address.high, address.k0, address.k1)
        z0, z1 = box_muller(w0, w1)
        z2, z3 = box_muller(w2, w3)
        out[start + i] = z0
        out[start + n + i] = z1
        out[start + np.uint64(2) * n + i] = z2
        out[start + np.uint64(3) * n + i] = z3


@helper
def fill_vectors(address, layer_role, groups, count, out):
    """Fill `out` with the normals of all vectors, one after the other."""
    size = groups * _FOUR * _SIXTEEN
    for v in range(_ZERO, count):
        fill_vector(address, layer_role, groups, v, Table(out, v * size))
