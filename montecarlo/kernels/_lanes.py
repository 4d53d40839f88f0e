"""Sixteen networks side by side: arrays of shape (rows, 16), flat, one lane a network.

Every operation is elementwise over lanes, so a network's numbers do not depend on its lane or its neighbours,
and norms need no horizontal sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, helper
from montecarlo.streams._blocks import REPLICAS, fill_replica_words, splat
from montecarlo.streams._normals import box_muller

NETWORKS = REPLICAS
"""Networks in lanes."""

_ZERO = np.uint64(0)
_TWO = np.uint64(2)
_SIXTEEN = np.uint64(NETWORKS)


@helper
def fill_normals(k0, k1, layer_role, replica_low, replica_high, groups, out, start):
    """Fill ``out[start : start + 4 * groups * 16]`` with normals: four a counter, lanes along the replicas.

    The counter is (group, layer | role << 28, low and high word of the replica); the caller keeps the low
    word from wrapping inside the sixteen.
    """
    fill_replica_words(k0, k1, layer_role, replica_low, replica_high, groups, out, start)
    n = groups * _SIXTEEN
    # A loop of its own, on words in the first-level cache: with the rounds of Philox in it, it would run out
    # of registers.
    for pair in range(_ZERO, _TWO):
        first = start + _TWO * pair * n
        second = first + n
        for i in range(_ZERO, n):
            radius = np.float32(out[first + i]).view(np.uint32)
            angle = np.float32(out[second + i]).view(np.uint32)
            out[first + i], out[second + i] = box_muller(radius, angle)


class Rows:
    """LLVM IR on rows of sixteen lanes: sums are float64 and stay in registers.

    Written in IR because LLVM's vectoriser gives up on sixteen-lane loops over several arrays that might
    overlap, and because a sum that goes through memory waits for each store to be read back. A table is a
    pair of arguments: the array and the element where its first row starts.
    """

    double = ir.VectorType(ir.DoubleType(), NETWORKS)
    single = ir.VectorType(ir.FloatType(), NETWORKS)

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.builder = builder
        self._types = signature.args
        self._args = args
        self.bases = {
            position: context.make_array(kind)(context, builder, args[position]).data
            for position, kind in enumerate(signature.args)
            if isinstance(kind, types.Array)
        }

    def _pointer(self, position: int, row: Any) -> tuple[Any, bool]:
        wide = self._types[position].dtype == types.float64
        base = self.bases[position]
        if row is not None:
            index = self.builder.mul(row, ir.Constant(row.type, NETWORKS))
            base = self.builder.gep(base, [self.builder.add(self._args[position + 1], index)])
        kind = self.double if wide else self.single
        return self.builder.bitcast(base, kind.as_pointer()), wide

    def load(self, position: int, row: Any = None) -> Any:
        """Load a row of the table at an argument's position, or the lanes of an array of sixteen."""
        pointer, _ = self._pointer(position, row)
        return self.builder.load(pointer, align=4)

    def widen(self, value: Any) -> Any:
        """Return a vector as float64."""
        return value if value.type == self.double else self.builder.fpext(value, self.double)

    def store(self, value: Any, position: int, row: Any = None) -> None:
        """Store a row, narrowed where the table is float32."""
        pointer, wide = self._pointer(position, row)
        narrow = not wide and value.type == self.double
        value = self.builder.fptrunc(value, self.single) if narrow else value
        self.builder.store(value, pointer, align=4)

    def bend(self, x: Any, below: Any) -> tuple[Any, Any]:
        """Return slope and value at x of the piecewise linear activation with slope `below` below zero."""
        positive = self.builder.fcmp_ordered(">", x, ir.Constant(self.single, [0.0] * NETWORKS))
        slope = self.builder.select(positive, ir.Constant(self.single, [1.0] * NETWORKS), below)
        return slope, self.builder.fmul(slope, x)

    def total(self) -> Any:
        """Return a sum at zero."""
        slot = cgutils.alloca_once(self.builder, self.double)
        self.builder.store(ir.Constant(self.double, [0.0] * NETWORKS), slot)
        return slot

    def add_to(self, slot: Any, left: Any, right: Any) -> None:
        """Add a product to a sum; two float32 factors are multiplied in float32, since widening costs
        more.
        """
        if left.type != right.type:
            left, right = self.widen(left), self.widen(right)
        product = self.widen(self.builder.fmul(left, right))
        self.builder.store(self.builder.fadd(self.builder.load(slot), product), slot)


def _table(array, start, rows):
    return array[int(start) : int(start) + int(rows) * NETWORKS].reshape(-1, NETWORKS)


def _dot_python(a, a_start, b, b_start, rows, out, out_start):
    products = _table(a, a_start, rows) * _table(b, b_start, rows)
    _table(out, out_start, 1)[:] = products.astype(np.float64).sum(axis=0)


def _dot_compiled(typingctx, a, a_start, b, b_start, rows, out, out_start):
    """Store ``sum_j a[j, lane] * b[j, lane]`` in a row of `out`; float32 or float64 in, float64 sums."""
    index = types.uint64
    signature = types.void(a, index, b, index, index, out, index)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        with cgutils.for_range(builder, args[4]) as loop:
            lanes.add_to(total, lanes.load(0, loop.index), lanes.load(2, loop.index))
        lanes.store(builder.load(total), 5, ir.Constant(args[4].type, 0))
        return context.get_dummy_value()

    return signature, codegen


def _bend_python(x, below):
    slopes = np.where(x > 0.0, np.float32(1.0), np.float32(below))
    return slopes, slopes * x


def _bent_squares_python(image, start, below, rows, out, out_start):
    _, values = _bend_python(_table(image, start, rows), below)
    _table(out, out_start, 1)[:] = (values**2).astype(np.float64).sum(axis=0)


def _bent_squares_compiled(typingctx, image, start, below, rows, out, out_start):
    """Store the squared norms of a bent image in a row of `out`; for bending see `Rows.bend`."""
    index = types.uint64
    signature = types.void(image, index, types.float32, index, out, index)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        below = splat(builder, args[2], NETWORKS)
        with cgutils.for_range(builder, args[3]) as loop:
            _, value = lanes.bend(lanes.load(0, loop.index), below)
            lanes.add_to(total, value, value)
        lanes.store(builder.load(total), 4, ir.Constant(args[3].type, 0))
        return context.get_dummy_value()

    return signature, codegen


def _bent_dot_python(image, start, below, y, y_start, rows, out, out_start):
    _, values = _bend_python(_table(image, start, rows), below)
    _table(out, out_start, 1)[:] = (values * _table(y, y_start, rows)).astype(np.float64).sum(axis=0)


def _bent_dot_compiled(typingctx, image, start, below, y, y_start, rows, out, out_start):
    """Store ``sum_j bent image[j, lane] * y[j, lane]`` in a row of `out`."""
    index = types.uint64
    signature = types.void(image, index, types.float32, y, index, index, out, index)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        below = splat(builder, args[2], NETWORKS)
        with cgutils.for_range(builder, args[5]) as loop:
            _, value = lanes.bend(lanes.load(0, loop.index), below)
            lanes.add_to(total, value, lanes.load(3, loop.index))
        lanes.store(builder.load(total), 6, ir.Constant(args[5].type, 0))
        return context.get_dummy_value()

    return signature, codegen


def _advance_python(
    state, state_start, difference, difference_start, x, x_start, y, y_start, cx, cy, frame, rows, squares
):
    step = cx * _table(x, x_start, rows) + cy * _table(y, y_start, rows)
    _table(state, state_start, rows)[:] += step
    _table(difference, difference_start, rows)[:] += frame * step
    squares[:] = (_table(state, state_start, rows) ** 2).sum(axis=0)


def _advance_compiled(
    typingctx,
    state,
    state_start,
    difference,
    difference_start,
    x,
    x_start,
    y,
    y_start,
    cx,
    cy,
    frame,
    rows,
    squares,
):
    """Add ``cx x + cy y`` to the state and ``frame`` times that to the difference; store the squared norms.

    `cx`, `cy`, `frame` and `squares` have one number a lane.
    """
    index = types.uint64
    signature = types.void(state, index, difference, index, x, index, y, index, cx, cy, frame, index, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        cx, cy, frame = lanes.load(8), lanes.load(9), lanes.load(10)
        with cgutils.for_range(builder, args[11]) as loop:
            first = builder.fmul(cx, lanes.widen(lanes.load(4, loop.index)))
            step = builder.fadd(first, builder.fmul(cy, lanes.widen(lanes.load(6, loop.index))))
            state = builder.fadd(lanes.load(0, loop.index), step)
            lanes.store(state, 0, loop.index)
            difference = builder.fadd(lanes.load(2, loop.index), builder.fmul(frame, step))
            lanes.store(difference, 2, loop.index)
            lanes.add_to(total, state, state)
        lanes.store(builder.load(total), 12)
        return context.get_dummy_value()

    return signature, codegen


def _masked_python(slopes, slopes_start, x, x_start, y, y_start, cy, rows, out, out_start, squares):
    inner = _table(x, x_start, rows) + cy.astype(np.float32) * _table(y, y_start, rows)
    values = _table(slopes, slopes_start, rows) * inner
    _table(out, out_start, rows)[:] = values
    squares[:] = (values**2).astype(np.float64).sum(axis=0)


def _masked_compiled(
    typingctx, slopes, slopes_start, x, x_start, y, y_start, cy, rows, out, out_start, squares
):
    """Store ``slopes * (x + cy y)`` in `out` and its squared norms, a lane each."""
    index = types.uint64
    signature = types.void(slopes, index, x, index, y, index, cy, index, out, index, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        cy = builder.fptrunc(lanes.load(6), lanes.single)
        with cgutils.for_range(builder, args[7]) as loop:
            product = builder.fmul(cy, lanes.load(4, loop.index))
            inner = builder.fadd(lanes.load(2, loop.index), product)
            value = builder.fmul(lanes.load(0, loop.index), inner)
            lanes.store(value, 8, loop.index)
            lanes.add_to(total, value, value)
        lanes.store(builder.load(total), 10)
        return context.get_dummy_value()

    return signature, codegen


def _bent_masked_python(image, start, below, x, x_start, cy, rows, out, out_start, squares):
    slopes, values = _bend_python(_table(image, start, rows), below)
    masked = slopes * (_table(x, x_start, rows) + cy.astype(np.float32) * values)
    _table(out, out_start, rows)[:] = masked
    squares[:] = (masked**2).astype(np.float64).sum(axis=0)


def _bent_masked_compiled(typingctx, image, start, below, x, x_start, cy, rows, out, out_start, squares):
    """`masked` with the slopes and the values, in the role of y, of a bent image."""
    index = types.uint64
    signature = types.void(image, index, types.float32, x, index, cy, index, out, index, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        below = splat(builder, args[2], NETWORKS)
        cy = builder.fptrunc(lanes.load(5), lanes.single)
        with cgutils.for_range(builder, args[6]) as loop:
            slope, bent = lanes.bend(lanes.load(0, loop.index), below)
            inner = builder.fadd(lanes.load(3, loop.index), builder.fmul(cy, bent))
            value = builder.fmul(slope, inner)
            lanes.store(value, 7, loop.index)
            lanes.add_to(total, value, value)
        lanes.store(builder.load(total), 9)
        return context.get_dummy_value()

    return signature, codegen


bent_dot: Any = _bent_dot_python if JIT_OFF else intrinsic(_bent_dot_compiled)
bent_masked: Any = _bent_masked_python if JIT_OFF else intrinsic(_bent_masked_compiled)
bent_squares: Any = _bent_squares_python if JIT_OFF else intrinsic(_bent_squares_compiled)
dot: Any = _dot_python if JIT_OFF else intrinsic(_dot_compiled)
advance: Any = _advance_python if JIT_OFF else intrinsic(_advance_compiled)
masked: Any = _masked_python if JIT_OFF else intrinsic(_masked_compiled)
