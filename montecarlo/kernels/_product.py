"""Products of a weight matrix and a few states in columns, in LLVM's IR: the same bits on every machine.

A BLAS would be as fast, but its sums change with the processor, the number of its threads and its release.
Here every entry of a product is one chain of fused multiply-adds over the columns of the matrix, in order, so
that a network's numbers depend neither on the machine nor on the columns beside it.

Tiles of four rows by 24 columns keep twelve accumulators in 256-bit registers and need seven loads for
twelve multiply-adds: bound by the arithmetic. Where registers have 512 bits there are twice as many of them,
and tiles of eight rows by 32 columns do 1.6 times as much.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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

_BANDS = ((16, 2), (16, 1), (8, 1)) if WIDE > VECTOR else ((8, 3), (8, 2), (8, 1))
"""Lanes of a register and registers of a tile's row: the widest tile first, the others for what it leaves."""

_HEIGHTS = (8, 4, 1) if WIDE > VECTOR else (4, 1)
"""Rows of a tile, in the same way."""

TILE = _BANDS[0][0] * _BANDS[0][1]
"""Columns that the products like best in multiples of this."""


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

        def tile(lanes: int, vectors: int, column: Any, rows: int, row: Any) -> None:
            """Compute the entries of `rows` rows and `lanes` times `vectors` columns."""
            vector = ir.VectorType(ir.FloatType(), lanes)
            fused = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{lanes}f32"
            )

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
                    spread = splat(builder, builder.load(builder.gep(starts[r], [step])), lanes)
                    for v in range(vectors):
                        total = sums[r * vectors + v]
                        builder.store(builder.call(fused, [spread, x[v], builder.load(total)]), total)
            for r in range(rows):
                first = builder.add(builder.mul(builder.add(row, constant(r)), columns), column)
                for v in range(vectors):
                    place = at(target, builder.add(first, constant(v * lanes)))
                    builder.store(builder.load(sums[r * vectors + v]), place, align=4)

        def in_steps(first: Any, end: Any, step: int, do: Callable[[Any], None]) -> Any:
            """Do something at every whole step from `first` on; return where the rest begins."""
            count = builder.udiv(builder.sub(end, first), constant(step))
            with cgutils.for_range(builder, count) as loop:
                do(builder.add(first, builder.mul(loop.index, constant(step))))
            return builder.add(first, builder.mul(count, constant(step)))

        def band(lanes: int, vectors: int, column: Any) -> None:
            """Compute all rows of so many columns."""
            row = constant(0)
            for step in _HEIGHTS:
                row = in_steps(row, height, step, partial(tile, lanes, vectors, column, step))

        column = constant(0)
        for lanes, vectors in _BANDS:
            column = in_steps(column, columns, lanes * vectors, partial(band, lanes, vectors))
        return context.get_dummy_value()

    return signature, codegen


product: Any = _product_python if JIT_OFF else intrinsic(_product_compiled)
