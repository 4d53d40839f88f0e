"""What the token engine draws: rows of normals, and factors of Wishart matrices."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.streams._blocks import Table, fill_words
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_ZERO = np.uint64(0)
_FOUR = np.uint64(4)
_GROUP = np.uint32(20)
_TANGENTS = np.uint32(1 << 11)  # groups of rows from here on are those of tangents


@inline
def word_of(layer, role):
    """Return the counter's second word."""
    return np.uint32(np.uint32(layer) | np.uint32(np.uint32(role) << np.uint32(28)))


# A function for words and one for normals: with both loops in the one over rows LLVM vectorises neither,
# which took eight times as long.
@helper
def _fill_group(address, layer_role, base, count, counters, out, start, stride):
    """Store the words of consecutive counters in four rows."""
    for i in range(_ZERO, count):
        counters[i] = np.uint32(base + np.uint32(i)).view(np.float32)
    fill_words(
        address.k0, address.k1, layer_role, address.low, address.high, Table(counters, _ZERO), count,
        Table(out, start), stride,
    )  # fmt: skip


@helper
def _turn_group(out, start, stride, count):
    """Turn the words in four rows into normals; LLVM chooses the registers, unlike in `streams._turn`."""
    for pair in range(_ZERO, np.uint64(2)):
        a = start + np.uint64(2) * pair * stride
        b = a + stride
        for i in range(_ZERO, count):
            radius = np.float32(out[a + i]).view(np.uint32)
            angle = np.float32(out[b + i]).view(np.uint32)
            out[a + i], out[b + i] = box_muller(radius, angle)


@helper
def fill_normals(address, layer_role, first, count, rows, counters, out, stride):
    """Fill rows of normals, `count` columns from unit `first` on, rounded up to eights.

    Rows come in fours, a counter each: (unit | group of rows << 20, layer | role << 28, replica). `rows` are
    those of tokens and all; those of tangents have groups of their own.
    """
    tokens, total = rows
    whole = (count + np.uint64(7)) // np.uint64(8) * np.uint64(8)
    for row in range(_ZERO, total, _FOUR):
        group = np.uint32(np.uint32(row) >> np.uint32(2))
        if row >= tokens:
            group = np.uint32(np.uint32(np.uint32(row - tokens) >> np.uint32(2)) | _TANGENTS)
        base = np.uint32(np.uint32(group << _GROUP) + np.uint32(first))
        _fill_group(address, layer_role, base, whole, counters, out, row * stride, stride)
        _turn_group(out, row * stride, stride, whole)


@helper
def fill_chis(address, layer_role, first, count, degrees, out):
    """Fill roots of chi-squares: the i-th has ``degrees - i`` degrees of freedom, at least one.

    Marsaglia and Tsang's squeeze accepts nearly all; the others are drawn again, each from counters of its
    own.
    """
    for i in range(_ZERO, count):
        index = np.uint32(np.uint32(first) + np.uint32(i))
        w0, w1, w2, _ = philox(index, layer_role, address.low, address.high, address.k0, address.k1)
        x, _ = box_muller(w0, w1)
        shape = 0.5 * np.float64(degrees - np.int64(i)) - 1.0 / 3.0
        v = 1.0 + np.float64(x) / math.sqrt(9.0 * shape)
        v = v * v * v
        x2 = np.float64(x) * np.float64(x)
        u = (np.float64(w2) + 0.5) * 2.0**-32
        fine = (u < 1.0 - 0.0331 * x2 * x2) and v > 0.0
        square = 2.0 * shape * v
        square = x2 if degrees - np.int64(i) == 1 else square
        fine = fine or degrees - np.int64(i) == 1
        out[i] = math.sqrt(square) if fine else -1.0
    for i in range(_ZERO, count):
        if out[i] < 0.0:
            out[i] = _again(
                address, layer_role, np.uint32(np.uint32(first) + np.uint32(i)), degrees - np.int64(i)
            )


@helper
def _again(address, layer_role, index, degrees):
    """Return the root of a chi-square by the whole test, from the first proposal on."""
    shape = 0.5 * np.float64(degrees) - 1.0 / 3.0
    scale = 1.0 / math.sqrt(9.0 * shape)
    attempt = np.uint32(0)
    while True:
        counter = np.uint32(index + np.uint32(attempt << _GROUP))
        w0, w1, w2, _ = philox(counter, layer_role, address.low, address.high, address.k0, address.k1)
        z, _ = box_muller(w0, w1)
        x = np.float64(z)
        v = 1.0 + scale * x
        if v > 0.0:
            v = v * v * v
            u = (np.float64(w2) + 0.5) * 2.0**-32
            if math.log(u) < 0.5 * x * x + shape * (1.0 - v + math.log(v)):
                return math.sqrt(2.0 * shape * v)
        attempt = np.uint32(attempt + np.uint32(1))
