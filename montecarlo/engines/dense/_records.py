"""What the dense engine's kernels hand to each other, and how room for it is made."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import LANES, allocating_helper
from montecarlo.kernels._records import Constants, Sigma
from montecarlo.kernels._room import zeros
from montecarlo.kernels._state import LOWEST_WITH_SCALE, UNBOUNDED
from montecarlo.kernels._words import STREAM_NORM
from montecarlo.laws._products import SCRATCH

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)


class Network(NamedTuple):
    """One specification: its constants and functions, and what follows from them."""

    constants: Constants
    project: Any
    combine: Any
    sigma: Sigma
    width: Any
    inner: Any
    """Units between the matrices of a branch."""
    steps: Any
    """Groups of eight positions in a row of weights."""
    room: Any
    """Entries that a buffer has room for."""
    root_d: Any
    root_inner: Any
    lowest: Any
    """Least exponent of a hidden state."""
    stream_norm: Any


class State(NamedTuple):
    """A hidden state or a gradient: ``2**exponent * mantissas``, float64, and its distance from the start."""

    mantissas: Any
    start: Any
    """What the mantissas were at first, in the frame of the exponent there."""
    difference: Any
    buffers: Any
    """Two vectors of float32 for the words; the first begins as the rounding of the mantissas."""
    exponents: Any
    """Now, and at the start."""


class Tape(NamedTuple):
    """What words keep for the backward pass, a slot a word and layer."""

    layers: Any
    """Layers of a segment."""
    words: Any
    """Slots of a layer."""
    units: Any
    """Row 0: all units; row 1 + slot: the active ones, in order."""
    vectors: Any
    """Slopes of an activation, directions of a norm."""
    counts: Any
    """Active units."""
    lengths: Any
    """What a norm divides by."""
    checkpoints: Any
    """States at the beginnings of segments."""
    checkpoint_exponents: Any
    branches: Any
    """What branches added, layer by layer, where gradients of their factors are asked for."""
    branch_logs: Any
    """Logs of what these have still to be multiplied by."""


class Work(NamedTuple):
    """Room to work in, and what is remembered of a network between the passes."""

    input: Any
    scratch: Any
    bias: Any
    one_unit: Any
    one_value: Any
    starts: Any
    """Logs of ‖h_0‖ and ‖p_L‖."""
    log_inputs: Any
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


@allocating_helper
def build_network(project, combine, value, slope, constants, free):
    """Return a network's record; a state of one that is `free` of a scale may have any exponent."""
    d, inner = np.uint64(constants.width), np.uint64(constants.hidden_width)
    steps = (d + _LANES - _ONE) // _LANES
    room = max(steps, (inner + _LANES - _ONE) // _LANES) * _LANES
    sigma = Sigma(value, slope, constants.negative_slope)
    root_d, root_inner = math.sqrt(np.float64(constants.width)), math.sqrt(np.float64(constants.hidden_width))
    lowest = UNBOUNDED if free else LOWEST_WITH_SCALE
    last = constants.sentence[-1] == STREAM_NORM
    return Network(
        constants, project, combine, sigma, d, inner, steps, room, root_d, root_inner, np.int64(lowest), last
    )


@allocating_helper
def build_state(network):
    """Return room for a state."""
    d = network.width
    buffers = zeros((np.uint64(2), network.room), np.float32)
    mantissas, start, difference = zeros(d, np.float64), zeros(d, np.float64), zeros(d, np.float64)
    return State(mantissas, start, difference, buffers, zeros(2, np.int64))


@allocating_helper
def build_tape(network, words, segment, gradients, branches):
    """Return a tape for the backward pass, of one layer and without checkpoints where there is none."""
    layers = segment if gradients else 1
    segments = (network.constants.depth + segment - 1) // segment if gradients else 0
    slots, padded, kept = layers * words, np.int64(network.room), layers if branches else 0
    units = zeros((slots + 1, padded), np.uint32)
    for j in range(_ZERO, max(network.width, network.inner)):
        units[0, j] = np.uint32(j)
    return Tape(
        layers, words, units, zeros((slots, padded), np.float32), zeros(slots, np.uint64),
        zeros(slots, np.float64),
        zeros((segments, np.int64(network.width)), np.float64), zeros(segments, np.int64),
        zeros((kept, np.int64(network.width)), np.float32), zeros(kept, np.float64),
    )  # fmt: skip


@allocating_helper
def build_work(network, outputs):
    """Return room to work in."""
    steps_in = (np.uint64(network.constants.input_dim) + _LANES - _ONE) // _LANES
    one_value = zeros(_LANES, np.float32)
    one_value[0] = np.float32(1.0)
    return Work(
        zeros(steps_in * _LANES, np.float32), zeros(SCRATCH, np.float32),
        zeros(network.room, np.float32), zeros(_LANES, np.uint32), one_value,
        zeros(2, np.float64), zeros((2, outputs.weight_v.shape[1]), np.float64),
    )  # fmt: skip
