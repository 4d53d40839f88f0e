"""Coupled depths on sampled weight paths: a plain kernel for one network, and paths of shallower ones.

A path is an array of float32, shape (L, d M), one column an entry of √M V (or √d W), `V[i, j]` at
``j d + i``: the unit j is multiplied with d numbers in a row. States are float64. Rounding the paths of
shallower networks to float32 moves their states by about 1e-7 of their size, far below what one measures
between depths.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import types

from montecarlo.common._jit import helper, kernel
from montecarlo.kernels._records import CONSTANTS
from montecarlo.kernels._room import zeros
from montecarlo.kernels._state import SCALAR_FUNCTION
from montecarlo.kernels._words import (
    ACTIVATION,
    BRANCH_NORM,
    LAYER,
    LINEAR_V,
    LINEAR_W,
    NORM,
    STREAM_NORM,
    TANH,
)

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_ZERO = np.uint64(0)
_ONE = np.uint64(1)

_RUN = types.void(
    SCALAR_FUNCTION, CONSTANTS, types.float64, types.float32[:, ::1], types.float32[:, ::1],
    types.float64[:, ::1],
)  # fmt: skip


@helper
def add_product(path, first, vector, inner, rows, scale, out, start):
    """Add ``scale M v`` to ``out[start : start + rows]``, M the matrix that begins at ``path[first]``."""
    for j in range(_ZERO, inner):
        x = scale * vector[j]
        if x != 0.0:  # units that ReLU switches off
            column = first + j * rows
            for i in range(_ZERO, rows):
                out[start + i] += x * np.float64(path[column + i])


@helper
def activate(value, negative_slope, z, size):
    """Replace entries by σ of them."""
    for i in range(_ZERO, size):
        x = z[i]
        if math.isnan(negative_slope):
            z[i] = value(x)
        else:
            z[i] = x if x > 0.0 else negative_slope * x


@helper
def normalise(constants, z, start, size):
    """Replace a vector by its norm; that of zero is zero."""
    if constants.norm == TANH:
        for i in range(_ZERO, size):
            z[start + i] = math.tanh(constants.norm_gamma * z[start + i])
        return
    mean, square = 0.0, 0.0
    if constants.norm == LAYER:
        for i in range(_ZERO, size):
            mean += z[start + i] / np.float64(size)
    for i in range(_ZERO, size):
        square += (z[start + i] - mean) * (z[start + i] - mean)
    length = math.sqrt(square / np.float64(size) + constants.norm_eps)
    for i in range(_ZERO, size):
        z[start + i] = (z[start + i] - mean) / length if length > 0.0 else 0.0


@kernel(signature=_RUN)
def run_network(value, constants, alpha, V, W, states):
    """Fill ``states[1:]`` with h_1 ... h_L from h_0 in ``states[0]``; without a W, `W` has no rows.

    V adds its image to the state at once where it ends the branch.
    """
    d, inner = np.uint64(states.shape[1]), np.uint64(constants.hidden_width)
    area, depth = d * inner, np.uint64(V.shape[0])
    scale, scale_v = 1.0 / math.sqrt(np.float64(d)), 1.0 / math.sqrt(np.float64(inner))
    flat_v, flat_w, h = V.reshape(-1), W.reshape(-1), states.reshape(-1)
    z, image = zeros(max(d, inner), np.float64), zeros(max(d, inner), np.float64)
    sentence = constants.sentence
    normed = sentence[sentence.size - 1] == STREAM_NORM
    end = sentence.size - np.int64(normed)
    for k in range(_ZERO, depth):
        following, size = np.uint64(k + _ONE) * d, d
        for i in range(_ZERO, d):
            z[i] = h[k * d + i]
            h[following + i] = h[k * d + i]
        added = False
        for position in range(end):
            word = sentence[position]
            if word == ACTIVATION:
                activate(value, constants.negative_slope, z, size)
            elif word in (NORM, BRANCH_NORM):
                normalise(constants, z, _ZERO, size)
            elif word == LINEAR_V and position == end - 1:
                add_product(flat_v, k * area, z, inner, d, alpha * scale_v, h, following)
                added = True
            else:
                rows = inner if word == LINEAR_W else d
                image[:] = 0.0
                if word == LINEAR_W:
                    add_product(flat_w, k * area, z, size, rows, scale, image, _ZERO)
                else:
                    add_product(flat_v, k * area, z, size, rows, scale_v, image, _ZERO)
                size = rows
                for i in range(_ZERO, size):
                    z[i] = image[i]
        if not added:
            for i in range(_ZERO, d):
                h[following + i] += alpha * z[i]
        if normed:
            normalise(constants, h, following, d)


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
