"""What the Gaussian engine's kernels hand to each other.

Sixteen networks go side by side (`montecarlo.kernels._lanes`). A *table* has a row of sixteen lanes for each
unit, rows padded to whole counters, and *slot* s of the tape is its table number s, with a row of squared
norms beside it. Tables are flat: slicing an array inside the loop would cost as much as a tenth of a layer.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import inline
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import Address, Constants, Draw, Outputs, Sigma
from montecarlo.kernels._spans import (
    Counts,
    DoubleRows,
    Doubles,
    Flags,
    Floats,
    IntegerRows,
    Integers,
    Layers,
)
from montecarlo.kernels._words import LINEAR_V, LINEAR_W
from montecarlo.streams._blocks import Table

_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_SIXTEEN = np.uint64(NETWORKS)


class Network(NamedTuple):
    """One specification: its constants and functions, and what follows from them."""

    constants: Constants
    sigma: Sigma
    rows: np.uint64
    """Units of the stream."""
    inner: np.uint64
    """Units between the matrices of a branch."""
    size: np.uint64
    """Elements of a table, for the larger of the two."""
    root_d: float
    root_m: float
    lowest: int
    """Least exponent of a hidden state."""
    bends: bool
    """Whether activations are left to who reads the image before them: see `_block.bent_where_read`."""
    stream_norm: bool


class Batch(NamedTuple):
    """Sixteen networks: where their random numbers lie, and the row of the output that is the first one's.

    Batches start at multiples of sixteen. Rows before the block wrap, and are large.
    """

    address: Address
    row: Any


class State(NamedTuple):
    """Hidden states or gradients: ``2**exponent * mantissas``, float64, and their distance from the start."""

    mantissas: Doubles
    origin: Doubles
    """What the mantissas were at first, in the frame of the exponents there."""
    difference: Doubles
    squares: Doubles
    """Squared norms of the mantissas."""
    exponents: Integers
    starts: Integers
    """The exponents at the start."""
    frame: Doubles
    """The factor that turns an increment of the state into one of the difference."""
    unit: Doubles
    """``2**-exponent``: what one is in the frame of the mantissas."""
    alive: Flags
    """Whether a network is finite; in both passes."""


class Tape(NamedTuple):
    """What words keep for the backward pass, in slots."""

    tables: Floats
    squares: Doubles
    lengths: Doubles
    """What a norm divides by, in a row of its slot; and so are the weights."""
    weights: Doubles
    """The weight w of a norm's direction x in the table of its slot: ``w x xᵀ = n nᵀ/d``."""
    layers: int
    """Layers of a segment."""
    before: np.uint64
    """Slots of a layer before the first word: one for the state, where that is what a matrix meets."""
    of_word: Counts
    """Slots of each word."""
    slots: np.uint64
    """Of a layer."""
    stride: np.uint64
    """Slots from a layer to the next: the direction of a normalised stream is what the next matrix meets."""
    keeps: bool
    """Whether there is a backward pass."""
    checkpoints: DoubleRows
    """States at the beginnings of segments."""
    checkpoint_exponents: IntegerRows


class Work(NamedTuple):
    """Room to work in, and what is remembered of sixteen networks between the passes."""

    input: Floats
    bias: Floats
    fresh: Floats
    """A table of normals."""
    products: Floats
    """The table that an activation leaves, backward."""
    lengths: Doubles
    """Squares of the factors that wait to be applied to a table, a lane each."""
    met: Doubles
    """Squared norms of the gradient that a matrix meets."""
    along: Doubles
    across: Doubles
    """Its product with the image, and that of the fresh normals with what the matrix had met."""
    first: Doubles
    second: Doubles
    """Coefficients of two tables."""
    mean: Doubles
    """The means that layer norms take off a table."""
    zeros: Doubles
    before: Doubles
    log_starts: DoubleRows
    """Logs of ‖h_0‖ and ‖p_L‖."""
    log_inputs: Layers
    """Log-norms of the vectors that V and W met, layer by layer, where weight gradients are asked for."""
    branch_logs: DoubleRows
    """Logs of the factors that branches lack in the tape, where gradients of a_k are asked for."""
    branch_slot: Counts
    """The slot of a layer where its branch lies."""


class Block(NamedTuple):
    """All that a kernel is told of a block of networks."""

    network: Network
    draw: Draw
    gradients: bool
    hidden: State
    gradient: State
    tape: Tape
    work: Work
    outputs: Outputs


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
def table_of(network, tape, slot):
    """Return the table in a slot."""
    return Table(tape.tables, slot * network.size)


@inline
def squares_of(tape, slot):
    """Return the squared norms in a slot."""
    return Table(tape.squares, slot * _SIXTEEN)
