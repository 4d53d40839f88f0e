"""Products of a weight matrix and a few states in columns, in LLVM's IR: the same bits on every machine.

A BLAS would be as fast, but its sums change with the processor, the number of its threads and its release.
Here every entry of a product is one chain of fused multiply-adds over the columns of the matrix, in order, so
that a network's numbers depend neither on the machine nor on the columns beside it.

Tiles of four rows by 24 columns keep twelve accumulators in 256-bit registers and need seven loads for
twelve multiply-adds: bound by the arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF

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
        vector = ir.VectorType(ir.FloatType(), VECTOR)

        fused = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{VECTOR}f32"
        )

        def constant(value: int) -> Any:
            return ir.Constant(word, value)

        def at(pointer: Any, position: Any) -> Any:
            return builder.bitcast(builder.gep(pointer, [position]), vector.as_pointer())

        def tile(row: Any, column: Any, rows: int, vectors: int) -> None:
            """Compute the entries of `rows` rows and 8 `vectors` columns."""
            sums = [cgutils.alloca_once(builder, vector) for _ in range(rows * vectors)]
            for total in sums:
                builder.store(ir.Constant(vector, [0.0] * VECTOR), total)
            starts = [
                builder.gep(base, [builder.mul(builder.add(row, constant(r)), row_stride)])
                for r in range(rows)
            ]
            with cgutils.for_range(builder, size) as loop:
                first = builder.add(builder.mul(loop.index, columns), column)
                x = [
                    builder.load(at(source, builder.add(first, constant(v * VECTOR))), align=4)
                    for v in range(vectors)
                ]
                step = builder.mul(loop.index, column_stride)
                for r in range(rows):
                    entry = builder.load(builder.gep(starts[r], [step]))
                    single = builder.insert_element(
                        ir.Constant(vector, ir.Undefined), entry, ir.Constant(ir.IntType(32), 0)
                    )
                    spread = builder.shuffle_vector(
                        single,
                        ir.Constant(vector, ir.Undefined),
                        ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR),
                    )
                    for v in range(vectors):
                        total = sums[r * vectors + v]
                        builder.store(builder.call(fused, [spread, x[v], builder.load(total)]), total)
            for r in range(rows):
                first = builder.add(builder.mul(builder.add(row, constant(r)), columns), column)
                for v in range(vectors):
                    place = at(target, builder.add(first, constant(v * VECTOR)))
                    builder.store(builder.load(sums[r * vectors + v]), place, align=4)

        def band(column: Any, vectors: int) -> None:
            """Compute all rows of 8 `vectors` columns."""
            quads = builder.udiv(height, constant(_ROWS))
            with cgutils.for_range(builder, quads) as loop:
                tile(builder.mul(loop.index, constant(_ROWS)), column, _ROWS, vectors)
            done = builder.mul(quads, constant(_ROWS))
            with cgutils.for_range(builder, builder.sub(height, done)) as loop:
                tile(builder.add(done, loop.index), column, 1, vectors)

        width = constant(_VECTORS * VECTOR)
        bands = builder.udiv(columns, width)
        with cgutils.for_range(builder, bands) as loop:
            band(builder.mul(loop.index, width), _VECTORS)
        done = builder.mul(bands, width)
        left = builder.udiv(builder.sub(columns, done), constant(VECTOR))
        for vectors in range(1, _VECTORS):
            with builder.if_then(builder.icmp_unsigned("==", left, constant(vectors))):
                band(done, vectors)
        return context.get_dummy_value()

    return signature, codegen


product: Any = _product_python if JIT_OFF else intrinsic(_product_compiled)
