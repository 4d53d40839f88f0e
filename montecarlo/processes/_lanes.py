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
from montecarlo.streams._address import Address
from montecarlo.streams._blocks import fill_four_words, fill_two_words, splat
from montecarlo.streams._normals import box_muller

Float32 = npt.NDArray[np.float32]

_ROWS = 64  # rows of normals at a time: their words fit the first cache
PLANE = _ROWS * LANES
SCRATCH = 4 * PLANE
"""Numbers of the scratch of `fill_entries`."""

BLOCK = 1024
"""Entries of a block, which share their counters by fours."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_LANES = np.uint64(LANES)
_CHUNK = np.uint64(_ROWS)
_PLANE = np.uint64(PLANE)
_BLOCK = np.uint64(BLOCK)
_COUNTERS = np.uint64(BLOCK // 4)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)


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


def _copy_rows_python(source, first, apart, scales, begin, step, rows, target, place, stride):
    first, apart, begin, step, rows, place, stride = map(
        int, (first, apart, begin, step, rows, place, stride)
    )
    for row in range(rows):
        numbers = source[first + row * apart : first + row * apart + LANES]
        target[place + row * stride : place + row * stride + LANES] = numbers * scales[begin + row * step]


def _copy_rows_compiled(typingctx, source, first, apart, scales, begin, step, rows, target, place, stride):
    """Store rows of eight numbers, from ``source[first + t * apart]`` on, in rows of `target`.

    Row t, times ``scales[begin + t * step]``, goes to ``target[place + t * stride]``.
    """
    array, index = types.float32[::1], types.uint64
    signature = types.void(array, index, index, array, index, index, index, array, index, index)

    def codegen(context, builder, sig, args):
        source, scales, target = (
            context.make_array(sig.args[position])(context, builder, args[position]).data
            for position in (0, 3, 7)
        )
        _, first, apart, _, begin, step, rows, _, place, stride = args
        scales = builder.gep(scales, [begin])

        def at(base, number):
            return builder.bitcast(builder.gep(base, [number]), _VECTOR.as_pointer())

        with cgutils.for_range(builder, rows) as loop:
            scale = builder.load(builder.gep(scales, [builder.mul(loop.index, step)]))
            number = builder.add(first, builder.mul(loop.index, apart))
            value = builder.fmul(builder.load(at(source, number), align=4), splat(builder, scale))
            builder.store(value, at(target, builder.add(place, builder.mul(loop.index, stride))), align=4)
        return context.get_dummy_value()

    return signature, codegen


copy_rows: Any = _copy_rows_python if JIT_OFF else intrinsic(_copy_rows_compiled)


@helper
def turn_normal(words, first, count):
    """Turn pairs of words into pairs of normals."""
    second = first + _PLANE
    for i in range(_ZERO, count):
        radius = np.float32(words[first + i]).view(np.uint32)
        angle = np.float32(words[second + i]).view(np.uint32)
        words[first + i], words[second + i] = box_muller(radius, angle)


@helper
def turn_first_normal(words, count):
    """Turn pairs of words into the first normals of pairs alone."""
    for i in range(_ZERO, count):
        radius = np.float32(words[i]).view(np.uint32)
        angle = np.float32(words[_PLANE + i]).view(np.uint32)
        words[i], _ = box_muller(radius, angle)


@helper
def fill_entries(stream, counter, variates, first_row, rows, scales, step, words, out, layout):
    """Write rows of normals of the entries of one counter, `variates` of them, times ``scales[row * step]``.

    `layout` says where the first entry begins in `out`, how far a row is from the next, and an entry.
    """
    place, row_stride, entry_stride = layout
    for begin in range(_ZERO, rows, _CHUNK):
        done = np.uint64(begin)
        count = min(_CHUNK, rows - done)
        layer_role = np.uint32(stream.role | np.uint32(first_row + done))
        if variates > _TWO:
            fill_four_words(
                stream.k0, stream.k1, np.uint32(counter), layer_role, stream.low, stream.high, count, words,
                _PLANE,
            )  # fmt: skip
            turn_normal(words, _TWO * _PLANE, count * _LANES)
        else:
            fill_two_words(
                stream.k0, stream.k1, np.uint32(counter), layer_role, stream.low, stream.high, count, words,
                _PLANE,
            )  # fmt: skip
        if variates == _ONE:
            turn_first_normal(words, count * _LANES)
        else:
            turn_normal(words, _ZERO, count * _LANES)
        for v in range(_ZERO, variates):
            start = place + np.uint64(v) * entry_stride + done * row_stride
            copy_rows(
                words, np.uint64(v) * _PLANE, _LANES, scales, done * step, step, count, out, start, row_stride
            )


@helper
def counters_of(block, entries):
    """Return how many counters a block of entries takes."""
    return min(_COUNTERS, entries - block * _BLOCK)


@helper
def variates_of(block, counter, entries):
    """Return how many entries of a block take their normals from a counter of it: every 256th from it on."""
    left = min(_BLOCK, entries - block * _BLOCK)
    return (left - counter + _COUNTERS - _ONE) // _COUNTERS


@helper
def fill_rows(stream, first_row, rows, entries, ones, words, out, start):
    """Write rows of normals of all entries of eight replicas, from ``out[start]`` on."""
    row_stride = entries * _LANES
    for block in range(_ZERO, (entries + _BLOCK - _ONE) // _BLOCK):
        b = np.uint64(block)
        for counter in range(_ZERO, counters_of(b, entries)):
            c = np.uint64(counter)
            place = start + (b * _BLOCK + c) * _LANES
            layout = (place, row_stride, _COUNTERS * _LANES)
            fill_entries(
                stream, b * _COUNTERS + c, variates_of(b, c, entries), first_row, rows, ones, _ZERO, words,
                out, layout,
            )  # fmt: skip


@kernel
def _fill_rows(stream, first_row, rows, entries, out):
    ones = np.ones(1, np.float32)
    words = np.empty(SCRATCH, np.float32)
    fill_rows(stream, first_row, rows, entries, ones, words, out, _ZERO)


@helper
def group_of(stream, group):
    """Return the stream of one of the groups."""
    low = np.uint32(stream.low + np.uint32(group * _LANES))
    return LaneStream(stream.k0, stream.k1, stream.role, low, stream.high)
