"""What the Gaussian engine's kernels hand to each other, and how room for it is made.

Sixteen networks go side by side (`montecarlo.kernels._lanes`). A *table* has a row of sixteen lanes for each
unit, rows padded to whole counters, and *slot* s of the tape is its table number s, with a row of squared
norms beside it. Tables are flat: slicing an array inside the loop would cost as much as a tenth of a layer.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import merged
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import Address, Constants, Sigma
from montecarlo.kernels._state import LOWEST_WITH_SCALE, UNBOUNDED
from montecarlo.kernels._words import ACTIVATION, LINEAR_V, LINEAR_W
from montecarlo.streams._blocks import Table

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)


class Network(NamedTuple):
    """One specification: its constants and functions, and what follows from them."""

    constants: Constants
    sigma: Sigma
    rows: Any
    """Units."""
    groups: Any
    """Counters of four units."""
    size: Any
    """Elements of a table."""
    root_d: float
    lowest: Any
    """Least exponent of a hidden state."""
    bends: bool
    """Whether activations are left to who reads the image before them: see `bent_where_read`."""


class Batch(NamedTuple):
    """Sixteen networks: where their random numbers lie, and the row of the output that is the first one's.

    Batches start at multiples of sixteen. Rows before the block wrap, and are large.
    """

    address: Address
    row: Any


class State(NamedTuple):
    """Hidden states or gradients: ``2**exponent * mantissas``, float64, and their distance from the start."""

    mantissas: Any
    origin: Any
    """What the mantissas were at first, in the frame of the exponents there."""
    difference: Any
    squares: Any
    """Squared norms of the mantissas."""
    exponents: Any
    starts: Any
    """The exponents at the start."""
    frame: Any
    """The factor that turns an increment of the state into one of the difference."""
    alive: Any
    """Whether a network is finite; in both passes."""


class Tape(NamedTuple):
    """What words keep for the backward pass, in slots."""

    tables: Any
    squares: Any
    layers: int
    """Layers of a segment."""
    slots: Any
    """Of a layer."""
    keeps: bool
    """Whether there is a backward pass."""
    checkpoints: Any
    """States at the beginnings of segments."""
    checkpoint_exponents: Any


class Work(NamedTuple):
    """Room to work in, and what is remembered of sixteen networks between the passes."""

    input: Any
    bias: Any
    fresh: Any
    """A table of normals."""
    products: Any
    """The table that an activation leaves, backward."""
    lengths: Any
    """Squares of the factors that wait to be applied to a table, a lane each."""
    met: Any
    """Squared norms of the gradient that a matrix meets."""
    along: Any
    across: Any
    """Its product with the image, and that of the fresh normals with what the matrix had met."""
    first: Any
    second: Any
    """Coefficients of two tables."""
    before: Any
    log_starts: Any
    """Logs of ‖h_0‖ and ‖p_L‖."""
    log_inputs: Any
    """Log-norms of the vectors that V and W met, layer by layer, where weight gradients are asked for."""


@merged
def is_matrix(word):
    """Return whether a word is a fresh random matrix."""
    return (word == LINEAR_W) | (word == LINEAR_V)


@merged
def slots_before(network):
    """Return the slots before the first word: one for the state, where that is what a matrix meets."""
    return _ONE if is_matrix(network.constants.sentence[0]) else _ZERO


@merged
def slots_of(network, word):
    """Return the slots that a word takes: an image, or slopes and values."""
    if word == ACTIVATION:
        return _ZERO if network.bends else _TWO
    return _ONE if is_matrix(word) else _ZERO


@merged
def table_of(network, tape, slot):
    """Return the table in a slot."""
    return Table(tape.tables, slot * network.size)


@merged
def squares_of(tape, slot):
    """Return the squared norms in a slot."""
    return Table(tape.squares, slot * _SIXTEEN)


@merged
def bent_where_read(constants):
    """Return whether activations need no table: σ piecewise linear, each one between two matrices.

    The image of a matrix can be bent wherever it is read then, and its norm is a factor that waits.
    """
    sentence = constants.sentence
    bends = not math.isnan(constants.negative_slope)
    for position in range(sentence.size):
        if sentence[position] == ACTIVATION:
            bends &= 0 < position < sentence.size - 1
            bends = bends and is_matrix(sentence[position - 1]) and is_matrix(sentence[position + 1])
    return bends


@merged
def build_network(value, slope, constants):
    """Return a network's record."""
    negative_slope = constants.negative_slope
    homogeneous = not math.isnan(negative_slope) or value(0.0) == 0.0
    lowest = UNBOUNDED if homogeneous and constants.bias_std == 0.0 else LOWEST_WITH_SCALE
    rows = np.uint64(constants.width)
    groups = (rows + _FOUR - _ONE) // _FOUR
    return Network(
        constants, Sigma(value, slope, negative_slope), rows, groups, groups * _FOUR * _SIXTEEN,
        math.sqrt(np.float64(constants.width)), np.int64(lowest), bent_where_read(constants),
    )  # fmt: skip


@merged
def build_state(network, alive):
    """Return room for a state."""
    n = network.rows * _SIXTEEN
    squares, frame = np.zeros(NETWORKS, np.float64), np.ones(NETWORKS, np.float64)
    exponents, starts = np.zeros(NETWORKS, np.int64), np.zeros(NETWORKS, np.int64)
    mantissas, origin, difference = np.zeros(n), np.zeros(n), np.zeros(n)
    return State(mantissas, origin, difference, squares, exponents, starts, frame, alive)


@merged
def build_tape(network, gradients, most_bytes):
    """Return a tape: the whole depth's where `most_bytes` hold it, else that of √L layers."""
    depth, slots = network.constants.depth, slots_before(network)
    for word in network.constants.sentence:
        slots += slots_of(network, word)
    layers = 1
    if gradients:
        fits = depth * np.int64(slots * network.size) * 4 <= most_bytes
        layers = depth if fits else int(math.sqrt(depth - 1.0)) + 1
    segments = (depth + layers - 1) // layers if gradients else 0
    total = np.uint64(layers) * slots
    return Tape(
        np.zeros(total * network.size, np.float32), np.zeros(total * _SIXTEEN, np.float64), layers, slots,
        gradients, np.zeros((segments, np.int64(network.rows * _SIXTEEN)), np.float64),
        np.zeros((segments, NETWORKS), np.int64),
    )  # fmt: skip


@merged
def build_work(network, outputs):
    """Return room to work in."""
    size = network.size
    return Work(
        np.zeros(np.uint64(network.constants.input_dim), np.float32), np.zeros(size, np.float32),
        np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(NETWORKS, np.float64),
        np.zeros(NETWORKS, np.float64), np.zeros(NETWORKS, np.float64), np.zeros(NETWORKS, np.float64),
        np.zeros(NETWORKS, np.float64), np.zeros(NETWORKS, np.float64), np.zeros(NETWORKS, np.float64),
        np.zeros((2, NETWORKS), np.float64),
        np.zeros((2, outputs.weight_v.shape[1], NETWORKS), np.float64),
    )  # fmt: skip
