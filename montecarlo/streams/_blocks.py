"""Philox words of many counters at once, in LLVM's IR.

LLVM vectorises a loop over `philox` sixteen counters at a time and leaves the rest to narrow registers or to
scalar code: at a width of 40 that rest took half the time. Here several registers of eight counters are
interleaved, which hides the latency of the multiplications, and single ones finish.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo._jit import JIT_OFF, LANES
from montecarlo.streams._philox import MULTIPLIERS, ROUNDS, WEYL, philox

INTERLEAVED = 4 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 1
"""Registers of eight counters in flight: as many as fit into the registers of this machine."""

_LONG = ir.IntType(64)
_VECTOR = ir.VectorType(_LONG, LANES)
_WORDS = ir.VectorType(ir.IntType(32), LANES)


def splat(builder: Any, scalar: Any, width: int = LANES) -> Any:
    """Return a vector of equal lanes."""
    kind = ir.VectorType(scalar.type, width)
    zero = ir.Constant(ir.IntType(32), 0)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, zero)
    return builder.shuffle_vector(
        single, single, ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    )


def _rounds(builder: Any, states: list[list[Any]], keys: list[Any]) -> list[list[Any]]:
    """Return the states, four vectors of 64-bit lanes each, after ten rounds; upper halves are garbage."""

    def constant(number: int) -> Any:
        return ir.Constant(_VECTOR, [number] * LANES)

    low, half = constant(0xFFFFFFFF), constant(32)
    words = [builder.zext(key, _LONG) for key in keys]
    mask = ir.Constant(_LONG, 0xFFFFFFFF)
    for round_ in range(ROUNDS):
        k0, k1 = (
            splat(builder, builder.and_(builder.add(word, ir.Constant(_LONG, round_ * weyl % 2**32)), mask))
            for word, weyl in zip(words, WEYL, strict=True)
        )
        after = []
        for c0, c1, c2, c3 in states:
            product_0 = builder.mul(builder.and_(c0, low), constant(MULTIPLIERS[0]))
            product_1 = builder.mul(builder.and_(c2, low), constant(MULTIPLIERS[1]))
            left = builder.xor(builder.xor(builder.lshr(product_1, half), c1), k0)
            right = builder.xor(builder.xor(builder.lshr(product_0, half), c3), k1)
            after.append([left, product_1, right, product_0])
        states = after
    return states


def _fill_python(k0, k1, c1, c2, c3, counters, counters_start, n, out, out_start, plane):
    for i in range(-(-int(n) // LANES) * LANES):
        counter = np.float32(counters[int(counters_start) + i]).view(np.uint32)
        for w, word in enumerate(philox(counter, c1, c2, c3, k0, k1)):
            out[int(out_start) + w * int(plane) + i] = np.uint32(word).view(np.float32)


def _fill_compiled(typingctx, k0, k1, c1, c2, c3, counters, counters_start, n, out, out_start, plane):
    """Store word w of counter i at ``out[out_start + w * plane + i]`` for i < n, rounded up to eights.

    The counter is ``(counters[counters_start + i], c1, c2, c3)``. Both arrays are float32 and hold the bits
    of words, so that one scratch serves words and floats.
    """
    word, index, table = types.uint32, types.uint64, types.float32[::1]
    signature = types.void(word, word, word, word, word, table, index, index, table, index, index)

    def codegen(context, builder, sig, args):
        source = context.make_array(sig.args[5])(context, builder, args[5]).data
        target = context.make_array(sig.args[8])(context, builder, args[8]).data
        upper = [splat(builder, builder.zext(args[position], _LONG)) for position in (2, 3, 4)]
        plane = args[10]

        def pointer(base, *offsets):
            for offset in offsets:
                base = builder.gep(base, [offset])
            return builder.bitcast(base, _WORDS.as_pointer())

        def block(first, registers):
            states, places = [], []
            for register in range(registers):
                place = builder.add(first, ir.Constant(first.type, register * LANES))
                counter = builder.load(pointer(source, args[6], place), align=4)
                states.append([builder.zext(counter, _VECTOR), *upper])
                places.append(place)
            for place, state in zip(places, _rounds(builder, states, [args[0], args[1]]), strict=True):
                row = args[9]
                for value in state:
                    builder.store(builder.trunc(value, _WORDS), pointer(target, row, place), align=4)
                    row = builder.add(row, plane)

        size = args[7].type
        eights = builder.udiv(builder.add(args[7], ir.Constant(size, LANES - 1)), ir.Constant(size, LANES))
        many = builder.udiv(eights, ir.Constant(size, INTERLEAVED))
        with cgutils.for_range(builder, many) as loop:
            block(builder.mul(loop.index, ir.Constant(size, INTERLEAVED * LANES)), INTERLEAVED)
        done = builder.mul(many, ir.Constant(size, INTERLEAVED))
        if INTERLEAVED > 1:
            with cgutils.for_range(builder, builder.sub(eights, done)) as loop:
                block(builder.mul(builder.add(done, loop.index), ir.Constant(size, LANES)), 1)
        return context.get_dummy_value()

    return signature, codegen


fill_words: Any = _fill_python if JIT_OFF else intrinsic(_fill_compiled)
