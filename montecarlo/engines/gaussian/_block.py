"""What Python lays out for the Gaussian engine's kernels: a block's network, and room for its arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from montecarlo.engines._segments import segment_length
from montecarlo.engines.gaussian._records import Block, Network, State, Tape, Work
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._lines import ones, zeros
from montecarlo.kernels._records import Constants, Draw, Outputs, Sigma
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

_MATRICES = (LINEAR_W, LINEAR_V)
_NORMS = (NORM, BRANCH_NORM, STREAM_NORM)


def build_block(
    value: Any,
    slope: Any,
    constants: Constants,
    draw: Draw,
    gradients: bool,
    outputs: Outputs,
) -> Block:
    """Return a block's record."""
    network = _network(value, slope, constants)
    alive = ones(NETWORKS, np.bool_)
    hidden, gradient = _state(network, alive), _state(network, alive)
    tape, work = _tape(network, gradients), _work(network, outputs)
    return Block(network, draw, gradients, hidden, gradient, tape, work, outputs)


def bent_where_read(constants: Constants) -> bool:
    """Return whether activations need no table: σ piecewise linear, each one between two matrices.

    The image of a matrix can be bent wherever it is read then, and its norm is a factor that waits.
    """
    words = [int(word) for word in constants.sentence]
    between = all(
        {*words[max(position - 1, 0) : position], *words[position + 1 : position + 2]} <= set(_MATRICES)
        and 0 < position < len(words) - 1
        for position, word in enumerate(words)
        if word == ACTIVATION
    )
    return not math.isnan(constants.negative_slope) and between and SIGNED_ACTIVATION not in words


def _network(value: Any, slope: Any, constants: Constants) -> Network:
    """Return a network's record.

    A branch that begins with a norm never sees the frame of the state, whatever stands behind it.
    """
    at_zero = getattr(value, "ctypes", value)(0.0)
    homogeneous = not math.isnan(constants.negative_slope) or at_zero == 0.0
    normal = constants.sentence[0] == NORM and constants.norm != TANH
    unbounded = normal or (homogeneous and constants.bias_std == 0.0)
    groups = -(-max(constants.width, constants.hidden_width) // 4)
    return Network(
        constants, Sigma(value, slope, constants.negative_slope),
        rows=np.uint64(constants.width), inner=np.uint64(constants.hidden_width),
        size=np.uint64(groups * 4 * NETWORKS), root_d=math.sqrt(constants.width),
        root_m=math.sqrt(constants.hidden_width), lowest=UNBOUNDED if unbounded else LOWEST_WITH_SCALE,
        bends=bent_where_read(constants), stream_norm=bool(constants.sentence[-1] == STREAM_NORM),
    )  # fmt: skip


def _state(network: Network, alive: Any) -> State:
    """Return room for a state."""
    mantissas, origin, difference = (zeros(int(network.rows) * NETWORKS) for _ in range(3))
    exponents, starts = (zeros(NETWORKS, np.int64) for _ in range(2))
    squares, frame, unit = zeros(NETWORKS), ones(NETWORKS), ones(NETWORKS)
    return State(mantissas, origin, difference, squares, exponents, starts, frame, unit, alive)


def _slots(network: Network, word: int) -> int:
    """Return the slots that a word takes: an image, slopes and values, or the direction of a norm.

    The direction of a branch's norm is the image that it meets.
    """
    squashes = network.constants.norm == TANH and word in (NORM, BRANCH_NORM)
    if squashes or word in (ACTIVATION, SIGNED_ACTIVATION):
        return 0 if network.bends and not squashes else 2
    return int(word in (*_MATRICES, NORM, STREAM_NORM))


def _tape(network: Network, gradients: bool) -> Tape:
    """Return a tape of a segment, or of one layer where there is no way back."""
    depth, size, words = network.constants.depth, int(network.size), [*map(int, network.constants.sentence)]
    before = int(words[0] in _MATRICES)
    of_word = [_slots(network, word) for word in words]
    slots, shared = before + sum(of_word), before * network.stream_norm
    layers = segment_length(depth, slots * size * 4) if gradients else 1
    segments = (depth + layers - 1) // layers if gradients else 0
    total = layers * (slots - shared) + shared + 1
    norms = total * NETWORKS * any(word in _NORMS for word in words)
    return Tape(
        zeros(total * size, np.float32), zeros(total * NETWORKS), zeros(norms), zeros(norms),
        layers, np.uint64(before), np.array(of_word, np.uint64), np.uint64(slots), np.uint64(slots - shared),
        gradients, zeros((segments, int(network.rows) * NETWORKS)),
        zeros((segments, NETWORKS), np.int64),
    )  # fmt: skip


def _work(network: Network, outputs: Outputs) -> Work:
    """Return room to work in."""
    tables = [zeros(int(network.size), np.float32) for _ in range(3)]
    rows = [zeros(NETWORKS) for _ in range(9)]
    weights, gates = outputs.weight_v.shape[1], outputs.gates.shape[1]
    arrays: list[Any] = [
        zeros(network.constants.input_dim, np.float32), *tables, *rows, zeros((2, NETWORKS)),
        zeros((2, weights, NETWORKS)), zeros((gates, NETWORKS)), zeros(1, np.uint64),
    ]  # fmt: skip
    return Work(*arrays)
