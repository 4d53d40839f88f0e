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


class Network(NamedTuple):
    """The networks in columns: what they share, their scalings, and what follows from these."""

    constants: Constants
    sigma: Sigma
    paths: Paths
    scales: Any
    """The columns' α."""
    width: Any
    columns: Any
    networks: Any
    """The first of the columns; the others are idle."""
    root_d: float
    lowest: Any
    """Least exponent of a hidden state."""
    bends: bool
    """Whether σ is piecewise linear and meets no bias: a slope is then one of two."""
    own: bool
    """Whether each column has weights of its own, in lanes (`montecarlo.engines.correlated._start.Paths`)."""


class State(NamedTuple):
    """Hidden states or gradients: ``2**exponent * (high + low)``, and their distances from the start.

    A difference is in units of the scaling, so that no scaling is too small for float32.
    """

    buffers: Any
    """Three tables for the words; the first is `high`."""
    high: Any
    low: Any
    difference: Any
    none: Any
    """A table without rows, for vectors that have no `low`."""
    roots: Any
    """One number: the √d that increments have still to be divided by, for which the next two are."""
    steps: Any
    """Factors of increments of the states."""
    frames: Any
    """Those of their differences."""
    peaks: Any
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
    """Else σ'."""


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
    roots: Any
    """Factors 1/√d that the next word, or the sum, has still to apply: a multiplication a column there."""
    biased: bool
    """Whether a bias waits for the activation, which adds it in float64."""


@allocating_helper
def build_network(value, slope, constants, paths, scales, networks):
    """Return the record of the networks in columns."""
    negative_slope = constants.negative_slope
    homogeneous = not math.isnan(negative_slope) or value(0.0) == 0.0
    unbiased = paths.biases.size == 0
    lowest = UNBOUNDED if homogeneous and unbiased else LOWEST_WITH_SCALE
    return Network(
        constants, Sigma(value, slope, negative_slope), paths, scales, np.uint64(constants.width),
        np.uint64(scales.size), np.uint64(networks), math.sqrt(np.float64(constants.width)), np.int64(lowest),
        not math.isnan(negative_slope) and unbiased, paths.v.shape[1] != constants.width * constants.width,
    )  # fmt: skip


@allocating_helper
def build_state(network):
    """Return room for states, none of them lost yet."""
    n, columns = network.width * network.columns, network.columns
    buffers = zeros((np.uint64(3), n), np.float32)
    return State(
        buffers, buffers[0], zeros(n, np.float32), zeros(n, np.float32), zeros(0, np.float32),
        zeros(1, np.int64), zeros(columns, np.float32), zeros(columns, np.float32),
        zeros(columns, np.uint32), zeros(columns, np.float32), zeros(columns, np.int64),
        zeros(columns, np.int64), ones(columns, np.bool_),
    )  # fmt: skip


@allocating_helper
def build_tape(network, words, gradients):
    """Return a tape for the backward pass, of one layer where there is none."""
    layers = network.constants.depth if gradients else 1
    slots, n = layers * words, np.int64(network.width * network.columns)
    bits = slots if network.bends else 0
    return Tape(layers, words, np.empty((bits, n), np.uint8), np.empty((slots - bits, n), np.float32))


@allocating_helper
def build_work(network, outputs):
    """Return what is to be remembered."""
    networks = np.int64(network.networks)
    return Work(zeros((2, networks), np.float64), zeros((2, networks, outputs.weight_v.shape[1]), np.float64))
