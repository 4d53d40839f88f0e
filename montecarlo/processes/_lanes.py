"""Normals of paths for eight replicas at a time, in the lanes of a register: those of `normal_rows`.

A narrow network has few paths, and a replica at a time they are mostly the time that Python takes for them.
Here a row of normals has all entries of eight replicas, entry by entry and lane by lane.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, LANES, helper, kernel
from montecarlo.kernels._room import zeros
from montecarlo.streams._address import Address
from montecarlo.streams._blocks import SIDES, WIDE, fill_four_words, fill_two_words, splat
from montecarlo.streams._normals import box_muller
from montecarlo.streams._turn import turned

Float32 = npt.NDArray[np.float32]

_ROWS = 64  # rows of normals at a time: their words fit the first cache
PLANE = _ROWS * WIDE
SCRATCH = 4 * PLANE
"""Numbers of the scratch of `fill_entries`."""

BLOCK = 1024
"""Entries of a block, which share their counters by fours."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_THREE = np.uint64(3)
_LANES = np.uint64(LANES)
_SIDES = np.uint64(SIDES)
_CHUNK = np.uint64(_ROWS)
_PLANE = np.uint64(PLANE)
_SCRATCH = np.uint64(SCRATCH)
_BLOCK = np.uint64(BLOCK)
_COUNTERS = np.uint64(BLOCK // 4)
_VECTOR = ir.VectorType(ir.FloatType(), WIDE)


class LaneStream(NamedTuple):
    """Where the normals of some replicas lie: key and role, and consecutive replicas in groups of eight."""

    k0: Any
    k1: Any
    role: Any
    """In the upper four of 32 bits."""
    low: Any
    """Low word of the first replica; those of a group do not wrap."""
    high: Any

    @classmethod
    def of(cls, key: tuple[int, int], role: int, first_replica: int) -> LaneStream:
        """Return the stream of a key and role from a replica on."""
        k0, k1, low, high = Address.of(key, first_replica)
        return cls(k0, k1, np.uint32(role << 28), low, high)

    def of_group(self, group: int) -> LaneStream:
        """Return the stream of a group alone."""
        low = (int(self.low) + group * LANES) & 0xFFFFFFFF
        return self._replace(low=np.uint32(low))

    def fill(self, first_row: int, out: Float32) -> None:
        """Write normals of the first group, as `Fill` does: entry ``e // 8`` of replica ``e % 8``."""
        rows, columns = out.shape
        _fill_rows(self, np.uint64(first_row), np.uint64(rows), np.uint64(columns // LANES), out.reshape(-1))


def _store(builder: Any, value: Any, pointer: Any, sides: Any) -> None:
    """Store all lanes of a value, or those of one side."""
    if SIDES == 1:
        builder.store(value, builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)
        return
    with builder.if_else(builder.icmp_unsigned("==", sides, ir.Constant(sides.type, SIDES))) as (all_, one):
        with all_:
            builder.store(value, builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)
        with one:
            left = ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(range(LANES)))
            half = builder.shuffle_vector(value, value, left)
            builder.store(half, builder.bitcast(pointer, half.type.as_pointer()), align=4)


def _copy_rows_python(source, first, apart, scales, begin, step, rows, target, place, stride, sides):
    first, apart, begin, step, rows, place, stride, sides = map(
        int, (first, apart, begin, step, rows, place, stride, sides)
    )
    lanes = sides * LANES
    for row in range(rows):
        numbers = source[first + row * apart : first + row * apart + lanes]
        target[place + row * stride : place + row * stride + lanes] = numbers * scales[begin + row * step]


def _copy_rows_compiled(
    typingctx, source, first, apart, scales, begin, step, rows, target, place, stride, sides
):
    """Store rows of eight numbers a side, from ``source[first + t * apart]`` on, in rows of `target`.

    Row t, times ``scales[begin + t * step]``, goes to ``target[place + t * stride]``.
    """
    array, index = types.float32[::1], types.uint64
    signature = types.void(array, index, index, array, index, index, index, array, index, index, index)

    def codegen(context, builder, sig, args):
        source, scales, target = (
            context.make_array(sig.args[position])(context, builder, args[position]).data
            for position in (0, 3, 7)
        )
        _, first, apart, _, begin, step, rows, _, place, stride, sides = args
        scales = builder.gep(scales, [begin])
        with cgutils.for_range(builder, rows) as loop:
            scale = builder.load(builder.gep(scales, [builder.mul(loop.index, step)]))
            number = builder.gep(source, [builder.add(first, builder.mul(loop.index, apart))])
            row = builder.load(builder.bitcast(number, _VECTOR.as_pointer()), align=4)
            goal = builder.gep(target, [builder.add(place, builder.mul(loop.index, stride))])
            _store(builder, builder.fmul(row, splat(builder, scale, WIDE)), goal, sides)
        return context.get_dummy_value()

    return signature, codegen


def _store_normals_python(variates: int) -> Any:
    def store_normals(words, first, scales, begin, step, rows, target, place, stride, apart, left):
        first, begin, step, rows, place, stride, apart, left = map(
            int, (first, begin, step, rows, place, stride, apart, left)
        )
        for row in range(rows):
            for i in range(WIDE):
                radius, angle = words[first + row * WIDE + i], words[first + PLANE + row * WIDE + i]
                pair = box_muller(radius.view(np.uint32), angle.view(np.uint32))
                for v, normal in enumerate(pair[:variates]):
                    if i < LANES * (left - v * int(_COUNTERS)):
                        target[place + v * apart + row * stride + i] = normal * scales[begin + row * step]

    return store_normals


def _store_normals_compiled(variates: int) -> Any:
    def store_normals(typingctx, words, first, scales, begin, step, rows, target, place, stride, apart, left):
        """Turn rows of pairs of words into normals, and store the first or both, times their scale.

        Row t, times ``scales[begin + t * step]``, goes to ``target[place + t * stride]``, the second normals
        `apart` from the first. `left` entries of the block are not done yet: no more sides are stored.
        """
        array, index = types.float32[::1], types.uint64
        signature = types.void(array, index, array, index, index, index, array, index, index, index, index)

        def codegen(context, builder, sig, args):
            words, scales, target = (
                context.make_array(sig.args[position])(context, builder, args[position]).data
                for position in (0, 2, 6)
            )
            _, first, _, begin, step, rows, _, place, stride, apart, left = args
            size = first.type
            bits = ir.VectorType(ir.IntType(32), WIDE)
            sides = []
            for v in range(variates):
                after = builder.sub(left, ir.Constant(size, v * int(_COUNTERS)))
                one = builder.icmp_unsigned("<", after, ir.Constant(size, SIDES))
                sides.append(builder.select(one, after, ir.Constant(size, SIDES)))
            with cgutils.for_range(builder, rows) as loop:
                row = builder.add(first, builder.mul(loop.index, ir.Constant(size, WIDE)))
                pair = []
                for plane in (0, PLANE):
                    number = builder.gep(words, [builder.add(row, ir.Constant(size, plane))])
                    pair.append(builder.load(builder.bitcast(number, bits.as_pointer()), align=4))
                scale = builder.load(builder.gep(scales, [builder.add(begin, builder.mul(loop.index, step))]))
                goal = builder.add(place, builder.mul(loop.index, stride))
                made = turned(builder, *pair)[:variates]
                for normals, own in zip(made, sides, strict=True):
                    value = builder.fmul(normals, splat(builder, scale, WIDE))
                    _store(builder, value, builder.gep(target, [goal]), own)
                    goal = builder.add(goal, apart)
            return context.get_dummy_value()

        return signature, codegen

    return intrinsic(store_normals)


copy_rows: Any = _copy_rows_python if JIT_OFF else intrinsic(_copy_rows_compiled)
_store_normals: Any = _store_normals_python if JIT_OFF else _store_normals_compiled
_store_firsts, _store_pairs = _store_normals(1), _store_normals(2)


@helper
def fill_entries(stream, counter, left, first_row, rows, scales, step, words, out, layout):
    """Write rows of normals of the entries of a counter, and of that beside it, times ``scales[row * step]``.

    `left` is the number of entries from the counter's first one to the end of the block. `layout` says where
    the first entry begins in `out`, how far a row is from the next, and an entry from that of the next
    variate.
    """
    place, row_stride, entry_stride = layout
    variates = variates_of(left)
    for begin in range(_ZERO, rows, _CHUNK):
        done = np.uint64(begin)
        count = min(_CHUNK, rows - done)
        layer_role = np.uint32(stream.role | np.uint32(first_row + done))
        start = place + done * row_stride
        if variates > _TWO:
            fill_four_words(
                stream.k0, stream.k1, np.uint32(counter), layer_role, stream.low, stream.high, count, words,
                _PLANE,
            )  # fmt: skip
            third, later = start + _TWO * entry_stride, left - _TWO * _COUNTERS
            if variates == _THREE:
                _store_firsts(
                    words, _TWO * _PLANE, scales, done * step, step, count, out, third, row_stride,
                    entry_stride, later,
                )  # fmt: skip
            else:
                _store_pairs(
                    words, _TWO * _PLANE, scales, done * step, step, count, out, third, row_stride,
                    entry_stride, later,
                )  # fmt: skip
        else:
            fill_two_words(
                stream.k0, stream.k1, np.uint32(counter), layer_role, stream.low, stream.high, count, words,
                _PLANE,
            )  # fmt: skip
        if variates == _ONE:
            _store_firsts(
                words, _ZERO, scales, done * step, step, count, out, start, row_stride, entry_stride, left
            )
        else:
            _store_pairs(
                words, _ZERO, scales, done * step, step, count, out, start, row_stride, entry_stride, left
            )


@helper
def counters_of(block, entries):
    """Return how many counters a block of entries takes."""
    return min(_COUNTERS, entries - block * _BLOCK)


@helper
def left_of(block, counter, entries):
    """Return how many entries of a block there are from a counter's first one on."""
    return min(_BLOCK, entries - block * _BLOCK) - counter


@helper
def variates_of(left):
    """Return how many of them take their normals from the counter: every 256th."""
    return (left + _COUNTERS - _ONE) // _COUNTERS


@helper
def fill_rows(stream, first_row, rows, entries, ones, words, out, start):
    """Write rows of normals of all entries of eight replicas, from ``out[start]`` on."""
    row_stride = entries * _LANES
    for block in range(_ZERO, (entries + _BLOCK - _ONE) // _BLOCK):
        b = np.uint64(block)
        for counter in range(_ZERO, counters_of(b, entries), _SIDES):
            c = np.uint64(counter)
            place = start + (b * _BLOCK + c) * _LANES
            layout = (place, row_stride, _COUNTERS * _LANES)
            fill_entries(
                stream, b * _COUNTERS + c, left_of(b, c, entries), first_row, rows, ones, _ZERO, words, out,
                layout,
            )  # fmt: skip


@kernel
def _fill_rows(stream, first_row, rows, entries, out):
    ones = np.ones(1, np.float32)
    words = zeros(_SCRATCH, np.float32)
    fill_rows(stream, first_row, rows, entries, ones, words, out, _ZERO)


@helper
def group_of(stream, group):
    """Return the stream of one of the groups."""
    low = np.uint32(stream.low + np.uint32(group * _LANES))
    return LaneStream(stream.k0, stream.k1, stream.role, low, stream.high)
