"""Products of small matrices, in LLVM's IR: rows of vectors, sums in fixed orders.

A matrix is a `Matrix`: a place in a flat array and the elements between its rows. Rows come in fours and
columns in whole vectors: callers pad with zeros. Every element of a product is one chain of fused
multiply-adds along the inner index; a Gram matrix has eight sums an entry, of the columns that are equal
modulo eight, which `fold` adds in a fixed tree. Neither depends on the registers that LLVM chose.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, helper
from montecarlo.streams._blocks import splat

VECTOR = 8
"""Columns come in multiples of it, in float64; of twice as many in float32."""

ROWS = 4
"""Rows come in multiples of it."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


class Matrix(NamedTuple):
    """Where a matrix lies."""

    array: Any
    start: Any
    stride: Any
    """Elements from one row to the next."""


class _Place:
    """LLVM IR: a matrix among the arguments of an intrinsic."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array, start, self.stride = cgutils.unpack_tuple(builder, value, 3)
        base = context.make_array(kind.types[0])(context, builder, array).data
        self.builder = builder
        self.base = builder.gep(base, [start])
        double = kind.types[0].dtype == types.float64
        self.lanes = VECTOR if double else 2 * VECTOR
        self.scalar = ir.DoubleType() if double else ir.FloatType()
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.align = 8 if double else 4

    def at(self, row: Any, column: Any) -> Any:
        builder = self.builder
        return builder.gep(self.base, [builder.add(builder.mul(row, self.stride), column)])

    def entry(self, row: Any, column: Any) -> Any:
        """Load an entry into all lanes."""
        return splat(self.builder, self.builder.load(self.at(row, column)), self.lanes)

    def load(self, row: Any, column: Any) -> Any:
        pointer = self.builder.bitcast(self.at(row, column), self.vector.as_pointer())
        return self.builder.load(pointer, align=self.align)

    def store(self, value: Any, row: Any, column: Any) -> None:
        pointer = self.builder.bitcast(self.at(row, column), self.vector.as_pointer())
        self.builder.store(value, pointer, align=self.align)

    def fused(self) -> Any:
        name = f"llvm.fma.v{self.lanes}{'f64' if self.scalar == ir.DoubleType() else 'f32'}"
        function = ir.FunctionType(self.vector, [self.vector] * 3)
        return cgutils.get_or_insert_function(self.builder.module, function, name)


def _view(matrix, rows, columns):
    start, stride = int(matrix.start), int(matrix.stride)
    place = start + stride * np.arange(int(rows))[:, None] + np.arange(int(columns))
    return matrix.array[place], place


def _multiply_python(left, right, out, rows, inner, columns, lower):
    rows, inner, columns = int(rows), int(inner), int(columns)
    a, _ = _view(left, rows, inner)
    b, _ = _view(right, inner, columns)
    total = np.zeros((rows, columns), out.array.dtype)
    for k in range(inner):
        known = np.arange(rows) // ROWS * ROWS + ROWS > k if lower else np.ones(rows, bool)
        step = a[:, k, None].astype(np.float64) * b[k].astype(np.float64) + total
        total = np.where(known[:, None], step, total).astype(out.array.dtype)
    _, place = _view(out, rows, columns)
    out.array[place] = total


def _multiply_compiled(typingctx, left, right, out, rows, inner, columns, lower):
    """Store ``left @ right``, of shapes (rows, inner) and (inner, columns).

    Rows in fours, columns in whole vectors. With `lower`, entries of `left` above its diagonal of blocks of
    four rows are taken as zero. One type of numbers throughout.
    """
    index = types.uint64
    signature = types.void(left, right, out, index, index, index, types.boolean)

    def codegen(context, builder, sig, args):
        a, b, c = (_Place(context, builder, sig.args[i], args[i]) for i in range(3))
        rows, inner, columns = args[3:6]
        word, lanes = rows.type, b.lanes
        lower = builder.icmp_unsigned("!=", args[6], ir.Constant(args[6].type, 0))
        fused = b.fused()

        def constant(value):
            return ir.Constant(word, value)

        def tile(row, column, vectors, end):
            sums = [[cgutils.alloca_once(builder, b.vector) for _ in range(vectors)] for _ in range(ROWS)]
            for row_sums in sums:
                for total in row_sums:
                    builder.store(ir.Constant(b.vector, [0.0] * lanes), total)
            with cgutils.for_range(builder, end) as loop:
                k = loop.index
                rights = [b.load(k, builder.add(column, constant(v * lanes))) for v in range(vectors)]
                for r, row_sums in enumerate(sums):
                    entry = a.entry(builder.add(row, constant(r)), k)
                    for x, total in zip(rights, row_sums, strict=True):
                        builder.store(builder.call(fused, [entry, x, builder.load(total)]), total)
            for r, row_sums in enumerate(sums):
                for v, total in enumerate(row_sums):
                    place = builder.add(column, constant(v * lanes))
                    c.store(builder.load(total), builder.add(row, constant(r)), place)

        wide = 2
        tiles = builder.udiv(columns, constant(wide * lanes))
        done = builder.mul(tiles, constant(wide * lanes))
        rest = builder.udiv(builder.sub(columns, done), constant(lanes))
        with cgutils.for_range(builder, builder.udiv(rows, constant(ROWS))) as block:
            row = builder.mul(block.index, constant(ROWS))
            after = builder.add(row, constant(ROWS))
            short = builder.select(builder.icmp_unsigned("<", after, inner), after, inner)
            end = builder.select(lower, short, inner)
            with cgutils.for_range(builder, tiles) as loop:
                tile(row, builder.mul(loop.index, constant(wide * lanes)), wide, end)
            with cgutils.for_range(builder, rest) as loop:
                tile(row, builder.add(done, builder.mul(loop.index, constant(lanes))), 1, end)
        return context.get_dummy_value()

    return signature, codegen


def _add_gram_python(vectors, rows, columns, sums):
    rows, columns = int(rows), int(columns)
    x, _ = _view(vectors, rows, columns)
    lanes = sums[: rows * rows * VECTOR].reshape(rows, rows, VECTOR)
    for first in range(0, columns, VECTOR):
        part = x[:, first : first + VECTOR]
        lanes += part[:, None] * part[None]


def _add_gram_compiled(typingctx, vectors, rows, columns, sums):
    """Add the products of the rows of a matrix (float64) to eight sums each, ``sums[8 (i rows + j) + lane]``.

    For blocks of four rows and four columns on and below the diagonal.
    """
    index = types.uint64
    signature = types.void(vectors, index, index, types.float64[::1])

    def codegen(context, builder, sig, args):
        x = _Place(context, builder, sig.args[0], args[0])
        rows, columns = args[1:3]
        target = context.make_array(sig.args[3])(context, builder, args[3]).data
        word = rows.type
        fused = x.fused()

        def constant(value):
            return ir.Constant(word, value)

        def place(row, column):
            entry = builder.add(builder.mul(row, rows), column)
            pointer = builder.gep(target, [builder.mul(entry, constant(VECTOR))])
            return builder.bitcast(pointer, x.vector.as_pointer())

        blocks = builder.udiv(rows, constant(ROWS))

        def block(outer: Any, inner: Any) -> None:
            first = [builder.add(builder.mul(outer, constant(ROWS)), constant(r)) for r in range(ROWS)]
            second = [builder.add(builder.mul(inner, constant(ROWS)), constant(r)) for r in range(ROWS)]
            slots = [[cgutils.alloca_once(builder, x.vector) for _ in second] for _ in first]
            for i, row_slots in zip(first, slots, strict=True):
                for j, slot in zip(second, row_slots, strict=True):
                    builder.store(builder.load(place(i, j), align=8), slot)
            with cgutils.for_range(builder, builder.udiv(columns, constant(VECTOR))) as along:
                column = builder.mul(along.index, constant(VECTOR))
                rights = [x.load(j, column) for j in second]
                for i, row_slots in zip(first, slots, strict=True):
                    left = x.load(i, column)
                    for right, slot in zip(rights, row_slots, strict=True):
                        builder.store(builder.call(fused, [left, right, builder.load(slot)]), slot)
            for i, row_slots in zip(first, slots, strict=True):
                for j, slot in zip(second, row_slots, strict=True):
                    builder.store(builder.load(slot), place(i, j), align=8)

        with cgutils.for_range(builder, blocks) as outer:
            end = builder.add(outer.index, constant(1))
            with cgutils.for_range(builder, end) as loop:
                block(outer.index, loop.index)
        return context.get_dummy_value()

    return signature, codegen


multiply: Any = _multiply_python if JIT_OFF else intrinsic(_multiply_compiled)
add_gram: Any = _add_gram_python if JIT_OFF else intrinsic(_add_gram_compiled)


@helper
def fold(sums, rows, gram):
    """Store the Gram matrix of `add_gram`'s sums, both halves, and set the sums to zero."""
    for i in range(_ZERO, rows):
        for j in range(_ZERO, np.uint64(i + _ONE)):
            s = np.uint64(8) * (i * rows + j)
            low = (sums[s] + sums[s + np.uint64(4)]) + (sums[s + np.uint64(2)] + sums[s + np.uint64(6)])
            high = (sums[s + _ONE] + sums[s + np.uint64(5)]) + (
                sums[s + np.uint64(3)] + sums[s + np.uint64(7)]
            )
            gram.array[gram.start + i * gram.stride + j] = low + high
            gram.array[gram.start + j * gram.stride + i] = low + high
    for i in range(_ZERO, np.uint64(8) * rows * rows):
        sums[i] = 0.0
