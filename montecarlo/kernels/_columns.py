"""Several states side by side, one a column: float32 mantissas with their own rounding errors.

Tables are flat, row by row, with a multiple of eight columns. A state is the sum of two float32 numbers,
`high` and `low`: what an addition rounds off `high` is kept in `low`, so that a thousand small increments
cost no digits while the matrix products run on float32. The distance from the start is accumulated beside
it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, helper
from montecarlo.common._scalars import larger, ldexp
from montecarlo.kernels._product import VECTOR
from montecarlo.kernels._state import LARGEST

_ZERO = np.uint64(0)
_ABS = np.uint32(0x7FFFFFFF)

LARGE_BITS = np.float32(LARGEST).view(np.uint32)
"""Bits of `LARGEST`; of positive floats, the larger has the larger bits."""

SMALL_BITS = np.float32(1.0 / LARGEST).view(np.uint32)
"""Bits of its inverse."""


def _advance_columns_python(high, low, difference, increment, step, frame, size, columns, peak):
    """Plain Python twin."""
    size, columns = int(size), int(columns)
    h, l, z = (table[: size * columns].reshape(size, columns) for table in (high, low, increment))
    d = difference[: size * columns].reshape(size, columns)
    t = step * z
    total = h + t
    part = total - h
    rest = l + ((h - (total - part)) + (t - part))
    h[:] = total + rest
    l[:] = rest - (h - total)
    d += frame * z
    peak[:] = (h.view(np.uint32) & _ABS).max(axis=0)


def _advance_columns_compiled(typingctx, high, low, difference, increment, step, frame, size, columns, peak):
    """Add ``step * increment`` to the state ``high + low`` and ``frame * increment`` to the difference.

    `step`, `frame` and `peak` have a number a column; `peak` receives the largest magnitude of `high` as
    float32 bits, whose order is that of the magnitudes, infinities and NaN last.
    """
    array, index = types.float32[::1], types.uint64
    signature = types.void(array, array, array, array, array, array, index, index, types.uint32[::1])

    def codegen(context, builder, sig, args):
        tables = {
            position: context.make_array(sig.args[position])(context, builder, args[position]).data
            for position in (0, 1, 2, 3, 4, 5, 8)
        }
        size, columns = args[6], args[7]
        word = size.type
        vector = ir.VectorType(ir.FloatType(), VECTOR)
        bits = ir.VectorType(ir.IntType(32), VECTOR)

        def at(position: int, place: Any, kind: Any = vector) -> Any:
            return builder.bitcast(builder.gep(tables[position], [place]), kind.as_pointer())

        def load(position: int, place: Any) -> Any:
            return builder.load(at(position, place), align=4)

        add, subtract, multiply = builder.fadd, builder.fsub, builder.fmul
        groups = builder.udiv(columns, ir.Constant(word, VECTOR))
        with cgutils.for_range(builder, groups) as group:
            column = builder.mul(group.index, ir.Constant(word, VECTOR))
            step, frame = load(4, column), load(5, column)
            largest = cgutils.alloca_once(builder, bits)
            builder.store(ir.Constant(bits, [0] * VECTOR), largest)
            with cgutils.for_range(builder, size) as row:
                place = builder.add(builder.mul(row.index, columns), column)
                h, z = load(0, place), load(3, place)
                t = multiply(step, z)
                total = add(h, t)
                part = subtract(total, h)
                # Knuth's exact error of a sum, whichever of the two is larger.
                error = add(subtract(h, subtract(total, part)), subtract(t, part))
                rest = add(load(1, place), error)
                new = add(total, rest)
                builder.store(new, at(0, place), align=4)
                builder.store(subtract(rest, subtract(new, total)), at(1, place), align=4)
                builder.store(add(load(2, place), multiply(frame, z)), at(2, place), align=4)
                magnitude = builder.and_(builder.bitcast(new, bits), ir.Constant(bits, [int(_ABS)] * VECTOR))
                before = builder.load(largest)
                larger = builder.icmp_unsigned(">", magnitude, before)
                builder.store(builder.select(larger, magnitude, before), largest)
            builder.store(builder.load(largest), at(8, column, bits), align=4)
        return context.get_dummy_value()

    return signature, codegen


advance_columns: Any = _advance_columns_python if JIT_OFF else intrinsic(_advance_columns_compiled)


@helper
def column_log_norm(high, low, size, columns, column, exponent):
    """Return the natural log of ``‖2**exponent * (high + low)‖`` of a column; -inf for an exact zero.

    An empty `low` is zero.
    """
    largest = 0.0
    total = 0.0
    for second in range(2):
        for j in range(_ZERO, size):
            place = np.uint64(j) * columns + column
            x = np.float64(high[place])
            if low.size > 0:
                x += np.float64(low[place])
            if second == 0:
                largest = larger(largest, abs(x))
            else:
                total += (x / largest) * (x / largest)
        if not largest > 0.0:
            return -np.inf if largest == 0.0 else np.nan
    return math.log(largest) + 0.5 * math.log(total) + exponent * math.log(2.0)


@helper
def rescale_column(high, low, difference, size, columns, column, peak, exponent, start_exponent, lowest):
    """Keep a column's largest mantissa between 2**-40 and 2**40; return (new exponent, is finite).

    `peak` is the largest magnitude as float32 bits. The exponent does not fall below `lowest`. The difference
    is in the frame ``max(exponent, start_exponent)``: a state that collapses leaves a difference of the
    size of its start at least.
    """
    if SMALL_BITS <= peak < LARGE_BITS:
        return exponent, True
    if peak >= np.uint32(0x7F800000):
        return exponent, False
    largest = 0.0
    for j in range(_ZERO, size):
        place = np.uint64(j) * columns + column
        largest = larger(largest, abs(np.float64(high[place])))
    if largest == 0.0:
        return exponent, True
    shift = larger(math.frexp(largest)[1], lowest - exponent)
    if shift == 0:
        return exponent, True
    moved = larger(exponent, start_exponent) - larger(exponent + shift, start_exponent)
    for j in range(_ZERO, size):
        place = np.uint64(j) * columns + column
        high[place] = np.float32(ldexp(np.float64(high[place]), -shift))
        low[place] = np.float32(ldexp(np.float64(low[place]), -shift))
        if moved != 0:
            difference[place] = np.float32(ldexp(np.float64(difference[place]), moved))
    return exponent + shift, True


@helper
def clear_column(high, low, difference, size, columns, column):
    """Set a column to zero: a network that left the finite numbers must not disturb the others' time."""
    for j in range(_ZERO, size):
        place = np.uint64(j) * columns + column
        high[place] = np.float32(0.0)
        low[place] = np.float32(0.0)
        difference[place] = np.float32(0.0)
