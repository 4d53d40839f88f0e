"""Uniform weights on 2**24 levels, one a word: the finer and slower companion of the 16-bit law.

An entry is ``(s + 1/2) * sqrt(12 / (2**48 - 1))`` with s uniform on the 24-bit signed integers: exactly
symmetric, with variance exactly 1. Every integer of that size is exact in float32. As in the 16-bit law, the
half and the scale are applied once a sum.
"""

from __future__ import annotations

import numpy as np

from montecarlo._jit import CHUNK, fma, fold_lanes, inline
from montecarlo.laws._interface import law_kernel
from montecarlo.streams._philox import philox

_SCALE = np.float32(np.sqrt(12.0 / (2.0**48 - 1.0)))
_HALF = np.float32(0.5)
_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)


@inline
def _level(word):
    return np.float32(np.int32(np.int32(word) >> np.int32(8)))


@law_kernel
def project(k0, k1, layer_role, replica_low, replica_high, units, n, x, steps, scratch, out):
    """Rows times a vector; see `montecarlo.laws._interface`."""
    offset = np.float32(0.0)
    for j in range(_ZERO, steps * _EIGHT):
        offset += x[j]
    offset *= _HALF
    for i in range(_ZERO, n):
        out[i] = offset
    counters = np.uint32(np.uint32(steps) * np.uint32(2))
    for step in range(_ZERO, steps):
        j = step * _EIGHT
        x0, x1, x2, x3 = x[j], x[j + np.uint64(1)], x[j + np.uint64(2)], x[j + np.uint64(3)]
        x4, x5, x6, x7 = x[j + np.uint64(4)], x[j + np.uint64(5)], x[j + np.uint64(6)], x[j + np.uint64(7)]
        position = np.uint32(np.uint32(step) * np.uint32(2))
        for i in range(_ZERO, n):
            counter = np.uint32(np.uint32(units[i] * counters) + position)
            following = np.uint32(counter + np.uint32(1))
            w0, w1, w2, w3 = philox(counter, layer_role, replica_low, replica_high, k0, k1)
            w4, w5, w6, w7 = philox(following, layer_role, replica_low, replica_high, k0, k1)
            v0 = _level(w0)
            v1 = _level(w1)
            v2 = _level(w2)
            v3 = _level(w3)
            v4 = _level(w4)
            v5 = _level(w5)
            v6 = _level(w6)
            v7 = _level(w7)
            total = fma(v0, x0, out[i])
            total = fma(v1, x1, total)
            total = fma(v2, x2, total)
            total = fma(v3, x3, total)
            total = fma(v4, x4, total)
            total = fma(v5, x5, total)
            total = fma(v6, x6, total)
            out[i] = fma(v7, x7, total)
    for i in range(_ZERO, n):
        out[i] *= _SCALE


@law_kernel
def combine(k0, k1, layer_role, replica_low, replica_high, units, n, x, steps, scratch, out):
    """Linear combination of rows; see `montecarlo.laws._interface`."""
    offset = np.float32(0.0)
    for i in range(_ZERO, n):
        offset += x[i]
    offset *= _HALF
    for j in range(_ZERO, steps * _EIGHT):
        out[j] = offset
    counters = np.uint32(np.uint32(steps) * np.uint32(2))
    for first in range(_ZERO, n, _CHUNK):
        m = min(_CHUNK, n - np.uint64(first))
        for step in range(_ZERO, steps):
            position = np.uint32(np.uint32(step) * np.uint32(2))
            for i in range(_ZERO, m):
                unit = np.uint64(first) + i
                counter = np.uint32(np.uint32(units[unit] * counters) + position)
                following = np.uint32(counter + np.uint32(1))
                w0, w1, w2, w3 = philox(counter, layer_role, replica_low, replica_high, k0, k1)
                w4, w5, w6, w7 = philox(following, layer_role, replica_low, replica_high, k0, k1)
                v0 = _level(w0)
                v1 = _level(w1)
                v2 = _level(w2)
                v3 = _level(w3)
                v4 = _level(w4)
                v5 = _level(w5)
                v6 = _level(w6)
                v7 = _level(w7)
                y = x[unit]
                scratch[i] = v0 * y
                scratch[_CHUNK + i] = v1 * y
                scratch[np.uint64(2) * _CHUNK + i] = v2 * y
                scratch[np.uint64(3) * _CHUNK + i] = v3 * y
                scratch[np.uint64(4) * _CHUNK + i] = v4 * y
                scratch[np.uint64(5) * _CHUNK + i] = v5 * y
                scratch[np.uint64(6) * _CHUNK + i] = v6 * y
                scratch[np.uint64(7) * _CHUNK + i] = v7 * y
            fold_lanes(scratch, m, out, np.uint64(step) * _EIGHT)
    for j in range(_ZERO, steps * _EIGHT):
        out[j] *= _SCALE
