"""What the Gaussian engine's kernels hand to each other, and how room for it is made.

Sixteen networks go side by side (`montecarlo.kernels._lanes`). A *table* has a row of sixteen lanes for each
unit, rows padded to whole counters, and *slot* s of the tape is its table number s, with a row of squared
norms beside it. Tables are flat: slicing an array inside the loop would cost as much as a tenth of a layer.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import inline, merged
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import Address, Constants, Sigma
from montecarlo.kernels._room import ones, zeros
from montecarlo.kernels._state import LOWEST_WITH_SCALE, UNBOUNDED
from montecarlo.kernels._words import (
    ACTIVATION,
    BRANCH_NORM,
    LINEAR_V,
    LINEAR_W,
    NORM,
    SIGNED_ACTIVATION,
    STREAM_NORM,
    TANH,
)
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
    """Units of the stream."""
    inner: Any
    """Units between the matrices of a branch."""
    size: Any
    """Elements of a table, for the larger of the two."""
    root_d: float
    root_m: float
    lowest: Any
    """Least exponent of a hidden state."""
    bends: bool
    """Whether activations are left to who reads the image before them: see `bent_where_read`."""
    stream_norm: bool


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
    unit: Any
    """``2**-exponent``: what one is in the frame of the mantissas."""
    alive: Any
    """Whether a network is finite; in both passes."""


class Tape(NamedTuple):
    """What words keep for the backward pass, in slots."""

    tables: Any
    squares: Any
    lengths: Any
    """What a norm divides by, in a row of its slot; and so are the weights."""
    weights: Any
    """The weight w of a norm's direction x in the table of its slot: ``w x xᵀ = n nᵀ/d``."""
    layers: int
    """Layers of a segment."""
    slots: Any
    """Of a layer."""
    stride: Any
    """Slots from a layer to the next: the direction of a normalised stream is what the next matrix meets."""
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
    mean: Any
    """The means that layer norms take off a table."""
    zeros: Any
    before: Any
    log_starts: Any
    """Logs of ‖h_0‖ and ‖p_L‖."""
    log_inputs: Any
    """Log-norms of the vectors that V and W met, layer by layer, where weight gradients are asked for."""
    branch_logs: Any
    """Logs of the factors that branches lack in the tape, where gradients of a_k are asked for."""
    branch_slot: Any
    """The slot of a layer where its branch lies."""


RAW = np.int64(0)
"""The state itself."""
TABLE = np.int64(1)
"""A table; forward that of a slot, backward `Work.products`."""
BENT = np.int64(2)
"""σ of the table of a slot, for a piecewise linear σ."""
PAIR = np.int64(3)
"""Backward: normals in `Work.fresh` and a multiple of what a matrix met, whose slot it is."""
TILTED_PAIR = np.int64(4)
"""Backward: `Work.fresh` and `Work.second` times the direction of a norm, over its length in `Work.first`."""
TILTED = np.int64(5)
"""The same with `Work.products` in place of the normals."""


class Vector(NamedTuple):
    """What the words work on, in one of six forms."""

    form: Any
    slot: Any
    rows: Any
    by_w: Any
    """How many matrices' lengths, and factors 1/√d, wait for it: those of W, and those 1/√M of V."""
    by_v: Any
    own: Any
    """Whether a norm has set its scale: it is in true units, no more in the frame of the state."""
    biased: Any
    """Whether a bias waits for the activation."""
    kept: Any
    """Whether its direction lies in its slot, and its squared norms where a matrix leaves them."""


@inline
def whole(network, slot, kept):
    """Return the state as the vector that a sentence begins with."""
    return Vector(RAW, slot, network.rows, np.int64(0), np.int64(0), False, False, kept)


@inline
def divided(network, vector, scale):
    """Return a number divided by the roots that wait for a vector."""
    for _ in range(vector.by_w):
        scale /= network.root_d
    for _ in range(vector.by_v):
        scale /= network.root_m
    return scale


@inline
def log_divisor(network, vector):
    """Return the natural log of the roots that wait for a vector."""
    return vector.by_w * math.log(network.root_d) + vector.by_v * math.log(network.root_m)


@inline
def groups_of(rows):
    """Return the counters of four units."""
    return (rows + _FOUR - _ONE) // _FOUR


@inline
def rows_from(network, word):
    """Return the units that a matrix reads."""
    return network.inner if word == LINEAR_V else network.rows


@inline
def rows_to(network, word):
    """Return the units that a matrix writes."""
    return network.rows if word == LINEAR_V else network.inner


@inline
def is_matrix(word):
    """Return whether a word is a fresh random matrix."""
    return (word == LINEAR_W) | (word == LINEAR_V)


@inline
def slots_before(network):
    """Return the slots before the first word: one for the state, where that is what a matrix meets."""
    return _ONE if is_matrix(network.constants.sentence[0]) else _ZERO


@inline
def slots_of(network, word):
    """Return the slots that a word takes: an image, slopes and values, or the direction of a norm.

    The direction of a branch's norm is the image that it meets.
    """
    squashes = (network.constants.norm == TANH) & ((word == NORM) | (word == BRANCH_NORM))
    if squashes | (word == ACTIVATION) | (word == SIGNED_ACTIVATION):
        return _ZERO if network.bends and not squashes else _TWO
    return _ONE if is_matrix(word) | (word == NORM) | (word == STREAM_NORM) else _ZERO


@inline
def table_of(network, tape, slot):
    """Return the table in a slot."""
    return Table(tape.tables, slot * network.size)


@inline
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
        bends &= sentence[position] != SIGNED_ACTIVATION
    return bends


@merged
def build_network(value, slope, constants):
    """Return a network's record.

    A branch that begins with a norm never sees the frame of the state, whatever stands behind it.
    """
    negative_slope, sentence = constants.negative_slope, constants.sentence
    homogeneous = not math.isnan(negative_slope) or value(0.0) == 0.0
    normal = sentence[0] == NORM and constants.norm != TANH
    lowest = UNBOUNDED if normal or (homogeneous and constants.bias_std == 0.0) else LOWEST_WITH_SCALE
    rows, inner = np.uint64(constants.width), np.uint64(constants.hidden_width)
    return Network(
        constants, Sigma(value, slope, negative_slope), rows, inner,
        groups_of(max(rows, inner)) * _FOUR * _SIXTEEN, math.sqrt(np.float64(constants.width)),
        math.sqrt(np.float64(constants.hidden_width)), np.int64(lowest), bent_where_read(constants),
        sentence[sentence.size - 1] == STREAM_NORM,
    )  # fmt: skip


@merged
def build_state(network, alive):
    """Return room for a state."""
    n = network.rows * _SIXTEEN
    squares = zeros(NETWORKS, np.float64)
    frame, unit = ones(NETWORKS, np.float64), ones(NETWORKS, np.float64)
    exponents, starts = zeros(NETWORKS, np.int64), zeros(NETWORKS, np.int64)
    mantissas, origin, difference = zeros(n, np.float64), zeros(n, np.float64), zeros(n, np.float64)
    return State(mantissas, origin, difference, squares, exponents, starts, frame, unit, alive)


@merged
def build_tape(network, gradients, most_bytes):
    """Return a tape: the whole depth's where `most_bytes` hold it, else that of √L layers."""
    depth, slots = network.constants.depth, slots_before(network)
    shared = slots if network.stream_norm else _ZERO
    normalised = False
    for word in network.constants.sentence:
        slots += slots_of(network, word)
        normalised |= (word == NORM) | (word == BRANCH_NORM) | (word == STREAM_NORM)
    layers = 1
    if gradients:
        fits = depth * np.int64(slots * network.size) * 4 <= most_bytes
        layers = depth if fits else int(math.sqrt(depth - 1.0)) + 1
    segments = (depth + layers - 1) // layers if gradients else 0
    total = np.uint64(layers) * (slots - shared) + shared + _ONE
    norms = total * _SIXTEEN if normalised else _ZERO
    return Tape(
        zeros(total * network.size, np.float32), zeros(total * _SIXTEEN, np.float64),
        zeros(norms, np.float64), zeros(norms, np.float64), layers, slots, slots - shared, gradients,
        zeros((segments, np.int64(network.rows * _SIXTEEN)), np.float64),
        zeros((segments, NETWORKS), np.int64),
    )  # fmt: skip


@merged
def build_work(network, outputs):
    """Return room to work in."""
    size = network.size
    return Work(
        zeros(np.uint64(network.constants.input_dim), np.float32), zeros(size, np.float32),
        zeros(size, np.float32), zeros(size, np.float32), zeros(NETWORKS, np.float64),
        zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64),
        zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64),
        zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64),
        zeros((2, NETWORKS), np.float64),
        zeros((2, outputs.weight_v.shape[1], NETWORKS), np.float64),
        zeros((outputs.gates.shape[1], NETWORKS), np.float64), zeros(1, np.uint64),
    )  # fmt: skip
