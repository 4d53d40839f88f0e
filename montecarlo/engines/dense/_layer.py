"""One layer of the dense engine, forward and backward, and the arithmetic of its state.

Notation: ``h' = h + a V g(h)`` forward, ``p = p' + a (∂g)ᵀ Vᵀ p'`` backward. A state (h or p) is
held as float64 mantissas with a power of two in front, ``2**exponent * mantissa``; its distance from the
start is accumulated separately, so that neither a difference of 1e-18 nor a norm of 10^100000 loses digits.

Error analysis. Products of weights and states are float32 with a sum of d fused terms, relative error about
√d·6e-8 of the increment; states, differences and norms are float64. A relative error ε of the increments
moves the four log-ratios by about ε/√(Ld) at the critical scaling, since the errors of the layers are
independent: below 1e-6 for d ≤ 10⁴.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import LANES, helper
from montecarlo.kernels._state import EVALUATION_LIMIT, RES1, RES2
from montecarlo.streams._keys import ROLE_BIAS, ROLE_V, ROLE_W

_V = np.uint32(ROLE_V << 28)
_W = np.uint32(ROLE_W << 28)
_BIAS = np.uint32(ROLE_BIAS << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)
_ABS = np.uint32(0x7FFFFFFF)
_INFINITE = np.uint32(0x7F800000)
_LARGE = np.uint32((127 + 40) << 23)  # bits of 2**40
_SMALL = np.uint32((127 - 40) << 23)  # bits of 2**-40


@helper
def log_norm(state, d, exponent):
    """Return the natural log of ``‖2**exponent * state[:d]‖``; -inf for an exact zero."""
    largest = 0.0
    for j in range(_ZERO, d):
        largest = max(largest, abs(state[j]))
    if not largest > 0.0:
        return -np.inf if largest == 0.0 else np.nan
    total = 0.0
    for j in range(_ZERO, d):
        scaled = state[j] / largest
        total += scaled * scaled
    return math.log(largest) + 0.5 * math.log(total) + exponent * math.log(2.0)


@helper
def round_state(state, d, rounded):
    """Store float32 roundings of a state and return the largest magnitude as float32 bits."""
    for j in range(_ZERO, d):
        rounded[j] = np.float32(state[j])
    # Integer maximum: unlike a maximum of floats it vectorises, and it sees inf and nan.
    largest = np.uint32(0)
    for j in range(_ZERO, d):
        largest = max(largest, np.uint32(np.float32(rounded[j]).view(np.uint32) & _ABS))
    return largest


@helper
def rescale(state, difference, d, rounded, exponent, start_exponent, lowest):
    """Keep the largest mantissa between 2**-40 and 2**40; return (new exponent, is finite).

    The exponent does not fall below `lowest`: networks with a bias or σ(0) ≠ 0 have a scale of their own near
    zero, and a small state has small mantissas there.

    `difference` shares the frame ``max(exponent, start_exponent)``: a state that collapses leaves a
    difference of the size of its start.
    """
    largest = round_state(state, d, rounded)
    # A zero may be a mantissa below float32's range, after a violent layer: the float64 state decides then.
    if _SMALL < largest < _LARGE:
        return exponent, True
    peak = 0.0
    for j in range(_ZERO, d):
        if not abs(state[j]) < np.inf:
            return exponent, False
        peak = max(peak, abs(state[j]))
    if peak == 0.0:
        return exponent, True
    shift = max(math.frexp(peak)[1], lowest - exponent)
    if shift == 0:
        return exponent, True
    for j in range(_ZERO, d):
        state[j] = math.ldexp(state[j], -shift)
    frame = max(exponent, start_exponent)
    new_frame = max(exponent + shift, start_exponent)
    if new_frame != frame:
        for j in range(_ZERO, d):
            difference[j] = math.ldexp(difference[j], frame - new_frame)
    round_state(state, d, rounded)
    return exponent + shift, True


@helper
def add_increment(state, difference, d, increment, scale, exponent, start_exponent, vanishes):
    """Add ``scale * increment`` to the state and, in its own frame, to the difference.

    Where the weight law has no atoms (not `vanishes`), a state of one unit that cancels to exactly zero did
    so for lack of digits of its float32 increment: 2**-25 of it is left.
    """
    before = state[0]
    for j in range(_ZERO, d):
        state[j] += scale * np.float64(increment[j])
    if d == _ONE and state[0] == 0.0 and not vanishes:
        state[0] = before * 2.0**-25
    if exponent < start_exponent:
        scale = math.ldexp(scale, max(exponent - start_exponent, -2000))
    for j in range(_ZERO, d):
        difference[j] += scale * np.float64(increment[j])


@helper
def pad_units(units, values, n):
    """Pad a list of units to a multiple of eight with unit 0 at value 0."""
    padded = (n + _LANES - _ONE) // _LANES * _LANES
    for i in range(n, padded):
        units[i] = np.uint32(0)
        values[i] = np.float32(0.0)


@helper
def activate(z, bias, d, block, exponent, negative_slope, value, slope, bias_scale, units, values, slopes):
    """Evaluate g and g' at ``2**exponent * z``, keep the units where either is not zero; return their number.

    `values` are in the frame of the exponent. Piecewise linear activations (`negative_slope` finite) are
    homogeneous and need no exponent.
    """
    n = _ZERO
    biased = block == RES2 and bias_scale > 0.0
    if not math.isnan(negative_slope) and not biased:
        below = np.float32(negative_slope)
        for i in range(_ZERO, d):
            x = np.float32(z[i])
            positive = x > np.float32(0.0)
            t = np.float32(1.0) if positive else below
            # Branch-free compaction: a branch on a fair coin would cost more than the stores.
            units[n] = np.uint32(i)
            values[n] = t * x
            slopes[n] = t
            n += np.uint64(t != np.float32(0.0))
        return n
    bounded = min(max(exponent, -EVALUATION_LIMIT), EVALUATION_LIMIT)
    up = math.ldexp(1.0, bounded)
    down = math.ldexp(1.0, -bounded)
    for i in range(_ZERO, d):
        x = np.float64(z[i]) * up
        if biased:
            x += np.float64(bias[i]) * bias_scale
        if math.isnan(negative_slope):
            s = value(x)
            t = slope(x)
        else:
            t = 1.0 if x > 0.0 else negative_slope
            s = t * x
        units[n] = np.uint32(i)
        values[n] = np.float32(s * down)
        slopes[n] = np.float32(t)
        n += np.uint64(t != 0.0 or s != 0.0)
    return n


@helper
def forward_layer(
    project, combine, value, slope, negative_slope, block, bias_scale, d, steps, k0, k1, layer, low, high,
    all_units, exponent, state, rounded, image, bias, scratch, values, tape_units, tape_slopes, position,
    root_d,
):  # fmt: skip
    """Compute the image ``√d V g(h)`` into `image`; return the number of active units.

    Leaves the active units, their values ``g(h)`` and slopes ``g'`` (compacted) for the backward pass, units
    and slopes at their position on the tape. (Kernels would count references to these slices, helpers do
    not.)
    """
    units, slopes = tape_units[position], tape_slopes[position]
    if block == RES1:
        pre = rounded
    else:
        project(k0, k1, np.uint32(layer | _W), low, high, all_units, d, rounded, steps, scratch, image)
        scale = np.float32(1.0 / root_d)
        for i in range(_ZERO, d):
            image[i] *= scale
        pre = image
        if bias_scale > 0.0:
            values[0] = np.float32(1.0)
            units[0] = np.uint32(0)
            pad_units(units, values, _ONE)
            combine(k0, k1, np.uint32(layer | _BIAS), low, high, units, _ONE, values, steps, scratch, bias)
    n = activate(
        pre, bias, d, block, exponent, negative_slope, value, slope, bias_scale, units, values, slopes
    )
    pad_units(units, values, n)
    combine(k0, k1, np.uint32(layer | _V), low, high, units, n, values, steps, scratch, image)
    return n


@helper
def backward_layer(
    project, combine, block, d, steps, k0, k1, layer, low, high, rounded, image, scratch, tape_units,
    tape_slopes, position, n, products, root_d,
):  # fmt: skip
    """Compute ``√d (∂g)ᵀ Vᵀ p`` into `image` and ``g' * (Vᵀ p)`` into `products` (compacted)."""
    units, slopes = tape_units[position], tape_slopes[position]
    project(k0, k1, np.uint32(layer | _V), low, high, units, n, rounded, steps, scratch, products)
    if block == RES1:
        for j in range(_ZERO, d):
            image[j] = np.float32(0.0)
        for i in range(_ZERO, n):
            products[i] *= slopes[i]
            image[units[i]] = products[i]
    else:
        scale = np.float32(1.0 / root_d)
        for i in range(_ZERO, n):
            products[i] *= slopes[i] * scale
        for i in range(n, (n + _LANES - _ONE) // _LANES * _LANES):
            products[i] = np.float32(0.0)
        combine(k0, k1, np.uint32(layer | _W), low, high, units, n, products, steps, scratch, image)
