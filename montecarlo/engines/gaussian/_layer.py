"""One layer of the Gaussian engine for sixteen networks in lanes, forward and backward.

Forward. For V with independent N(0, 1/d) entries and a vector s that does not depend on V, ``V s`` has the
law of ``‖s‖ ξ / √d``: the image is drawn, the matrix never. The same holds for ``W h``.

Backward. Given ``V s = u``, the transposed product is ``Vᵀ p = s (u·p)/‖s‖² + P ξ ‖p‖/√d`` with a fresh ξ and
P the projection onto the complement of s; likewise ``Wᵀ q`` given ``W h = y``. Conditioned on the forward
pass the layers are independent, so going through them in turn samples the gradients jointly with the hidden
states.

All of this is free of scale. With z the normals of an image, ``u = ‖s‖ z/√d``, and the formulas used below
are

    √d Vᵀ p = ‖p‖ (ξ + s κ),   κ = (z·p)/(‖p‖ ‖s‖) - (s·ξ)/‖s‖²,
    √d Wᵀ q = ‖q‖ (ξ' + h λ),   λ = (z'·q)/(‖q‖ ‖h‖) - (h·ξ')/‖h‖².

Tapes are flat: the tables of layer k start at element ``tape`` (``kept`` for values and slopes, ``lanes`` for
numbers a lane), because slicing an array inside the loop would cost as much as a tenth of the layer.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import allocating_helper, helper, inline
from montecarlo.kernels._lanes import (
    NETWORKS,
    advance,
    bent_dot,
    bent_masked,
    bent_squares,
    dot,
    fill_normals,
    masked,
)
from montecarlo.kernels._state import EVALUATION_LIMIT, RES1, UNBOUNDED
from montecarlo.streams._keys import (
    ROLE_IMAGE_BIAS,
    ROLE_IMAGE_V,
    ROLE_IMAGE_W,
    ROLE_TRANSPOSE_V,
    ROLE_TRANSPOSE_W,
)

_V = np.uint32(ROLE_IMAGE_V << 28)
_W = np.uint32(ROLE_IMAGE_W << 28)
_BIAS = np.uint32(ROLE_IMAGE_BIAS << 28)
_TRANSPOSE_V = np.uint32(ROLE_TRANSPOSE_V << 28)
_TRANSPOSE_W = np.uint32(ROLE_TRANSPOSE_W << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)
_LARGE = 2.0**80  # squares of norms; float32 products of two values must not overflow
_SMALL = 2.0**-80


@helper
def frames(exponents, starts, out):
    """Store, a lane, the factor that turns an increment of the state into one of the difference."""
    for lane in range(_ZERO, _SIXTEEN):
        below = min(exponents[lane] - starts[lane], 0)
        out[lane] = math.ldexp(1.0, int(max(below, -2000)))


@helper
def rescale(state, difference, rows, squares, exponents, starts, frame, alive, lowest):
    """Keep squared norms between 2**-80 and 2**80, lane by lane; mark lanes that are not finite as dead.

    Exponents do not fall below `lowest`, as in the dense engine.
    """
    inside = 0
    for lane in range(_ZERO, _SIXTEEN):
        # No short circuit: it would be a branch, and keep the loop from being vectorised.
        inside += np.int64((squares[lane] > _SMALL) & (squares[lane] < _LARGE))
    if inside == NETWORKS:
        return
    for lane in range(_ZERO, _SIXTEEN):
        square = squares[lane]
        if _SMALL < square < _LARGE:
            continue
        if not square < np.inf:
            # The squares may overflow where the state does not.
            square = 0.0
            for j in range(_ZERO, rows):
                square = max(square, abs(state[j * _SIXTEEN + lane]))
                if not abs(state[j * _SIXTEEN + lane]) < np.inf:
                    alive[lane] = False
            if not alive[lane]:
                for j in range(_ZERO, rows):
                    state[j * _SIXTEEN + lane] = 0.0
                    difference[j * _SIXTEEN + lane] = 0.0
                squares[lane] = 0.0
                continue
            shift = math.frexp(square)[1]
        else:
            peak = 0.0
            for j in range(_ZERO, rows):
                peak = max(peak, abs(state[j * _SIXTEEN + lane]))
            if peak == 0.0:
                continue
            shift = math.frexp(peak)[1]
        shift = max(shift, lowest - exponents[lane])
        if shift == 0:
            continue
        old_frame = max(exponents[lane], starts[lane])
        exponents[lane] += shift
        new_frame = max(exponents[lane], starts[lane])
        total = 0.0
        for j in range(_ZERO, rows):
            i = j * _SIXTEEN + lane
            state[i] = math.ldexp(state[i], int(-shift))
            difference[i] = math.ldexp(difference[i], int(old_frame - new_frame))
            total += state[i] * state[i]
        squares[lane] = total
    frames(exponents, starts, frame)


@helper
def log_norm_of_lane(state, rows, lane, exponent):
    """Return the natural log of the norm of one lane, -inf for zero."""
    peak = 0.0
    for j in range(_ZERO, rows):
        peak = max(peak, abs(state[j * _SIXTEEN + lane]))
    if peak == 0.0:
        return -np.inf
    total = 0.0
    for j in range(_ZERO, rows):
        scaled = state[j * _SIXTEEN + lane] / peak
        total += scaled * scaled
    return math.log(peak) + 0.5 * math.log(total) + exponent * _LN2


@helper
def half_log(square):
    """Return half the natural log of a square, -inf for zero."""
    return 0.5 * math.log(square) if square > 0.0 else -np.inf


@helper
def rescue_cancellation(state, before, squares):
    """At width 1, keep 2**-25 of a state that cancelled to zero for lack of digits of its float32 normals."""
    for lane in range(_ZERO, _SIXTEEN):
        if state[lane] == 0.0:
            state[lane] = before[lane] * 2.0**-25
            squares[lane] = state[lane] * state[lane]


@helper
def keep_direction(state, squares, n, lowest, hidden, tape, hidden_squares, lanes):
    """Tape h in float32 with its squared norm; where mantissas may be tiny, ``h/‖h‖`` instead."""
    if lowest == UNBOUNDED:
        for i in range(_ZERO, n):
            hidden[tape + i] = np.float32(state[i])
        for lane in range(_ZERO, _SIXTEEN):
            hidden_squares[lanes + lane] = squares[lane]
        return
    for lane in range(_ZERO, _SIXTEEN):
        some = squares[lane] > 0.0
        scale = 1.0 / math.sqrt(squares[lane]) if some else 0.0
        hidden_squares[lanes + lane] = 1.0 if some else 0.0
        for i in range(lane, n, _SIXTEEN):
            hidden[tape + i] = np.float32(scale * state[i])


@helper
def activate(
    value, slope, negative_slope, block, bias_std, k0, k1, layer, low, high, rows, groups, state, squares,
    exponents, root_d, image, tape, bias, values, slopes, kept,
):  # fmt: skip
    """Evaluate g and g' for every lane, in the frame of the lane's exponent.

    Piecewise linear activations of an image are free of scale and left to those who read the image (the bent
    image is ``√d g / ‖h‖``); return whether that is the case.
    """
    piecewise = not math.isnan(negative_slope)
    if block != RES1:
        fill_normals(k0, k1, np.uint32(layer | _W), low, high, groups, image, tape)
        if piecewise and bias_std == 0.0:
            return True
        if bias_std > 0.0:
            fill_normals(k0, k1, np.uint32(layer | _BIAS), low, high, groups, bias, _ZERO)
    for lane in range(_ZERO, _SIXTEEN):
        bounded = min(max(exponents[lane], -EVALUATION_LIMIT), EVALUATION_LIMIT)
        up = math.ldexp(1.0, int(bounded))
        down = math.ldexp(1.0, int(-bounded))
        scale = math.sqrt(squares[lane]) / root_d
        for j in range(_ZERO, rows):
            i = j * _SIXTEEN + lane
            x = up * (state[i] if block == RES1 else scale * np.float64(image[tape + i]))
            if bias_std > 0.0:
                x += bias_std * np.float64(bias[i])
            if piecewise:
                t = 1.0 if x > 0.0 else negative_slope
                s = t * x
            else:
                t = slope(x)
                s = value(x)
            values[kept + i] = np.float32(s * down)
            slopes[kept + i] = np.float32(t)
    return False


@inline
def forward_layer(
    value, slope, negative_slope, block, bias_std, k0, k1, layer, low, high, rows, groups, alpha, root_d,
    state, difference, squares, exponents, starts, frame, alive, image, tape, bias, values, slopes, kept,
    push, value_squares, lanes, coefficient, before, zeros, lowest,
):  # fmt: skip
    """Advance all lanes by one layer.

    Leaves the normals of the two images in `image` and `push`, ``g`` in `values`, ``g'`` in `slopes` (unless
    these follow from the image, see `activate`) and, a lane each, the squared norm of g in `value_squares`.
    """
    free = activate(
        value, slope, negative_slope, block, bias_std, k0, k1, layer, low, high, rows, groups, state,
        squares, exponents, root_d, image, tape, bias, values, slopes, kept,
    )  # fmt: skip
    if free:
        bent_squares(image, tape, np.float32(negative_slope), rows, value_squares, lanes)
    else:
        dot(values, kept, values, kept, rows, value_squares, lanes)
    fill_normals(k0, k1, np.uint32(layer | _V), low, high, groups, push, tape)
    scale = alpha / root_d
    if free:
        scale /= root_d
        for lane in range(_ZERO, _SIXTEEN):
            coefficient[lane] = scale * math.sqrt(value_squares[lanes + lane] * squares[lane])
    else:
        for lane in range(_ZERO, _SIXTEEN):
            coefficient[lane] = scale * math.sqrt(value_squares[lanes + lane])
    if rows == _ONE:
        for lane in range(_ZERO, _SIXTEEN):
            before[lane] = state[lane]
    advance(state, _ZERO, difference, _ZERO, push, tape, push, tape, coefficient, zeros, frame, rows, squares)
    if rows == _ONE:
        rescue_cancellation(state, before, squares)
    rescale(state, difference, rows, squares, exponents, starts, frame, alive, lowest)


@inline
def backward_layer(
    free, negative_slope, block, k0, k1, layer, low, high, rows, groups, alpha, root_d, state, difference,
    squares, exponents, starts, frame, alive, image, tape, values, slopes, kept, push, value_squares, lanes,
    hidden, hidden_squares, fresh, products, product_squares, coefficient, other, scratch, before, zeros,
):  # fmt: skip
    """Pull the gradient of all lanes back through one layer; leave ``√d q / ‖p‖`` in `products`."""
    fill_normals(k0, k1, np.uint32(layer | _TRANSPOSE_V), low, high, groups, fresh, _ZERO)
    dot(push, tape, state, _ZERO, rows, coefficient, _ZERO)
    below = np.float32(negative_slope)
    if free:
        bent_dot(image, tape, below, fresh, _ZERO, rows, other, _ZERO)
    else:
        dot(values, kept, fresh, _ZERO, rows, other, _ZERO)
    for lane in range(_ZERO, _SIXTEEN):
        product = squares[lane] * value_squares[lanes + lane]
        # Without active units, or for a gradient of zero, there is nothing to condition on.
        kappa = coefficient[lane] / math.sqrt(product) - other[lane] / value_squares[lanes + lane]
        scratch[lane] = kappa if product > 0.0 else 0.0
    if free:
        bent_masked(image, tape, below, fresh, _ZERO, scratch, rows, products, _ZERO, product_squares)
    else:
        masked(slopes, kept, fresh, _ZERO, values, kept, scratch, rows, products, _ZERO, product_squares)
    if rows == _ONE:
        for lane in range(_ZERO, _SIXTEEN):
            before[lane] = state[lane]
    if block == RES1:
        for lane in range(_ZERO, _SIXTEEN):
            coefficient[lane] = alpha * math.sqrt(squares[lane]) / root_d
        advance(
            state, _ZERO, difference, _ZERO, products, _ZERO, products, _ZERO, coefficient, zeros, frame,
            rows, squares,
        )  # fmt: skip
    else:
        fill_normals(k0, k1, np.uint32(layer | _TRANSPOSE_W), low, high, groups, fresh, _ZERO)
        dot(image, tape, products, _ZERO, rows, coefficient, _ZERO)
        dot(hidden, tape, fresh, _ZERO, rows, other, _ZERO)
        step = alpha / (root_d * root_d)
        for lane in range(_ZERO, _SIXTEEN):
            q_norm = math.sqrt(product_squares[lane])
            h_square = hidden_squares[lanes + lane]
            scale = step * math.sqrt(squares[lane])
            along = coefficient[lane] / math.sqrt(h_square) - other[lane] * q_norm / h_square
            coefficient[lane] = scale * q_norm
            other[lane] = scale * along if h_square > 0.0 else 0.0
        advance(
            state,
            _ZERO,
            difference,
            _ZERO,
            fresh,
            _ZERO,
            hidden,
            tape,
            coefficient,
            other,
            frame,
            rows,
            squares,
        )
    if rows == _ONE:
        rescue_cancellation(state, before, squares)
    rescale(state, difference, rows, squares, exponents, starts, frame, alive, UNBOUNDED)


@allocating_helper
def refill_tape(
    value, slope, negative_slope, block, bias_std, k0, k1, first, last, low, high, rows, groups, alpha,
    root_d, checkpoint, checkpoint_exponents, free, image, bias, values, slopes, push, value_squares,
    hidden, hidden_squares, zeros, lowest,
):  # fmt: skip
    """Run the layers ``first ... last - 1`` forward from a checkpoint, for their tape."""
    n = rows * _SIXTEEN
    size = groups * _FOUR * _SIXTEEN
    state = checkpoint.copy()
    difference = np.zeros_like(state)
    exponents = checkpoint_exponents.copy()
    starts = checkpoint_exponents.copy()
    squares = np.zeros(NETWORKS, np.float64)
    coefficient = np.zeros(NETWORKS, np.float64)
    before = np.zeros(NETWORKS, np.float64)
    frame = np.ones(NETWORKS, np.float64)
    alive = np.ones(NETWORKS, np.bool_)
    dot(state, _ZERO, state, _ZERO, rows, squares, _ZERO)
    for k in range(first, last):
        tape = np.uint64(k - first) * size
        kept = _ZERO if free else tape
        lanes = np.uint64(k - first) * _SIXTEEN
        if block != RES1:
            keep_direction(state, squares, n, lowest, hidden, tape, hidden_squares, lanes)
        forward_layer(
            value, slope, negative_slope, block, bias_std, k0, k1, np.uint32(k), low, high, rows, groups,
            alpha, root_d, state, difference, squares, exponents, starts, frame, alive, image, tape, bias,
            values, slopes, kept, push, value_squares, lanes, coefficient, before, zeros, lowest,
        )  # fmt: skip
