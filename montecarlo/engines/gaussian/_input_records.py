"""What the kernel of several inputs works on: vectors, networks, states and rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.common._jit import merged
from montecarlo.engines.gaussian._gram import Shape
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import Constants, Sigma
from montecarlo.kernels._room import ones, zeros

_SIXTEEN = np.uint64(NETWORKS)


class Vectors(NamedTuple):
    """The vectors at layer 0, and what is recorded of them."""

    mixing: Any
    """Vector i starts as ``2**exponents[i]`` times row i in a random frame."""
    exponents: Any
    owners: Any
    """The input that a tangent is attached to, -1 for inputs."""
    layers: Any
    """Those recorded, increasing."""


class Rows(NamedTuple):
    """What the kernel writes, a row a network; see `montecarlo.JointSample`."""

    log_norm: Any
    cosine: Any


_INTEGERS = types.int64[::1]
VECTORS = types.NamedTuple([types.float64[:, ::1], _INTEGERS, _INTEGERS, _INTEGERS], Vectors)
ROWS = types.NamedTuple([types.float64[:, :, ::1], types.float64[:, :, :, ::1]], Rows)


class Network(NamedTuple):
    """One specification, and the vectors that go through it."""

    constants: Constants
    sigma: Sigma
    shape: Shape
    inner: Shape
    """Between the matrices."""
    vectors: Vectors


class State(NamedTuple):
    """The vectors of sixteen networks: ``2**exponents * mantissas``."""

    mantissas: Any
    exponents: Any
    alive: Any


class Work(NamedTuple):
    """Room to work in."""

    image: Any
    normals: Any
    bias: Any
    frames: Any
    """Exponents of the images."""
    up: Any
    down: Any


@merged
def build_state(shape):
    """Return room for the vectors."""
    exponents, alive = zeros(shape.count * _SIXTEEN, np.int64), ones(NETWORKS, np.bool_)
    return State(zeros(shape.count * shape.size, np.float64), exponents, alive)


@merged
def build_work(shape, inner):
    """Return room to work in."""
    size = max(shape.size, inner.size)
    total, lanes = shape.count * size, shape.count * _SIXTEEN
    return Work(
        zeros(total, np.float64), zeros(total, np.float32), zeros(inner.size, np.float32),
        zeros(lanes, np.int64), zeros(lanes, np.float64), zeros(lanes, np.float64),
    )  # fmt: skip
