"""What the correlated engine's kernels hand to each other, and how room for it is made.

A table has a row a unit and a column a network, flat, row by row; the columns are a multiple of eight.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import allocating_helper
from montecarlo.engines.correlated._start import Paths
from montecarlo.kernels._records import Constants, Sigma
from montecarlo.kernels._room import ones, zeros
from montecarlo.kernels._state import LOWEST_WITH_SCALE, UNBOUNDED
from montecarlo.kernels._words import BRANCH_NORM, NORM, STREAM_NORM, TANH


class Network(NamedTuple):
    """The networks in columns: what they share, their scalings, and what follows from these."""

    constants: Constants
    sigma: Sigma
    paths: Paths
    scales: Any
    """The columns' α."""
    width: Any
    inner: Any
    """M, the rows of a vector inside the branch."""
    columns: Any
    networks: Any
    """The first of the columns; the others are idle."""
    root_d: float
    root_inner: float
    lowest: Any
    """Least exponent of a hidden state."""
    bends: bool
    """Whether σ is piecewise linear and meets no bias: a slope is then one of two."""
    own: bool
    """Whether each column has weights of its own, in lanes (`montecarlo.engines.correlated._start.Paths`)."""


class State(NamedTuple):
    """Hidden states or gradients: ``2**exponent * (high + low)``, and their distances from the start.

    A difference is in units of the scaling, so that no scaling is too small for float32; in those of the
    state where a skip factor or a norm moves it, too.
    """

    buffers: Any
    """Three tables for the words; the first is `high`."""
    high: Any
    low: Any
    difference: Any
    none: Any
    """A table without rows, for vectors that have no `low`."""
    units: Any
    """Units of the differences, a number a column."""
    waiting: Any
    """What increments have still to be multiplied by, for which the next two are: √d and √M of `Vector`, and
    whether they are in frames of their own."""
    schedule: Any
    """One number: the layer's factor of α."""
    steps: Any
    """Factors of increments of the states."""
    frames: Any
    """Those of their differences."""
    peaks: Any
    sums: Any
    """Two rows of sums over the units, for norms."""
    before: Any
    """The states of single units before an increment."""
    exponents: Any
    start_exponents: Any
    finite: Any


class Tape(NamedTuple):
    """What words keep for the backward pass, a slot a word and layer."""

    layers: int
    words: int
    """Slots of a layer."""
    active: Any
    """Who is above zero, where σ bends."""
    slopes: Any
    """Else σ'; of a norm, the direction that it leaves, or its slopes."""
    lengths: Any
    """What norms divided by."""
    branches: Any
    """What branches added, layer by layer, where gradients of their factors are asked for."""
    branch_logs: Any
    """Logs of what these have still to be multiplied by, a number a layer and column."""


class Work(NamedTuple):
    """What is remembered of the networks between the passes."""

    starts: Any
    """Logs of ‖h_0‖ and ‖p_L‖."""
    log_inputs: Any
    """Log-norms of the vectors that V and W met, layer by layer, where weight gradients are asked for."""


class Vector(NamedTuple):
    """What the words work on: a buffer, in the frames of the states' exponents."""

    front: Any
    """The buffer; 0 is the state itself."""
    size: Any
    """Rows."""
    roots: Any
    """Factors 1/√d that the next word, or the sum, has still to apply: a multiplication a column there."""
    inner_roots: Any
    """Factors 1/√M."""
    biased: bool
    """Whether a bias waits for the activation, which adds it in float64."""
    normed: bool
    """Whether entries stand for themselves, behind a norm, and not in the frames of the states."""


@allocating_helper
def build_network(value, slope, constants, paths, scales, networks):
    """Return the record of the networks in columns."""
    negative_slope = constants.negative_slope
    homogeneous = not math.isnan(negative_slope) or value(0.0) == 0.0
    unbiased = paths.biases.size == 0
    free = homogeneous and unbiased
    for word in constants.sentence:
        free = free and (word not in (NORM, BRANCH_NORM) or constants.norm == TANH)
    entries = constants.width * constants.hidden_width
    return Network(
        constants, Sigma(value, slope, negative_slope), paths, scales, np.uint64(constants.width),
        np.uint64(constants.hidden_width), np.uint64(scales.size), np.uint64(networks),
        math.sqrt(np.float64(constants.width)), math.sqrt(np.float64(constants.hidden_width)),
        np.int64(UNBOUNDED if free else LOWEST_WITH_SCALE), not math.isnan(negative_slope) and unbiased,
        paths.v.shape[1] != entries,
    )  # fmt: skip


@allocating_helper
def build_state(network):
    """Return room for states, none of them lost yet."""
    n, columns = network.width * network.columns, network.columns
    buffers = zeros((np.uint64(3), max(network.width, network.inner) * columns), np.float32)
    return State(
        buffers, buffers[0], zeros(n, np.float32), zeros(n, np.float32), zeros(0, np.float32),
        units_of(network), zeros(3, np.int64), ones(1, np.float64), zeros(columns, np.float32),
        zeros(columns, np.float32), zeros(columns, np.uint32), zeros((np.uint64(2), columns), np.float64),
        zeros(columns, np.float32), zeros(columns, np.int64), zeros(columns, np.int64),
        ones(columns, np.bool_),
    )  # fmt: skip


@allocating_helper
def units_of(network):
    """Return the units of the states' differences."""
    units = network.scales.copy()
    moved = network.constants.skip != 1.0
    for word in network.constants.sentence:
        moved = moved or word == STREAM_NORM
    if moved:
        units[:] = 1.0
    return units


@allocating_helper
def build_tape(network, words, gradients, branches):
    """Return a tape for the backward pass, of one layer where there is none."""
    layers = network.constants.depth if gradients else 1
    kept = layers if branches else 0
    slots, columns = layers * words, np.int64(network.columns)
    n = np.int64(max(network.width, network.inner)) * columns
    norms = 0
    for word in network.constants.sentence:
        norms += np.int64(word in (NORM, BRANCH_NORM, STREAM_NORM))
    bits = slots if network.bends else 0
    floats = slots if norms > 0 or not network.bends else 0
    return Tape(
        layers, words, np.empty((bits, n), np.uint8), np.empty((floats, n), np.float32),
        np.empty((slots if norms > 0 else 0, columns)), np.empty((kept, n), np.float32),
        np.empty((kept, columns)),
    )  # fmt: skip


@allocating_helper
def build_work(network, outputs):
    """Return what is to be remembered."""
    networks = np.int64(network.networks)
    return Work(zeros((2, networks), np.float64), zeros((2, networks, outputs.weight_v.shape[1]), np.float64))
