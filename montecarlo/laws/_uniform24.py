"""Uniform weights on 2**24 levels, one a word: the finer and slower companion of the 16-bit law.

An entry is ``(s + 1/2) * sqrt(12 / (2**48 - 1))`` with s uniform on the 24-bit signed integers: exactly
symmetric, with variance exactly 1. Every integer of that size is exact in float32. As in the 16-bit law, the
half and the scale are applied once a sum.
"""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import CHUNK
from montecarlo.common._scalars import smaller
from montecarlo.laws._interface import law_kernel
from montecarlo.laws._products import FLOATS, WORDS, Decoder, constant, generate, products

_SCALE = np.float32(np.sqrt(12.0 / (2.0**48 - 1.0)))
_HALF = np.float32(0.5)
_TWO = np.uint64(2)
_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_WORDS = np.uint64(WORDS)
_NO_SHIFT = np.uint32(0)


def _decode_compiled(builder, words, shift):
    return [builder.sitofp(builder.ashr(word, constant(8)), FLOATS) for word in words]


def _decode_plain(words, shift):
    return [(word.view(np.int32) >> np.int32(8)).astype(np.float32) for word in words]


_multiply, _add_rows = products(
    Decoder(tuple((w % 4, w // 4) for w in range(8)), _decode_compiled, _decode_plain)
)


@law_kernel
def project(address, layer_role, units, n, x, steps, scratch, out):
    """Rows times a vector; see `montecarlo.laws._interface`."""
    offset = np.float32(0.0)
    for j in range(_ZERO, steps * _EIGHT):
        offset += x[j]
    offset *= _HALF
    for i in range(_ZERO, n):
        out[i] = offset
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = smaller(_CHUNK, n - first)
        at_once = _WORDS // (_TWO * m)
        for begin_step in range(_ZERO, steps, at_once):
            step = np.uint64(begin_step)
            count = smaller(at_once, steps - step)
            generate(
                address, layer_role, units, first, m, np.uint32(_TWO * steps), np.uint32(_TWO * step),
                _TWO * count, scratch,
            )  # fmt: skip
            for s in range(_ZERO, count):
                _multiply(scratch, s * _TWO * m, m, _NO_SHIFT, x, (step + s) * _EIGHT, out, first)
    for i in range(_ZERO, n):
        out[i] *= _SCALE


@law_kernel
def combine(address, layer_role, units, n, x, steps, scratch, out):
    """Linear combination of rows; see `montecarlo.laws._interface`."""
    offset = np.float32(0.0)
    for i in range(_ZERO, n):
        offset += x[i]
    offset *= _HALF
    for j in range(_ZERO, steps * _EIGHT):
        out[j] = offset
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = smaller(_CHUNK, n - first)
        at_once = _WORDS // (_TWO * m)
        for begin_step in range(_ZERO, steps, at_once):
            step = np.uint64(begin_step)
            count = smaller(at_once, steps - step)
            generate(
                address, layer_role, units, first, m, np.uint32(_TWO * steps), np.uint32(_TWO * step),
                _TWO * count, scratch,
            )  # fmt: skip
            for s in range(_ZERO, count):
                _add_rows(scratch, s * _TWO * m, m, _NO_SHIFT, x, first, out, (step + s) * _EIGHT)
    for j in range(_ZERO, steps * _EIGHT):
        out[j] *= _SCALE
