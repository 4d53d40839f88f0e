"""What is random in the networks of a replica: paths of weights, biases, inputs, embedding and read-out.

All but the paths are the same streams as the dense engine's, with Gaussian weights: input number 0 of a
replica is *its* input.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from montecarlo.common._jit import LANES, kernel
from montecarlo.kernels._state import draw_input_number
from montecarlo.laws._products import SCRATCH
from montecarlo.networks._specification import ResNet
from montecarlo.processes import sample_paths
from montecarlo.streams._address import Address
from montecarlo.streams._keys import ROLE_BIAS, ROLE_EMBEDDING, ROLE_READOUT, ROLE_V, ROLE_W

Float32 = npt.NDArray[np.float32]


class Paths(NamedTuple):
    """Everything of one replica that its inputs share: weights along depth, standardised.

    Or of several replicas, eight a group in lanes: there a row of a table is a group's layer, group by group,
    and what is one number below is eight beside each other.
    """

    v: Float32
    """√M V_k, row by row: shape (L, d M)."""
    w: Float32
    """√d W_k in the same way; empty where there is no W."""
    biases: Float32
    """b_k / bias_std, shape (L, M); empty where there are none."""

    @classmethod
    def draw(cls, resnet: ResNet, key: tuple[int, int], replica: int) -> Paths:
        """Return the weights of a replica."""
        assert resnet.processes is not None
        entries, L = resnet.width * resnet.inner_width, resnet.depth
        none = np.empty((0, 0), np.float32)
        v, w = resnet.processes
        biased = resnet.bias_std > 0.0
        return cls(
            sample_paths(v, L, entries, key, ROLE_V, replica),
            sample_paths(w, L, entries, key, ROLE_W, replica) if resnet.has_w else none,
            draw_biases(resnet, key, replica) if biased else none,
        )


PATHS = types.NamedUniTuple(types.float32[:, ::1], 3, Paths)


@kernel
def _draw(address, number, out, n):
    k0, k1, low, high = address
    draw_input_number(k0, k1, number, low, high, out, n)


def draw_inputs(resnet: ResNet, key: tuple[int, int], replica: int, inputs: int) -> Float32:
    """Return h_0 = A x of the first inputs of a replica, one a column: shape (d, inputs)."""
    project, _ = resnet.law.kernels()
    d, n = resnet.width, resnet.input_dim
    steps, padded = -(-n // LANES), _pad(d)
    units = np.zeros(padded, np.uint32)
    units[:d] = np.arange(d)
    x, image, scratch = np.zeros(steps * LANES, np.float32), np.zeros(padded, np.float32), _scratch()
    address = Address.of(key, replica)
    out = np.empty((d, inputs), np.float32)
    for number in range(inputs):
        _draw(address, np.uint32(number), x, np.uint64(n))
        project(
            address, np.uint32(ROLE_EMBEDDING << 28), units, np.uint64(padded), x, np.uint64(steps), scratch,
            image,
        )  # fmt: skip
        out[:, number] = image[:d] * np.float32(resnet.input_scale / math.sqrt(n))
    return out


def draw_readout(resnet: ResNet, key: tuple[int, int], replica: int) -> Float32:
    """Return the read-out row √d B of a replica, shape (d,)."""
    return _row(resnet, key, replica, ROLE_READOUT << 28, resnet.width)


def draw_biases(resnet: ResNet, key: tuple[int, int], replica: int) -> Float32:
    """Return the standardised biases of a replica, shape (L, M)."""
    M = resnet.inner_width
    return np.stack([_row(resnet, key, replica, ROLE_BIAS << 28 | k, M) for k in range(resnet.depth)])


def _row(resnet: ResNet, key: tuple[int, int], replica: int, layer_role: int, length: int) -> Float32:
    """Return the first row of a matrix of the weight law."""
    _, combine = resnet.law.kernels()
    padded = _pad(length)
    units, one, out = np.zeros(LANES, np.uint32), np.zeros(LANES, np.float32), np.zeros(padded, np.float32)
    one[0] = 1.0
    combine(
        Address.of(key, replica), np.uint32(layer_role), units, np.uint64(LANES), one,
        np.uint64(padded // LANES), _scratch(), out,
    )  # fmt: skip
    return out[:length]


def _pad(size: int) -> int:
    return -(-size // LANES) * LANES


def _scratch() -> Float32:
    return np.zeros(SCRATCH, np.float32)
