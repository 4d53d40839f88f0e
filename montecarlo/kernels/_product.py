"""Products of a weight matrix and a few states in columns, in LLVM's IR: the same bits on every machine.

A BLAS would be as fast, but its sums change with the processor, the number of its threads and its release.
Here every entry of a product is one chain of fused multiply-adds over the columns of the matrix, in order, so
that a network's numbers depend neither on the machine nor on the columns beside it.

Tiles of four rows by three registers keep twelve accumulators and need seven loads for twelve multiply-adds:
bound by the arithmetic. Registers are of 512 bits where the processor has them, and of 256 for the last
columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF
from montecarlo.streams._blocks import WIDE, splat

VECTOR = 8
"""States come in multiples of eight columns."""

_ROWS = 4
_VECTORS = 3


def _product_python(matrix, offset, row_stride, column_stride, rows, size, states, columns, out):
    """Plain Python twin: the same chains of (nearly) fused multiply-adds."""
    rows, size, columns = int(rows), int(size), int(columns)
    index = np.arange(rows)
    table = states[: size * columns].reshape(size, columns).astype(np.float64)
    total = np.zeros((rows, columns), np.float32)
    for k in range(size):
        entries = matrix[int(offset) + index * int(row_stride) + k * int(column_stride)].astype(np.float64)
        total = (entries[:, None] * table[k] + total).astype(np.float32)
    out[: rows * columns] = total.ravel()


def _product_compiled(typingctx, matrix, offset, row_stride, column_stride, rows, size, states, columns, out):
    """Store ``M @ X`` in `out`: M[i, k] = ``matrix[offset + i * row_stride + k * column_stride]``.

    M is (rows, size), X and the product are stored flat, row by row, `columns` a row (a multiple of eight);
    float32 throughout. For a square M strides (size, 1) take the matrix, (1, size) its transpose.
    """
    index = types.uint64
    array = types.float32[::1]
    signature = types.void(array, index, index, index, index, index, array, index, array)

    def codegen(context, builder, sig, args):
        _, offset, row_stride, column_stride, height, size, _, columns, _ = args
        base, source, target = (
            context.make_array(sig.args[position])(context, builder, args[position]).data
            for position in (0, 6, 8)
        )
        base = builder.gep(base, [offset])
        word = size.type

        def constant(value: int) -> Any:
            return ir.Constant(word, value)

        def tile(row: Any, column: Any, rows: int, vectors: int, lanes: int) -> None:
            """Compute the entries of `rows` rows and `lanes` times `vectors` columns."""
            vector = ir.VectorType(ir.FloatType(), lanes)
            kind = ir.FunctionType(vector, [vector] * 3)
            fused = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{lanes}f32")

            def at(pointer: Any, position: Any) -> Any:
                return builder.bitcast(builder.gep(pointer, [position]), vector.as_pointer())

            sums = [cgutils.alloca_once(builder, vector) for _ in range(rows * vectors)]
            for total in sums:
                builder.store(ir.Constant(vector, [0.0] * lanes), total)
            starts = [
                builder.gep(base, [builder.mul(builder.add(row, constant(r)), row_stride)])
                for r in range(rows)
            ]
            with cgutils.for_range(builder, size) as loop:
                first = builder.add(builder.mul(loop.index, columns), column)
                x = [
                    builder.load(at(source, builder.add(first, constant(v * lanes))), align=4)
                    for v in range(vectors)
                ]
                step = builder.mul(loop.index, column_stride)
                for r in range(rows):
                    entry = builder.load(builder.gep(starts[r], [step]))
                    spread = splat(builder, entry, lanes)
                    for v in range(vectors):
                        total = sums[r * vectors + v]
                        builder.store(builder.call(fused, [spread, x[v], builder.load(total)]), total)
            for r in range(rows):
                first = builder.add(builder.mul(builder.add(row, constant(r)), columns), column)
                for v in range(vectors):
                    place = at(target, builder.add(first, constant(v * lanes)))
                    builder.store(builder.load(sums[r * vectors + v]), place, align=4)

        def band(column: Any, vectors: int, lanes: int) -> None:
            """Compute all rows of `lanes` times `vectors` columns."""
            quads = builder.udiv(height, constant(_ROWS))
            with cgutils.for_range(builder, quads) as loop:
                tile(builder.mul(loop.index, constant(_ROWS)), column, _ROWS, vectors, lanes)
            done = builder.mul(quads, constant(_ROWS))
            with cgutils.for_range(builder, builder.sub(height, done)) as loop:
                tile(builder.add(done, loop.index), column, 1, vectors, lanes)

        done = constant(0)
        for lanes in sorted({WIDE, VECTOR}, reverse=True):
            width = constant(_VECTORS * lanes)
            bands = builder.udiv(builder.sub(columns, done), width)
            with cgutils.for_range(builder, bands) as loop:
                band(builder.add(done, builder.mul(loop.index, width)), _VECTORS, lanes)
            done = builder.add(done, builder.mul(bands, width))
        left = builder.udiv(builder.sub(columns, done), constant(VECTOR))
        for vectors in range(1, _VECTORS):
            with builder.if_then(builder.icmp_unsigned("==", left, constant(vectors))):
                band(done, vectors, VECTOR)
        return context.get_dummy_value()

    return signature, codegen


product: Any = _product_python if JIT_OFF else intrinsic(_product_compiled)
