"""Rademacher weights: fair signs, 32 a word, 128 a counter.

A sign flips the top bit of the float it multiplies, so that no product is formed at all. Bit ``b`` of byte
``q`` of word ``w`` belongs to position ``128 * counter + 32 * w + 8 * q + b``.
"""

from __future__ import annotations

import numpy as np

from montecarlo._jit import CHUNK, LANES, fold_lanes, inline
from montecarlo.laws._interface import law_kernel
from montecarlo.streams._philox import philox

_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_STEPS_PER_COUNTER = np.uint64(16)
_WORDS = np.uint64(LANES * CHUNK)  # the words of a chunk lie in scratch, behind the rows that are folded


@inline
def _flip(word, shift, value):
    sign = np.uint32(np.uint32(word << shift) & np.uint32(0x80000000))
    return np.uint32(np.float32(value).view(np.uint32) ^ sign).view(np.float32)


@inline
def _store_words(k0, k1, layer_role, replica_low, replica_high, units, first, m, counters, position, scratch):
    for i in range(_ZERO, m):
        counter = np.uint32(np.uint32(units[first + i] * counters) + position)
        w0, w1, w2, w3 = philox(counter, layer_role, replica_low, replica_high, k0, k1)
        scratch[_WORDS + i] = np.uint32(w0).view(np.float32)
        scratch[_WORDS + _CHUNK + i] = np.uint32(w1).view(np.float32)
        scratch[_WORDS + np.uint64(2) * _CHUNK + i] = np.uint32(w2).view(np.float32)
        scratch[_WORDS + np.uint64(3) * _CHUNK + i] = np.uint32(w3).view(np.float32)


@law_kernel
def project(k0, k1, layer_role, replica_low, replica_high, units, n, x, steps, scratch, out):
    """Rows times a vector; see `montecarlo.laws._interface`."""
    counters = (steps + _STEPS_PER_COUNTER - np.uint64(1)) // _STEPS_PER_COUNTER
    for i in range(_ZERO, n):
        out[i] = np.float32(0.0)
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = min(_CHUNK, n - first)
        for position in range(_ZERO, counters):
            _store_words(
                k0, k1, layer_role, replica_low, replica_high, units, first, m,
                np.uint32(counters), np.uint32(position), scratch,
            )  # fmt: skip
            begin_step = np.uint64(position) * _STEPS_PER_COUNTER
            end_step = min(begin_step + _STEPS_PER_COUNTER, steps)
            for step in range(begin_step, end_step):
                j = np.uint64(step) * _EIGHT
                x0, x1, x2, x3 = x[j], x[j + np.uint64(1)], x[j + np.uint64(2)], x[j + np.uint64(3)]
                x4, x5 = x[j + np.uint64(4)], x[j + np.uint64(5)]
                x6, x7 = x[j + np.uint64(6)], x[j + np.uint64(7)]
                word = _WORDS + ((np.uint64(step) - begin_step) // np.uint64(4)) * _CHUNK
                byte = np.uint32(np.uint32(8) * np.uint32((np.uint64(step) - begin_step) % np.uint64(4)))
                for i in range(_ZERO, m):
                    w = np.uint32(np.float32(scratch[word + i]).view(np.uint32) >> byte)
                    total = out[first + i]
                    total += _flip(w, np.uint32(31), x0)
                    total += _flip(w, np.uint32(30), x1)
                    total += _flip(w, np.uint32(29), x2)
                    total += _flip(w, np.uint32(28), x3)
                    total += _flip(w, np.uint32(27), x4)
                    total += _flip(w, np.uint32(26), x5)
                    total += _flip(w, np.uint32(25), x6)
                    total += _flip(w, np.uint32(24), x7)
                    out[first + i] = total


@law_kernel
def combine(k0, k1, layer_role, replica_low, replica_high, units, n, x, steps, scratch, out):
    """Linear combination of rows; see `montecarlo.laws._interface`."""
    counters = (steps + _STEPS_PER_COUNTER - np.uint64(1)) // _STEPS_PER_COUNTER
    for j in range(_ZERO, steps * _EIGHT):
        out[j] = np.float32(0.0)
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = min(_CHUNK, n - first)
        for position in range(_ZERO, counters):
            _store_words(
                k0, k1, layer_role, replica_low, replica_high, units, first, m,
                np.uint32(counters), np.uint32(position), scratch,
            )  # fmt: skip
            begin_step = np.uint64(position) * _STEPS_PER_COUNTER
            end_step = min(begin_step + _STEPS_PER_COUNTER, steps)
            for step in range(begin_step, end_step):
                word = _WORDS + ((np.uint64(step) - begin_step) // np.uint64(4)) * _CHUNK
                byte = np.uint32(np.uint32(8) * np.uint32((np.uint64(step) - begin_step) % np.uint64(4)))
                for i in range(_ZERO, m):
                    w = np.uint32(np.float32(scratch[word + i]).view(np.uint32) >> byte)
                    y = x[first + i]
                    scratch[i] = _flip(w, np.uint32(31), y)
                    scratch[_CHUNK + i] = _flip(w, np.uint32(30), y)
                    scratch[np.uint64(2) * _CHUNK + i] = _flip(w, np.uint32(29), y)
                    scratch[np.uint64(3) * _CHUNK + i] = _flip(w, np.uint32(28), y)
                    scratch[np.uint64(4) * _CHUNK + i] = _flip(w, np.uint32(27), y)
                    scratch[np.uint64(5) * _CHUNK + i] = _flip(w, np.uint32(26), y)
                    scratch[np.uint64(6) * _CHUNK + i] = _flip(w, np.uint32(25), y)
                    scratch[np.uint64(7) * _CHUNK + i] = _flip(w, np.uint32(24), y)
                fold_lanes(scratch, m, out, np.uint64(step) * _EIGHT)
