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
from montecarlo.kernels._spans import Span
from montecarlo.streams._blocks import REPLICAS, Table, base_of, fill_replica_words, splat
from montecarlo.streams._turn import turn_words

NETWORKS = REPLICAS
"""Networks in lanes."""

_ZERO = np.uint64(0)
_TWO = np.uint64(2)
_SIXTEEN = np.uint64(NETWORKS)


@helper
def fill_normals(address, layer_role, groups, table):
    """Fill ``4 * groups`` rows of a table with normals: four a counter, lanes along the replicas.

    The counter is (group, layer | role << 28, low and high word of the replica); `address` is that of the
    first of the sixteen, whose low words do not wrap.
    """
    fill_replica_words(address.k0, address.k1, layer_role, address.low, address.high, groups, table)
    n = groups * _SIXTEEN
    # A loop of its own, on words in the first-level cache: with the rounds of Philox in it, it would run out
    # of registers.
    for pair in range(_ZERO, _TWO):
        first = table.start + _TWO * pair * n
        turn_words(table.array, first, first + n, n)


class Rows:
    """LLVM IR on rows of sixteen lanes: sums are float64 and stay in registers.

    Written in IR because LLVM's vectoriser gives up on sixteen-lane loops over several arrays that might
    overlap, and because a sum that goes through memory waits for each store to be read back. Arguments are
    arrays, or tables that start somewhere in one.
    """

    double = ir.VectorType(ir.DoubleType(), NETWORKS)
    single = ir.VectorType(ir.FloatType(), NETWORKS)

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.builder = builder
        tables = {
            position: base_of(context, builder, kind, args[position])
            for position, kind in enumerate(signature.args)
            if isinstance(kind, types.Array | types.NamedTuple | Span)
        }
        self.bases = {position: base for position, (base, _) in tables.items()}
        self._kinds = {
            position: self.double if dtype == types.float64 else self.single
            for position, (_, dtype) in tables.items()
        }

    def _pointer(self, position: int, row: Any, shift: Any = None) -> Any:
        base = self.bases[position]
        if shift is not None:
            base = self.builder.gep(base, [shift])
        if row is not None:
            base = self.builder.gep(base, [self.builder.mul(row, ir.Constant(row.type, NETWORKS))])
        return self.builder.bitcast(base, self._kinds[position].as_pointer())

    def load(self, position: int, row: Any = None, shift: Any = None) -> Any:
        """Load a row, by default the first, of the table at an argument's position, `shift` elements on."""
        return self.builder.load(self._pointer(position, row, shift), align=4)

    def widen(self, value: Any) -> Any:
        """Return a vector as float64."""
        return value if value.type == self.double else self.builder.fpext(value, self.double)

    def store(self, value: Any, position: int, row: Any = None) -> None:
        """Store a row, narrowed where the table is float32."""
        narrow = self._kinds[position] == self.single and value.type == self.double
        value = self.builder.fptrunc(value, self.single) if narrow else value
        self.builder.store(value, self._pointer(position, row), align=4)

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


def rows_of(table, rows):
    """Return a table's rows as an array of shape (rows, 16), for kernels that run as plain Python."""
    array, start = table if isinstance(table, Table) else (table, 0)
    return array[int(start) : int(start) + int(rows) * NETWORKS].reshape(-1, NETWORKS)


def _dot_python(a, b, rows, out):
    products = rows_of(a, rows) * rows_of(b, rows)
    rows_of(out, 1)[:] = products.astype(np.float64).sum(axis=0)


def _dot_compiled(typingctx, a, b, rows, out):
    """Store ``sum_j a[j, lane] * b[j, lane]`` in a row of `out`; float32 or float64 in, float64 sums."""
    signature = types.void(a, b, types.uint64, out)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        with cgutils.for_range(builder, args[2]) as loop:
            lanes.add_to(total, lanes.load(0, loop.index), lanes.load(1, loop.index))
        lanes.store(builder.load(total), 3)
        return context.get_dummy_value()

    return signature, codegen


def _bend_python(x, below):
    slopes = np.where(x > 0.0, np.float32(1.0), np.float32(below))
    return slopes, slopes * x


def _bent_squares_python(image, below, rows, out):
    _, values = _bend_python(rows_of(image, rows), below)
    rows_of(out, 1)[:] = (values**2).astype(np.float64).sum(axis=0)


def _bent_squares_compiled(typingctx, image, below, rows, out):
    """Store the squared norms of a bent image in a row of `out`; for bending see `Rows.bend`."""
    signature = types.void(image, types.float32, types.uint64, out)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        below = splat(builder, args[1], NETWORKS)
        with cgutils.for_range(builder, args[2]) as loop:
            _, value = lanes.bend(lanes.load(0, loop.index), below)
            lanes.add_to(total, value, value)
        lanes.store(builder.load(total), 3)
        return context.get_dummy_value()

    return signature, codegen


def _bent_dot_python(image, below, y, rows, out):
    _, values = _bend_python(rows_of(image, rows), below)
    rows_of(out, 1)[:] = (values * rows_of(y, rows)).astype(np.float64).sum(axis=0)


def _bent_dot_compiled(typingctx, image, below, y, rows, out):
    """Store ``sum_j bent image[j, lane] * y[j, lane]`` in a row of `out`."""
    signature = types.void(image, types.float32, y, types.uint64, out)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        below = splat(builder, args[1], NETWORKS)
        with cgutils.for_range(builder, args[3]) as loop:
            _, value = lanes.bend(lanes.load(0, loop.index), below)
            lanes.add_to(total, value, lanes.load(2, loop.index))
        lanes.store(builder.load(total), 4)
        return context.get_dummy_value()

    return signature, codegen


def _advance_python(state, difference, x, y, cx, cy, frame, rows, squares):
    step = cx * rows_of(x, rows) + cy * rows_of(y, rows)
    rows_of(state, rows)[:] += step
    rows_of(difference, rows)[:] += frame * step
    squares[:] = (rows_of(state, rows) ** 2).sum(axis=0)


def _advance_compiled(typingctx, state, difference, x, y, cx, cy, frame, rows, squares):
    """Add ``cx x + cy y`` to the state and ``frame`` times that to the difference; store the squared norms.

    `cx`, `cy`, `frame` and `squares` have one number a lane.
    """
    signature = types.void(state, difference, x, y, cx, cy, frame, types.uint64, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        cx, cy, frame = lanes.load(4), lanes.load(5), lanes.load(6)
        with cgutils.for_range(builder, args[7]) as loop:
            first = builder.fmul(cx, lanes.widen(lanes.load(2, loop.index)))
            step = builder.fadd(first, builder.fmul(cy, lanes.widen(lanes.load(3, loop.index))))
            state = builder.fadd(lanes.load(0, loop.index), step)
            lanes.store(state, 0, loop.index)
            difference = builder.fadd(lanes.load(1, loop.index), builder.fmul(frame, step))
            lanes.store(difference, 1, loop.index)
            lanes.add_to(total, state, state)
        lanes.store(builder.load(total), 8)
        return context.get_dummy_value()

    return signature, codegen


def _masked_python(slopes, x, y, cy, rows, out, squares):
    values = rows_of(slopes, rows) * (rows_of(x, rows) + cy.astype(np.float32) * rows_of(y, rows))
    rows_of(out, rows)[:] = values
    squares[:] = (values**2).astype(np.float64).sum(axis=0)


def _masked_compiled(typingctx, slopes, x, y, cy, rows, out, squares):
    """Store ``slopes * (x + cy y)`` in `out` and its squared norms, a lane each."""
    signature = types.void(slopes, x, y, cy, types.uint64, out, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        cy = builder.fptrunc(lanes.load(3), lanes.single)
        with cgutils.for_range(builder, args[4]) as loop:
            product = builder.fmul(cy, lanes.load(2, loop.index))
            inner = builder.fadd(lanes.load(1, loop.index), product)
            value = builder.fmul(lanes.load(0, loop.index), inner)
            lanes.store(value, 5, loop.index)
            lanes.add_to(total, value, value)
        lanes.store(builder.load(total), 6)
        return context.get_dummy_value()

    return signature, codegen


def _bent_masked_python(image, below, x, cy, rows, out, squares):
    slopes, values = _bend_python(rows_of(image, rows), below)
    masked = slopes * (rows_of(x, rows) + cy.astype(np.float32) * values)
    rows_of(out, rows)[:] = masked
    squares[:] = (masked**2).astype(np.float64).sum(axis=0)


def _bent_masked_compiled(typingctx, image, below, x, cy, rows, out, squares):
    """`masked` with the slopes and the values, in the role of y, of a bent image."""
    signature = types.void(image, types.float32, x, cy, types.uint64, out, squares)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        total = lanes.total()
        below = splat(builder, args[1], NETWORKS)
        cy = builder.fptrunc(lanes.load(3), lanes.single)
        with cgutils.for_range(builder, args[4]) as loop:
            slope, bent = lanes.bend(lanes.load(0, loop.index), below)
            inner = builder.fadd(lanes.load(2, loop.index), builder.fmul(cy, bent))
            value = builder.fmul(slope, inner)
            lanes.store(value, 5, loop.index)
            lanes.add_to(total, value, value)
        lanes.store(builder.load(total), 6)
        return context.get_dummy_value()

    return signature, codegen


bent_dot: Any = _bent_dot_python if JIT_OFF else intrinsic(_bent_dot_compiled)
bent_masked: Any = _bent_masked_python if JIT_OFF else intrinsic(_bent_masked_compiled)
bent_squares: Any = _bent_squares_python if JIT_OFF else intrinsic(_bent_squares_compiled)
dot: Any = _dot_python if JIT_OFF else intrinsic(_dot_compiled)
advance: Any = _advance_python if JIT_OFF else intrinsic(_advance_compiled)
masked: Any = _masked_python if JIT_OFF else intrinsic(_masked_compiled)
