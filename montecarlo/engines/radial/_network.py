"""The radial engine's kernel: Gram entries of (h_0, h - h_0) instead of vectors.

In the frame of ``e = h_0/‖h_0‖`` and of the part of h orthogonal to it, one layer of res-3 with Gaussian
weights is (Bartlett decomposition of the image of V, I6)

    σ = α ‖h‖ √χ²_N / d,      N ~ Bin(d, 1/2),
    h·e  += σ Z₁,      ‖h_⊥‖² ← (‖h_⊥‖ + σ Z₂)² + σ² χ²_{d-2},

with Z₁, Z₂ standard normal and all variates independent; linear res-1 has σ = α ‖h‖/√d. The draws do not
depend on the state: they are made for a chunk of layers and sixteen networks at once, then the walk goes over
them.
"""

from __future__ import annotations

import numpy as np
from numba import types

from montecarlo.common._jit import inline, kernel
from montecarlo.engines.radial._draws import TABLES, Source, build_draws, fill
from montecarlo.engines.radial._walk import (
    build_lanes,
    build_step,
    log_difference,
    log_ratio,
    rescale,
    start,
    walk,
)
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import CONSTANTS, DRAW
from montecarlo.streams._address import Address

CHUNK_LAYERS = 32
"""Layers that are drawn at once."""

_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)
_DUAL = np.uint32(0x80000000)  # in the counter's first word: the networks of the dual columns
_MATRIX = types.float64[:, ::1]
_RUN_BLOCK = types.void(CONSTANTS, TABLES, DRAW, types.int64, types.int64, types.boolean, _MATRIX, _MATRIX)


@inline
def record(step, lanes, first, rows):
    """Store the two log-ratios of finished networks."""
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(first + lane)
        if row >= np.uint64(rows.shape[0]):  # before the first replica, too: the subtraction wraps
            continue
        rows[row, 0] = log_ratio(step, lanes, lane) if lanes.alive[lane] else np.nan
        rows[row, 1] = log_difference(step, lanes, lane) if lanes.alive[lane] else np.nan


@inline
def trace(step, lanes, first, path, k):
    """Store the log-norms along depth, where they are asked for."""
    if path.size > 0:
        for lane in range(_ZERO, _SIXTEEN):
            row = np.uint64(first + lane)
            if row < np.uint64(path.shape[0]):
                path[row, k] = log_ratio(step, lanes, lane)


@kernel(signature=_RUN_BLOCK)
def run_block(constants, tables, draw, chunk, rescaled, dual, rows, path):
    """Sample (log hidden ratio, log hidden difference) of consecutive networks into `rows`, shape (n, 2).

    With a `path`, shape (n, L+1), the log ratio along depth is stored, and `chunk` must be 1. States are
    rescaled every `rescaled` layers, a multiple of `chunk`.
    """
    step = build_step(constants)
    draws = build_draws(chunk)
    lanes = build_lanes()
    depth = constants.depth
    stream = _DUAL if dual else np.uint32(0)
    stop = draw.first_replica + np.uint64(rows.shape[0])
    for batch in range(draw.first_replica // _SIXTEEN * _SIXTEEN, stop, _SIXTEEN):
        first = np.uint64(batch) - draw.first_replica
        low = np.uint32(np.uint64(batch) & np.uint64(0xFFFFFFFF))
        address = Address(draw.k0, draw.k1, low, np.uint32(np.uint64(batch) >> np.uint64(32)))
        start(lanes)
        trace(step, lanes, first, path, 0)
        for k in range(0, depth, chunk):
            layers = np.uint64(min(chunk, depth - k))
            source = Source(address, stream, np.uint32(k))
            fill(source, layers * _SIXTEEN, constants.width, tables, step.halves, draws)
            walk(draws, layers, step, lanes)
            # With a path, chunks have one layer, yet states are rescaled at the same layers: equal bits.
            done = k + np.int64(layers)
            if not step.tiny and (done % rescaled == 0 or done == depth):
                rescale(lanes)
            trace(step, lanes, first, path, done)
        record(step, lanes, first, rows)
