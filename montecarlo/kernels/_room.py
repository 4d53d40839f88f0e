"""Room for a kernel's arrays: `zeros` and `ones` are numpy's, each one function of LLVM's IR.

Numba compiles three functions for every type of shape and of entry that ``np.zeros`` is called with: a tenth
of the time to compile an engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_new_ref
from numba.extending import intrinsic
from numba.np.arrayobj import _empty_nd_impl

from montecarlo.common._jit import JIT_OFF
from montecarlo.kernels._lines import LINE

_TUPLE: Any = types.BaseTuple


def _allocate(context: Any, builder: Any, kind: Any, given: Any, shape: Any) -> Any:
    """Return an array that is not filled yet; its shape is an integer or a tuple of them, none negative."""
    several = isinstance(given, _TUPLE)
    sides = zip(cgutils.unpack_tuple(builder, shape), given, strict=True) if several else [(shape, given)]
    lengths = [context.cast(builder, side, of, types.intp) for side, of in sides]
    # From the beginning of a line of the cache on (`_lines`), where this numba asks a method.
    if hasattr(context, "get_preferred_array_alignment"):
        context = context.subtarget(get_preferred_array_alignment=lambda dtype: LINE)
    return _empty_nd_impl(context, builder, kind, lengths)


def _kind(shape: Any, dtype: Any) -> Any:
    return types.Array(dtype.dtype, len(shape) if isinstance(shape, _TUPLE) else 1, "C")


def _zeros_compiled(typingctx, shape, dtype):
    """Return an array of zeros, in C order."""
    kind = _kind(shape, dtype)

    def codegen(context, builder, signature, args):
        array = _allocate(context, builder, kind, shape, args[0])
        cgutils.memset(builder, array.data, builder.mul(array.itemsize, array.nitems), 0)
        return impl_ret_new_ref(context, builder, kind, array._getvalue())

    return kind(shape, dtype), codegen


def _ones_compiled(typingctx, shape, dtype):
    """Return an array of ones, in C order."""
    kind = _kind(shape, dtype)

    def codegen(context, builder, signature, args):
        array = _allocate(context, builder, kind, shape, args[0])
        one = context.get_constant(kind.dtype, 1)
        one = context.get_value_as_data(builder, kind.dtype, one)
        with cgutils.for_range(builder, array.nitems) as loop:
            builder.store(one, builder.gep(array.data, [loop.index]))
        return impl_ret_new_ref(context, builder, kind, array._getvalue())

    return kind(shape, dtype), codegen


zeros: Any = np.zeros if JIT_OFF else intrinsic(_zeros_compiled)
ones: Any = np.ones if JIT_OFF else intrinsic(_ones_compiled)
