"""Products of narrow matrices with vectors, a matrix a network and eight networks in the lanes of a register.

The entries of eight networks' matrices lie side by side. A product is then a chain of fused multiply-adds a
lane, in the order of `montecarlo.kernels._product`, and has its bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF
from montecarlo.kernels._product import VECTOR

_ROWS = 4


def _lane_product_python(matrices, k, layers, transposed, rows, size, states, columns, out):
    """Plain Python twin: the same chains of (nearly) fused multiply-adds."""
    k, layers, rows, size, columns = (int(number) for number in (k, layers, rows, size, columns))
    table = states[: size * columns].reshape(size, columns).astype(np.float64)
    result = out[: rows * columns].reshape(rows, columns)
    for group in range(columns // VECTOR):
        lanes = slice(group * VECTOR, (group + 1) * VECTOR)
        shape = (size, rows) if transposed else (rows, size)
        entries = matrices[group * layers + k].reshape(*shape, VECTOR).astype(np.float64)
        entries = entries.swapaxes(0, 1) if transposed else entries
        total = np.zeros((rows, VECTOR), np.float32)
        for j in range(size):
            total = (entries[:, j] * table[j, lanes] + total).astype(np.float32)
        result[:, lanes] = total


def _lane_product_compiled(typingctx, matrices, k, layers, transposed, rows, size, states, columns, out):
    """Store ``M_c @ X[:, c]`` of layer k for each column c in `out`, or the transposed product.

    The product has `rows` rows and X `size`. Row ``c // 8 * layers + k`` of `matrices` has M_c row by row,
    entry n of it at ``n * 8 + c % 8``. X and the product are flat, row by row, `columns` a row (a multiple of
    eight); float32 throughout.
    """
    index = types.uint64
    array = types.float32[::1]
    signature = types.void(
        types.float32[:, ::1], index, index, types.boolean, index, index, array, index, array
    )

    def codegen(context, builder, sig, args):
        _, k, layers, transposed, height, size, _, columns, _ = args
        base, source, target = (
            context.make_array(sig.args[position])(context, builder, args[position]).data
            for position in (0, 6, 8)
        )
        word = size.type
        vector = ir.VectorType(ir.FloatType(), VECTOR)
        fused = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{VECTOR}f32"
        )

        def constant(value: int) -> Any:
            return ir.Constant(word, value)

        def at(pointer: Any, position: Any) -> Any:
            return builder.bitcast(builder.gep(pointer, [position]), vector.as_pointer())

        transposed = builder.icmp_unsigned("!=", transposed, ir.Constant(transposed.type, 0))
        row_stride = builder.select(transposed, constant(VECTOR), builder.mul(size, constant(VECTOR)))
        column_stride = builder.select(transposed, builder.mul(height, constant(VECTOR)), constant(VECTOR))
        matrix_size = builder.mul(height, builder.mul(size, constant(VECTOR)))

        def tile(start: Any, column: Any, row: Any, rows: int) -> None:
            """Compute `rows` rows of the product of eight columns."""
            sums = [cgutils.alloca_once(builder, vector) for _ in range(rows)]
            for total in sums:
                builder.store(ir.Constant(vector, [0.0] * VECTOR), total)
            with cgutils.for_range(builder, size) as loop:
                place = builder.add(builder.mul(loop.index, columns), column)
                x = builder.load(at(source, place), align=4)
                entry = builder.add(start, builder.mul(loop.index, column_stride))
                for r, total in enumerate(sums):
                    offset = builder.mul(builder.add(row, constant(r)), row_stride)
                    m = builder.load(at(base, builder.add(entry, offset)), align=4)
                    builder.store(builder.call(fused, [m, x, builder.load(total)]), total)
            for r, total in enumerate(sums):
                place = builder.add(builder.mul(builder.add(row, constant(r)), columns), column)
                builder.store(builder.load(total), at(target, place), align=4)

        groups = builder.udiv(columns, constant(VECTOR))
        quads = builder.udiv(height, constant(_ROWS))
        done = builder.mul(quads, constant(_ROWS))
        with cgutils.for_range(builder, groups) as group:
            column = builder.mul(group.index, constant(VECTOR))
            start = builder.mul(builder.add(builder.mul(group.index, layers), k), matrix_size)
            with cgutils.for_range(builder, quads) as loop:
                tile(start, column, builder.mul(loop.index, constant(_ROWS)), _ROWS)
            with cgutils.for_range(builder, builder.sub(height, done)) as loop:
                tile(start, column, builder.add(done, loop.index), 1)
        return context.get_dummy_value()

    return signature, codegen


lane_product: Any = _lane_product_python if JIT_OFF else intrinsic(_lane_product_compiled)
