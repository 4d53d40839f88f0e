"""Uniform weights on 65,536 levels, two a word: the default uniform law.

An entry is ``(s + 1/2) * sqrt(12 / (2**32 - 1))`` with s uniform on the 16-bit signed integers: exactly
symmetric, with variance exactly 1, and its largest value is below √3 by 2.6e-5. The half and the scale are
applied once a sum, not once a weight.
"""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import CHUNK
from montecarlo.common._scalars import smaller
from montecarlo.laws._interface import law_kernel
from montecarlo.laws._products import FLOATS, WORDS, Decoder, constant, generate, products

_SCALE = np.float32(np.sqrt(12.0 / (2.0**32 - 1.0)))
_HALF = np.float32(0.5)
_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_WORDS = np.uint64(WORDS)
_NO_SHIFT = np.uint32(0)


def _decode_compiled(builder, words, shift):
    weights = []
    for word in words:
        weights.append(builder.sitofp(builder.shl(word, constant(16)), FLOATS))
        weights.append(builder.sitofp(builder.and_(word, constant(-(2**16))), FLOATS))
    return weights


def _decode_plain(words, shift):
    weights = []
    for word in words:
        weights.append((word << np.uint32(16)).view(np.int32).astype(np.float32))
        weights.append((word & np.uint32(0xFFFF0000)).view(np.int32).astype(np.float32))
    return weights


# Halves of words stay where they are, as multiples of 2**16: that spares a shift and changes no digit.
_multiply, _add_rows = products(
    Decoder(((0, 0), (1, 0), (2, 0), (3, 0)), _decode_compiled, _decode_plain, factor=2.0**-16)
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
        at_once = _WORDS // m
        for begin_step in range(_ZERO, steps, at_once):
            step = np.uint64(begin_step)
            count = smaller(at_once, steps - step)
            generate(
                address, layer_role, units, first, m, np.uint32(steps), np.uint32(step),
                count, scratch,
            )  # fmt: skip
            for s in range(_ZERO, count):
                _multiply(scratch, s * m, m, _NO_SHIFT, x, (step + s) * _EIGHT, out, first)
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
        at_once = _WORDS // m
        for begin_step in range(_ZERO, steps, at_once):
            step = np.uint64(begin_step)
            count = smaller(at_once, steps - step)
            generate(
                address, layer_role, units, first, m, np.uint32(steps), np.uint32(step),
                count, scratch,
            )  # fmt: skip
            for s in range(_ZERO, count):
                _add_rows(scratch, s * m, m, _NO_SHIFT, x, first, out, (step + s) * _EIGHT)
    for j in range(_ZERO, steps * _EIGHT):
        out[j] *= _SCALE
