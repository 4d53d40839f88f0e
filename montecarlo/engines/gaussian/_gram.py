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
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, helper, inline
from montecarlo.kernels._lanes import NETWORKS, Rows, dot
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)


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
