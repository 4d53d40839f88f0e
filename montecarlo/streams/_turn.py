"""Box-Muller normals of many words at once, in LLVM's IR: bit for bit those of `_normals`.

LLVM prefers registers of 256 bits on processors that once slowed down in wider ones, and takes 1.7 times as
long as with the sixteen lanes that are asked for here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF
from montecarlo.streams import _normals as scalar
from montecarlo.streams._blocks import REPLICAS, base_of
from montecarlo.streams._normals import box_muller

AT_ONCE = REPLICAS
"""Words that are turned at once."""


def turned(builder: Any, radius_words: Any, angle_words: Any) -> tuple[Any, Any]:
    """Return the two vectors of normals that two vectors of words turn into; see `box_muller`."""
    lanes = radius_words.type.count
    words, floats = radius_words.type, ir.VectorType(ir.FloatType(), lanes)
    add, subtract, multiply = builder.fadd, builder.fsub, builder.fmul

    def integer(number: int) -> Any:
        return ir.Constant(words, [number] * lanes)

    def single(number: Any) -> Any:
        return ir.Constant(floats, [float(number)] * lanes)

    def function(name: str, arguments: int) -> Any:
        kind = ir.FunctionType(floats, [floats] * arguments)
        return cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{lanes}f32")

    fused, square_root = function("fma", 3), function("sqrt", 1)

    def polynomial(x: Any, *coefficients: Any) -> Any:
        value = single(coefficients[0])
        for coefficient in coefficients[1:]:
            value = builder.call(fused, [value, x, single(coefficient)])
        return value

    k = builder.lshr(radius_words, integer(1))
    v = add(builder.sitofp(k, floats), single(0.5))
    complement = add(builder.sitofp(builder.sub(integer(0x7FFFFFFF), k), floats), single(0.5))
    near_one = builder.fcmp_ordered(">", v, single(scalar._NEAR_ONE))
    root = integer(int(scalar._SQRT_HALF_BITS))
    offset = builder.sub(builder.bitcast(v, words), root)
    exponent = builder.sitofp(builder.sub(builder.ashr(offset, integer(23)), integer(31)), floats)
    mantissa = builder.bitcast(builder.add(builder.and_(offset, integer(0x007FFFFF)), root), floats)
    near = multiply(subtract(single(-0.0), complement), single(2.0**-31))
    f = builder.select(near_one, near, subtract(mantissa, single(1.0)))
    e = builder.select(near_one, single(0.0), exponent)
    q = polynomial(f, *(getattr(scalar, f"_Q{i}") for i in range(7, -1, -1)), -0.5)
    near_zero = builder.call(fused, [multiply(f, f), q, f])
    log_u = builder.call(fused, [e, single(scalar._LN2), near_zero])
    radius = builder.call(square_root, [multiply(single(-2.0), log_u)])

    centred = builder.or_(builder.shl(angle_words, integer(2)), integer(2))
    t = multiply(builder.sitofp(centred, floats), single(2.0**-32))
    t2 = multiply(t, t)
    sine = multiply(t, polynomial(t2, *(getattr(scalar, f"_S{i}") for i in range(3, -1, -1))))
    cosine = polynomial(t2, *(getattr(scalar, f"_C{i}") for i in range(4, -1, -1)))
    swap = builder.icmp_unsigned("!=", builder.and_(angle_words, integer(0x40000000)), integer(0))
    sign = builder.and_(angle_words, integer(0x80000000))
    radius = builder.bitcast(builder.xor(builder.bitcast(radius, words), sign), floats)
    first, second = builder.select(swap, sine, cosine), builder.select(swap, cosine, sine)
    return multiply(radius, first), multiply(radius, second)


def _turn_words_python(table, first, second, count):
    for i in range(int(count)):
        a, b = int(first) + i, int(second) + i
        table[a], table[b] = box_muller(table[a].view(np.uint32), table[b].view(np.uint32))


def _turn_words_compiled(typingctx, table, first, second, count):
    """Turn the words from two places of a table on into pairs of normals, in place.

    The table is float32 and holds the bits of words; `count` is rounded up to a multiple of sixteen.
    """
    index = types.uint64
    signature = types.void(table, index, index, index)

    def codegen(context, builder, sig, args):
        base, _ = base_of(context, builder, sig.args[0], args[0])
        size = args[3].type
        words = ir.VectorType(ir.IntType(32), AT_ONCE)
        rounded = builder.add(args[3], ir.Constant(size, AT_ONCE - 1))
        with cgutils.for_range(builder, builder.udiv(rounded, ir.Constant(size, AT_ONCE))) as loop:
            place = builder.mul(loop.index, ir.Constant(size, AT_ONCE))
            pointers = [
                builder.bitcast(builder.gep(base, [builder.add(start, place)]), words.as_pointer())
                for start in args[1:3]
            ]
            made = turned(builder, *(builder.load(pointer, align=4) for pointer in pointers))
            for normals, pointer in zip(made, pointers, strict=True):
                builder.store(builder.bitcast(normals, words), pointer, align=4)
        return context.get_dummy_value()

    return signature, codegen


turn_words: Any = _turn_words_python if JIT_OFF else intrinsic(_turn_words_compiled)
