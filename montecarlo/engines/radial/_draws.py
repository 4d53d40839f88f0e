"""What the radial engine draws: normals and chi-squares, for a chunk of layers and sixteen networks at once.

None depends on a network's state. Sample i of a chunk belongs to layer ``i // 16`` of it and to lane
``i % 16``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.common._jit import allocating_helper, helper, inline
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._room import ones, zeros
from montecarlo.streams._address import Address
from montecarlo.streams._keys import ROLE_RADIAL_NORMALS, ROLE_RADIAL_WORDS
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_NORMALS = np.uint32(ROLE_RADIAL_NORMALS << 28)
_WORDS = np.uint32(ROLE_RADIAL_WORDS << 28)
_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)
_F = np.float32


class Tables(NamedTuple):
    """Tables of `montecarlo.engines.radial._tables`: a binomial's, and those of chi-squares."""

    outcomes: Any
    thresholds: Any
    bits: int
    """0 where the number of active units is a count of random bits."""
    shapes: Any
    scales: Any


TABLES = types.NamedTuple(
    [types.int32[::1], types.uint32[::1], types.int64, types.float32[::1], types.float32[::1]], Tables
)


class Source(NamedTuple):
    """Where a chunk's random numbers lie."""

    address: Address
    """Of the first of sixteen networks."""
    stream: Any
    """Begins the counters: networks of dual columns have others."""
    layer: Any
    """The chunk's first."""


class Draws(NamedTuple):
    """A chunk of draws, an array each."""

    z1: Any
    z2: Any
    x1: Any
    x2: Any
    u1: Any
    u2: Any
    w1: Any
    w2: Any
    active: Any
    """Numbers of active units, where there are any others."""
    active_square: Any
    """Chi-squares with as many degrees of freedom; else 1."""
    rest_square: Any
    """Chi-squares with d - 2 degrees of freedom."""
    doubtful: Any


@allocating_helper
def build_draws(layers):
    """Return room for the draws of some layers."""
    n = np.uint64(layers) * _SIXTEEN
    return Draws(
        zeros(n, np.float32), zeros(n, np.float32), zeros(n, np.float32), zeros(n, np.float32),
        zeros(n, np.uint32), zeros(n, np.uint32), zeros(n, np.uint32), zeros(n, np.uint32),
        zeros(n, np.uint32), ones(n, np.float32), zeros(n, np.float32), zeros(n, np.uint32),
    )  # fmt: skip


@inline
def fill(source, n, width, units, tables, halves, draws):
    """Draw n samples; for `halves` a fair coin says of each of the units whether it is active."""
    _fill_words(source, n, draws)
    if halves:
        draw_active(n, units, tables, draws)
        _propose_active(n, tables, draws)
        for i in range(_ZERO, n):
            if draws.doubtful[i] != np.uint32(0):
                degrees = np.int64(draws.active[i])
                draws.active_square[i] = again(
                    source, np.uint32(0), i, tables.shapes[degrees], tables.scales[degrees], draws.x1[i],
                    draws.u1[i],
                )  # fmt: skip
    rest = max(width - 2, 0)
    chi_squares(source, np.uint32(1), n, rest, tables, draws.x2, draws.u2, draws.doubtful, draws.rest_square)


@inline
def draw_active(n, units, tables, draws):
    """Turn two words into numbers of active units."""
    if tables.bits == 0:
        _count(n, units, draws)
    else:
        _look_up(n, tables, draws)


@inline
def _fill_words(source, n, draws):
    fill_normals(source, source.stream, n, draws.z1, draws.z2, draws.x1, draws.x2)
    k0, k1, low, high = source.address
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(source.layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        b0, b1, b2, b3 = philox(source.stream, np.uint32(layer | _WORDS), replica, high, k0, k1)
        draws.u1[i] = b0
        draws.u2[i] = b1
        draws.w1[i] = b2
        draws.w2[i] = b3


@inline
def fill_normals(source, counter, n, first, second, third, fourth):
    """Fill four arrays with normals, those of a sample from one counter."""
    k0, k1, low, high = source.address
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(source.layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        a0, a1, a2, a3 = philox(counter, np.uint32(layer | _NORMALS), replica, high, k0, k1)
        first[i], second[i] = box_muller(a0, a1)
        third[i], fourth[i] = box_muller(a2, a3)


@helper
def chi_squares(source, which, n, degrees, tables, x, u, doubtful, square):
    """Draw chi-squares with equal degrees of freedom."""
    if degrees < 2:
        for i in range(_ZERO, n):
            square[i] = _F(degrees) * x[i] * x[i]
        return
    shape, scale = tables.shapes[degrees], tables.scales[degrees]
    propose_equal(n, shape, scale, x, u, doubtful, square)
    for i in range(_ZERO, n):
        if doubtful[i] != np.uint32(0):
            square[i] = again(source, which, i, shape, scale, x[i], u[i])


@inline
def _count_bits(word):
    word = np.uint32(word - (np.uint32(word >> np.uint32(1)) & np.uint32(0x55555555)))
    pairs = np.uint32(word & np.uint32(0x33333333))
    word = np.uint32(pairs + (np.uint32(word >> np.uint32(2)) & np.uint32(0x33333333)))
    word = np.uint32(np.uint32(word + np.uint32(word >> np.uint32(4))) & np.uint32(0x0F0F0F0F))
    return np.uint32(np.uint32(word * np.uint32(0x01010101)) >> np.uint32(24))


@inline
def _count(n, units, draws):
    low_mask = np.uint32(0xFFFFFFFF) if units >= 32 else np.uint32((1 << units) - 1)
    high_mask = np.uint32(0xFFFFFFFF) if units >= 64 else np.uint32((1 << max(units - 32, 0)) - 1)
    for i in range(_ZERO, n):
        low = _count_bits(np.uint32(draws.w1[i] & low_mask))
        draws.active[i] = np.uint32(low + _count_bits(np.uint32(draws.w2[i] & high_mask)))


@inline
def _look_up(n, tables, draws):
    shift = np.uint32(32 - tables.bits)
    for i in range(_ZERO, n):
        column = np.uint64(draws.w1[i] >> shift)
        second = np.uint64(draws.w2[i] > tables.thresholds[column])
        draws.active[i] = np.uint32(tables.outcomes[np.uint64(2) * column + second])


@inline
def propose(x, word, shape, scale):
    """Return ``2 d (1 + c x)³`` and whether the squeeze accepts it."""
    v = _F(1.0) + scale * x
    x2 = x * x
    u = _F(np.int32(np.uint32(word >> np.uint32(1)))) * _F(2.0**-31)
    fine = (u < _F(1.0) - _F(0.0331) * x2 * x2) and (v > _F(0.0))
    return _F(2.0) * shape * v * v * v, fine


@inline
def propose_equal(n, shape, scale, x, u, doubtful, square):
    """Propose chi-squares with equal degrees of freedom."""
    for i in range(_ZERO, n):
        square[i], fine = propose(x[i], u[i], shape, scale)
        doubtful[i] = np.uint32(0) if fine else np.uint32(1)


@inline
def _propose_active(n, tables, draws):
    """Propose with degrees of freedom from the table; none or one need no test."""
    for i in range(_ZERO, n):
        degrees = np.uint64(draws.active[i])
        x = draws.x1[i]
        square, fine = propose(x, draws.u1[i], tables.shapes[degrees], tables.scales[degrees])
        # The tabulated shape of less than two degrees is zero.
        draws.active_square[i] = x * x if draws.active[i] == np.uint32(1) else square
        fine = fine or draws.active[i] < np.uint32(2)
        draws.doubtful[i] = np.uint32(0) if fine else np.uint32(1)


@helper
def again(source, which, i, shape, scale, x, word):
    """Return sample i of a chunk, whose proposal was doubtful."""
    layer = np.uint32(source.layer + np.uint32(i >> np.uint64(4)))
    first = source.address
    address = Address(first.k0, first.k1, np.uint32(first.low + np.uint32(i & np.uint64(15))), first.high)
    counter = np.uint32(source.stream + which)
    return _F(
        exact_chi_square(address, counter, layer, np.float64(shape), np.float64(scale), np.float64(x), word)
    )


@helper
def exact_chi_square(address, first, layer, shape, scale, x, word):
    """Return a chi-square by Marsaglia and Tsang's test, from the first proposal on; float64.

    At least two degrees. A rejected proposal is replaced by those of further counters, every second one from
    two after the first, never by a global generator's.
    """
    k0, k1, low, high = address
    attempt = np.uint32(0)
    while True:
        v = 1.0 + scale * x
        if v > 0.0:
            v = v * v * v
            u = (np.float64(word) + 0.5) * 2.0**-32
            if math.log(u) < 0.5 * x * x + shape * (1.0 - v + math.log(v)):
                return 2.0 * shape * v
        attempt = np.uint32(attempt + np.uint32(1))
        counter = np.uint32(first + np.uint32(np.uint32(2) * attempt))
        w0, w1, w2, _ = philox(counter, np.uint32(layer | _WORDS), low, high, k0, k1)
        z, _ = box_muller(w0, w1)
        x = np.float64(z)
        word = w2
