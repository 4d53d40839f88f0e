"""What Python lays out for the dense engine's kernels: a block's network, and room for its arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from montecarlo.common._jit import LANES
from montecarlo.engines._segments import segment_length
from montecarlo.engines.dense._records import Block, Network, State, Tape, Work
from montecarlo.kernels._lines import zeros
from montecarlo.kernels._records import Constants, Draw, Outputs, Sigma
from montecarlo.kernels._state import LOWEST_WITH_SCALE, UNBOUNDED
from montecarlo.kernels._words import (
    ACTIVATION,
    BRANCH_NORM,
    NORM,
    SIGNED_ACTIVATION,
    STREAM_NORM,
    TANH,
)
from montecarlo.laws._products import SCRATCH

_KEEPS = (NORM, ACTIVATION, SIGNED_ACTIVATION, BRANCH_NORM, STREAM_NORM)
"""Words that keep something for the backward pass, in a slot of the tape."""


def build_block(
    law: tuple[Any, Any], activation: tuple[Any, Any], constants: Constants, draw: Draw, gradients: bool,
    outputs: Outputs,
) -> Block:  # fmt: skip
    """Return a block's record."""
    room = _eights(max(constants.width, constants.hidden_width))
    network = Network(
        constants, *law, Sigma(*activation, constants.negative_slope),
        width=np.uint64(constants.width), inner=np.uint64(constants.hidden_width),
        steps=np.uint64(_eights(constants.width) // LANES), root_d=math.sqrt(constants.width),
        root_inner=math.sqrt(constants.hidden_width),
        lowest=UNBOUNDED if _scale_free(constants, activation[0]) else LOWEST_WITH_SCALE,
        stream_norm=bool(constants.sentence[-1] == STREAM_NORM),
    )  # fmt: skip
    hidden, gradient = (_state(constants.width, room) for _ in range(2))
    tape = _tape(constants, room, gradients, outputs.gates.shape[1] > 0)
    return Block(network, draw, gradients, hidden, gradient, tape, _work(constants, room, outputs), outputs)


def _eights(number: int) -> int:
    """Return a number rounded up to a multiple of eight."""
    return -(-number // LANES) * LANES


def _scale_free(constants: Constants, value: Any) -> bool:
    """Return whether the branch shrinks with a small state; else the stream has a scale of its own there."""
    at_zero = 0.0 if not math.isnan(constants.negative_slope) else getattr(value, "ctypes", value)(0.0)
    squashes = constants.norm == TANH or not {NORM, BRANCH_NORM} & set(constants.sentence.tolist())
    return constants.bias_std == 0.0 and at_zero == 0.0 and squashes


def _state(width: int, room: int) -> State:
    """Return room for a state."""
    mantissas, start, difference = (zeros(width) for _ in range(3))
    return State(mantissas, start, difference, zeros((2, room), np.float32), zeros(2, np.int64))


def _tape(constants: Constants, room: int, gradients: bool, branches: bool) -> Tape:
    """Return a tape of a segment, or of one layer and without checkpoints where there is no way back."""
    of_word = np.array([word in _KEEPS for word in constants.sentence], np.int64)
    words, layers = int(of_word.sum()), 1
    if gradients:
        layers = segment_length(constants.depth, 8 * room * words + 4 * constants.width * branches)
    segments = (constants.depth + layers - 1) // layers if gradients else 0
    slots, kept = layers * words, layers * branches
    units = zeros((slots + 1, room), np.uint32)
    units[0, : max(constants.width, constants.hidden_width)] = np.arange(
        max(constants.width, constants.hidden_width)
    )
    return Tape(
        layers, words, of_word, units, zeros((slots, room), np.float32),
        zeros(slots, np.uint64), zeros(slots), zeros((segments, constants.width)),
        zeros(segments, np.int64), zeros((kept, constants.width), np.float32), zeros(kept),
    )  # fmt: skip


def _work(constants: Constants, room: int, outputs: Outputs) -> Work:
    """Return room to work in."""
    inputs, one_value = zeros(_eights(constants.input_dim), np.float32), zeros(LANES, np.float32)
    one_value[0] = 1.0
    return Work(
        inputs, zeros(SCRATCH, np.float32), zeros(room, np.float32), zeros(LANES, np.uint32),
        one_value, zeros(2), zeros((2, outputs.weight_v.shape[1])),
    )  # fmt: skip
