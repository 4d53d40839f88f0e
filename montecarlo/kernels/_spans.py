"""Arrays that a kernel knows by an address and their lengths, in C order, with the syntax of numpy's.

Numba's own arrays carry seven words and are counted; a span is what is left without strides, owner and item
size. Indices are not wrapped: they come as they are meant. Where kernels run as plain Python, spans are
numpy's arrays.
"""

from __future__ import annotations

import operator
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing import templates
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, signature
from numba.extending import infer_getattr, lower_builtin, lower_cast, lower_getattr, register_model

infer_global: Any = templates.infer_global  # numba says that it is None


class Span(types.Type):
    """The type of a span with entries of one type."""

    def __init__(self, dtype: Any, ndim: int) -> None:
        self.dtype, self.ndim = dtype, ndim
        super().__init__(name=f"span({dtype}, {ndim})")

    def can_convert_to(self, typingctx: Any, other: Any) -> Any:
        """Let functions that Python may call, too, take it for the array that it is."""
        same = isinstance(other, types.Array) and other == types.Array(self.dtype, self.ndim, "C")
        return typingctx.can_convert(other, other) if same else None


Doubles = Annotated[npt.NDArray[np.float64], Span(types.float64, 1)]
Floats = Annotated[npt.NDArray[np.float32], Span(types.float32, 1)]
Integers = Annotated[npt.NDArray[np.int64], Span(types.int64, 1)]
Counts = Annotated[npt.NDArray[np.uint64], Span(types.uint64, 1)]
Flags = Annotated[npt.NDArray[np.bool_], Span(types.boolean, 1)]
DoubleRows = Annotated[npt.NDArray[np.float64], Span(types.float64, 2)]
FloatRows = Annotated[npt.NDArray[np.float32], Span(types.float32, 2)]
IntegerRows = Annotated[npt.NDArray[np.int64], Span(types.int64, 2)]
Words = Annotated[npt.NDArray[np.uint32], Span(types.uint32, 1)]
WordRows = Annotated[npt.NDArray[np.uint32], Span(types.uint32, 2)]
Layers = Annotated[npt.NDArray[np.float64], Span(types.float64, 3)]


@register_model(Span)
class _SpanModel(models.StructModel):
    def __init__(self, dmm: Any, kind: Any) -> None:
        members = [("data", types.CPointer(kind.dtype)), ("shape", types.UniTuple(types.intp, kind.ndim))]
        super().__init__(dmm, kind, members)


def _entry(span: Any, index: Any) -> Any:
    """Return the type of what stands at an index: an entry, or what is left of a span of more dimensions."""
    if not isinstance(span, Span):
        return None
    if isinstance(index, types.Integer):
        return span.dtype if span.ndim == 1 else Span(span.dtype, span.ndim - 1)
    parts = getattr(index, "types", ())  # of a tuple
    whole = len(parts) == span.ndim and all(isinstance(part, types.Integer) for part in parts)
    return span.dtype if whole else None


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        kind = _entry(*args[:2])
        return None if kind is None else signature(kind, *args)


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        kind = _entry(*args[:2])
        return None if kind is None or isinstance(kind, Span) else signature(types.none, *args[:2], kind)


@infer_getattr
class _Attributes(AttributeTemplate):
    key = Span

    def resolve_size(self, span: Any) -> Any:
        return types.intp

    def resolve_shape(self, span: Any) -> Any:
        return types.UniTuple(types.intp, span.ndim)


def _place(context: Any, builder: Any, span: Any, kinds: Any, indices: Any) -> tuple[Any, list[Any]]:
    """Return the address of what stands at leading indices, and the lengths of its dimensions."""
    lengths = cgutils.unpack_tuple(builder, span.shape)
    place = None
    for number, length in enumerate(lengths):
        if place is not None:
            place = builder.mul(place, length)
        if number < len(indices):
            index = context.cast(builder, indices[number], kinds[number], types.intp)
            place = index if place is None else builder.add(place, index)
    return builder.gep(span.data, [place]), lengths[len(indices) :]


def _at(context: Any, builder: Any, sig: Any, args: Any) -> tuple[Any, list[Any]]:
    span = cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0])
    if isinstance(sig.args[1], types.BaseTuple):
        return _place(context, builder, span, list(sig.args[1]), cgutils.unpack_tuple(builder, args[1]))
    return _place(context, builder, span, [sig.args[1]], [args[1]])


@lower_builtin(operator.getitem, Span, types.Any)
def _getitem(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    pointer, lengths = _at(context, builder, sig, args)
    if not lengths:
        return context.unpack_value(builder, sig.return_type, pointer)
    return span_of(context, builder, sig.return_type, pointer, lengths)


@lower_builtin(operator.setitem, Span, types.Any, types.Any)
def _setitem(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    pointer, _ = _at(context, builder, sig, args)
    context.pack_value(builder, sig.args[2], args[2], pointer)
    return context.get_dummy_value()


@lower_getattr(Span, "size")
def _size(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    lengths = cgutils.unpack_tuple(builder, builder.extract_value(value, 1))
    total = lengths[0]
    for length in lengths[1:]:
        total = builder.mul(total, length)
    return total


@lower_getattr(Span, "shape")
def _shape(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return builder.extract_value(value, 1)


@lower_cast(Span, types.Array)
def _as_array(context: Any, builder: Any, fromty: Any, toty: Any, value: Any) -> Any:
    from numba.np.arrayobj import populate_array  # slow, and needed only to compile

    span = cgutils.create_struct_proxy(fromty)(context, builder, value)
    lengths = cgutils.unpack_tuple(builder, span.shape)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(toty.dtype)))
    strides = [itemsize]
    for length in reversed(lengths[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = context.make_array(toty)(context, builder)
    populate_array(array, span.data, lengths, strides, itemsize, meminfo=None)
    return array._getvalue()


def span_of(context: Any, builder: Any, kind: Any, pointer: Any, lengths: list[Any]) -> Any:
    """Return the span with an address and lengths."""
    span = cgutils.create_struct_proxy(kind)(context, builder)
    span.data, span.shape = pointer, cgutils.pack_array(builder, lengths)
    return span._getvalue()
