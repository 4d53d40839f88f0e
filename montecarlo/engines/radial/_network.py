"""The radial engine's kernel: Gram entries of (h_0, h - h_0) instead of vectors.

In the frame of ``e = h_0/‖h_0‖`` and of the part of h orthogonal to it, one layer of res-3 with Gaussian
weights is (Bartlett decomposition of the image of V, I6)

    σ = α ‖h‖ √χ²_N / d,      N ~ Bin(d, 1/2),
    h·e  += σ Z₁,      ‖h_⊥‖² ← (‖h_⊥‖ + σ Z₂)² + σ² χ²_{d-2},

with Z₁, Z₂ standard normal and all variates independent; linear res-1 has σ = α ‖h‖/√d. The draws do not
depend on the state: they are made for a chunk of layers and sixteen networks at once, then the walk goes over
them.

A skip factor b multiplies h·e and ‖h_⊥‖ first; a branch of M units has ``σ = α ‖h‖ √χ²_N / √(d M)``, N ~
Bin(M, 1/2) (G1). Norms leave a walk as simple, in the frame of h_0 with ‖h_0‖ drawn beside it:

* before the branch, W meets a vector of length √d whatever h is: ``σ = α √(χ²_N/M)``, independent of the
  state (N1; N1L for a layer norm, whose output has that length, too);
* around it, the step has length α √d and a uniform direction unless no unit is active (N9);
* on the stream, the direction is that of the network without it, and the length √d (N10 i).
"""

from __future__ import annotations

import numpy as np
from numba import types

from montecarlo.common._jit import inline, kernel
from montecarlo.engines.radial._draws import TABLES, Source, build_draws, fill
from montecarlo.engines.radial._start import draw_starts
from montecarlo.engines.radial._step import OUTER, PLAIN, UNIFORM, build_step, set_factors, set_lengths
from montecarlo.engines.radial._walk import (
    build_lanes,
    log_difference,
    log_ends,
    log_ratio,
    rescale,
    start,
    walk,
)
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import CONSTANTS, DRAW
from montecarlo.kernels._room import zeros
from montecarlo.streams._address import Address

CHUNK_LAYERS = 32
"""Layers that are drawn at once."""

_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)
_DUAL = np.uint32(0x80000000)  # in the counter's first word: the networks of the dual columns
_MATRIX = types.float64[:, ::1]
_RUN_BLOCK = types.void(CONSTANTS, TABLES, DRAW, types.int64, types.int64, types.boolean, _MATRIX, _MATRIX)


@inline
def record(step, lanes, width, first, rows):
    """Store the two log-ratios of finished networks."""
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(first + lane)
        if row >= np.uint64(rows.shape[0]):  # before the first replica, too: the subtraction wraps
            continue
        ratio, difference = np.nan, np.nan
        if lanes.alive[lane] and step.norm == OUTER:
            ratio, difference = log_ends(step, lanes, lane, width)
        elif lanes.alive[lane]:
            ratio, difference = log_ratio(step, lanes, lane), log_difference(step, lanes, lane)
        rows[row, 0] = ratio
        rows[row, 1] = difference


@inline
def trace(step, lanes, width, first, path, k):
    """Store the log-norms along depth, where they are asked for."""
    if path.size > 0:
        for lane in range(_ZERO, _SIXTEEN):
            row = np.uint64(first + lane)
            if row >= np.uint64(path.shape[0]):
                continue
            if step.norm == OUTER and k > 0:
                path[row, k] = log_ends(step, lanes, lane, width)[0]
            else:
                path[row, k] = log_ratio(step, lanes, lane)


@kernel(signature=_RUN_BLOCK)
def run_block(constants, tables, draw, chunk, rescaled, dual, rows, path):
    """Sample (log hidden ratio, log hidden difference) of consecutive networks into `rows`, shape (n, 2).

    With a `path`, shape (n, L+1), the log ratio along depth is stored, and `chunk` must be 1. States are
    rescaled every `rescaled` layers, a multiple of `chunk`.
    """
    step = build_step(constants, chunk)
    draws = build_draws(chunk)
    lanes = build_lanes()
    x = zeros(constants.input_dim, np.float32)
    depth, width, units = constants.depth, constants.width, constants.hidden_width
    scheduled = constants.alphas.size > 1
    stream = _DUAL if dual else np.uint32(0)
    stop = draw.first_replica + np.uint64(rows.shape[0])
    for batch in range(draw.first_replica // _SIXTEEN * _SIXTEEN, stop, _SIXTEEN):
        first = np.uint64(batch) - draw.first_replica
        low = np.uint32(np.uint64(batch) & np.uint64(0xFFFFFFFF))
        address = Address(draw.k0, draw.k1, low, np.uint32(np.uint64(batch) >> np.uint64(32)))
        start(lanes)
        if step.norm != PLAIN:
            draw_starts(address, constants, x, lanes.log_starts)
        trace(step, lanes, width, first, path, 0)
        for k in range(0, depth, chunk):
            layers = np.uint64(min(chunk, depth - k))
            source = Source(address, stream, np.uint32(k))
            fill(source, layers * _SIXTEEN, width, units, tables, step.halves, draws)
            if step.norm == UNIFORM:
                set_lengths(step, layers * _SIXTEEN, width, draws)
            if scheduled:
                set_factors(step, constants, k, dual)
            walk(draws, _ZERO, layers, step, lanes)
            # With a path, chunks have one layer, yet states are rescaled at the same layers: equal bits.
            done = k + np.int64(layers)
            if not step.tiny and (done % rescaled == 0 or done == depth):
                rescale(lanes)
            trace(step, lanes, width, first, path, done)
        record(step, lanes, width, first, rows)
