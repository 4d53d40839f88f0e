"""Conventions of every kernel: exponents of states, functions as arguments, the input.

A state is ``2**exponent * mantissa``. Piecewise linear activations are homogeneous and never see the
exponent. The others are evaluated at exponents between ±`EVALUATION_LIMIT`; beyond, they are taken as
homogeneous, which is right to 2**-100 for activations that are asymptotically linear or bounded.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from montecarlo.common._jit import helper
from montecarlo.common._scalars import smaller
from montecarlo.streams import words
from montecarlo.streams._address import Address
from montecarlo.streams._keys import ROLE_INPUT
from montecarlo.streams._philox import philox

LARGEST = 2.0**40
"""A state whose norm or largest entry leaves the range from its inverse to this is rescaled.

Products of two values fit into float32, and Gram entries (fourth powers) into float64. Where states are
rescaled shows in the last bits of logarithms: another number is another ``STREAM_FORMAT``.
"""

EVALUATION_LIMIT = 100
"""Largest exponent, either way, at which an activation is evaluated."""

UNBOUNDED = -(2**62)
"""Lowest exponent of a state of a network that is homogeneous near zero."""

LOWEST_WITH_SCALE = -40
"""Lowest exponent otherwise: activations of order one must fit into float32 in this frame, squared."""

SCALAR_FUNCTION = types.FunctionType(types.float64(types.float64))
"""Type of an activation or a derivative as a kernel's argument."""

_INPUT = np.uint32(ROLE_INPUT << 28)
_ZERO = np.uint64(0)


@helper
def draw_input(k0, k1, low, high, out, n):
    """Fill ``out[:n]`` with the replica's input, uniform on (0, 1) with 24 bits."""
    draw_input_number(k0, k1, np.uint32(0), low, high, out, n)


def input_of(address: Address, size: int) -> npt.NDArray[np.float32]:
    """Return a replica's input as kernels draw it, with nothing compiled for it."""
    high = (ROLE_INPUT << 28, int(address.low), int(address.high))
    levels = words((address.k0, address.k1), -(-size // 4), high=high).T.ravel()[:size] >> np.uint32(8)
    return (levels.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-24)


@helper
def draw_input_number(k0, k1, number, low, high, out, n):
    """Fill ``out[:n]`` with one of several inputs of a replica; number 0 is *its* input."""
    scale = np.float32(2.0**-24)
    for first in range(_ZERO, n, np.uint64(4)):
        drawn = philox(np.uint32(first // np.uint64(4)), np.uint32(number | _INPUT), low, high, k0, k1)
        for i in range(_ZERO, smaller(np.uint64(4), n - np.uint64(first))):
            level = np.float32(np.int32(drawn[i] >> np.uint32(8))) + np.float32(0.5)
            out[np.uint64(first) + i] = level * scale
