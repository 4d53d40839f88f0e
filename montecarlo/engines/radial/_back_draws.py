"""What the radial engine draws for a layer on the way back: eight normals and three chi-squares.

None depends on a network's state but the degrees of one chi-square, N - 1 for N active units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import allocating_helper, helper, inline
from montecarlo.engines.radial._draws import again, propose, propose_equal
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.streams._keys import ROLE_RADIAL_NORMALS, ROLE_RADIAL_WORDS
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

BACK = np.uint32(0x40000000)
"""Begins the counters: neither those of hidden columns nor of dual ones."""

_NORMALS = np.uint32(ROLE_RADIAL_NORMALS << 28)
_WORDS = np.uint32(ROLE_RADIAL_WORDS << 28)
_FAR = np.uint32(1 << 20)  # between the counters at which proposals of different chi-squares are redone
_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)
_F = np.float32


class BackDraws(NamedTuple):
    """A chunk of draws, an array each."""

    m1: Any
    """Three parts of a direction across the plane of h_0 and h: two normals and, below, a square."""
    m2: Any
    x_m: Any
    g_plane: Any
    """Four parts of a normal vector across h: in the plane, two across it and, below, a square."""
    g1: Any
    g2: Any
    x_g: Any
    x_hidden: Any
    u_m: Any
    u_g: Any
    u_hidden: Any
    m_square: Any
    """Chi-squares with d - 4 degrees of freedom."""
    g_square: Any
    """Others."""
    hidden_square: Any
    """With N - 1 where a ReLU leaves N units active; else 1."""
    doubtful: Any


@allocating_helper
def build_back_draws(layers):
    """Return room for the draws of some layers."""
    n = np.uint64(layers) * _SIXTEEN
    return BackDraws(
        np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32),
        np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32),
        np.zeros(n, np.uint32), np.zeros(n, np.uint32), np.zeros(n, np.uint32), np.zeros(n, np.float32),
        np.zeros(n, np.float32), np.ones(n, np.float32), np.zeros(n, np.uint32),
    )  # fmt: skip


@inline
def fill_back(source, n, width, active, tables, halves, draws):
    """Draw n samples for the way back; `active` are the numbers of active units that there were."""
    _fill_words(source, n, draws)
    rest = max(width - 4, 0)
    chi_squares(source, np.uint32(0), n, rest, tables, draws.x_m, draws.u_m, draws.doubtful, draws.m_square)
    chi_squares(source, _FAR, n, rest, tables, draws.x_g, draws.u_g, draws.doubtful, draws.g_square)
    if halves:
        _propose_hidden(n, active, tables, draws)
        for i in range(_ZERO, n):
            if draws.doubtful[i] != np.uint32(0):
                degrees = np.int64(active[i]) - 1
                draws.hidden_square[i] = again(
                    source, np.uint32(_FAR + _FAR), i, tables.shapes[degrees], tables.scales[degrees],
                    draws.x_hidden[i], draws.u_hidden[i],
                )  # fmt: skip


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
def _fill_words(source, n, draws):
    k0, k1, low, high = source.address
    stream, first_layer = source.stream, source.layer
    second = np.uint32(stream + np.uint32(1))
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(first_layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        a0, a1, a2, a3 = philox(stream, np.uint32(layer | _NORMALS), replica, high, k0, k1)
        n0, n1 = box_muller(a0, a1)
        n2, n3 = box_muller(a2, a3)
        draws.m1[i] = n0
        draws.m2[i] = n1
        draws.x_m[i] = n2
        draws.g_plane[i] = n3
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(first_layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        a0, a1, a2, a3 = philox(second, np.uint32(layer | _NORMALS), replica, high, k0, k1)
        n0, n1 = box_muller(a0, a1)
        n2, n3 = box_muller(a2, a3)
        draws.g1[i] = n0
        draws.g2[i] = n1
        draws.x_g[i] = n2
        draws.x_hidden[i] = n3
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(first_layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        b0, b1, b2, _ = philox(stream, np.uint32(layer | _WORDS), replica, high, k0, k1)
        draws.u_m[i] = b0
        draws.u_g[i] = b1
        draws.u_hidden[i] = b2


@inline
def _propose_hidden(n, active, tables, draws):
    """Propose with one degree of freedom less than there are active units; none or one need no test."""
    for i in range(_ZERO, n):
        degrees = np.uint64(max(active[i], np.uint32(1))) - np.uint64(1)
        x = draws.x_hidden[i]
        square, fine = propose(x, draws.u_hidden[i], tables.shapes[degrees], tables.scales[degrees])
        # The tabulated shape of less than two degrees is zero.
        draws.hidden_square[i] = x * x if degrees == np.uint64(1) else square
        fine = fine or degrees < np.uint64(2)
        draws.doubtful[i] = np.uint32(0) if fine else np.uint32(1)
