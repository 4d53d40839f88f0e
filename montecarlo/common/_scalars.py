"""Operations on numbers for which numba compiles a function of its own, one for each pair of types.

They were a tenth of the time to compile an engine. Where kernels run as plain Python they are Python's own.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from numba import types
from numba.core.typing.templates import signature
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF


def _ldexp_python(x, exponent):
    return math.ldexp(x, int(exponent))


def _chosen(compare: Any) -> Callable[..., Any]:
    def choose(typingctx, a, b):
        kind = typingctx.unify_types(types.unliteral(a), types.unliteral(b))

        def codegen(context, builder, sig, args):
            first, second = (context.cast(builder, *pair, kind) for pair in zip(args, sig.args, strict=True))
            better = context.get_function(compare, signature(types.boolean, kind, kind))
            return builder.select(better(builder, (second, first)), second, first)

        return kind(a, b), codegen

    return choose


def _as_bits_python(x, dtype):
    return x.view(dtype)


def _as_bits_compiled(typingctx, x, dtype):
    """Return the number with the bits of another of the same size."""

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], context.get_value_type(sig.return_type))

    return dtype.dtype(x, dtype), codegen


# As Python's: of two that are equal or not ordered, the first.
larger: Any = max if JIT_OFF else intrinsic(_chosen(operator.gt))
smaller: Any = min if JIT_OFF else intrinsic(_chosen(operator.lt))
as_bits: Any = _as_bits_python if JIT_OFF else intrinsic(_as_bits_compiled)
ldexp: Any = _ldexp_python if JIT_OFF else math.ldexp
