"""The dense engine's kernel: one block of replicas, forward and backward, in memory that does not grow with
depth.

Weights are regenerated, not stored. What the backward pass needs of the forward one (the active units of each
layer and the slopes of the activation there) is taped for one *segment* of layers at a time. Where the whole
depth fits into `TAPE_BYTES` there is one segment; else segments have √L layers, the states at their
beginnings are kept, and each segment is run forward once more before it is run backward: memory O(√L ·
width), 60 % more time. The segmentation changes no bit of the result.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo._jit import LANES, allocating_helper, kernel
from montecarlo.dense._layer import (
    add_increment,
    backward_layer,
    forward_layer,
    log_norm,
    rescale,
)
from montecarlo.kernels._difference import settle_difference
from montecarlo.kernels._state import LOWEST_WITH_SCALE, SCALAR_FUNCTION, UNBOUNDED, draw_input
from montecarlo.laws._interface import SIGNATURE as LAW_KERNEL
from montecarlo.laws._products import SCRATCH
from montecarlo.streams._keys import ROLE_EMBEDDING, ROLE_READOUT

TAPE_BYTES = 32 << 20
"""Memory a block of replicas may use for its tape before depth is cut into segments."""

_MATRIX_KERNEL = types.FunctionType(LAW_KERNEL)
_MATRIX = types.float64[:, ::1]
_WORD = types.uint32
_INT = types.int64
_REAL = types.float64
# Explicit, because law kernels and activations must be typed as first-class functions: one compiled engine
# then serves all of them, and numba can cache it on disk.
_RUN_BLOCK = types.void(
    _MATRIX_KERNEL, _MATRIX_KERNEL, SCALAR_FUNCTION, SCALAR_FUNCTION, _REAL, _INT, _REAL, _INT, _INT,
    _REAL, _INT, _REAL, _WORD, _WORD, types.uint64, _INT, types.boolean, types.boolean, _MATRIX, _MATRIX,
    _MATRIX, _MATRIX, _MATRIX, _MATRIX, _MATRIX,
)  # fmt: skip

_EMBEDDING = np.uint32(ROLE_EMBEDDING << 28)
_READOUT = np.uint32(ROLE_READOUT << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)


def segment_length(width: int, depth: int, tape_bytes: int = TAPE_BYTES) -> int:
    """Return the number of layers whose tape is held at once.

    Examples
    --------
    >>> segment_length(40, 1000), segment_length(1000, 10**6)
    (1000, 1000)
    """
    padded = -(-width // LANES) * LANES
    if depth * padded * 8 <= tape_bytes:
        return max(depth, 1)
    return math.isqrt(depth - 1) + 1


@allocating_helper
def refill_tape(
    project, combine, value, slope, negative_slope, block, bias_scale, d, steps, k0, k1, first, last, low,
    high, all_units, checkpoint, exponent, image, bias, scratch, values, tape_units, tape_slopes,
    tape_counts, root_d, increment_scale, lowest, vanishes,
):  # fmt: skip
    """Run the layers ``first ... last - 1`` forward from a checkpoint, for their tape."""
    state = checkpoint.copy()
    difference = np.zeros_like(state)
    rounded = np.zeros(image.size, np.float32)
    exponent, _ = rescale(state, difference, d, rounded, exponent, exponent, lowest)
    for k in range(first, last):
        position = k - first
        n = forward_layer(
            project, combine, value, slope, negative_slope, block, bias_scale, d, steps, k0, k1,
            np.uint32(k), low, high, all_units, exponent, state, rounded, image, bias, scratch,
            values, tape_units, tape_slopes, position, root_d,
        )  # fmt: skip
        tape_counts[position] = n
        if k + 1 < last:
            add_increment(state, difference, d, image, increment_scale, exponent, exponent, vanishes)
            exponent, _ = rescale(state, difference, d, rounded, exponent, exponent, lowest)


@kernel(signature=_RUN_BLOCK)
def run_block(
    project, combine, value, slope, negative_slope, block, bias_scale, width, depth, alpha, n_in,
    input_scale, k0, k1, first_replica, segment, gradients, vanishes, rows, hidden, gradient, weight_v,
    weight_w, last_hidden, first_gradient,
):  # fmt: skip
    """Sample the networks ``first_replica ... first_replica + len(rows) - 1``.

    Writes the four log-ratios to `rows` (shape (n, 4)) and, where these are not empty, the trajectories
    log ‖h_k‖/‖h_0‖ (n, L+1), log ‖p_k‖/‖p_L‖ (n, L+1) and the weight-gradient norms log ‖∂V_k‖/(‖p_L‖‖h_0‖),
    log ‖∂W_k‖/(‖p_L‖‖h_0‖) (n, L), and h_L and p_0 up to a power of two (n, d). A network with a non-finite
    state leaves NaN.
    """
    d = np.uint64(width)
    steps = (d + _LANES - _ONE) // _LANES
    d_padded = steps * _LANES
    steps_in = (np.uint64(n_in) + _LANES - _ONE) // _LANES
    root_d = math.sqrt(np.float64(width))
    increment_scale = alpha / root_d
    log_alpha = math.log(alpha)
    homogeneous = not math.isnan(negative_slope) or value(0.0) == 0.0
    lowest = UNBOUNDED if homogeneous and bias_scale == 0.0 else LOWEST_WITH_SCALE
    trajectories = hidden.size > 0
    weight_gradients = weight_v.size > 0

    all_units = np.zeros(d_padded, np.uint32)
    for i in range(_ZERO, d):
        all_units[i] = np.uint32(i)
    x = np.zeros(steps_in * _LANES, np.float32)
    state = np.zeros(d, np.float64)
    start = np.zeros(d, np.float64)
    difference = np.zeros(d, np.float64)
    rounded = np.zeros(d_padded, np.float32)
    image = np.zeros(d_padded, np.float32)
    bias = np.zeros(d_padded, np.float32)
    values = np.zeros(d_padded, np.float32)
    products = np.zeros(d_padded, np.float32)
    one_unit = np.zeros(_LANES, np.uint32)
    one_value = np.zeros(_LANES, np.float32)
    scratch = np.zeros(SCRATCH, np.float32)

    n_segments = (depth + segment - 1) // segment
    tape_units = np.zeros((segment, d_padded), np.uint32)
    tape_slopes = np.zeros((segment, d_padded), np.float32)
    tape_counts = np.zeros(segment, np.uint64)
    checkpoints = np.zeros((n_segments, np.int64(d)), np.float64)
    checkpoint_exponents = np.zeros(n_segments, np.int64)
    log_values = np.zeros(weight_v.shape[1], np.float64)
    log_states = np.zeros(weight_v.shape[1], np.float64)

    for row in range(rows.shape[0]):
        replica = np.uint64(first_replica) + np.uint64(row)
        low = np.uint32(replica & np.uint64(0xFFFFFFFF))
        high = np.uint32(replica >> np.uint64(32))
        rows[row, :] = np.nan
        if trajectories:
            hidden[row, :] = np.nan
            gradient[row, :] = np.nan
        if weight_gradients:
            weight_v[row, :] = np.nan
            weight_w[row, :] = np.nan

        draw_input(k0, k1, low, high, x, np.uint64(n_in))
        project(k0, k1, _EMBEDDING, low, high, all_units, d, x, steps_in, scratch, image)
        for j in range(_ZERO, d):
            state[j] = np.float64(image[j]) * (input_scale / math.sqrt(np.float64(n_in)))
            difference[j] = 0.0
        exponent, finite = rescale(state, difference, d, rounded, 0, 0, lowest)
        start_exponent = exponent
        start[:] = state
        log_start = log_norm(state, d, exponent)
        if trajectories:
            hidden[row, 0] = 0.0

        for k in range(depth):
            position = k % segment
            if position == 0:
                checkpoints[k // segment, :] = state
                checkpoint_exponents[k // segment] = exponent
            if weight_gradients:
                log_states[k] = log_norm(state, d, exponent)
            n = forward_layer(
                project, combine, value, slope, negative_slope, block, bias_scale, d, steps, k0, k1,
                np.uint32(k), low, high, all_units, exponent, state, rounded, image, bias, scratch,
                values, tape_units, tape_slopes, position, root_d,
            )  # fmt: skip
            tape_counts[position] = n
            if weight_gradients:
                log_values[k] = log_norm(values, n, exponent)
            add_increment(state, difference, d, image, increment_scale, exponent, start_exponent, vanishes)
            exponent, finite = rescale(state, difference, d, rounded, exponent, start_exponent, lowest)
            if not finite:
                break
            if trajectories:
                hidden[row, k + 1] = log_norm(state, d, exponent) - log_start
        if not finite:
            continue
        rows[row, 0] = log_norm(state, d, exponent) - log_start
        if last_hidden.size > 0:
            for j in range(_ZERO, d):
                last_hidden[row, j] = state[j]
        settle_difference(state, start, difference, d, _ONE, _ZERO, exponent, start_exponent)
        rows[row, 1] = log_norm(difference, d, max(exponent, start_exponent)) - log_start
        if not gradients:
            continue

        one_value[0] = np.float32(1.0)
        for j in range(1, LANES):
            one_value[j] = np.float32(0.0)
        combine(k0, k1, _READOUT, low, high, one_unit, _ONE, one_value, steps, scratch, image)
        for j in range(_ZERO, d):
            state[j] = np.float64(image[j])
            difference[j] = 0.0
        exponent, finite = rescale(state, difference, d, rounded, 0, 0, UNBOUNDED)
        start_exponent = exponent
        start[:] = state
        log_end = log_norm(state, d, exponent)
        if trajectories:
            gradient[row, depth] = 0.0

        for s in range(n_segments - 1, -1, -1):
            first = s * segment
            last = min(first + segment, depth)
            if s < n_segments - 1:
                refill_tape(
                    project, combine, value, slope, negative_slope, block, bias_scale, d, steps, k0, k1,
                    first, last, low, high, all_units, checkpoints[s], checkpoint_exponents[s], image, bias,
                    scratch, values, tape_units, tape_slopes, tape_counts, root_d, increment_scale, lowest,
                    vanishes,
                )  # fmt: skip
            for k in range(last - 1, first - 1, -1):
                position = k - first
                n = tape_counts[position]
                if weight_gradients:
                    log_p = log_norm(state, d, exponent) - log_end
                    weight_v[row, k] = log_alpha + log_p + log_values[k] - log_start
                backward_layer(
                    project, combine, block, d, steps, k0, k1, np.uint32(k), low, high, rounded, image,
                    scratch, tape_units, tape_slopes, position, n, products, root_d,
                )  # fmt: skip
                if weight_gradients:
                    log_q = log_norm(products, n, exponent) - log_end
                    weight_w[row, k] = log_alpha + log_q + log_states[k] - log_start
                add_increment(
                    state, difference, d, image, increment_scale, exponent, start_exponent, vanishes
                )
                exponent, finite = rescale(state, difference, d, rounded, exponent, start_exponent, UNBOUNDED)
                if not finite:
                    break
                if trajectories:
                    gradient[row, k] = log_norm(state, d, exponent) - log_end
            if not finite:
                break
        if finite:
            rows[row, 2] = log_norm(state, d, exponent) - log_end
            if first_gradient.size > 0:
                for j in range(_ZERO, d):
                    first_gradient[row, j] = state[j]
            settle_difference(state, start, difference, d, _ONE, _ZERO, exponent, start_exponent)
            rows[row, 3] = log_norm(difference, d, max(exponent, start_exponent)) - log_end
