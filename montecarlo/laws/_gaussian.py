"""Standard normal weights, one a word, in float32; range and resolution in `montecarlo.streams._normals`."""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import CHUNK, helper
from montecarlo.common._scalars import smaller
from montecarlo.laws._interface import law_kernel
from montecarlo.laws._products import FLOATS, PLANE, WORDS, Decoder, generate, products
from montecarlo.streams._turn import turn_words

_TWO = np.uint64(2)
_THREE = np.uint64(3)
_PLANE = np.uint64(PLANE)
_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_WORDS = np.uint64(WORDS)
_NO_SHIFT = np.uint32(0)


@helper
def _turn_normal(scratch, counters):
    """Turn the words in scratch into normals."""
    # With the lanes that products read behind the last counter: these must be finite.
    end = counters + _EIGHT
    turn_words(scratch, _ZERO, _PLANE, end)
    turn_words(scratch, _TWO * _PLANE, _THREE * _PLANE, end)


def _decode_compiled(builder, words, shift):
    return [builder.bitcast(word, FLOATS) for word in words]


def _decode_plain(words, shift):
    return [word.view(np.float32) for word in words]


_multiply, _add_rows = products(
    Decoder(tuple((w % 4, w // 4) for w in range(8)), _decode_compiled, _decode_plain)
)


@law_kernel
def project(address, layer_role, units, n, x, steps, scratch, out):
    """Rows times a vector; see `montecarlo.laws._interface`."""
    for i in range(_ZERO, n):
        out[i] = np.float32(0.0)
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
            _turn_normal(scratch, m * _TWO * count)
            for s in range(_ZERO, count):
                _multiply(scratch, s * _TWO * m, m, _NO_SHIFT, x, (step + s) * _EIGHT, out, first)


@law_kernel
def combine(address, layer_role, units, n, x, steps, scratch, out):
    """Linear combination of rows; see `montecarlo.laws._interface`."""
    for j in range(_ZERO, steps * _EIGHT):
        out[j] = np.float32(0.0)
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
            _turn_normal(scratch, m * _TWO * count)
            for s in range(_ZERO, count):
                _add_rows(scratch, s * _TWO * m, m, _NO_SHIFT, x, first, out, (step + s) * _EIGHT)
