"""Uniform weights on 65,536 levels, two a word: the default uniform law.

An entry is ``(s + 1/2) * sqrt(12 / (2**32 - 1))`` with s uniform on the 16-bit signed integers: exactly
symmetric, with variance exactly 1, and its largest value is below √3 by 2.6e-5. The half and the scale are
applied once a sum, not once a weight.
"""

from __future__ import annotations

import numpy as np

from montecarlo._jit import CHUNK, fma, fold_lanes, inline
from montecarlo.laws._interface import law_kernel
from montecarlo.streams._philox import philox

_SCALE = np.float32(np.sqrt(12.0 / (2.0**32 - 1.0)))
_HALF = np.float32(0.5)
_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)


@inline
def _low(word):
    return np.float32(np.int32(np.int32(np.uint32(word << np.uint32(16))) >> np.int32(16)))


@inline
def _high(word):
    return np.float32(np.int32(np.int32(word) >> np.int32(16)))


@law_kernel
def project(k0, k1, layer_role, replica_low, replica_high, units, n, x, steps, scratch, out):
    """Rows times a vector; see `montecarlo.laws._interface`."""
    offset = np.float32(0.0)
    for j in range(_ZERO, steps * _EIGHT):
        offset += x[j]
    offset *= _HALF
    for i in range(_ZERO, n):
        out[i] = offset
    counters = np.uint32(steps)
    for step in range(_ZERO, steps):
        j = step * _EIGHT
        x0, x1, x2, x3 = x[j], x[j + np.uint64(1)], x[j + np.uint64(2)], x[j + np.uint64(3)]
        x4, x5, x6, x7 = x[j + np.uint64(4)], x[j + np.uint64(5)], x[j + np.uint64(6)], x[j + np.uint64(7)]
        position = np.uint32(step)
        for i in range(_ZERO, n):
            counter = np.uint32(np.uint32(units[i] * counters) + position)
            w0, w1, w2, w3 = philox(counter, layer_role, replica_low, replica_high, k0, k1)
            total = fma(_low(w0), x0, out[i])
            total = fma(_high(w0), x1, total)
            total = fma(_low(w1), x2, total)
            total = fma(_high(w1), x3, total)
            total = fma(_low(w2), x4, total)
            total = fma(_high(w2), x5, total)
            total = fma(_low(w3), x6, total)
            out[i] = fma(_high(w3), x7, total)
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
    counters = np.uint32(steps)
    for first in range(_ZERO, n, _CHUNK):
        m = min(_CHUNK, n - np.uint64(first))
        for step in range(_ZERO, steps):
            position = np.uint32(step)
            for i in range(_ZERO, m):
                unit = np.uint64(first) + i
                counter = np.uint32(np.uint32(units[unit] * counters) + position)
                w0, w1, w2, w3 = philox(counter, layer_role, replica_low, replica_high, k0, k1)
                y = x[unit]
                scratch[i] = _low(w0) * y
                scratch[_CHUNK + i] = _high(w0) * y
                scratch[np.uint64(2) * _CHUNK + i] = _low(w1) * y
                scratch[np.uint64(3) * _CHUNK + i] = _high(w1) * y
                scratch[np.uint64(4) * _CHUNK + i] = _low(w2) * y
                scratch[np.uint64(5) * _CHUNK + i] = _high(w2) * y
                scratch[np.uint64(6) * _CHUNK + i] = _low(w3) * y
                scratch[np.uint64(7) * _CHUNK + i] = _high(w3) * y
            fold_lanes(scratch, m, out, np.uint64(step) * _EIGHT)
    for j in range(_ZERO, steps * _EIGHT):
        out[j] *= _SCALE
