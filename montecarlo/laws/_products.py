"""Products of a vector with weights whose words lie in scratch, eight units in the lanes of a register.

Scratch (float32, the bits of words) holds the words of up to `WORDS` counters: word w of counter i at
``w * PLANE + i``, behind the planes the counters themselves. The counters of one position follow each other
unit by unit without gaps, so that a number of units that is no multiple of eight costs no random numbers.
Lanes beyond the last unit read words of the next position; what becomes of them is not looked at
(`multiply`) or meets a zero (`add_rows`).

Written in LLVM's IR: Python cannot say in which order a reduction runs, and LLVM's own vectoriser takes
sixteen units at a time and leaves the rest of a short row to scalar code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, LANES, helper
from montecarlo.streams._blocks import Table, fill_words, splat

WORDS = 1024
"""Counters whose words lie in scratch at once: few enough for the first-level cache."""

PLANE = WORDS + 64
SCRATCH = 5 * PLANE
"""Length of the scratch of a law's kernels."""

FLOATS = ir.VectorType(ir.FloatType(), LANES)
INTEGERS = ir.VectorType(ir.IntType(32), LANES)

_PLANE = np.uint64(PLANE)
_COUNTERS = np.uint64(4 * PLANE)
_ZERO = np.uint64(0)


@dataclass(frozen=True)
class Decoder:
    """How a law turns words into the eight weights of a step.

    Parameters
    ----------
    words : tuple of (int, int)
        The words of a step: plane of scratch and counter, 0 for the step's first one.
    compiled, plain : callable
        Functions of (builder, words, shift) on vectors of LLVM, and of (words, shift) on arrays of
        uint32, that return the eight weights of each lane, divided by `factor`; `shift` is handed through.
    factor : float, default 1
        A power of two.
    """

    words: tuple[tuple[int, int], ...]
    compiled: Callable[..., list[Any]]
    plain: Callable[..., list[Any]]
    factor: float = 1.0


def constant(number: float, kind: Any = INTEGERS) -> Any:
    """Return a vector of equal constants."""
    return ir.Constant(kind, [number] * LANES)


def _base(context: Any, builder: Any, sig: Any, args: Any, position: int) -> Any:
    return context.make_array(sig.args[position])(context, builder, args[position]).data


def _pointer(builder: Any, base: Any, kind: Any, *offsets: Any) -> Any:
    for offset in offsets:
        base = builder.gep(base, [offset])
    return builder.bitcast(base, kind.as_pointer())


def _number(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _store_counters_python(units, first, m, per_unit, position, count, scratch):
    for s in range(int(count)):
        for i in range(int(m)):
            shift = np.uint32(position + np.uint32(s))
            counter = np.uint32(np.uint32(units[int(first) + i] * per_unit) + shift)
            scratch[4 * PLANE + s * int(m) + i] = counter.view(np.float32)


def _store_counters_compiled(typingctx, units, first, m, per_unit, position, count, scratch):
    """Store the counters ``units[first + i] * per_unit + position + s`` at ``s * m + i`` behind the words."""
    index, word = types.uint64, types.uint32
    signature = types.void(types.uint32[::1], index, index, word, word, index, types.float32[::1])

    def codegen(context, builder, sig, args):
        source, target = (_base(context, builder, sig, args, position) for position in (0, 6))
        _, first, m, per_unit, position, count, _ = args
        per_unit = splat(builder, per_unit)
        blocks = builder.udiv(builder.add(m, _number(LANES - 1)), _number(LANES))
        with cgutils.for_range(builder, count) as step:
            shift = splat(builder, builder.add(position, builder.trunc(step.index, ir.IntType(32))))
            row = builder.add(_number(4 * PLANE), builder.mul(step.index, m))
            # A store of eight may run over the end of its row: the next row, stored later, puts that right.
            with cgutils.for_range(builder, blocks) as block:
                place = builder.mul(block.index, _number(LANES))
                unit = builder.load(_pointer(builder, source, INTEGERS, first, place), align=4)
                counter = builder.add(builder.mul(unit, per_unit), shift)
                builder.store(counter, _pointer(builder, target, INTEGERS, row, place), align=4)
        return context.get_dummy_value()

    return signature, codegen


store_counters: Any = _store_counters_python if JIT_OFF else intrinsic(_store_counters_compiled)


@helper
def generate(address, layer_role, units, first, m, per_unit, position, count, scratch):
    """Put the words of `m` units from `first` on into scratch, `count` counters each from `position` on."""
    store_counters(units, first, m, per_unit, position, count, scratch)
    k0, k1, low, high = address
    counters, words = Table(scratch, _COUNTERS), Table(scratch, _ZERO)
    fill_words(k0, k1, layer_role, low, high, counters, m * count, words, _PLANE)


def products(decoder: Decoder) -> tuple[Any, Any]:
    """Return the two products of a law, for kernels to call.

    ``multiply(scratch, row, m, shift, x, position, out, start)``
        ``out[start + i] += Σ_r w_r(i) x[position + r]`` for i < m, the terms in turn, fused.
    ``add_rows(scratch, row, m, shift, x, start, out, position)``
        ``out[position + r] += Σ_i x[start + i] w_r(i)`` over i < m, lane by lane, then pairwise over
        neighbouring lanes.

    The weights w_0 ... w_7 of unit i come from its words at ``row + i`` in scratch, those of the counter
    behind at ``row + m + i``. Arrays of units have room for m rounded up to eights, x with zeros there.
    """
    if JIT_OFF:
        return _multiply_plain(decoder), _add_rows_plain(decoder)
    return intrinsic(_multiply_compiled(decoder)), intrinsic(_add_rows_compiled(decoder))


def _load_weights(builder: Any, decoder: Decoder, base: Any, row: Any, m: Any, shift: Any, place: Any) -> Any:
    words = []
    for plane, counter in decoder.words:
        behind = builder.mul(m, _number(counter))
        pointer = _pointer(builder, base, INTEGERS, _number(plane * PLANE), behind, row, place)
        words.append(builder.load(pointer, align=4))
    return decoder.compiled(builder, words, shift)


def _blocks(builder: Any, m: Any) -> Any:
    return builder.udiv(builder.add(m, _number(LANES - 1)), _number(LANES))


_INDEX, _TABLE = types.uint64, types.float32[::1]
_SIGNATURE = types.void(_TABLE, _INDEX, _INDEX, types.uint32, _TABLE, _INDEX, _TABLE, _INDEX)


def _multiply_compiled(decoder: Decoder) -> Callable[..., Any]:
    def multiply(typingctx, scratch, row, m, shift, x, position, out, start):
        def codegen(context, builder, sig, args):
            words, vector, target = (_base(context, builder, sig, args, p) for p in (0, 4, 6))
            _, row, m, shift, _, position, _, start = args
            kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
            fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
            terms = []
            for r in range(LANES):
                term = builder.load(builder.gep(vector, [builder.add(position, _number(r))]))
                terms.append(splat(builder, builder.fmul(term, ir.Constant(term.type, decoder.factor))))
            with cgutils.for_range(builder, _blocks(builder, m)) as loop:
                place = builder.mul(loop.index, _number(LANES))
                weights = _load_weights(builder, decoder, words, row, m, shift, place)
                pointer = _pointer(builder, target, FLOATS, start, place)
                total = builder.load(pointer, align=4)
                for weight, term in zip(weights, terms, strict=True):
                    total = builder.call(fma, [weight, term, total])
                builder.store(total, pointer, align=4)
            return context.get_dummy_value()

        return _SIGNATURE, codegen

    return multiply


def _add_rows_compiled(decoder: Decoder) -> Callable[..., Any]:
    def add_rows(typingctx, scratch, row, m, shift, x, start, out, position):
        def codegen(context, builder, sig, args):
            words, vector, target = (_base(context, builder, sig, args, p) for p in (0, 4, 6))
            _, row, m, shift, _, start, _, position = args
            sums = [cgutils.alloca_once_value(builder, constant(0.0, FLOATS)) for _ in range(LANES)]
            for lane_sum in sums:
                builder.store(constant(0.0, FLOATS), lane_sum)
            with cgutils.for_range(builder, _blocks(builder, m)) as loop:
                place = builder.mul(loop.index, _number(LANES))
                weights = _load_weights(builder, decoder, words, row, m, shift, place)
                term = builder.load(_pointer(builder, vector, FLOATS, start, place), align=4)
                term = builder.fmul(term, constant(decoder.factor, FLOATS))
                for weight, lane_sum in zip(weights, sums, strict=True):
                    product = builder.fmul(weight, term)
                    builder.store(builder.fadd(builder.load(lane_sum), product), lane_sum)
            total = _pointer(builder, target, FLOATS, position)
            folded = _fold(builder, [builder.load(lane_sum) for lane_sum in sums])
            builder.store(builder.fadd(builder.load(total, align=4), folded), total, align=4)
            return context.get_dummy_value()

        return _SIGNATURE, codegen

    return add_rows


def _fold(builder: Any, rows: list[Any]) -> Any:
    """Return the sums of eight vectors, one a lane.

    Neighbours are added twice inside the halves of a register, where shuffles are cheap, then the halves.
    """
    neighbours = ([0, 2, 8, 10, 4, 6, 12, 14], [1, 3, 9, 11, 5, 7, 13, 15])
    halves = ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15])
    for masks in (neighbours, neighbours, halves):
        rows = [
            builder.fadd(
                *(builder.shuffle_vector(left, right, ir.Constant(INTEGERS, mask)) for mask in masks)
            )
            for left, right in zip(rows[0::2], rows[1::2], strict=True)
        ]
    return rows[0]


def _weights_plain(decoder: Decoder, scratch: Any, row: int, m: int, shift: Any, place: int) -> list[Any]:
    starts = [plane * PLANE + counter * m + row + place for plane, counter in decoder.words]
    return decoder.plain([scratch[start : start + LANES].view(np.uint32) for start in starts], shift)


def _multiply_plain(decoder: Decoder) -> Callable[..., None]:
    def multiply(scratch, row, m, shift, x, position, out, start):
        row, m, position, start = int(row), int(m), int(position), int(start)
        for place in range(0, m, LANES):
            weights = _weights_plain(decoder, scratch, row, m, shift, place)
            total = out[start + place : start + place + LANES]
            for r, weight in enumerate(weights):
                term = x[position + r] * np.float32(decoder.factor)
                total[:] = np.float64(weight) * np.float64(term) + np.float64(total)

    return multiply


def _add_rows_plain(decoder: Decoder) -> Callable[..., None]:
    def add_rows(scratch, row, m, shift, x, start, out, position):
        row, m, position, start = int(row), int(m), int(position), int(start)
        sums = np.zeros((LANES, LANES), np.float32)
        for place in range(0, m, LANES):
            weights = _weights_plain(decoder, scratch, row, m, shift, place)
            term = x[start + place : start + place + LANES] * np.float32(decoder.factor)
            sums += np.stack(weights) * term
        while sums.shape[1] > 1:
            sums = sums[:, 0::2] + sums[:, 1::2]
        out[position : position + LANES] += sums[:, 0]

    return add_rows
