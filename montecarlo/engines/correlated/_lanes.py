"""Blocks of narrow networks: what `montecarlo.engines.correlated._start` draws for one, for many at a time.

A column is a network with weights of its own; eight of them share the lanes of a register. The numbers and
their bits are those of a network alone.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import LANES, kernel
from montecarlo.engines._outputs import constants_of
from montecarlo.engines.correlated._start import Float32, Paths
from montecarlo.kernels._records import CONSTANTS, DRAW, Draw, address_of
from montecarlo.kernels._room import zeros
from montecarlo.kernels._state import draw_input
from montecarlo.laws._interface import SIGNATURE as LAW_KERNEL
from montecarlo.laws._products import SCRATCH
from montecarlo.networks._specification import ResNet
from montecarlo.processes import LaneStream, fill_lane_paths
from montecarlo.streams._keys import ROLE_BIAS, ROLE_EMBEDDING, ROLE_READOUT, ROLE_V, ROLE_W

_EMBEDDING = np.uint32(ROLE_EMBEDDING << 28)
_READOUT = np.uint32(ROLE_READOUT << 28)
_BIAS = np.uint32(ROLE_BIAS << 28)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)
_TABLE = types.float32[:, ::1]
_LAW = types.FunctionType(LAW_KERNEL)


@kernel(signature=types.void(_LAW, _LAW, CONSTANTS, DRAW, _TABLE, _TABLE))
def _fill_starts(project, combine, constants, draw, starts, ends):
    """Write h_0 and p_L of consecutive networks, each into its column."""
    width, n = np.uint64(constants.width), np.uint64(constants.input_dim)
    steps, own_steps = (n + _LANES - _ONE) // _LANES, (width + _LANES - _ONE) // _LANES
    units = zeros(own_steps * _LANES, np.uint32)
    for i in range(constants.width):
        units[i] = i
    x, image = zeros(steps * _LANES, np.float32), zeros(own_steps * _LANES, np.float32)
    one_unit, one = zeros(LANES, np.uint32), zeros(LANES, np.float32)
    one[0] = 1.0
    scratch = zeros(SCRATCH, np.float32)
    scale = np.float32(constants.input_scale / math.sqrt(np.float64(constants.input_dim)))
    for c in range(starts.shape[1]):
        address = address_of(draw, c)
        draw_input(address.k0, address.k1, address.low, address.high, x, n)
        project(address, _EMBEDDING, units, own_steps * _LANES, x, steps, scratch, image)
        for i in range(constants.width):
            starts[i, c] = image[i] * scale
        combine(address, _READOUT, one_unit, _LANES, one, own_steps, scratch, image)
        for i in range(constants.width):
            ends[i, c] = image[i]


@kernel(signature=types.void(_LAW, CONSTANTS, DRAW, types.int64, _TABLE))
def _fill_biases(combine, constants, draw, networks, biases):
    """Write the standardised biases of consecutive networks, eight a group in lanes."""
    own_steps = (np.uint64(constants.hidden_width) + _LANES - _ONE) // _LANES
    image = zeros(own_steps * _LANES, np.float32)
    one_unit, one = zeros(LANES, np.uint32), zeros(LANES, np.float32)
    one[0] = 1.0
    scratch = zeros(SCRATCH, np.float32)
    for c in range(networks):
        address = address_of(draw, c)
        for k in range(constants.depth):
            layer_role = np.uint32(np.uint32(k) | _BIAS)
            combine(address, layer_role, one_unit, _LANES, one, own_steps, scratch, image)
            for i in range(constants.hidden_width):
                biases[c // LANES * constants.depth + k, i * LANES + c % LANES] = image[i]


def draw_starts(
    resnet: ResNet, key: tuple[int, int], first_replica: int, networks: int
) -> tuple[Float32, Float32]:
    """Return h_0 and p_L of consecutive networks, shape (d, networks) each."""
    starts, ends = np.empty((2, resnet.width, networks), np.float32)
    draw = Draw.of(key, first_replica)
    _fill_starts(*resnet.law.kernels(), constants_of(resnet), draw, starts, ends)
    return starts, ends


class LanePaths:
    """Room for the weights of so many narrow networks, to be drawn into again and again.

    Fresh memory takes the system about as long as the networks take to run.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    columns : int
        How many networks at most, a multiple of eight.
    """

    def __init__(self, resnet: ResNet, columns: int) -> None:
        L, groups, size = resnet.depth, columns // LANES, resnet.width * resnet.inner_width * LANES
        self._resnet = resnet
        self._tables = [np.empty((groups, L, size), np.float32) for _ in range(1 + resnet.has_w)]
        biases = groups * (resnet.bias_std > 0.0)
        self._biases = np.zeros((biases, L, resnet.inner_width * LANES), np.float32)

    def draw(self, key: tuple[int, int], first_replica: int, networks: int) -> Paths:
        """Return the weights of consecutive networks, whose replicas' low words do not wrap."""
        resnet = self._resnet
        assert resnet.processes is not None
        groups = -(-networks // LANES)
        filled = []
        for process, role, table in zip(resnet.processes, (ROLE_V, ROLE_W), self._tables, strict=False):
            fill_lane_paths(process, LaneStream.of(key, role, first_replica), table[:groups])
            filled.append(table[:groups].reshape(groups * resnet.depth, -1))
        v, w = filled if resnet.has_w else (filled[0], np.empty((0, 0), np.float32))
        biases = self._biases[:groups].reshape(-1, LANES * resnet.inner_width)
        if biases.size:
            _, combine = resnet.law.kernels()
            _fill_biases(combine, constants_of(resnet), Draw.of(key, first_replica), networks, biases)
        return Paths(v, w, biases)
