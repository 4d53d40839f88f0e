"""Activations of the MLP and their derivatives in float32, and the exponential of the softmax in float64.

All is polynomials without branches, so that LLVM vectorises the loops around them. ``exp(r)`` is a weighted
minimax fit of degree 6 on |r| <= log(2)/2 (relative error 3e-9, below float32 rounding). GELU is
``x Φ(x) = x / (1 + exp(-x P(x²)))``: the logit of Φ is an odd function, of which P is a fit for |x| <= 5.75
with an absolute error of Φ below 5e-8; beyond that Φ is taken at 5.75, 4.5e-9 from its limit.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import fma, helper, inline
from montecarlo.engines.tokens._powers import two_to
from montecarlo.networks._transformer_words import GELU_TANH, IDENTITY, LEAKY_RELU, RELU, SILU, TANH

_F = np.float32
_ZERO = np.uint64(0)
_E2, _E3, _E4 = _F(0.4999999403953552), _F(0.1666652113199234), _F(0.04166838899254799)
_E5, _E6 = _F(0.00836874544620514), _F(0.0013814540579915047)
_LOG2E, _LN2_HIGH, _LN2_LOW = _F(1.4426950408889634), _F(0.693359375), _F(-2.12194440e-4)
_MAGIC = _F(12582912.0)  # 1.5 * 2**23: adding it rounds to a whole number, in the lowest bits
_P = tuple(
    _F(c) for c in (
        1.5957698822021484, 0.07266616821289062, -6.518995360238478e-05, -0.00011061238910770044,
        7.92948867456289e-06, -2.6452667611920333e-07, 3.512341306688427e-09,
    )
)  # fmt: skip
_P0, _P1, _P2, _P3, _P4, _P5, _P6 = _P
_EDGE = _F(5.75)
_DENSITY = _F(0.3989422804014327)
_A, _B = _F(1.5957691216057308), _F(0.07135481627159656)  # of gelu-tanh: 2√(2/π) and that times 0.044715
_ONE, _HALF, _TWO, _THREE = _F(1.0), _F(0.5), _F(2.0), _F(3.0)
_NOTHING = _F(0.0)
_LARGEST = _F(87.0)
_LEAK = _F(0.01)
_FAR = np.int64(50)  # log2 of numbers from which on σ is homogeneous to the last bit of float32
_FARTHEST = np.int64(100)  # log2 of numbers from which on σ is taken as ReLU, but for tanh
_SMALL = np.int64(-16)  # log2 of numbers below which tanh is the identity within 2**-33


@inline
def exponential(x):
    """Return exp(x) of a float32 between ±87, clipped beyond."""
    x = min(max(x, -_LARGEST), _LARGEST)
    shifted = fma(x, _LOG2E, _MAGIC)
    k = shifted - _MAGIC
    r = fma(k, -_LN2_LOW, fma(k, -_LN2_HIGH, x))
    q = fma(_E6, r, _E5)
    q = fma(q, r, _E4)
    q = fma(q, r, _E3)
    q = fma(q, r, _E2)
    value = fma(fma(q, r, _ONE), r, _ONE)
    bits = np.int32(np.float32(shifted).view(np.int32) << np.int32(23))
    return np.int32(np.float32(value).view(np.int32) + bits).view(np.float32)


@inline
def sigmoid(x):
    """Return ``1 / (1 + exp(-x))``."""
    return _ONE / (_ONE + exponential(-x))


@inline
def normal_cdf(x):
    """Return Φ(x)."""
    c = min(max(x, -_EDGE), _EDGE)
    t = c * c
    p = fma(_P6, t, _P5)
    p = fma(p, t, _P4)
    p = fma(p, t, _P3)
    p = fma(p, t, _P2)
    p = fma(p, t, _P1)
    return sigmoid(c * fma(p, t, _P0))


class Scale(NamedTuple):
    """The size of numbers."""

    power: Any
    """Of two, that they are held over."""
    size: Any
    """Of what is held."""


@inline
def power_behind(code, power):
    """Return the power of two that σ of numbers is held over, which these are held over `power`.

    Far from 0 all but tanh are 1-homogeneous on either side of it, and close to 0 all are.
    """
    return power if code != TANH or power < -_FAR else np.int64(0)


@helper
def activate(code, scale, x, first, count, slope, slope_first):
    """Replace numbers by σ of them; where `slope` has room, store σ' at them, too.

    Numbers and σ are held over powers of two: see `power_behind`.
    """
    if code <= LEAKY_RELU:
        _activate(code, x, first, count, slope, slope_first)
        return
    at = np.int64(math.frexp(scale.size)[1])
    behind = power_behind(code, scale.power)
    if code == TANH and at + scale.power < _SMALL:
        # Below, 2 / (1 + exp(-2 x)) - 1 has few digits.
        _scale(x, first, count, two_to(scale.power - behind))
        _activate(IDENTITY, x, first, count, slope, slope_first)
        return
    if code != TANH and at + scale.power > _FARTHEST:
        _activate(RELU, x, first, count, slope, slope_first)
        return
    seen = min(max(scale.power, -_FAR - at), _FAR - at)
    _scale(x, first, count, two_to(seen))
    _activate(code, x, first, count, slope, slope_first)
    _scale(x, first, count, two_to(-behind if code == TANH else -seen))


@helper
def _scale(x, first, count, factor):
    if factor != 1.0:
        for i in range(_ZERO, count):
            x[first + i] = np.float32(np.float64(x[first + i]) * factor)


@helper
def _activate(code, x, first, count, slope, slope_first):
    both = slope.size > 0
    if code == RELU:
        for i in range(_ZERO, count):
            y = x[first + i]
            if both:
                slope[slope_first + i] = _ONE if y > _NOTHING else _NOTHING
            x[first + i] = max(y, _NOTHING)
    elif code == LEAKY_RELU:
        for i in range(_ZERO, count):
            y = x[first + i]
            if both:
                slope[slope_first + i] = _ONE if y > _NOTHING else _LEAK
            x[first + i] = y if y > _NOTHING else _LEAK * y
    elif code == IDENTITY:
        if both:
            for i in range(_ZERO, count):
                slope[slope_first + i] = _ONE
    elif both:
        _smooth_with_slope(code, x, first, count, slope, slope_first)
    else:
        _smooth(code, x, first, count)


@helper
def _smooth(code, x, first, count):
    if code == TANH:
        for i in range(_ZERO, count):
            x[first + i] = _TWO * sigmoid(_TWO * x[first + i]) - _ONE
    elif code == SILU:
        for i in range(_ZERO, count):
            x[first + i] *= sigmoid(x[first + i])
    elif code == GELU_TANH:
        for i in range(_ZERO, count):
            y = x[first + i]
            x[first + i] = y * sigmoid(y * fma(_B, y * y, _A))
    else:
        for i in range(_ZERO, count):
            x[first + i] *= normal_cdf(x[first + i])


@helper
def _smooth_with_slope(code, x, first, count, slope, slope_first):
    if code == TANH:
        for i in range(_ZERO, count):
            y = _TWO * sigmoid(_TWO * x[first + i]) - _ONE
            slope[slope_first + i] = fma(-y, y, _ONE)
            x[first + i] = y
    elif code == SILU:
        for i in range(_ZERO, count):
            y = x[first + i]
            s = sigmoid(y)
            slope[slope_first + i] = s * fma(y, _ONE - s, _ONE)
            x[first + i] = y * s
    elif code == GELU_TANH:
        for i in range(_ZERO, count):
            y = x[first + i]
            s = sigmoid(y * fma(_B, y * y, _A))
            slope[slope_first + i] = s + y * s * (_ONE - s) * fma(_THREE * _B, y * y, _A)
            x[first + i] = y * s
    else:
        for i in range(_ZERO, count):
            y = x[first + i]
            s = normal_cdf(y)
            slope[slope_first + i] = s + _DENSITY * y * exponential(-_HALF * y * y)
            x[first + i] = y * s


_LOG2E_64 = 1.4426950408889634
_LN2_HIGH_64, _LN2_LOW_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_MAGIC_64 = 6755399441055744.0  # 1.5 * 2**52


@inline
def exponential_64(x):
    """Return exp(x) for x <= 0 in float64, exp(-700) below -700; Taylor's polynomial of degree 12."""
    x = max(x, -700.0)
    shifted = x * _LOG2E_64 + _MAGIC_64
    k = shifted - _MAGIC_64
    r = (x - k * _LN2_HIGH_64) - k * _LN2_LOW_64
    q = 1.0 / 479001600.0
    q = q * r + 1.0 / 39916800.0
    q = q * r + 1.0 / 3628800.0
    q = q * r + 1.0 / 362880.0
    q = q * r + 1.0 / 40320.0
    q = q * r + 1.0 / 5040.0
    q = q * r + 1.0 / 720.0
    q = q * r + 1.0 / 120.0
    q = q * r + 1.0 / 24.0
    q = q * r + 1.0 / 6.0
    q = q * r + 0.5
    value = (q * r + 1.0) * r + 1.0
    bits = np.int64(np.float64(shifted).view(np.int64) << np.int64(52))
    return np.int64(np.float64(value).view(np.int64) + bits).view(np.float64)
