"""Jacobians of independent Gaussian layers that do not know the state: the kernel of the gaussian engine.

Behind W, for σ linear on either side of 0 and no bias, ``V D W`` is a sum of ``s_m v_m w_mᵀ``, D's entry s_m
being a fair choice between the two slopes, independent of ``v_m w_mᵀ``: turning v_m and w_m round changes the
side of w_m · h alone. So the layers' Jacobians are independent and know of no state (J1). Turned by an
orthogonal matrix they keep their law: a product's singular values and its QR decomposition have the law of
those of the product of the layers' triangles (J2), and no basis is carried either.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import helper, kernel
from montecarlo.kernels._records import CONSTANTS, DRAW, address_of, alpha_of
from montecarlo.samples.jacobians._product import ROWS, absorb, build_product, record, start_product
from montecarlo.streams._keys import ROLE_RADIAL_WORDS, ROLE_V, ROLE_W
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_V = np.uint32(ROLE_V << 28)
_W = np.uint32(ROLE_W << 28)
_SIDES = np.uint32(ROLE_RADIAL_WORDS << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)


@helper
def fill_normals(address, layer_role, unit, groups, out):
    """Fill ``out[: 4 * groups]`` with the normals of a unit."""
    k0, k1, low, high = address
    first = np.uint32(np.uint32(unit) * np.uint32(groups))
    for g in range(_ZERO, groups):
        a0, a1, a2, a3 = philox(np.uint32(first + np.uint32(g)), layer_role, low, high, k0, k1)
        z0, z1 = box_muller(a0, a1)
        z2, z3 = box_muller(a2, a3)
        out[_FOUR * g] = z0
        out[_FOUR * g + _ONE] = z1
        out[_FOUR * g + np.uint64(2)] = z2
        out[_FOUR * g + np.uint64(3)] = z3


@helper
def skip_factor(product, skip, width):
    """Begin a factor with a multiple of the identity."""
    for j in range(_ZERO, width):
        for i in range(_ZERO, width):
            product.factor[j, i] = skip if i == j else 0.0


@helper
def draw_factor(address, constants, k, behind, product, v, w):
    """Draw a layer's Jacobian; `behind` says that a matrix W stands inside."""
    d, units = np.uint64(constants.width), np.uint64(constants.hidden_width)
    groups = (d + np.uint64(3)) // _FOUR
    alpha = alpha_of(constants, k)
    layer = np.uint32(k)
    skip_factor(product, constants.skip, d)
    factor = product.factor
    if not behind:
        scale = alpha / math.sqrt(np.float64(d))
        for j in range(_ZERO, d):
            fill_normals(address, np.uint32(layer | _V), j, groups, v)
            for i in range(_ZERO, d):
                factor[j, i] += scale * v[i]
        return
    scale = alpha / math.sqrt(np.float64(d) * np.float64(units))
    k0, k1, low, high = address
    word = np.uint32(0)
    for m in range(_ZERO, units):
        if m % np.uint64(32) == _ZERO:
            word = philox(np.uint32(m // np.uint64(32)), np.uint32(layer | _SIDES), low, high, k0, k1)[0]
        positive = np.uint32(np.uint32(word >> np.uint32(m % np.uint64(32))) & np.uint32(1)) != np.uint32(0)
        slope = scale if positive else scale * constants.negative_slope
        if slope == 0.0:
            continue
        fill_normals(address, np.uint32(layer | _V), m, groups, v)
        fill_normals(address, np.uint32(layer | _W), m, groups, w)
        for j in range(_ZERO, d):
            entry = slope * w[j]
            for i in range(_ZERO, d):
                factor[j, i] += entry * v[i]


@kernel(signature=types.void(CONSTANTS, DRAW, types.boolean, ROWS))
def run_layers(constants, draw, behind, rows):
    """Sample the Jacobians of a block of networks; those that leave the finite numbers are NaN."""
    d = np.uint64(constants.width)
    product = build_product(d)
    room = np.int64((constants.width + 3) // 4 * 4)
    v, w = np.empty(room), np.empty(room)
    complete = rows.log_singular.shape[1] > 0
    for row in range(rows.sign.shape[0]):
        address = address_of(draw, row)
        start_product(product, d)
        sign = 1.0
        for k in range(constants.depth):
            draw_factor(address, constants, k, behind, product, v, w)
            sign *= absorb(product, d, False, complete)
            if math.isnan(sign):
                break
        record(product, sign, d, rows, row)
