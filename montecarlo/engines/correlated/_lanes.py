"""Blocks of narrow networks: what `montecarlo.engines.correlated._start` draws for one, for many at a time.

A column is a network with weights of its own; eight of them share the lanes of a register. The numbers and
their bits are those of a network alone.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import LANES, kernel
from montecarlo.engines.correlated._start import Float32, Paths
from montecarlo.kernels._records import CONSTANTS, DRAW, Draw, address_of
from montecarlo.kernels._state import draw_input
from montecarlo.laws._interface import SIGNATURE as LAW_KERNEL
from montecarlo.laws._products import SCRATCH
from montecarlo.networks._specification import ResNet
from montecarlo.processes import LaneStream, sample_lane_paths
from montecarlo.streams._keys import ROLE_BIAS, ROLE_EMBEDDING, ROLE_READOUT, ROLE_V, ROLE_W

_EMBEDDING = np.uint32(ROLE_EMBEDDING << 28)
_READOUT = np.uint32(ROLE_READOUT << 28)
_BIAS = np.uint32(ROLE_BIAS << 28)
_ZERO = np.uint64(0)
_LANES = np.uint64(LANES)
_TABLE = types.float32[:, ::1]
_LAW = types.FunctionType(LAW_KERNEL)


@kernel(signature=types.void(_LAW, _LAW, CONSTANTS, DRAW, types.int64, _TABLE, _TABLE, _TABLE))
def _fill_starts(project, combine, constants, draw, networks, starts, ends, biases):
    """Write h_0, p_L and the standardised biases of networks, each into its column."""
    width, n = np.uint64(constants.width), np.uint64(constants.input_dim)
    steps = (n + _LANES - np.uint64(1)) // _LANES
    own_steps = (width + _LANES - np.uint64(1)) // _LANES
    units = np.zeros(own_steps * _LANES, np.uint32)
    for i in range(constants.width):
        units[i] = i
    x, image = np.zeros(steps * _LANES, np.float32), np.zeros(own_steps * _LANES, np.float32)
    one_unit, one = np.zeros(LANES, np.uint32), np.zeros(LANES, np.float32)
    one[0] = 1.0
    scratch = np.zeros(SCRATCH, np.float32)
    scale = np.float32(constants.input_scale / math.sqrt(np.float64(constants.input_dim)))
    for c in range(networks):
        address = address_of(draw, c)
        draw_input(address.k0, address.k1, address.low, address.high, x, n)
        project(address, _EMBEDDING, units, own_steps * _LANES, x, steps, scratch, image)
        for i in range(constants.width):
            starts[i, c] = image[i] * scale
        combine(address, _READOUT, one_unit, _LANES, one, own_steps, scratch, image)
        for i in range(constants.width):
            ends[i, c] = image[i]
        if biases.size > 0:
            first = c // LANES * constants.depth
            for k in range(constants.depth):
                layer_role = np.uint32(np.uint32(k) | _BIAS)
                combine(address, layer_role, one_unit, _LANES, one, own_steps, scratch, image)
                for i in range(constants.width):
                    biases[first + k, i * LANES + c % LANES] = image[i]


def draw_lanes(
    resnet: ResNet, key: tuple[int, int], first_replica: int, networks: int
) -> tuple[Paths, Float32, Float32]:
    """Return weights, h_0 and p_L of consecutive networks; those are (d, columns), with idle columns of 0.

    Low words of replicas must not wrap between them.
    """
    from montecarlo.engines._outputs import constants_of

    assert resnet.processes is not None
    d, L = resnet.width, resnet.depth
    groups = -(-networks // LANES)
    none = np.empty((0, 0), np.float32)
    starts, ends = np.zeros((2, d, groups * LANES), np.float32)
    biases = np.zeros((groups * L, d * LANES), np.float32) if resnet.bias_std > 0.0 else none
    draw = Draw.of(key, first_replica)
    _fill_starts(*resnet.law.kernels(), constants_of(resnet), draw, networks, starts, ends, biases)
    roles = (ROLE_V, ROLE_W) if resnet.has_w else (ROLE_V,)
    tables = [
        sample_lane_paths(process, L, d * d, LaneStream.of(key, role, first_replica), groups)
        for process, role in zip(resnet.processes, roles, strict=False)
    ]
    v, *w = (table.reshape(groups * L, -1) for table in tables)
    return Paths(v, w[0] if w else none, biases), starts, ends
