"""Records by address: Python lays them out as words of memory, and kernels read them there.

By value, a named tuple of arrays is seven scalars an array in every call, and an engine's records had
hundreds: most of what numba and LLVM had to write down and to take apart again. By address a record is one
word, and a field a load. Nothing writes to an image, so LLVM may take a field for the same wherever it is
read.

The types of a record's fields are its annotations. Where kernels run as plain Python they get the record.
"""

from __future__ import annotations

import functools
import struct
import typing
from collections.abc import Iterator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.ccallback import CFunc
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, register_model
from numba.np.numpy_support import as_dtype

from montecarlo.common._jit import JIT_OFF
from montecarlo.kernels._spans import Span, span_of

_WORD = 8
_WORD_TYPE = ir.IntType(64)
_NUMBERS: dict[Any, tuple[Any, str]] = {
    bool: (types.boolean, "q"), int: (types.int64, "q"), float: (types.float64, "d"),
    np.int64: (types.int64, "q"), np.uint64: (types.uint64, "Q"), np.uint32: (types.uint32, "Q"),
}  # fmt: skip
_FORMATS = dict(_NUMBERS.values())


class RecordAt(types.Type):
    """The type of a named tuple's address."""

    def __init__(self, record: Any) -> None:
        hints = typing.get_type_hints(record, include_extras=True)
        self.kinds = {name: _kind_of(hints[name]) for name in record._fields}
        self.places = {}
        self.words = 0
        for name, kind in self.kinds.items():
            self.places[name] = self.words
            self.words += _words_of(kind)
        super().__init__(name=f"record({record.__module__}.{record.__name__})")


def _kind_of(hint: Any) -> Any:
    """Return the numba type of a field."""
    if typing.get_origin(hint) is typing.Annotated:
        return hint.__metadata__[0]
    return _NUMBERS[hint][0] if hint in _NUMBERS else _type_of(hint)


def _words_of(kind: Any) -> int:
    if isinstance(kind, RecordAt):
        return kind.words
    return 1 + kind.ndim if isinstance(kind, Span) else 2 if isinstance(kind, types.FunctionType) else 1


_type_of = functools.cache(RecordAt)


def by_value(record: Any) -> Any:
    """Return the numba type of a named tuple of numbers and arrays that a kernel takes by value."""
    kinds = _type_of(record).kinds.values()
    arrays = (types.Array(k.dtype, k.ndim, "C") if isinstance(k, Span) else k for k in kinds)
    return types.BaseTuple.from_types(tuple(arrays), record)


class Image:
    """A record in memory, for as long as this object lives.

    Parameters
    ----------
    record : named tuple
        Its arrays are in C order, writeable, and of the types and dimensions that its fields declare.
        Numbers are copied, arrays are not.

    Raises
    ------
    ValueError
        An array is not as it was declared: a kernel would read or write other memory.
    """

    def __init__(self, record: Any) -> None:
        self._kept = record
        if JIT_OFF:
            return
        kind = _type_of(type(record))
        self._words = np.frombuffer(struct.pack(_format(kind), *_values(record, kind)), np.uint64)
        # Behind one more address: of that, LLVM can be told how much may be read there.
        self._root = np.array([_address(self._words)], np.uint64)

    def run(self, kernel: Any) -> None:
        """Call a kernel that takes the address."""
        kernel(self._kept if JIT_OFF else _address(self._root))


@functools.cache
def _format(kind: Any) -> str:
    if isinstance(kind, RecordAt):
        return "".join(map(_format, kind.kinds.values()))
    return _FORMATS.get(kind) or "Q" * _words_of(kind)


def _values(record: Any, of: RecordAt) -> Iterator[Any]:
    for name, value, kind in zip(record._fields, record, of.kinds.values(), strict=True):
        if isinstance(kind, RecordAt):
            yield from _values(value, kind)
        elif isinstance(kind, Span):
            if not (value.dtype == as_dtype(kind.dtype) and value.ndim == kind.ndim and value.flags.carray):
                raise ValueError(
                    f"{name}: an array of {value.dtype} with {value.ndim} dimensions must be of {kind.dtype} "
                    f"with {kind.ndim}, in C order and writeable: kernels know it by its address"
                )
            yield _address(value)
            yield from value.shape
        elif isinstance(kind, types.FunctionType):
            yield from _addresses(value, kind.signature)
        else:
            yield value


def _address(array: Any) -> int:
    return array.__array_interface__["data"][0]


def _addresses(function: Any, signature: Any) -> tuple[Any, Any]:
    """Return the addresses of a compiled function by the conventions of C and, if it has one, of numba."""
    if isinstance(function, CFunc):
        return function.address, 0
    compiled = function.get_compile_result(signature)
    address, names = compiled.library.get_pointer_to_function, compiled.fndesc
    return address(names.llvm_cfunc_wrapper_name), address(names.llvm_func_name)


@register_model(RecordAt)
class _RecordModel(models.OpaqueModel):
    pass


@infer_getattr
class _Fields(AttributeTemplate):
    key = RecordAt

    def generic_resolve(self, kind: Any, name: str) -> Any:
        return kind.kinds.get(name)


@lower_getattr_generic(RecordAt)
def _field(context: Any, builder: Any, of: Any, record: Any, name: str) -> Any:
    kind, words = of.kinds[name], builder.bitcast(record, _WORD_TYPE.as_pointer())
    place = of.places[name]

    def load(number: int, to: Any) -> Any:
        pointer = builder.gep(words, [ir.Constant(_WORD_TYPE, place + number)], inbounds=True)
        word = builder.load(builder.bitcast(pointer, to.as_pointer()), align=_WORD)
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
        return word

    if isinstance(kind, RecordAt):
        pointer = builder.gep(words, [ir.Constant(_WORD_TYPE, place)], inbounds=True)
        return builder.bitcast(pointer, record.type)
    if isinstance(kind, Span):
        data = load(0, context.get_value_type(types.CPointer(kind.dtype)))
        return span_of(context, builder, kind, data, [load(1 + n, _WORD_TYPE) for n in range(kind.ndim)])
    if isinstance(kind, types.FunctionType):
        function = cgutils.create_struct_proxy(kind)(context, builder)
        function.c_addr = load(0, function.c_addr.type)
        function.py_addr = ir.Constant(function.py_addr.type, None)
        if hasattr(function, "jit_addr"):  # older releases of numba know the first alone
            function.jit_addr = load(1, function.c_addr.type)
        return function._getvalue()
    if kind == types.float64:
        return load(0, ir.DoubleType())
    word = load(0, _WORD_TYPE)
    narrow = context.get_value_type(kind)
    return word if narrow == word.type else builder.trunc(word, narrow)


def reader(record: Any) -> Any:
    """Return the function that makes the address that `Image.run` gives a kernel a record of some class."""
    if JIT_OFF:
        return lambda given: given
    of = _type_of(record)

    def read(typingctx, address):
        def codegen(context, builder, signature, args):
            kind = context.get_value_type(of)
            root = builder.inttoptr(args[0], kind.as_pointer())
            image = builder.load(root, align=_WORD)
            module = builder.module
            size = module.add_metadata([ir.Constant(_WORD_TYPE, of.words * _WORD)])
            image.set_metadata("dereferenceable", size)
            image.set_metadata("invariant.load", module.add_metadata([]))
            return image

        return of(types.uint64), codegen

    return intrinsic(read)
