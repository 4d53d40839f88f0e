"""Where several inputs begin: their Gram matrix in a random frame, sixteen networks in lanes."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.engines.gaussian._gram import fill_vectors
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.streams._keys import ROLE_IMAGE_START

_START = np.uint32(ROLE_IMAGE_START << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)


@helper
def start(network, batch, state, work):
    """Place the vectors in a random frame."""
    shape, vectors = network.shape, network.vectors
    fill_vectors(batch.address, _START, shape.groups, shape.count, work.normals)
    place(shape, vectors.mixing, work.normals, state.mantissas)
    for lane in range(_ZERO, _SIXTEEN):
        state.alive[lane] = True
        for v in range(_ZERO, shape.count):
            state.exponents[v * _SIXTEEN + lane] = vectors.exponents[v]


@helper
def place(shape, mixing, normals, state):
    """Store vectors with the Gram matrix ``mixing mixingᵀ`` and a uniformly random orientation in `state`.

    The orthonormal frame is that of Gram and Schmidt, of normal vectors; every product is removed twice,
    which makes it orthogonal to rounding. Vectors whose pivot is zero have no axis of their own.
    """
    count, rows, size = shape.count, shape.rows, shape.size
    for lane in range(_ZERO, _SIXTEEN):
        for v in range(_ZERO, count):
            for j in range(_ZERO, rows):
                i = v * size + j * _SIXTEEN + lane
                state[i] = np.float64(normals[i]) if mixing[v, v] > 0.0 else 0.0
            if mixing[v, v] > 0.0:
                for _ in range(2):
                    for w in range(_ZERO, v):
                        along = product_of_lane(state, v * size, w * size, rows, lane)
                        for j in range(_ZERO, rows):
                            i = j * _SIXTEEN + lane
                            state[v * size + i] -= along * state[w * size + i]
                    norm = math.sqrt(product_of_lane(state, v * size, v * size, rows, lane))
                    for j in range(_ZERO, rows):
                        state[v * size + j * _SIXTEEN + lane] /= norm
        for back in range(_ZERO, count):
            v = count - _ONE - back
            for j in range(_ZERO, rows):
                i = j * _SIXTEEN + lane
                total = 0.0
                for w in range(_ZERO, np.uint64(v + _ONE)):
                    total += mixing[v, w] * state[w * size + i]
                state[v * size + i] = total


@helper
def product_of_lane(state, first, second, rows, lane):
    """Return the product of two vectors of one lane."""
    total = 0.0
    for j in range(_ZERO, rows):
        total += state[first + j * _SIXTEEN + lane] * state[second + j * _SIXTEEN + lane]
    return total
