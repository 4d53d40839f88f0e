"""The kernel of the dense engine: Jacobians of networks with the explicit matrices of `montecarlo.weights`.

The state is float64 with a power of two in front, as in the dense engine (`montecarlo.kernels._state`):
piecewise linear activations never see it, others are evaluated between 2**-100 and 2**100.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.common._jit import LANES, allocating_helper, helper, kernel
from montecarlo.kernels._records import CONSTANTS, DRAW, Constants, Sigma, address_of, alpha_of
from montecarlo.kernels._state import EVALUATION_LIMIT, LARGEST, SCALAR_FUNCTION, UNBOUNDED, draw_input
from montecarlo.laws._interface import SIGNATURE as LAW_KERNEL
from montecarlo.laws._products import SCRATCH
from montecarlo.samples.jacobians._product import ROWS, absorb, build_product, record, start_product
from montecarlo.streams._keys import ROLE_BIAS, ROLE_EMBEDDING, ROLE_V, ROLE_W

_V = np.uint32(ROLE_V << 28)
_W = np.uint32(ROLE_W << 28)
_BIAS = np.uint32(ROLE_BIAS << 28)
_EMBEDDING = np.uint32(ROLE_EMBEDDING << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)
_LAW = types.FunctionType(LAW_KERNEL)


class Network(NamedTuple):
    """A specification, and the functions of its law and its activation."""

    combine: Any
    sigma: Sigma
    constants: Constants
    behind: Any
    """Whether the block has a matrix W."""


class Work(NamedTuple):
    """Room for one layer."""

    hidden: Any
    values: Any
    slopes: Any
    v: Any
    """V's columns, a row a unit, and W's rows."""
    w: Any
    bias: Any
    input: Any
    image: Any
    unit: Any
    first: Any
    scratch: Any


@allocating_helper
def build_work(constants):
    """Return room for one layer of a network."""
    d, units = constants.width, constants.hidden_width
    longest = max(d, units, constants.input_dim)
    room = (longest + LANES - 1) // LANES * LANES
    first = np.zeros(LANES, np.float32)
    first[0] = np.float32(1.0)
    return Work(
        np.zeros(d), np.zeros(units), np.zeros(units), np.zeros((units, d)), np.zeros((units, d)),
        np.zeros(units), np.zeros(room, np.float32), np.zeros(room, np.float32),
        np.zeros(LANES, np.uint32), first, np.zeros(SCRATCH, np.float32),
    )  # fmt: skip


@helper
def draw_row(network, address, layer_role, unit, length, work):
    """Leave the entries of a unit in ``work.image[:length]``, of variance one."""
    for lane in range(_ZERO, _LANES):
        work.unit[lane] = np.uint32(unit)
    steps = (length + _LANES - _ONE) // _LANES
    network.combine(address, layer_role, work.unit, _ONE, work.first, steps, work.scratch, work.image)


@helper
def begin(network, address, work):
    """Set h_0 = A x."""
    constants = network.constants
    d, n = np.uint64(constants.width), np.uint64(constants.input_dim)
    draw_input(address.k0, address.k1, address.low, address.high, work.input, n)
    scale = constants.input_scale / math.sqrt(np.float64(n))
    for i in range(_ZERO, d):
        draw_row(network, address, _EMBEDDING, i, n, work)
        total = 0.0
        for j in range(_ZERO, n):
            total += np.float64(work.image[j]) * np.float64(work.input[j])
        work.hidden[i] = scale * total


@helper
def settle(network, work, exponent, lowest):
    """Keep the largest entry of the state between 2**-40 and 2**40; return whether that is finite.

    The exponent does not fall below `lowest`: networks with a bias or σ(0) ≠ 0 have a scale near zero.
    """
    d = np.uint64(network.constants.width)
    peak = 0.0
    for i in range(_ZERO, d):
        if not abs(work.hidden[i]) < np.inf:
            return False
        peak = max(peak, abs(work.hidden[i]))
    if peak == 0.0 or 1.0 / LARGEST < peak < LARGEST:
        return True
    places = max(np.int64(math.frexp(peak)[1]), lowest - exponent[0])
    for i in range(_ZERO, d):
        work.hidden[i] = math.ldexp(work.hidden[i], int(-places))
    exponent[0] += places
    return True


@helper
def activate(network, address, k, exponent, work):
    """Evaluate σ and σ' at the units, behind W and the bias where there are any."""
    constants, sigma = network.constants, network.sigma
    d, units = np.uint64(constants.width), np.uint64(constants.hidden_width)
    below = sigma.negative_slope
    biased = constants.bias_std > 0.0
    bounded = min(max(exponent, np.int64(-EVALUATION_LIMIT)), np.int64(EVALUATION_LIMIT))
    up, down = math.ldexp(1.0, int(bounded)), math.ldexp(1.0, int(-bounded))
    if biased:
        draw_row(network, address, np.uint32(np.uint32(k) | _BIAS), _ZERO, units, work)
        for m in range(_ZERO, units):
            work.bias[m] = constants.bias_std * np.float64(work.image[m])
    scale = 1.0 / math.sqrt(np.float64(d))
    for m in range(_ZERO, units):
        z = work.hidden[m % d]
        if network.behind:
            draw_row(network, address, np.uint32(np.uint32(k) | _W), m, d, work)
            z = 0.0
            for i in range(_ZERO, d):
                work.w[m, i] = scale * np.float64(work.image[i])
                z += work.w[m, i] * work.hidden[i]
        if math.isnan(below):
            x = z * up + work.bias[m]
            work.values[m] = down * sigma.value(x)
            work.slopes[m] = sigma.slope(x)
        else:
            x = z * up + work.bias[m] if biased else z
            work.slopes[m] = 1.0 if x > 0.0 else below
            work.values[m] = work.slopes[m] * (down * x if biased else x)


@helper
def advance(network, address, k, product, work):
    """Set the product's factor to this layer's Jacobian times Q, and go to the next state."""
    constants = network.constants
    d, units = np.uint64(constants.width), np.uint64(constants.hidden_width)
    alpha = alpha_of(constants, k)
    scale = alpha / math.sqrt(np.float64(units))
    basis, factor = product.basis, product.factor
    for j in range(_ZERO, d):
        work.hidden[j] *= constants.skip
        for i in range(_ZERO, d):
            factor[j, i] = constants.skip * basis[j, i]
    for m in range(_ZERO, units):
        slope, value = work.slopes[m], work.values[m]
        if slope == 0.0 and value == 0.0:
            continue
        draw_row(network, address, np.uint32(np.uint32(k) | _V), m, d, work)
        for i in range(_ZERO, d):
            work.v[m, i] = scale * np.float64(work.image[i])
            work.hidden[i] += value * work.v[m, i]
        for j in range(_ZERO, d):
            entry = basis[j, m % d]
            if network.behind:
                entry = 0.0
                for i in range(_ZERO, d):
                    entry += work.w[m, i] * basis[j, i]
            entry *= slope
            for i in range(_ZERO, d):
                factor[j, i] += entry * work.v[m, i]


@kernel(signature=types.void(_LAW, SCALAR_FUNCTION, SCALAR_FUNCTION, CONSTANTS, DRAW, types.boolean, ROWS))
def run_explicit(combine, value, slope, constants, draw, behind, rows):
    """Sample the Jacobians of a block of networks; those that leave the finite numbers are NaN."""
    d = np.uint64(constants.width)
    network = Network(combine, Sigma(value, slope, constants.negative_slope), constants, behind)
    product, work = build_product(d), build_work(constants)
    exponent = np.zeros(1, np.int64)
    free = constants.bias_std == 0.0 and (not math.isnan(constants.negative_slope) or value(0.0) == 0.0)
    lowest = np.int64(UNBOUNDED if free else 0)
    turn = -1.0 if constants.width % 2 == 1 else 1.0  # det Q, of as many reflections as there are columns
    complete = rows.log_singular.shape[1] > 0
    for row in range(rows.sign.shape[0]):
        address = address_of(draw, row)
        start_product(product, d)
        begin(network, address, work)
        exponent[0] = 0
        sign = turn if settle(network, work, exponent, lowest) else np.nan
        for k in range(constants.depth):
            activate(network, address, k, exponent[0], work)
            advance(network, address, k, product, work)
            sign *= turn * absorb(product, d, True, complete)
            if math.isnan(sign) or not settle(network, work, exponent, lowest):
                sign = np.nan
                break
        record(product, sign, d, rows, row)
