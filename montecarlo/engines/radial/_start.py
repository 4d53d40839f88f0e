"""Where walks with a norm begin: the length of h_0 = A x of sixteen networks."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.engines.radial._draws import exact_chi_square
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._state import draw_input
from montecarlo.streams._address import Address
from montecarlo.streams._keys import LAYER_LIMIT, ROLE_RADIAL_NORMALS
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

LAST_LAYER = np.uint32(LAYER_LIMIT - 1)
"""Deeper than any network."""

_NORMALS = np.uint32(ROLE_RADIAL_NORMALS << 28)
_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)


@helper
def draw_starts(first, constants, x, log_starts):
    """Store log ‖h_0‖ of sixteen networks, ‖h_0‖² = s² ‖x‖² χ²_d/n with the input x of each."""
    for lane in range(_ZERO, _SIXTEEN):
        address = Address(first.k0, first.k1, np.uint32(first.low + np.uint32(lane)), first.high)
        log_starts[lane] = log_start(address, constants, x)


@helper
def log_start(address, constants, x):
    """Return log ‖h_0‖ of a network, whose input is left in x."""
    n = np.uint64(x.size)
    draw_input(address.k0, address.k1, address.low, address.high, x, n)
    total = 0.0
    for j in range(_ZERO, n):
        total += np.float64(x[j]) * np.float64(x[j])
    square = _chi_square(address, constants.width)
    return math.log(constants.input_scale) + 0.5 * math.log(square * total / np.float64(n))


@helper
def _chi_square(address, degrees):
    w0, w1, w2, _ = philox(
        np.uint32(0), np.uint32(LAST_LAYER | _NORMALS), address.low, address.high, address.k0, address.k1
    )
    normal, _ = box_muller(w0, w1)
    z = np.float64(normal)
    if degrees < 2:
        return z * z
    shape = 0.5 * np.float64(degrees) - 1.0 / 3.0
    return exact_chi_square(address, np.uint32(0), LAST_LAYER, shape, 1.0 / math.sqrt(9.0 * shape), z, w2)
