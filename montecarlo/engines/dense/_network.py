"""The dense engine's algorithm: one block of replicas, forward and backward, in memory that does not grow
with depth.

Weights are regenerated, not stored. What the backward pass needs of the forward one (the active units of each
layer and the slopes of the activation there) is taped for one *segment* of layers at a time
(`montecarlo.engines._segments`). Where the whole depth is not one segment, the states at the beginnings of
segments are kept, and each is run forward once more before it is run backward: memory O(√L · width), 60 %
more time. The segmentation changes no bit of the result.

Two kernels are made of it: one of everything (`_full`), and one without norms, signs and what is seen on the
way (`_plain`), which is compiled in less time: `rest` is None there, all the way to the words.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import LANES, helper, inline
from montecarlo.engines.dense._gates import keep_branch, meet_branch
from montecarlo.engines.dense._records import Block
from montecarlo.engines.dense._state import NOW, advance, begin, log_difference, log_state, rescale
from montecarlo.engines.dense._words import (
    perform,
    perform_back,
    stream_norm,
    stream_norm_back,
)
from montecarlo.kernels._images import reader
from montecarlo.kernels._records import address_of, alpha_of
from montecarlo.kernels._state import UNBOUNDED, draw_input
from montecarlo.streams._keys import ROLE_EMBEDDING, ROLE_READOUT

RUN_BLOCK = types.void(types.uint64)
"""Signature of the kernels: the address of a `Block`."""

_block_at = reader(Block)

_EMBEDDING = np.uint32(ROLE_EMBEDDING << 28)
_READOUT = np.uint32(ROLE_READOUT << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)
# With a type: numba would compile a helper once more for each value of a constant without one.
_BEGINNING, _UNBOUNDED = np.int64(0), np.int64(UNBOUNDED)
_HIDDEN, _GRADIENT = np.int64(0), np.int64(2)


@helper
def start(network, address, row, hidden, tape, work, out):
    """Draw the input and begin at h_0 = A x."""
    n_in = np.uint64(network.constants.input_dim)
    x, image = work.input, hidden.buffers[1]
    draw_input(address.k0, address.k1, address.low, address.high, x, n_in)
    network.project(
        address, _EMBEDDING, tape.units[0], network.width, x, (n_in + _LANES - _ONE) // _LANES, work.scratch,
        image,
    )  # fmt: skip
    scale = network.constants.input_scale / math.sqrt(np.float64(n_in))
    begin(hidden, image, scale, network.width, network.lowest)
    work.starts[0] = log_state(hidden, network.width)
    if out.hidden_path.size > 0:
        out.hidden_path[row, 0] = 0.0


@helper
def forward(rest, network, address, row, first, last, hidden, tape, work, out):
    """Go through the layers ``first ... last - 1``; return whether the state stayed finite."""
    for k in range(first, last):
        position = k % tape.layers
        if position == 0 and tape.checkpoints.shape[0] > 0:
            for j in range(_ZERO, network.width):
                tape.checkpoints[k // tape.layers, j] = hidden.mantissas[j]
            tape.checkpoint_exponents[k // tape.layers] = hidden.exponents[NOW]
        vector = perform(rest, network, address, k, hidden, tape, work, position * tape.words)
        keep_branch(rest, network, hidden, vector, tape, position)
        if not add(network, k, hidden, vector, network.lowest):
            return False
        if network.stream_norm:
            stream_norm(rest, network, hidden, tape, (position + 1) * tape.words - 1)
        if out.hidden_path.size > 0:
            out.hidden_path[row, k + 1] = log_state(hidden, network.width) - work.starts[0]
    return True


@inline
def add(network, k, state, vector, lowest):
    """Add a branch, or its transposed derivative, to a state; return whether that is finite."""
    constants = network.constants
    alpha = alpha_of(constants, k)
    return advance(state, vector, alpha, constants.skip, network.width, constants.vanishes, lowest)


@helper
def turn(network, address, row, gradient, tape, work, out):
    """Begin the way back at p_L, the read-out row."""
    image = gradient.buffers[1]
    network.combine(
        address, _READOUT, work.one_unit, _ONE, work.one_value, network.steps, work.scratch, image,
    )  # fmt: skip
    begin(gradient, image, 1.0, network.width, _UNBOUNDED)
    work.starts[1] = log_state(gradient, network.width)
    if out.gradient_path.size > 0:
        out.gradient_path[row, network.constants.depth] = 0.0


@helper
def refill(rest, network, address, row, first, hidden, tape, work, out):
    """Run a segment forward once more from its checkpoint, for its tape: to the same bits."""
    checkpoint = first // tape.layers
    for j in range(_ZERO, network.width):
        hidden.mantissas[j] = tape.checkpoints[checkpoint, j]
    hidden.exponents[NOW] = tape.checkpoint_exponents[checkpoint]
    rescale(hidden, network.width, network.lowest)
    forward(rest, network, address, row, first, first + tape.layers, hidden, tape, work, out)


@helper
def backward(rest, network, address, row, hidden, gradient, tape, work, out):
    """Go back through the layers; return whether the gradient stayed finite."""
    depth, segment = network.constants.depth, tape.layers
    for k in range(depth - 1, -1, -1):
        if k % segment == segment - 1 and k < depth - 1:
            refill(rest, network, address, row, k + 1 - segment, hidden, tape, work, out)
        slot = k % segment * tape.words
        if network.stream_norm:
            stream_norm_back(rest, network, gradient, tape, slot + tape.words - 1, _UNBOUNDED)
        meet_branch(rest, network, gradient, tape, k % segment, work, out.gates, row, k)
        vector = perform_back(rest, network, address, row, k, gradient, tape, work, slot, out)
        if not add(network, k, gradient, vector, _UNBOUNDED):
            return False
        if out.gradient_path.size > 0:
            out.gradient_path[row, k] = log_state(gradient, network.width) - work.starts[1]
    return True


@helper
def record(network, state, log_start, rows, row, column, last):
    """Store the two log-ratios of a finished state, and the state itself where it is asked for."""
    rows[row, column] = log_state(state, network.width) - log_start
    rows[row, column + 1] = log_difference(state, network.width) - log_start
    for j in range(last.shape[1]):
        last[row, j] = state.mantissas[j]


@helper
def run_block(rest, at):
    """Sample the networks of a block, forward and, where it is asked for, backward; see `Outputs`.

    A network with a non-finite state leaves NaN.
    """
    block = _block_at(at)
    network, out, work, tape = block.network, block.outputs, block.work, block.tape
    hidden, gradient, depth = block.hidden, block.gradient, block.network.constants.depth
    for row in range(out.rows.shape[0]):
        address = address_of(block.draw, row)
        start(network, address, row, hidden, tape, work, out)
        if not forward(rest, network, address, row, _BEGINNING, depth, hidden, tape, work, out):
            continue
        record(network, hidden, work.starts[0], out.rows, row, _HIDDEN, out.last_hidden)
        if block.gradients:
            turn(network, address, row, gradient, tape, work, out)
            if backward(rest, network, address, row, hidden, gradient, tape, work, out):
                record(network, gradient, work.starts[1], out.rows, row, _GRADIENT, out.first_gradient)
