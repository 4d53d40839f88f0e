"""Rademacher weights: fair signs, 32 a word, 128 a counter.

Bit ``b`` of byte
``q`` of word ``w`` belongs to position ``128 * counter + 32 * w + 8 * q + b``.
"""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import CHUNK, LANES
from montecarlo.common._scalars import smaller
from montecarlo.laws._interface import law_kernel
from montecarlo.laws._products import FLOATS, PLANE, WORDS, Decoder, constant, generate, products
from montecarlo.streams._blocks import splat

_ZERO = np.uint64(0)
_FOUR = np.uint64(4)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_WORDS = np.uint64(WORDS)
_PLANE = np.uint64(PLANE)
_STEPS_PER_COUNTER = np.uint64(16)
_SIGN = 0x80000000
_ONE = 0x3F800000  # the bits of 1.0


def _decode_compiled(builder, words, shift):
    byte = builder.lshr(words[0], splat(builder, shift))
    signs = [builder.and_(builder.shl(byte, constant(31 - b)), constant(_SIGN)) for b in range(LANES)]
    return [builder.bitcast(builder.or_(sign, constant(_ONE)), FLOATS) for sign in signs]


def _decode_plain(words, shift):
    byte = words[0] >> shift
    signs = [(byte << np.uint32(31 - b)) & np.uint32(_SIGN) for b in range(LANES)]
    return [(sign | np.uint32(_ONE)).view(np.float32) for sign in signs]


_multiply, _add_rows = products(Decoder(((0, 0),), _decode_compiled, _decode_plain))


@law_kernel
def project(address, layer_role, units, n, x, steps, scratch, out):
    """Rows times a vector; see `montecarlo.laws._interface`."""
    counters = (steps + _STEPS_PER_COUNTER - np.uint64(1)) // _STEPS_PER_COUNTER
    for i in range(_ZERO, n):
        out[i] = np.float32(0.0)
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = smaller(_CHUNK, n - first)
        at_once = _WORDS // m
        for begin_position in range(_ZERO, counters, at_once):
            position = np.uint64(begin_position)
            count = smaller(at_once, counters - position)
            generate(
                address, layer_role, units, first, m, np.uint32(counters), np.uint32(position),
                count, scratch,
            )  # fmt: skip
            for step in range(
                position * _STEPS_PER_COUNTER, smaller((position + count) * _STEPS_PER_COUNTER, steps)
            ):
                counter = np.uint64(step) // _STEPS_PER_COUNTER - position
                byte = np.uint64(step) % _STEPS_PER_COUNTER
                row = (byte // _FOUR) * _PLANE + counter * m
                shift = np.uint32(_EIGHT * (byte % _FOUR))
                _multiply(scratch, row, m, shift, x, np.uint64(step) * _EIGHT, out, first)


@law_kernel
def combine(address, layer_role, units, n, x, steps, scratch, out):
    """Linear combination of rows; see `montecarlo.laws._interface`."""
    counters = (steps + _STEPS_PER_COUNTER - np.uint64(1)) // _STEPS_PER_COUNTER
    for j in range(_ZERO, steps * _EIGHT):
        out[j] = np.float32(0.0)
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = smaller(_CHUNK, n - first)
        at_once = _WORDS // m
        for begin_position in range(_ZERO, counters, at_once):
            position = np.uint64(begin_position)
            count = smaller(at_once, counters - position)
            generate(
                address, layer_role, units, first, m, np.uint32(counters), np.uint32(position),
                count, scratch,
            )  # fmt: skip
            for step in range(
                position * _STEPS_PER_COUNTER, smaller((position + count) * _STEPS_PER_COUNTER, steps)
            ):
                counter = np.uint64(step) // _STEPS_PER_COUNTER - position
                byte = np.uint64(step) % _STEPS_PER_COUNTER
                row = (byte // _FOUR) * _PLANE + counter * m
                shift = np.uint32(_EIGHT * (byte % _FOUR))
                _add_rows(scratch, row, m, shift, x, first, out, np.uint64(step) * _EIGHT)
