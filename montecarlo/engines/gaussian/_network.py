"""The Gaussian engine's kernel: batches of sixteen networks in lanes, with a tape of bounded memory.

The backward pass needs the images of the forward one; they are taped for one segment of layers at a time, as
in the dense engine (`montecarlo.engines.dense._network`), with the same choice between one segment and √L.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import kernel
from montecarlo.engines.gaussian._layer import (
    backward_layer,
    forward_layer,
    frames,
    half_log,
    keep_direction,
    log_norm_of_lane,
    refill_tape,
    rescale,
)
from montecarlo.kernels._difference import settle_difference
from montecarlo.kernels._lanes import NETWORKS, dot, fill_normals
from montecarlo.kernels._state import LOWEST_WITH_SCALE, RES1, SCALAR_FUNCTION, UNBOUNDED, draw_input
from montecarlo.streams._keys import ROLE_IMAGE_READOUT, ROLE_IMAGE_START

_START = np.uint32(ROLE_IMAGE_START << 28)
_READOUT = np.uint32(ROLE_IMAGE_READOUT << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)

_MATRIX = types.float64[:, ::1]
_RUN_BLOCK = types.void(
    SCALAR_FUNCTION, SCALAR_FUNCTION, types.float64, types.int64, types.float64, types.int64, types.int64,
    types.float64, types.int64, types.float64, types.uint32, types.uint32, types.uint64, types.int64,
    types.boolean, _MATRIX, _MATRIX, _MATRIX, _MATRIX, _MATRIX,
)  # fmt: skip


@kernel(signature=_RUN_BLOCK)
def run_block(
    value, slope, negative_slope, block, bias_std, width, depth, alpha, n_in, input_scale, k0, k1,
    first_replica, segment, gradients, rows_out, hidden_path, gradient_path, weight_v, weight_w,
):  # fmt: skip
    """Sample the networks from `first_replica` on, one a row of `rows_out`; output as the dense kernel's.

    Batches of sixteen start at multiples of sixteen, whatever the block.
    """
    rows = np.uint64(width)
    groups = (rows + _FOUR - _ONE) // _FOUR
    size = groups * _FOUR * _SIXTEEN
    n = rows * _SIXTEEN
    root_d = math.sqrt(np.float64(width))
    log_alpha = math.log(alpha)
    log_root_d = math.log(root_d)
    homogeneous = not math.isnan(negative_slope) or value(0.0) == 0.0
    lowest = UNBOUNDED if homogeneous and bias_std == 0.0 else LOWEST_WITH_SCALE
    trajectories = hidden_path.size > 0
    weight_gradients = weight_v.size > 0
    replicas = np.uint64(rows_out.shape[0])

    x = np.zeros(np.uint64(n_in), np.float32)
    state = np.zeros(n, np.float64)
    origin = np.zeros(n, np.float64)
    difference = np.zeros(n, np.float64)
    bias = np.zeros(size, np.float32)
    fresh = np.zeros(size, np.float32)
    products = np.zeros(size, np.float32)
    squares = np.zeros(NETWORKS, np.float64)
    frame = np.ones(NETWORKS, np.float64)
    zeros = np.zeros(NETWORKS, np.float64)
    coefficient = np.zeros(NETWORKS, np.float64)
    other = np.zeros(NETWORKS, np.float64)
    scratch = np.zeros(NETWORKS, np.float64)
    before = np.zeros(NETWORKS, np.float64)
    product_squares = np.zeros(NETWORKS, np.float64)
    exponents = np.zeros(NETWORKS, np.int64)
    starts = np.zeros(NETWORKS, np.int64)
    log_starts = np.zeros(NETWORKS, np.float64)
    alive = np.ones(NETWORKS, np.bool_)

    n_segments = (depth + segment - 1) // segment if gradients else 0
    image = np.zeros(np.uint64(segment) * size, np.float32)
    push = np.zeros(np.uint64(segment) * size, np.float32)
    # Values and slopes that follow from the image are not taped.
    free = block != RES1 and not math.isnan(negative_slope) and bias_std == 0.0
    taped = _ONE if free else np.uint64(segment)
    values = np.zeros(taped * size, np.float32)
    slopes = np.zeros(taped * size, np.float32)
    hidden = np.zeros(np.uint64(segment) * size, np.float32)
    value_squares = np.zeros(segment * NETWORKS, np.float64)
    hidden_squares = np.zeros(segment * NETWORKS, np.float64)
    checkpoints = np.zeros((n_segments, np.int64(n)), np.float64)
    checkpoint_exponents = np.zeros((n_segments, NETWORKS), np.int64)
    log_values = np.zeros((weight_v.shape[1], NETWORKS), np.float64)
    log_states = np.zeros((weight_v.shape[1], NETWORKS), np.float64)

    begin = np.uint64(first_replica) // _SIXTEEN * _SIXTEEN
    end = np.uint64(first_replica) + replicas
    for batch in range(begin, end, _SIXTEEN):
        low = np.uint32(np.uint64(batch) & np.uint64(0xFFFFFFFF))
        high = np.uint32(np.uint64(batch) >> np.uint64(32))
        fill_normals(k0, k1, _START, low, high, groups, fresh, _ZERO)
        for lane in range(_ZERO, _SIXTEEN):
            alive[lane] = True
            exponents[lane] = 0
            starts[lane] = 0
            draw_input(k0, k1, np.uint32(low + np.uint32(lane)), high, x, np.uint64(n_in))
            total = 0.0
            for j in range(_ZERO, np.uint64(n_in)):
                total += np.float64(x[j]) * np.float64(x[j])
            scale = input_scale * math.sqrt(total / np.float64(n_in))
            for j in range(_ZERO, rows):
                i = j * _SIXTEEN + lane
                state[i] = scale * np.float64(fresh[i])
                difference[i] = 0.0
        dot(state, _ZERO, state, _ZERO, rows, squares, _ZERO)
        rescale(state, difference, rows, squares, exponents, starts, frame, alive, lowest)
        for lane in range(_ZERO, _SIXTEEN):
            starts[lane] = exponents[lane]
            log_starts[lane] = half_log(squares[lane]) + exponents[lane] * _LN2
        frames(exponents, starts, frame)
        origin[:] = state

        for k in range(depth):
            position = k % segment if gradients else 0
            tape = np.uint64(position) * size
            kept = _ZERO if free else tape
            lanes = np.uint64(position) * _SIXTEEN
            if position == 0 and gradients:
                checkpoints[k // segment, :] = state
                checkpoint_exponents[k // segment, :] = exponents
            if gradients and block != RES1:
                keep_direction(state, squares, n, lowest, hidden, tape, hidden_squares, lanes)
            if trajectories or weight_gradients:
                for lane in range(_ZERO, _SIXTEEN):
                    log_state = half_log(squares[lane]) + exponents[lane] * _LN2
                    if weight_gradients:
                        log_states[k, lane] = log_state
                        log_values[k, lane] = exponents[lane] * _LN2
                    row = np.uint64(batch) + lane - np.uint64(first_replica)
                    if trajectories and row < replicas:
                        hidden_path[row, k] = log_state - log_starts[lane] if alive[lane] else np.nan
            if weight_gradients:
                before[:] = squares
            forward_layer(
                value, slope, negative_slope, block, bias_std, k0, k1, np.uint32(k), low, high, rows,
                groups, alpha, root_d, state, difference, squares, exponents, starts, frame, alive, image,
                tape, bias, values, slopes, kept, push, value_squares, lanes, coefficient, scratch, zeros,
                lowest,
            )  # fmt: skip
            if weight_gradients:
                for lane in range(_ZERO, _SIXTEEN):
                    log_values[k, lane] += half_log(value_squares[lanes + lane])
                    if free:
                        log_values[k, lane] += half_log(before[lane]) - log_root_d

        for lane in range(_ZERO, _SIXTEEN):
            row = np.uint64(batch) + lane - np.uint64(first_replica)
            if row >= replicas:  # before the first replica, too: the subtraction wraps
                continue
            rows_out[row, :] = np.nan
            if alive[lane]:
                log_state = half_log(squares[lane]) + exponents[lane] * _LN2
                rows_out[row, 0] = log_state - log_starts[lane]
                if trajectories:
                    hidden_path[row, depth] = log_state - log_starts[lane]
                settle_difference(
                    state, origin, difference, rows, _SIXTEEN, lane, exponents[lane], starts[lane]
                )  # fmt: skip
                rows_out[row, 1] = (
                    log_norm_of_lane(difference, rows, lane, max(exponents[lane], starts[lane]))
                    - log_starts[lane]
                )
            elif trajectories:
                hidden_path[row, depth] = np.nan
        if not gradients:
            continue

        log_start_h = log_starts.copy()
        fill_normals(k0, k1, _READOUT, low, high, groups, fresh, _ZERO)
        for i in range(_ZERO, n):
            state[i] = np.float64(fresh[i])
            difference[i] = 0.0
        exponents[:] = 0
        starts[:] = 0
        dot(state, _ZERO, state, _ZERO, rows, squares, _ZERO)
        rescale(state, difference, rows, squares, exponents, starts, frame, alive, UNBOUNDED)
        for lane in range(_ZERO, _SIXTEEN):
            starts[lane] = exponents[lane]
            log_starts[lane] = half_log(squares[lane]) + exponents[lane] * _LN2
        frames(exponents, starts, frame)
        origin[:] = state

        for s in range(n_segments - 1, -1, -1):
            first = s * segment
            last = min(first + segment, depth)
            if s < n_segments - 1:
                refill_tape(
                    value, slope, negative_slope, block, bias_std, k0, k1, first, last, low, high, rows,
                    groups, alpha, root_d, checkpoints[s], checkpoint_exponents[s], free, image, bias,
                    values, slopes, push, value_squares, hidden, hidden_squares, zeros, lowest,
                )  # fmt: skip
            for k in range(last - 1, first - 1, -1):
                tape = np.uint64(k - first) * size
                kept = _ZERO if free else tape
                lanes = np.uint64(k - first) * _SIXTEEN
                if trajectories or weight_gradients:
                    for lane in range(_ZERO, _SIXTEEN):
                        row = np.uint64(batch) + lane - np.uint64(first_replica)
                        if row < replicas:
                            log_p = half_log(squares[lane]) + exponents[lane] * _LN2 - log_starts[lane]
                            if not alive[lane]:
                                log_p = np.nan
                            if trajectories:
                                gradient_path[row, k + 1] = log_p
                            if weight_gradients:
                                weight_v[row, k] = log_alpha + log_p + log_values[k, lane] - log_start_h[lane]
                                weight_w[row, k] = log_alpha + log_p - log_root_d + log_states[k, lane]
                                weight_w[row, k] -= log_start_h[lane]
                backward_layer(
                    free, negative_slope, block, k0, k1, np.uint32(k), low, high, rows, groups, alpha,
                    root_d, state, difference, squares, exponents, starts, frame, alive, image, tape, values,
                    slopes, kept, push, value_squares, lanes, hidden, hidden_squares, fresh,
                    products, product_squares, coefficient, other, scratch, before, zeros,
                )  # fmt: skip
                if weight_gradients:
                    for lane in range(_ZERO, _SIXTEEN):
                        row = np.uint64(batch) + lane - np.uint64(first_replica)
                        if row < replicas:
                            weight_w[row, k] += half_log(product_squares[lane])

        for lane in range(_ZERO, _SIXTEEN):
            row = np.uint64(batch) + lane - np.uint64(first_replica)
            if row >= replicas:
                continue
            if alive[lane]:
                log_p = half_log(squares[lane]) + exponents[lane] * _LN2 - log_starts[lane]
                rows_out[row, 2] = log_p
                if trajectories:
                    gradient_path[row, 0] = log_p
                settle_difference(
                    state, origin, difference, rows, _SIXTEEN, lane, exponents[lane], starts[lane]
                )  # fmt: skip
                rows_out[row, 3] = (
                    log_norm_of_lane(difference, rows, lane, max(exponents[lane], starts[lane]))
                    - log_starts[lane]
                )
            elif trajectories:
                gradient_path[row, 0] = np.nan
