"""What the dense engine's kernels hand to each other."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.kernels._records import Constants, Draw, Outputs, Sigma
from montecarlo.kernels._spans import (
    Counts,
    DoubleRows,
    Doubles,
    FloatRows,
    Floats,
    Integers,
    WordRows,
    Words,
)
from montecarlo.laws._interface import SIGNATURE

LAW_KERNEL = types.FunctionType(SIGNATURE)
"""Type of a law's kernels."""


class Network(NamedTuple):
    """One specification: its constants and functions, and what follows from them."""

    constants: Constants
    project: Annotated[Any, LAW_KERNEL]
    combine: Annotated[Any, LAW_KERNEL]
    sigma: Sigma
    width: np.uint64
    inner: np.uint64
    """Units between the matrices of a branch."""
    steps: np.uint64
    """Groups of eight positions in a row of weights."""
    root_d: float
    root_inner: float
    lowest: int
    """Least exponent of a hidden state."""
    stream_norm: bool


class State(NamedTuple):
    """A hidden state or a gradient: ``2**exponent * mantissas``, float64, and its distance from the start."""

    mantissas: Doubles
    start: Doubles
    """What the mantissas were at first, in the frame of the exponent there."""
    difference: Doubles
    buffers: FloatRows
    """Two vectors of float32 for the words; the first begins as the rounding of the mantissas."""
    exponents: Integers
    """Now, and at the start."""


class Tape(NamedTuple):
    """What words keep for the backward pass, a slot a word and layer."""

    layers: int
    """Layers of a segment."""
    words: int
    """Slots of a layer."""
    of_word: Integers
    """Slots of each word."""
    units: WordRows
    """Row 0: all units; row 1 + slot: the active ones, in order."""
    vectors: FloatRows
    """Slopes of an activation, directions of a norm."""
    counts: Counts
    """Active units."""
    lengths: Doubles
    """What a norm divides by."""
    checkpoints: DoubleRows
    """States at the beginnings of segments."""
    checkpoint_exponents: Integers
    branches: FloatRows
    """What branches added, layer by layer, where gradients of their factors are asked for."""
    branch_logs: Doubles
    """Logs of what these have still to be multiplied by."""


class Work(NamedTuple):
    """Room to work in, and what is remembered of a network between the passes."""

    input: Floats
    scratch: Floats
    bias: Floats
    one_unit: Words
    one_value: Floats
    starts: Doubles
    """Logs of ‖h_0‖ and ‖p_L‖."""
    log_inputs: DoubleRows
    """Log-norms of the vectors that V and W met, layer by layer, where weight gradients are asked for."""


class Vector(NamedTuple):
    """What the words work on: ``2**frame / divisor`` times the first `count` entries of a buffer."""

    front: Any
    """The buffer; the other one is free."""
    frame: Any
    divisor: Any
    """A factor that the next word, or the sum, has still to apply."""
    count: Any
    size: Any
    """Entries that it has with those left out."""
    support: Any
    """The row of the tape with the units of the entries; 0 where the vector has all of them."""
    raw: Any
    """Whether it is still the state itself, whose mantissas have more digits."""
    biased: Any
    """Whether a bias waits for the activation, which adds it in float64."""


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
