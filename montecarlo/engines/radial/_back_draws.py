"""What the radial engine draws for a layer on the way back: eight normals and three chi-squares.

None depends on a network's state but the degrees of one chi-square, N - 1 for N active units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import allocating_helper, inline
from montecarlo.engines.radial._draws import again, chi_squares, fill_normals, propose
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._room import ones, zeros
from montecarlo.streams._keys import ROLE_RADIAL_WORDS
from montecarlo.streams._philox import philox

BACK = np.uint32(0x40000000)
"""Begins the counters: neither those of hidden columns nor of dual ones."""

_WORDS = np.uint32(ROLE_RADIAL_WORDS << 28)
_FAR = np.uint32(1 << 20)  # between the counters at which proposals of different chi-squares are redone
_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)


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
        zeros(n, np.float32), zeros(n, np.float32), zeros(n, np.float32), zeros(n, np.float32),
        zeros(n, np.float32), zeros(n, np.float32), zeros(n, np.float32), zeros(n, np.float32),
        zeros(n, np.uint32), zeros(n, np.uint32), zeros(n, np.uint32), zeros(n, np.float32),
        zeros(n, np.float32), ones(n, np.float32), zeros(n, np.uint32),
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


@inline
def _fill_words(source, n, draws):
    second = np.uint32(source.stream + np.uint32(1))
    fill_normals(source, source.stream, n, draws.m1, draws.m2, draws.x_m, draws.g_plane)
    fill_normals(source, second, n, draws.g1, draws.g2, draws.x_g, draws.x_hidden)
    k0, k1, low, high = source.address
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(source.layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        b0, b1, b2, _ = philox(source.stream, np.uint32(layer | _WORDS), replica, high, k0, k1)
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
