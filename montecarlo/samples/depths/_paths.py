"""Coupled depths on sampled weight paths: a plain kernel for one network, and paths of shallower ones.

A path is an array of float32, shape (L, d²), one column an entry of √d V (or √d W), `V[i, j]` at ``j d + i``:
the unit j is multiplied with d numbers in a row. States are float64. Rounding the paths of shallower networks
to float32 moves their states by about 1e-7 of their size, far below what one measures between depths.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import types

from montecarlo.common._jit import helper, kernel
from montecarlo.kernels._room import zeros
from montecarlo.kernels._state import SCALAR_FUNCTION

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_ZERO = np.uint64(0)
_ONE = np.uint64(1)

_RUN = types.void(
    SCALAR_FUNCTION, types.float64, types.float64, types.float32[:, ::1], types.float32[:, ::1],
    types.float64[:, ::1],
)  # fmt: skip


@helper
def add_product(path, first, vector, d, scale, out, start):
    """Add ``scale M v`` to ``out[start : start + d]``, M the matrix that begins at ``path[first]``."""
    for j in range(_ZERO, d):
        x = scale * vector[j]
        if x != 0.0:  # units that ReLU switches off
            column = first + j * d
            for i in range(_ZERO, d):
                out[start + i] += x * np.float64(path[column + i])


@kernel(signature=_RUN)
def run_network(value, negative_slope, alpha, V, W, states):
    """Fill ``states[1:]`` with h_1 ... h_L from h_0 in ``states[0]``; without a W, `W` has no rows."""
    d = np.uint64(states.shape[1])
    area = d * d
    depth = np.uint64(V.shape[0])
    scale = 1.0 / math.sqrt(np.float64(d))
    flat_v = V.reshape(-1)
    flat_w = W.reshape(-1)
    h = states.reshape(-1)
    z = zeros(d, np.float64)
    for k in range(_ZERO, depth):
        if W.shape[0] == 0:
            for i in range(_ZERO, d):
                z[i] = h[k * d + i]
        else:
            z[:] = 0.0
            add_product(flat_w, k * area, h[k * d : np.uint64(k + _ONE) * d], d, scale, z, _ZERO)
        for i in range(_ZERO, d):
            x = z[i]
            if math.isnan(negative_slope):
                z[i] = value(x)
            else:
                z[i] = x if x > 0.0 else negative_slope * x
        following = np.uint64(k + _ONE) * d
        for i in range(_ZERO, d):
            h[following + i] = h[k * d + i]
        add_product(flat_v, k * area, z, d, alpha * scale, h, following)


@kernel(signature=types.UniTuple(types.float64, 2)(types.float64[:, ::1], types.float64[:, ::1]))
def compare_states(shallow, deep):
    """Return the largest and the last ``‖h_k − h_{rk}‖²`` over the layers k of the shallow network."""
    ratio = (deep.shape[0] - 1) // (shallow.shape[0] - 1)
    largest = 0.0
    square = 0.0
    for k in range(shallow.shape[0]):
        square = 0.0
        for i in range(shallow.shape[1]):
            gap = shallow[k, i] - deep[k * ratio, i]
            square += gap * gap
        largest = max(largest, square)
    return largest, square


def values_at_depth(path: Float32, depth: int) -> Float32:
    """Return the path of a shallower network whose layers are the same process at fewer times k/L."""
    return np.ascontiguousarray(path[:: len(path) // depth])


def increments_at_depth(path: Float32, depth: int, deviation: float) -> Float32:
    """Return the path of a shallower network whose layers are increments: sums over `deviation`.

    `deviation` is the standard deviation of a sum of ``len(path) / depth`` increments.
    """
    groups = path.reshape(depth, len(path) // depth, -1)
    return (groups.sum(axis=1, dtype=np.float64) / deviation).astype(np.float32)
