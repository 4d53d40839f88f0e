"""The radial engine with gradients of the same networks, behind a norm: forward, and back on the same draws.

Forward, it is the walk of `montecarlo.engines.radial._network`, bit for bit. Only where a chunk of layers
begins is kept; on the way back its draws are made again. The read-out row is uniform, in the frame of the
walk's end.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import helper, inline, kernel
from montecarlo.engines.radial._back import build_gradient, build_walked, build_way, layer_back
from montecarlo.engines.radial._back_draws import BACK, build_back_draws, fill_back
from montecarlo.engines.radial._draws import TABLES, Source, build_draws, exact_chi_square, fill
from montecarlo.engines.radial._network import record, trace
from montecarlo.engines.radial._start import LAST_LAYER, draw_starts
from montecarlo.engines.radial._step import OUTER, UNIFORM, build_step, set_factors, set_lengths
from montecarlo.engines.radial._walk import build_lanes, rescale, start, walk
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import CONSTANTS, DRAW, OUTPUTS
from montecarlo.kernels._room import zeros
from montecarlo.streams._address import Address
from montecarlo.streams._keys import ROLE_RADIAL_NORMALS, ROLE_RADIAL_WORDS
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)
_NORMALS = np.uint32(ROLE_RADIAL_NORMALS << 28)
_WORDS = np.uint32(ROLE_RADIAL_WORDS << 28)
_LN2 = math.log(2.0)
_FAR = 100.0 * _LN2  # a step so much smaller than h_0 leaves the gradient where it was
_LARGE = 2.0**60
_FORWARD = np.uint32(0)
_RUN_JOINT = types.void(CONSTANTS, TABLES, DRAW, types.int64, OUTPUTS)


@helper
def keep(lanes, kept, place):
    """Keep where a chunk begins."""
    for lane in range(_ZERO, _SIXTEEN):
        kept[place, 0, lane] = lanes.along[lane]
        kept[place, 1, lane] = lanes.across[lane]
        kept[place, 2, lane] = lanes.difference[lane]
        kept[place, 3, lane] = np.float64(lanes.exponents[lane])


@helper
def bring_back(lanes, kept, place):
    """Go back to where a chunk begins."""
    for lane in range(_ZERO, _SIXTEEN):
        lanes.along[lane] = kept[place, 0, lane]
        lanes.across[lane] = kept[place, 1, lane]
        lanes.difference[lane] = kept[place, 2, lane]
        lanes.exponents[lane] = np.int64(kept[place, 3, lane])


@inline
def locate(step, lanes, lane, kappa, origin):
    """Return the direction of h along e and u, what a norm before the branch divides by, steps' origin."""
    along, across = lanes.along[lane], lanes.across[lane]
    if step.norm != OUTER:
        along = origin + kappa * lanes.difference[lane]
        size = math.sqrt(along * along + kappa * across * (kappa * across))
        return along / size, kappa * across / size, size, across
    if step.tiny:
        return 1.0, 0.0, 1.0, across
    size = math.sqrt(along * along + across * across)
    if size == 0.0:
        return 1.0, 0.0, 1.0, 0.0
    return along / size, across / size, 1.0, across / size


@helper
def look(step, lanes, gradient, walked, row, lengths):
    """Remember where a layer begins, and its length where that is asked for."""
    for lane in range(_ZERO, _SIXTEEN):
        place = row * _SIXTEEN + lane
        h0, h1, size, across = locate(step, lanes, lane, gradient.kappa[lane], gradient.origin[lane])
        walked.h0[place] = h0
        walked.h1[place] = h1
        walked.size[place] = size
        walked.across[place] = across
        walked.factor[place] = step.factors[row]
        if lengths:
            walked.log_length[place] = length(step, lanes, lane)


@inline
def length(step, lanes, lane):
    """Return log ‖h‖/‖h_0‖ of a stream without its norm."""
    if step.norm != OUTER or step.tiny:
        return 0.0
    square = lanes.along[lane] * lanes.along[lane] + lanes.across[lane] * lanes.across[lane]
    return 0.5 * math.log(square) + lanes.exponents[lane] * _LN2 if square > 0.0 else -np.inf


@helper
def set_units(n, draws, walked):
    """Keep χ²_N, which lengths will replace; 1 where nothing is divided by it."""
    for i in range(_ZERO, n):
        square = np.float64(draws.active_square[i])
        walked.units_square[i] = square if square > 0.0 else 1.0


@helper
def turn_readout(first, constants, gradient):
    """Begin at a uniform p_L, and draw it in the frame of the walk's end."""
    for lane in range(_ZERO, _SIXTEEN):
        address = Address(first.k0, first.k1, np.uint32(first.low + np.uint32(lane)), first.high)
        q0, q1, q2 = readout(address, constants.width)
        gradient.q0[lane] = q0
        gradient.q1[lane] = q1
        gradient.q2[lane] = q2


@helper
def readout(address, width):
    """Return a uniform direction: its parts along two orthonormal vectors, and across."""
    k0, k1, low, high = address
    a0, a1, a2, a3 = philox(BACK, np.uint32(LAST_LAYER | _NORMALS), low, high, k0, k1)
    n0, n1 = box_muller(a0, a1)
    n2, _ = box_muller(a2, a3)
    q0, q1, x = np.float64(n0), np.float64(n1), np.float64(n2)
    if width < 2:
        return (1.0 if q0 > 0.0 else -1.0), 0.0, 0.0
    square = x * x if width == 3 else 0.0
    if width > 3:
        shape = 0.5 * np.float64(width - 2) - 1.0 / 3.0
        word, _, _, _ = philox(BACK, np.uint32(LAST_LAYER | _WORDS), low, high, k0, k1)
        scale = 1.0 / math.sqrt(9.0 * shape)
        square = exact_chi_square(address, BACK, LAST_LAYER, shape, scale, x, word)
    size = math.sqrt(q0 * q0 + q1 * q1 + square)
    return q0 / size, q1 / size, math.sqrt(square) / size


@helper
def begin(step, lanes, gradient):
    """Turn p_L into what the first layer back meets: behind a norm on the stream, its part across h_L."""
    for lane in range(_ZERO, _SIXTEEN):
        gradient.d0[lane] = 0.0
        gradient.d1[lane] = 0.0
        gradient.d2[lane] = 0.0
        gradient.d3[lane] = 0.0
        gradient.exponents[lane] = 0
        if step.norm == OUTER:
            h0, h1, _, _ = locate(step, lanes, lane, 1.0, 0.0)
            along = gradient.q0[lane] * h0 + gradient.q1[lane] * h1
            gradient.d0[lane] = gradient.q0[lane] - along * h0
            gradient.d1[lane] = gradient.q1[lane] - along * h1
            gradient.d2[lane] = gradient.q2[lane]


@helper
def set_kappas(step, lanes, gradient):
    """Choose the units of the gradients' changes, and say where h_0 is in them."""
    for lane in range(_ZERO, _SIXTEEN):
        log_first = lanes.log_starts[lane] - step.unit * _LN2
        far = step.norm != OUTER and log_first > _FAR
        gradient.kappa[lane] = math.exp(-log_first) if far else 1.0
        gradient.log_kappa[lane] = -log_first if far else 0.0
        gradient.origin[lane] = 1.0 if far else math.exp(log_first)


@helper
def keep_in_range(gradient):
    """Keep a gradient that is δ alone near one."""
    for lane in range(_ZERO, _SIXTEEN):
        peak = max(
            abs(gradient.d0[lane]), abs(gradient.d1[lane]), abs(gradient.d2[lane]), abs(gradient.d3[lane])
        )
        if 1.0 / _LARGE < peak < _LARGE or peak == 0.0 or not peak < np.inf:
            continue
        shift = math.frexp(peak)[1]
        gradient.exponents[lane] += shift
        gradient.d0[lane] = math.ldexp(gradient.d0[lane], -shift)
        gradient.d1[lane] = math.ldexp(gradient.d1[lane], -shift)
        gradient.d2[lane] = math.ldexp(gradient.d2[lane], -shift)
        gradient.d3[lane] = math.ldexp(gradient.d3[lane], -shift)


@inline
def log_norm(x0, x1, x2, x3):
    """Return the log-norm of four numbers."""
    total = math.hypot(math.hypot(x0, x1), math.hypot(x2, x3))
    return math.log(total) if total > 0.0 else (-np.inf if total == 0.0 else np.nan)


@inline
def log_gradient(way, gradient, lane):
    """Return log ‖p_k‖/‖p_L‖ up to the factor of norms on the stream."""
    c, kappa = way.first, gradient.kappa[lane]
    value = log_norm(
        c * gradient.q0[lane] + kappa * gradient.d0[lane], c * gradient.q1[lane] + kappa * gradient.d1[lane],
        c * gradient.q2[lane] + kappa * gradient.d2[lane], kappa * gradient.d3[lane],
    )  # fmt: skip
    return value + gradient.exponents[lane] * _LN2


@inline
def log_change(way, gradient, lane, log_size):
    """Return log ‖p_0 - p_L‖/‖p_L‖; behind norms on the stream, ``p_0 = exp(log_size) δ``."""
    if way.outer == 0.0:
        value = log_norm(gradient.d0[lane], gradient.d1[lane], gradient.d2[lane], gradient.d3[lane])
        return value + gradient.log_kappa[lane]
    log_size += gradient.exponents[lane] * _LN2
    if log_size > 300.0:
        return log_gradient(way, gradient, lane) + log_size - gradient.exponents[lane] * _LN2
    size = math.exp(log_size) if log_size > -700.0 else 0.0
    return log_norm(
        size * gradient.d0[lane] - gradient.q0[lane], size * gradient.d1[lane] - gradient.q1[lane],
        size * gradient.d2[lane] - gradient.q2[lane], size * gradient.d3[lane],
    )  # fmt: skip


@helper
def note(step, way, lanes, gradient, walked, row, k, log_ends, first, outputs):
    """Store what is asked for of a layer on the way back."""
    for lane in range(_ZERO, _SIXTEEN):
        place = np.uint64(first + lane)
        if place >= np.uint64(outputs.rows.shape[0]):
            continue
        log_first, ended = lanes.log_starts[lane], log_ends[lane] == -np.inf
        scale = walked.log_length[row * _SIXTEEN + lane] - log_ends[lane] if not ended else -np.inf
        if outputs.gradient_path.size > 0:
            value = log_gradient(way, gradient, lane) + scale
            if way.outer > 0.0 and k == 0:
                value += 0.5 * math.log(way.width) - log_first
            outputs.gradient_path[place, k] = value if lanes.alive[lane] else np.nan
        scale += gradient.exponents[lane] * _LN2 - log_first
        scale = scale if lanes.alive[lane] else np.nan
        if outputs.gates.size > 0:
            outputs.gates[place, k] = half_log(gradient.gate_square[lane]) + scale
        if outputs.weight_v.size > 0:
            scale += step.unit * _LN2
            outputs.weight_v[place, k] = half_log(gradient.v_square[lane]) + scale
            if outputs.weight_w.size > 0:
                outputs.weight_w[place, k] = half_log(gradient.w_square[lane]) + scale


@inline
def half_log(square):
    """Return half the log of a square."""
    return 0.5 * math.log(square) if square > 0.0 else (-np.inf if square == 0.0 else np.nan)


@helper
def record_back(way, lanes, gradient, log_ends, first, outputs):
    """Store the two log-ratios of finished gradients."""
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(first + lane)
        if row >= np.uint64(outputs.rows.shape[0]):
            continue
        log_size = 0.0
        if way.outer > 0.0:
            log_size = 0.5 * math.log(way.width) - lanes.log_starts[lane] - log_ends[lane]
        ratio, change = np.nan, np.nan
        if lanes.alive[lane] and log_ends[lane] == -np.inf:
            ratio, change = -np.inf, 0.0  # a stream that ended
        elif lanes.alive[lane]:
            ratio = log_gradient(way, gradient, lane) + log_size
            change = log_change(way, gradient, lane, log_size)
        outputs.rows[row, 2] = ratio
        outputs.rows[row, 3] = change
        if outputs.gradient_path.size > 0:
            outputs.gradient_path[row, outputs.gradient_path.shape[1] - 1] = 0.0


@kernel(signature=_RUN_JOINT)
def run_joint(constants, tables, draw, chunk, outputs):
    """Sample consecutive networks with their gradients: `rows`, paths and weight gradients of `outputs`.

    States are looked at every `chunk` layers.
    """
    step = build_step(constants, chunk)
    draws, back, walked = build_draws(chunk), build_back_draws(chunk), build_walked(chunk)
    lanes, gradient, way = build_lanes(), build_gradient(), build_way(step, constants)
    x = zeros(constants.input_dim, np.float32)
    depth, width, units = constants.depth, constants.width, constants.hidden_width
    scheduled = constants.alphas.size > 1
    kept = zeros(((depth + chunk - 1) // chunk, 4, NETWORKS), np.float64)
    log_ends = zeros(NETWORKS, np.float64)
    path = outputs.hidden_path
    layer_by_layer = outputs.weight_v.size + outputs.gradient_path.size + outputs.gates.size > 0
    lengths = layer_by_layer and step.norm == OUTER
    stop = draw.first_replica + np.uint64(outputs.rows.shape[0])
    for batch in range(draw.first_replica // _SIXTEEN * _SIXTEEN, stop, _SIXTEEN):
        first = np.uint64(batch) - draw.first_replica
        low = np.uint32(np.uint64(batch) & np.uint64(0xFFFFFFFF))
        address = Address(draw.k0, draw.k1, low, np.uint32(np.uint64(batch) >> np.uint64(32)))
        start(lanes)
        draw_starts(address, constants, x, lanes.log_starts)
        trace(step, lanes, width, first, path, 0)
        for k in range(0, depth, chunk):
            layers = np.uint64(min(chunk, depth - k))
            keep(lanes, kept, k // chunk)
            fill(
                Source(address, _FORWARD, np.uint32(k)),
                layers * _SIXTEEN,
                width,
                units,
                tables,
                step.halves,
                draws,
            )
            if step.norm == UNIFORM:
                set_lengths(step, layers * _SIXTEEN, width, draws)
            if scheduled:
                set_factors(step, constants, k, False)
            if path.size > 0:
                for i in range(_ZERO, layers - _ONE):
                    walk(draws, i, _ONE, step, lanes)
                    trace(step, lanes, width, first, path, k + np.int64(i) + 1)
                walk(draws, layers - _ONE, _ONE, step, lanes)
            else:
                walk(draws, _ZERO, layers, step, lanes)
            if not step.tiny:
                rescale(lanes)
            trace(step, lanes, width, first, path, k + np.int64(layers))
        record(step, lanes, width, first, outputs.rows)
        for lane in range(_ZERO, _SIXTEEN):
            log_ends[lane] = length(step, lanes, lane)
        set_kappas(step, lanes, gradient)
        turn_readout(address, constants, gradient)
        begin(step, lanes, gradient)
        for part in range(kept.shape[0] - 1, -1, -1):
            k = part * chunk
            layers = np.uint64(min(chunk, depth - k))
            n = layers * _SIXTEEN
            bring_back(lanes, kept, part)
            fill(Source(address, _FORWARD, np.uint32(k)), n, width, units, tables, step.halves, draws)
            if step.norm == UNIFORM:
                if step.halves:
                    set_units(n, draws, walked)
                set_lengths(step, n, width, draws)
            if scheduled:
                set_factors(step, constants, k, False)
            for i in range(_ZERO, layers):
                look(step, lanes, gradient, walked, i, lengths)
                walk(draws, i, _ONE, step, lanes)
            fill_back(Source(address, BACK, np.uint32(k)), n, width, draws.active, tables, step.halves, back)
            for j in range(_ZERO, layers):
                i = layers - _ONE - j
                layer_back(i, way, walked, draws, back, gradient)
                if layer_by_layer:
                    note(step, way, lanes, gradient, walked, i, k + np.int64(i), log_ends, first, outputs)
            if step.norm == OUTER:
                keep_in_range(gradient)
        record_back(way, lanes, gradient, log_ends, first, outputs)
