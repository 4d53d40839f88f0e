"""Arithmetic on lanes that is written once: LLVM's vectors where kernels are compiled, else numpy's arrays.

LLVM's vectoriser gives up on loops over lanes of many arrays that might overlap. A formula of `Lane` values
is vectors by construction, and its numbers do not depend on how wide a machine's registers are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from montecarlo.streams._blocks import REPLICAS, base_of, splat

WIDTH = 8
"""Lanes of a vector: half of a row."""

_DOUBLE = ir.VectorType(ir.DoubleType(), WIDTH)
_SINGLE = ir.VectorType(ir.FloatType(), WIDTH)


class Lane:
    """A float64 number a lane; as arrays of numpy's, it takes ``+ - *`` and ``/``."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def _of(self, other: Lane | float) -> Any:
        return other.value if isinstance(other, Lane) else ir.Constant(_DOUBLE, [float(other)] * WIDTH)

    def __add__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fadd(self.value, self._of(other)))

    def __sub__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fsub(self.value, self._of(other)))

    def __rsub__(self, other: float) -> Lane:
        return Lane(self.builder, self.builder.fsub(self._of(other), self.value))

    def __mul__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fmul(self.value, self._of(other)))

    def __truediv__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fdiv(self.value, self._of(other)))

    def __rtruediv__(self, other: float) -> Lane:
        return Lane(self.builder, self.builder.fdiv(self._of(other), self.value))


def root(x: Any) -> Any:
    """Return the square root."""
    if not isinstance(x, Lane):
        return np.sqrt(x)
    kind = ir.FunctionType(_DOUBLE, [_DOUBLE])
    function = cgutils.get_or_insert_function(x.builder.module, kind, f"llvm.sqrt.v{WIDTH}f64")
    return Lane(x.builder, x.builder.call(function, [x.value]))


def where_positive(x: Any, this: Any, other: Any) -> Any:
    """Return this where x > 0, else the other."""
    if not isinstance(x, Lane):
        return np.where(x > 0.0, this, other)
    positive = x.builder.fcmp_ordered(">", x.value, x._of(0.0))
    this, other = (x._of(choice) for choice in (this, other))
    return Lane(x.builder, x.builder.select(positive, this, other))


class Rows:
    """A row of each array of a record, half of its sixteen lanes, and its numbers, as `Lane` values."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any, row: Any, half: int) -> None:
        self._builder, self._kind, self._value = builder, kind, value
        self._context, self._row, self._half = context, row, half

    def _pointer(self, place: int) -> tuple[Any, Any]:
        field = self._builder.extract_value(self._value, place)
        base, dtype = base_of(self._context, self._builder, self._kind.types[place], field)
        first = self._builder.mul(self._row, ir.Constant(self._row.type, REPLICAS))
        first = self._builder.add(first, ir.Constant(self._row.type, self._half * WIDTH))
        return self._builder.gep(base, [first]), dtype

    def __getattr__(self, name: str) -> Lane:
        place = self._kind.fields.index(name)
        kind = self._kind.types[place]
        if not isinstance(kind, types.Array):
            number = self._builder.extract_value(self._value, place)
            return Lane(self._builder, splat(self._builder, number, WIDTH))
        pointer, dtype = self._pointer(place)
        if dtype == types.float64:
            return Lane(
                self._builder,
                self._builder.load(self._builder.bitcast(pointer, _DOUBLE.as_pointer()), align=8),
            )
        vector = self._builder.load(self._builder.bitcast(pointer, _SINGLE.as_pointer()), align=4)
        return Lane(self._builder, self._builder.fpext(vector, _DOUBLE))

    def put(self, name: str, lane: Lane) -> None:
        """Store the lanes of an array's row."""
        pointer, _ = self._pointer(self._kind.fields.index(name))
        self._builder.store(lane.value, self._builder.bitcast(pointer, _DOUBLE.as_pointer()), align=8)


class ArrayRows:
    """The same on numpy's arrays, for kernels that run as plain Python."""

    def __init__(self, record: Any, row: int) -> None:
        self._record = record
        self._part = slice(int(row) * REPLICAS, (int(row) + 1) * REPLICAS)

    def __getattr__(self, name: str) -> Any:
        field = getattr(self._record, name)
        return field[self._part].astype(np.float64) if isinstance(field, np.ndarray) else field

    def put(self, name: str, lane: Any) -> None:
        """Store the lanes of an array's row."""
        getattr(self._record, name)[self._part] = lane
