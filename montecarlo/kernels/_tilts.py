"""Passes over sixteen networks in lanes that take a direction and a mean off a vector, and rescale it.

With n the direction that a norm leaves, its derivative is ``(I - n nᵀ/d) / length``, for layer norms on
vectors less their mean: all that a pass needs is a number or two a lane.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF
from montecarlo.kernels._lanes import NETWORKS, Rows, rows_of
from montecarlo.streams._blocks import splat


def _sums_python(x, rows, out):
    rows_of(out, 1)[:] = rows_of(x, rows).astype(np.float64).sum(axis=0)


def _sums_compiled(typingctx, x, rows, out):
    """Store ``sum_j x[j, lane]`` in a row of `out`; float32 or float64 in, float64 sums."""
    signature = types.void(x, types.uint64, out)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        with cgutils.for_range(builder, args[1]) as loop:
            value = lanes.widen(lanes.load(0, loop.index))
            builder.store(builder.fadd(builder.load(total), value), total)
        lanes.store(builder.load(total), 2)
        return context.get_dummy_value()

    return signature, codegen


def _sums_and_dot_python(x, y, rows, sums, products):
    _sums_python(x, rows, sums)
    rows_of(products, 1)[:] = (rows_of(x, rows).astype(np.float64) * rows_of(y, rows)).sum(axis=0)


def _sums_and_dot_compiled(typingctx, x, y, rows, sums, products):
    """Store ``sum_j x[j, lane]`` and ``sum_j x[j, lane] * y[j, lane]`` in rows of two tables."""
    signature = types.void(x, y, types.uint64, sums, products)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        sum_, product = lanes.total(), lanes.total()
        with cgutils.for_range(builder, args[2]) as loop:
            value = lanes.widen(lanes.load(0, loop.index))
            builder.store(builder.fadd(builder.load(sum_), value), sum_)
            lanes.add_to(product, value, lanes.widen(lanes.load(1, loop.index)))
        lanes.store(builder.load(sum_), 3)
        lanes.store(builder.load(product), 4)
        return context.get_dummy_value()

    return signature, codegen


def _spread_python(x, rows, mean, squares):
    values = rows_of(x, rows).astype(np.float64)
    shifted = values - values[0]
    total = shifted.sum(axis=0)
    rows_of(mean, 1)[:] = values[0] + total / float(rows)
    rows_of(squares, 1)[:] = np.maximum((shifted**2).sum(axis=0) - total**2 / float(rows), 0.0)


def _spread_compiled(typingctx, x, rows, mean, squares):
    """Store the means of a table and the squared norms of what is left without them, a lane each.

    One pass, on the entries less the first of them: no digits are lost where the mean is large, and nothing
    is left of equal entries.
    """
    signature = types.void(x, types.uint64, mean, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total, square, first = lanes.total(), lanes.total(), lanes.widen(lanes.load(0))
        with cgutils.for_range(builder, args[1]) as loop:
            value = builder.fsub(lanes.widen(lanes.load(0, loop.index)), first)
            builder.store(builder.fadd(builder.load(total), value), total)
            lanes.add_to(square, value, value)
        size = splat(builder, builder.uitofp(args[1], ir.DoubleType()), NETWORKS)
        total = builder.load(total)
        share = builder.fdiv(total, size)
        left = builder.fsub(builder.load(square), builder.fmul(total, share))
        nothing = ir.Constant(lanes.double, [0.0] * NETWORKS)
        left = builder.select(builder.fcmp_ordered("<", left, nothing), nothing, left)
        lanes.store(builder.fadd(first, share), 2)
        lanes.store(left, 3)
        return context.get_dummy_value()

    return signature, codegen


def _tilt_python(x, mean, y, cy, rows, out, squares):
    values = (rows_of(x, rows).astype(np.float64) - mean) + cy * rows_of(y, rows)
    rows_of(out, rows)[:] = values
    rows_of(squares, 1)[:] = (values**2).sum(axis=0)


def _tilt_compiled(typingctx, x, mean, y, cy, rows, out, squares):
    """Store ``x - mean + cy y`` in `out` and its squared norms, a lane each; `mean` and `cy` likewise.

    Sums are float64, whatever x, y and `out` are; `out` may be x.
    """
    signature = types.void(x, mean, y, cy, types.uint64, out, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        mean, cy = lanes.load(1), lanes.load(3)
        with cgutils.for_range(builder, args[4]) as loop:
            centred = builder.fsub(lanes.widen(lanes.load(0, loop.index)), mean)
            along = builder.fmul(cy, lanes.widen(lanes.load(2, loop.index)))
            value = builder.fadd(centred, along)
            lanes.store(value, 5, loop.index)
            lanes.add_to(total, value, value)
        lanes.store(builder.load(total), 6)
        return context.get_dummy_value()

    return signature, codegen


def _renew_python(state, mean, y, cy, factor, rows, table, squares):
    values = rows_of(state, rows)
    new = ((values - mean) + cy * rows_of(y, rows)) * factor
    values[:] = new
    rows_of(table, rows)[:] = new
    rows_of(squares, 1)[:] = (new**2).sum(axis=0)


def _renew_compiled(typingctx, state, mean, y, cy, factor, rows, table, squares):
    """Replace a state by ``factor (state - mean + cy y)``, store it in a table, too, and its squared norms.

    All coefficients have one number a lane.
    """
    signature = types.void(state, mean, y, cy, factor, types.uint64, table, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        mean, cy, factor = (lanes.load(position) for position in (1, 3, 4))
        with cgutils.for_range(builder, args[5]) as loop:
            along = builder.fmul(cy, lanes.widen(lanes.load(2, loop.index)))
            tilted = builder.fadd(builder.fsub(lanes.load(0, loop.index), mean), along)
            new = builder.fmul(tilted, factor)
            lanes.store(new, 0, loop.index)
            lanes.store(new, 6, loop.index)
            lanes.add_to(total, new, new)
        lanes.store(builder.load(total), 7)
        return context.get_dummy_value()

    return signature, codegen


def _stretch_python(state, factor, difference, frame, rows):
    old = rows_of(state, rows)
    new = factor * old
    rows_of(difference, rows)[:] += frame * (new - old)
    old[:] = new


def _stretch_compiled(typingctx, state, factor, difference, frame, rows):
    """Multiply a state by a number; add ``frame``, a number a lane, times its change to the difference."""
    signature = types.void(state, types.float64, difference, frame, types.uint64)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        factor, frame = splat(builder, args[1], NETWORKS), lanes.load(3)
        with cgutils.for_range(builder, args[4]) as loop:
            old = lanes.load(0, loop.index)
            new = builder.fmul(factor, old)
            lanes.store(new, 0, loop.index)
            change = builder.fmul(frame, builder.fsub(new, old))
            lanes.store(builder.fadd(lanes.load(2, loop.index), change), 2, loop.index)
        return context.get_dummy_value()

    return signature, codegen


# With NUMBA_DISABLE_JIT=1 the same kernels run as plain Python.
sums: Any = _sums_python if JIT_OFF else intrinsic(_sums_compiled)
sums_and_dot: Any = _sums_and_dot_python if JIT_OFF else intrinsic(_sums_and_dot_compiled)
spread: Any = _spread_python if JIT_OFF else intrinsic(_spread_compiled)
tilt: Any = _tilt_python if JIT_OFF else intrinsic(_tilt_compiled)
renew: Any = _renew_python if JIT_OFF else intrinsic(_renew_compiled)
stretch: Any = _stretch_python if JIT_OFF else intrinsic(_stretch_compiled)
