"""Passes over sixteen networks in lanes that take a direction and a mean off a vector: those of norms.

With n the direction that a norm leaves, its derivative is ``(I - n nᵀ/d) / length``, for layer norms on
vectors less their mean: all that a pass needs is a number or two a lane.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF
from montecarlo.kernels._lanes import Rows, rows_of


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


def _renew_python(state, mean, y, cy, factor, difference, frame, rows, squares):
    old = rows_of(state, rows)
    new = ((old - mean) + cy * rows_of(y, rows)) * factor
    rows_of(difference, rows)[:] += frame * (new - old)
    old[:] = new
    rows_of(squares, 1)[:] = (new**2).sum(axis=0)


def _renew_compiled(typingctx, state, mean, y, cy, factor, difference, frame, rows, squares):
    """Replace a state by ``factor (state - mean + cy y)``; add ``frame`` times its change to the difference.

    Store the squared norms. All coefficients have one number a lane.
    """
    signature = types.void(state, mean, y, cy, factor, difference, frame, types.uint64, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        mean, cy, factor, frame = (lanes.load(position) for position in (1, 3, 4, 6))
        with cgutils.for_range(builder, args[7]) as loop:
            old = lanes.load(0, loop.index)
            along = builder.fmul(cy, lanes.widen(lanes.load(2, loop.index)))
            new = builder.fmul(builder.fadd(builder.fsub(old, mean), along), factor)
            lanes.store(new, 0, loop.index)
            change = builder.fmul(frame, builder.fsub(new, old))
            lanes.store(builder.fadd(lanes.load(5, loop.index), change), 5, loop.index)
            lanes.add_to(total, new, new)
        lanes.store(builder.load(total), 8)
        return context.get_dummy_value()

    return signature, codegen


# With NUMBA_DISABLE_JIT=1 the same kernels run as plain Python.
sums: Any = _sums_python if JIT_OFF else intrinsic(_sums_compiled)
tilt: Any = _tilt_python if JIT_OFF else intrinsic(_tilt_compiled)
renew: Any = _renew_python if JIT_OFF else intrinsic(_renew_compiled)
