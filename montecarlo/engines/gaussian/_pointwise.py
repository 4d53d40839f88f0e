"""What the Gaussian engine does unit by unit, and how a transposed product gets its condition.

A normal image is left unbent where its activation is piecewise linear: who reads it bends it on the way.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import apart, inline
from montecarlo.common._scalars import larger, ldexp, smaller
from montecarlo.engines.gaussian._records import (
    BENT,
    PAIR,
    RAW,
    TABLE,
    Vector,
    divided,
    squares_of,
    table_of,
)
from montecarlo.kernels._lanes import NETWORKS, bent_masked, masked
from montecarlo.kernels._signs import fill_signs
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.kernels._tilts import tilt
from montecarlo.streams._blocks import Table

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)
_NONE = np.int64(0)
_SIGMA = 0.0


@inline
def nothing_waits(work):
    """Forget the lengths that waited."""
    for lane in range(_ZERO, _SIXTEEN):
        work.lengths[lane] = 1.0


@inline
def activation(network, vector, state, tape, work, slot):
    """Bend the image where it is read, or leave σ' and σ in two tables.

    A bent image is ``√d g / ‖h‖``: a piecewise linear σ is homogeneous.
    """
    if network.bends:
        return Vector(BENT, vector.slot, vector.rows, vector.by_w, vector.by_v, vector.own, False, False)
    if not math.isnan(network.sigma.negative_slope) and not vector.biased:
        slopes, values = table_of(network, tape, slot), table_of(network, tape, slot + _ONE)
        if vector.form == RAW:
            bend(network, Table(state.mantissas, _ZERO), vector.rows, slopes, values)
        else:
            bend(network, table_of(network, tape, vector.slot), vector.rows, slopes, values)
        return Vector(TABLE, slot + _ONE, vector.rows, vector.by_w, vector.by_v, vector.own, False, False)
    return evaluated(network, vector, state, tape, work, slot, _SIGMA)


@inline
def signed_activation(rest, network, batch, k, vector, state, tape, work, slot):
    """Leave ``s σ'(s x)`` and σ(s x) in two tables, with fresh signs s, for a piecewise linear σ."""
    if rest is None:
        return vector
    address = batch.address
    for lane in range(_ZERO, _SIXTEEN):
        low = np.uint32(address.low + np.uint32(lane))
        fill_signs(
            address.k0, address.k1, np.uint32(k), low, address.high, vector.rows, _SIXTEEN, lane, work.bias
        )
    slopes, values = table_of(network, tape, slot), table_of(network, tape, slot + _ONE)
    if vector.form == RAW:
        bend_signed(network, Table(state.mantissas, _ZERO), vector.rows, work.bias, slopes, values)
    else:
        bend_signed(network, table_of(network, tape, vector.slot), vector.rows, work.bias, slopes, values)
    return Vector(TABLE, slot + _ONE, vector.rows, vector.by_w, vector.by_v, vector.own, False, False)


@apart
def bend_signed(network, x, rows, signs, slopes, values):
    """Store the derivative and the value of σ(s x): factors do not matter."""
    below = network.sigma.negative_slope
    for i in range(_ZERO, rows * _SIXTEEN):
        sign = np.float64(signs[i])
        entry = sign * x.array[x.start + i]
        t = 1.0 if entry > 0.0 else below
        slopes.array[slopes.start + i] = np.float32(t * sign)
        values.array[values.start + i] = np.float32(t * entry)


@inline
def evaluated(network, vector, state, tape, work, slot, gamma):
    """Leave σ' and σ in two tables, or for γ > 0 those of ``tanh(γ x)``."""
    evaluate(network, vector, state, tape, work, slot, gamma)
    nothing_waits(work)
    return Vector(TABLE, slot + _ONE, vector.rows, _NONE, _NONE, vector.own, False, False)


@apart
def bend(network, x, rows, slopes, values):
    """Store σ' and σ of a table, for a piecewise linear σ: factors do not matter."""
    below = network.sigma.negative_slope
    for i in range(_ZERO, rows * _SIXTEEN):
        entry = x.array[x.start + i]
        t = 1.0 if entry > 0.0 else below
        slopes.array[slopes.start + i] = np.float32(t)
        values.array[values.start + i] = np.float32(t * entry)


@apart
def evaluate(network, vector, state, tape, work, slot, gamma):
    """Store σ' and σ of a vector plus the bias in two slots, in the frame of the vector.

    Without a way back σ' is not asked for where it costs as much as σ.
    """
    tables, mantissas, bias, sigma = tape.tables, state.mantissas, work.bias, network.sigma
    slopes, values = slot * network.size, (slot + _ONE) * network.size
    z, rows, raw, biased = vector.slot * network.size, vector.rows, vector.form == RAW, vector.biased
    bias_std, below = network.constants.bias_std, sigma.negative_slope
    value, slope, piecewise = sigma.value, sigma.slope, not math.isnan(below)
    for lane in range(_ZERO, _SIXTEEN):
        bounded = smaller(larger(state.exponents[lane], -EVALUATION_LIMIT), EVALUATION_LIMIT)
        if vector.own:
            bounded = 0
        up = ldexp(1.0, bounded)
        down = ldexp(1.0, -bounded)
        scale = divided(network, vector, math.sqrt(work.lengths[lane]))
        for j in range(_ZERO, rows):
            i = j * _SIXTEEN + lane
            x = up * (scale * (mantissas[i] if raw else np.float64(tables[z + i])))
            if biased:
                x += bias_std * np.float64(bias[i])
            if gamma > 0.0:
                s = math.tanh(gamma * x)
                t = gamma * (1.0 - s * s)
            elif piecewise:
                t = 1.0 if x > 0.0 else below
                s = t * x
            else:
                s = value(x)
                t = slope(x) if tape.keeps else 0.0
            tables[values + i] = np.float32(s * down)
            tables[slopes + i] = np.float32(t)


@inline
def activation_back(network, vector, state, tape, work, slot):
    """Multiply by σ'."""
    if network.bends:
        return pull(network, vector, np.float32(network.sigma.negative_slope), tape, work)
    return sloped(network, vector, state, tape, work, slot)


@inline
def sloped(network, vector, state, tape, work, slot):
    """Multiply by the slopes in a slot."""
    slopes, products = table_of(network, tape, slot), Table(work.products, _ZERO)
    if vector.form == PAIR:
        condition(vector, tape, work)
        x, y = Table(work.fresh, _ZERO), table_of(network, tape, slot + _ONE)
    else:
        if vector.form == RAW:
            tilt(state.mantissas, work.zeros, state.mantissas, work.zeros, vector.rows, products, work.met)
        for lane in range(_ZERO, _SIXTEEN):
            work.second[lane] = 0.0
        x = y = products
    masked(slopes, x, y, work.second, vector.rows, work.products, work.met)
    return Vector(TABLE, vector.slot, vector.rows, vector.by_w, vector.by_v, False, False, False)


@inline
def pull(network, vector, below, tape, work):
    """Multiply a pair by the slopes at a bent image; with `below` = 1, where they are 1, just add it up."""
    condition(vector, tape, work)
    image, fresh = table_of(network, tape, vector.slot), Table(work.fresh, _ZERO)
    bent_masked(image, below, fresh, work.second, vector.rows, work.products, work.met)
    return Vector(TABLE, vector.slot, vector.rows, vector.by_w, vector.by_v, False, False, False)


@inline
def condition(vector, tape, work):
    """Store κ of a pair; the length of the gradient that the matrix met goes to those that wait."""
    squares = squares_of(tape, vector.slot + _ONE)
    for lane in range(_ZERO, _SIXTEEN):
        square = squares.array[squares.start + lane]
        product = work.met[lane] * square
        # Without active units, or for a gradient of zero, there is nothing to condition on.
        kappa = work.along[lane] / math.sqrt(product) - work.across[lane] / square
        work.second[lane] = kappa if product > 0.0 else 0.0
        work.lengths[lane] *= work.met[lane]
