"""The correlated engine's kernel: one set of weights, many columns, forward and backward.

A column is a network: an input h_0, a scaling and a gradient p_L at the end; all columns share the weights
V_k, W_k and biases. A layer is four products of a d × d matrix with the columns (two for res-1), bound by the
multiply-adds, and a few passes over the columns.

Error analysis. Products are float32 with a sum of d fused terms, as in the dense engine; states are pairs of
float32 numbers, which lose nothing to the number of layers; norms are float64. Differences are taken from
the states, except small ones, which are float32 sums of L terms, relative error about √L·6e-8.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import helper, kernel
from montecarlo.kernels._columns import (
    LARGE_BITS,
    SMALL_BITS,
    advance_columns,
    clear_column,
    column_log_norm,
    rescale_column,
)
from montecarlo.kernels._product import product
from montecarlo.kernels._state import (
    EVALUATION_LIMIT,
    LOWEST_WITH_SCALE,
    RES1,
    SCALAR_FUNCTION,
    UNBOUNDED,
)

_MATRIX = types.float64[:, ::1]
_PATHS = types.float32[:, ::1]
_INT = types.int64
_REAL = types.float64
_RUN_COLUMNS = types.void(
    SCALAR_FUNCTION, SCALAR_FUNCTION, _REAL, _INT, _REAL, _INT, _PATHS, _PATHS, _PATHS, types.float64[::1],
    _PATHS, _PATHS, types.uint8[:, ::1], _PATHS, _MATRIX, _MATRIX, _MATRIX, _MATRIX, _MATRIX, _MATRIX,
    _MATRIX,
)  # fmt: skip
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_VISIBLE = 10.0 * math.log(2.0)  # a state 2**-10 of its start away still has 38 bits of the distance


@helper
def bend(units, active, n, below):
    """Replace pre-activations by the values of a piecewise linear activation; store who is active."""
    for i in range(_ZERO, n):
        x = units[i]
        positive = x > np.float32(0.0)
        active[i] = np.uint8(positive)
        units[i] = x if positive else below * x


@helper
def bend_back(units, active, n, below):
    """Multiply by the slopes of a piecewise linear activation."""
    for i in range(_ZERO, n):
        x = units[i]
        units[i] = x if active[i] != np.uint8(0) else below * x


@helper
def activate(units, slopes, d, columns, pre_scale, bias, bias_scale, exponents, negative_slope, value, slope):
    """Replace pre-activations by the values of σ at ``2**exponent * pre_scale * units + bias_scale * bias``.

    The values are in the frame of the column's exponent.
    """
    for c in range(_ZERO, columns):
        bounded = min(max(exponents[c], -EVALUATION_LIMIT), EVALUATION_LIMIT)
        up = math.ldexp(pre_scale, int(bounded))
        down = math.ldexp(1.0, int(-bounded))
        for i in range(_ZERO, d):
            place = np.uint64(i) * columns + np.uint64(c)
            x = np.float64(units[place]) * up
            if bias.size > 0:
                x += np.float64(bias[i]) * bias_scale
            if math.isnan(negative_slope):
                s = value(x)
                t = slope(x)
            else:
                t = 1.0 if x > 0.0 else negative_slope
                s = t * x
            units[place] = np.float32(s * down)
            slopes[place] = np.float32(t)


@helper
def multiply(values, factors, n):
    """Multiply a table by another."""
    for i in range(_ZERO, n):
        values[i] *= factors[i]


@helper
def set_frames(steps, frames, scales, factor, exponents, start_exponents):
    """Compute a column's factors for increments of its state and of its difference.

    The difference is in units of the scaling, so that no scaling is too small for float32.
    """
    for c in range(steps.size):
        steps[c] = np.float32(scales[c] * factor)
        behind = min(exponents[c] - start_exponents[c], 0)
        frames[c] = np.float32(math.ldexp(factor, int(max(behind, -2000))))


@helper
def start_columns(starts, high, low, difference, d, columns, exponents, start_exponents, finite, lowest):
    """Begin at the given vectors, each in the frame of its own exponent."""
    for i in range(_ZERO, d):
        for c in range(_ZERO, columns):
            place = np.uint64(i) * columns + np.uint64(c)
            high[place] = starts[i, c]
            low[place] = np.float32(0.0)
            difference[place] = np.float32(0.0)
    for c in range(_ZERO, columns):
        peak = np.uint32(0)
        for i in range(_ZERO, d):
            peak = max(
                peak,
                np.uint32(
                    np.float32(high[np.uint64(i) * columns + np.uint64(c)]).view(np.uint32)
                    & np.uint32(0x7FFFFFFF)
                ),
            )
        exponents[c], is_finite = rescale_column(
            high, low, difference, d, columns, np.uint64(c), peak, np.int64(0), np.int64(0), lowest
        )
        start_exponents[c] = exponents[c]
        if not is_finite or not finite[c]:  # lost, here or on the way before
            finite[c] = False
            clear_column(high, low, difference, d, columns, np.uint64(c))


@helper
def column_log_distance(
    starts, high, low, difference, none, d, columns, column, exponent, start_exponent, log_scale, log_start
):
    """Return the natural log of ``‖2**exponent * (high + low) - start‖``.

    From the state itself where it has moved visibly. Below, its rounding would show, and the sum of the
    increments takes over, which in turn keeps the rounding of the largest state that there was on the way.
    """
    up = max(exponent, np.int64(0))
    largest = 0.0
    total = 0.0
    for second in range(2):
        for j in range(_ZERO, d):
            place = np.uint64(j) * columns + column
            state = np.float64(high[place]) + np.float64(low[place])
            x = math.ldexp(state, int(max(exponent - up, -2000)))
            x -= math.ldexp(np.float64(starts[j, column]), int(max(-up, -2000)))
            if second == 0:
                largest = max(largest, abs(x))
            else:
                total += (x / largest) * (x / largest)
        if not largest > 0.0:
            break
    if largest > 0.0:
        moved = math.log(largest) + 0.5 * math.log(total) + up * math.log(2.0)
        if moved > log_start - _VISIBLE:
            return moved
    frame = max(exponent, start_exponent)
    return column_log_norm(difference, none, d, columns, column, frame) + log_scale


@helper
def keep_in_range(
    high, low, difference, d, columns, networks, peaks, exponents, start_exponents, finite, lowest, before
):
    """Rescale the columns that need it; return whether a frame has changed.

    A single unit that cancels to exactly zero did so for lack of digits: 2**-25 of it is left.
    """
    outside = np.uint32(0)
    for c in range(_ZERO, networks):
        outside = max(outside, np.uint32(peaks[c] - SMALL_BITS))  # wraps to a large number below SMALL_BITS
    if outside < np.uint32(LARGE_BITS - SMALL_BITS):
        return False
    changed = False
    for c in range(_ZERO, networks):
        column = np.uint64(c)
        if d == _ONE and peaks[c] == np.uint32(0) and before[c] != np.float32(0.0) and low[c] == 0.0:
            high[c] = before[c] * np.float32(2.0**-25)
            peaks[c] = np.uint32(np.float32(high[c]).view(np.uint32) & np.uint32(0x7FFFFFFF))
        new, is_finite = rescale_column(
            high, low, difference, d, columns, column, peaks[c], exponents[c], start_exponents[c], lowest
        )
        changed = changed or new != exponents[c]
        exponents[c] = new
        if not is_finite:
            finite[c] = False
            clear_column(high, low, difference, d, columns, column)
    return changed


@helper
def add_image(
    high, low, difference, image, steps, frames, scales, factor, d, columns, networks, peaks, before,
    exponents, start_exponents, finite, lowest,
):  # fmt: skip
    """Add a layer's image to all columns, each with its scaling, and keep them in range."""
    if d == _ONE:
        for c in range(_ZERO, columns):
            before[c] = high[c]
    advance_columns(high, low, difference, image, steps, frames, d, columns, peaks)
    if keep_in_range(
        high, low, difference, d, columns, networks, peaks, exponents, start_exponents, finite, lowest, before
    ):
        set_frames(steps, frames, scales, factor, exponents, start_exponents)


@kernel(signature=_RUN_COLUMNS)
def run_columns(
    value, slope, negative_slope, block, bias_scale, width, paths_v, paths_w, biases, scales, starts, ends,
    active_tape, slope_tape, rows, hidden, gradient, weight_v, weight_w, last_hidden, first_gradient,
):  # fmt: skip
    """Run the networks of one set of weights.

    `paths_v` and `paths_w` (L, d²) hold √d V_k and √d W_k row by row (`paths_w` empty for res-1), `biases`
    (L, d) the standardised biases or nothing, `scales` the columns' α, a multiple of eight of them, `starts`
    and `ends` (d, columns) h_0 and p_L; no `ends`, no gradients. The tapes are room for (L, d · columns)
    slopes: `active_tape` where the activation is piecewise linear without bias, else `slope_tape`; one
    layer of it is enough without gradients. Fills the log-ratios of the first ``len(rows)`` columns and
    the rest as the dense engine does. A network with a non-finite state leaves NaN.
    """
    d = np.uint64(width)
    depth = paths_v.shape[0]
    columns = np.uint64(scales.size)
    n = d * columns
    networks = np.uint64(rows.shape[0])
    root_d = math.sqrt(np.float64(width))
    piecewise = not math.isnan(negative_slope) and biases.size == 0
    homogeneous = not math.isnan(negative_slope) or value(0.0) == 0.0
    lowest = UNBOUNDED if homogeneous and biases.size == 0 else LOWEST_WITH_SCALE
    below = np.float32(0.0 if math.isnan(negative_slope) else negative_slope)
    trajectories = hidden.size > 0
    weight_gradients = weight_v.size > 0
    gradients = ends.size > 0
    inner = 1.0 if block == RES1 else 1.0 / root_d
    # Piecewise linear units keep the scale of W to the end: a multiplication a column, not one a unit.
    forward = inner / root_d if piecewise else 1.0 / root_d

    high = np.zeros(n, np.float32)
    low = np.zeros(n, np.float32)
    difference = np.zeros(n, np.float32)
    units = np.zeros(n, np.float32)
    image = np.zeros(n, np.float32)
    none = np.zeros(0, np.float32)
    steps = np.zeros(columns, np.float32)
    frames = np.zeros(columns, np.float32)
    peaks = np.zeros(columns, np.uint32)
    before = np.zeros(columns, np.float32)
    exponents = np.zeros(columns, np.int64)
    start_exponents = np.zeros(columns, np.int64)
    finite = np.ones(columns, np.bool_)
    log_start = np.zeros(columns, np.float64)
    log_values = np.zeros((rows.shape[0], weight_v.shape[1]), np.float64)
    log_states = np.zeros((rows.shape[0], weight_v.shape[1]), np.float64)

    start_columns(starts, high, low, difference, d, columns, exponents, start_exponents, finite, lowest)
    set_frames(steps, frames, scales, forward, exponents, start_exponents)
    for c in range(networks):
        log_start[c] = column_log_norm(high, low, d, columns, np.uint64(c), exponents[c])
        if trajectories:
            hidden[c, 0] = 0.0
    for k in range(depth):
        position = k if gradients else 0
        if block == RES1:
            units[:] = high
        else:
            product(paths_w[k], _ZERO, d, _ONE, d, high, columns, units)
        if piecewise:
            bend(units, active_tape[position], n, below)
        else:
            bias = biases[k] if biases.size > 0 else none
            activate(
                units,
                slope_tape[position],
                d,
                columns,
                inner,
                bias,
                bias_scale,
                exponents,
                negative_slope,
                value,
                slope,
            )
        if weight_gradients:
            for c in range(networks):
                log_states[c, k] = column_log_norm(high, low, d, columns, np.uint64(c), exponents[c])
                log_values[c, k] = column_log_norm(units, none, d, columns, np.uint64(c), exponents[c])
                log_values[c, k] += math.log(forward * root_d)
        product(paths_v[k], _ZERO, d, _ONE, d, units, columns, image)
        add_image(
            high, low, difference, image, steps, frames, scales, forward, d, columns, networks, peaks,
            before, exponents, start_exponents, finite, lowest,
        )  # fmt: skip
        if trajectories:
            for c in range(networks):
                norm = column_log_norm(high, low, d, columns, np.uint64(c), exponents[c])
                hidden[c, k + 1] = norm - log_start[c]
    for c in range(networks):
        column = np.uint64(c)
        distance = column_log_distance(
            starts, high, low, difference, none, d, columns, column, exponents[c], start_exponents[c],
            math.log(scales[c]), log_start[c],
        )  # fmt: skip
        rows[c, 0] = column_log_norm(high, low, d, columns, column, exponents[c]) - log_start[c]
        rows[c, 1] = distance - log_start[c]
        for j in range(last_hidden.shape[1]):
            place = np.uint64(j) * columns + column
            last_hidden[c, j] = np.float64(high[place]) + np.float64(low[place])

    if gradients:
        ends_log = np.zeros(columns, np.float64)
        backward = inner / root_d
        start_columns(ends, high, low, difference, d, columns, exponents, start_exponents, finite, UNBOUNDED)
        set_frames(steps, frames, scales, backward, exponents, start_exponents)
        for c in range(networks):
            ends_log[c] = column_log_norm(high, low, d, columns, np.uint64(c), exponents[c])
            if trajectories:
                gradient[c, depth] = 0.0
        for k in range(depth - 1, -1, -1):
            product(paths_v[k], _ZERO, _ONE, d, d, high, columns, units)
            if piecewise:
                bend_back(units, active_tape[k], n, below)
            else:
                multiply(units, slope_tape[k], n)
            if weight_gradients:
                for c in range(networks):
                    column = np.uint64(c)
                    log_alpha = math.log(scales[c]) - log_start[c] - ends_log[c]
                    log_p = column_log_norm(high, low, d, columns, column, exponents[c])
                    log_q = column_log_norm(units, none, d, columns, column, exponents[c])
                    weight_v[c, k] = log_alpha + log_p + log_values[c, k]
                    weight_w[c, k] = log_alpha + log_q - math.log(root_d) + log_states[c, k]
            if block == RES1:
                image[:] = units
            else:
                product(paths_w[k], _ZERO, _ONE, d, d, units, columns, image)
            add_image(
                high, low, difference, image, steps, frames, scales, backward, d, columns, networks, peaks,
                before, exponents, start_exponents, finite, UNBOUNDED,
            )  # fmt: skip
            if trajectories:
                for c in range(networks):
                    norm = column_log_norm(high, low, d, columns, np.uint64(c), exponents[c])
                    gradient[c, k] = norm - ends_log[c]
        for c in range(networks):
            column = np.uint64(c)
            distance = column_log_distance(
                ends, high, low, difference, none, d, columns, column, exponents[c], start_exponents[c],
                math.log(scales[c]), ends_log[c],
            )  # fmt: skip
            rows[c, 2] = column_log_norm(high, low, d, columns, column, exponents[c]) - ends_log[c]
            rows[c, 3] = distance - ends_log[c]
            for j in range(first_gradient.shape[1]):
                place = np.uint64(j) * columns + column
                first_gradient[c, j] = np.float64(high[place]) + np.float64(low[place])
    for c in range(networks):
        if not finite[c]:
            rows[c, :] = np.nan
            hidden[c : c + 1] = np.nan
            gradient[c : c + 1] = np.nan
            weight_v[c : c + 1] = np.nan
            weight_w[c : c + 1] = np.nan
