"""The Gaussian engine's algorithm: batches of sixteen networks in lanes, with a tape of bounded memory.

The backward pass needs the images of the forward one; they are taped for one segment of layers at a time, as
in the dense engine (`montecarlo.engines.dense._network`), with the same choice between one segment and √L.

Two kernels are made of it: one of everything (`_full`), and one without norms, signs and what is seen on the
way (`_plain`), which is compiled in less time: `rest` is None there, all the way to the words.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import apart, helper, merged
from montecarlo.engines.gaussian._gates import keep_branch, meet_branch
from montecarlo.engines.gaussian._norms import stream_norm, stream_norm_back
from montecarlo.engines.gaussian._records import (
    Batch,
    Block,
    groups_of,
)
from montecarlo.engines.gaussian._state import begin, forget_difference, frames, log_difference, log_state
from montecarlo.engines.gaussian._words import add, add_back, perform, perform_back
from montecarlo.kernels._images import reader
from montecarlo.kernels._lanes import NETWORKS, dot, fill_normals
from montecarlo.kernels._records import address_of
from montecarlo.kernels._state import UNBOUNDED, draw_input
from montecarlo.streams._blocks import Table
from montecarlo.streams._keys import ROLE_IMAGE_READOUT, ROLE_IMAGE_START

_START = np.uint32(ROLE_IMAGE_START << 28)
_READOUT = np.uint32(ROLE_IMAGE_READOUT << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)
# With a type: numba would compile a helper once more for each value of a constant without one.
_BEGINNING, _UNBOUNDED = np.int64(0), np.int64(UNBOUNDED)
_HIDDEN, _GRADIENT = np.int64(0), np.int64(2)
_ONCE, _AGAIN = np.bool_(False), np.bool_(True)

RUN_BLOCK = types.void(types.uint64)
"""Signature of the kernels: the address of a `Block`."""

_block_at = reader(Block)


@merged
def start(network, batch, hidden, work):
    """Draw the inputs and begin at h_0 = A x."""
    address, x = batch.address, work.input
    n_in = np.uint64(x.size)
    fill_normals(address, _START, groups_of(network.rows), Table(work.fresh, _ZERO))
    for lane in range(_ZERO, _SIXTEEN):
        hidden.alive[lane] = True
        draw_input(address.k0, address.k1, np.uint32(address.low + np.uint32(lane)), address.high, x, n_in)
        total = 0.0
        for j in range(_ZERO, n_in):
            total += np.float64(x[j]) * np.float64(x[j])
        scale = network.constants.input_scale * math.sqrt(total / np.float64(n_in))
        for j in range(_ZERO, network.rows):
            i = j * _SIXTEEN + lane
            hidden.mantissas[i] = scale * np.float64(work.fresh[i])
    begin(hidden, network.rows, work.log_starts[0], network.lowest)


@apart
def forward(rest, network, batch, first, last, hidden, tape, work, out, again):
    """Go through the layers ``first ... last - 1``; `again` if for their tape alone."""
    for k in range(first, last):
        place = k % tape.layers if tape.keeps else 0
        if place == 0 and tape.keeps:
            for i in range(_ZERO, np.uint64(hidden.mantissas.size)):
                tape.checkpoints[k // tape.layers, i] = hidden.mantissas[i]
            for lane in range(_ZERO, _SIXTEEN):
                tape.checkpoint_exponents[k // tape.layers, lane] = hidden.exponents[lane]
        if out.hidden_path.size > 0 and not again:
            record_path(rest, batch, hidden, work.log_starts[0], out.hidden_path, k)
        first_slot = np.uint64(place) * tape.stride
        vector = perform(rest, network, batch, k, hidden, tape, work, first_slot)
        keep_branch(rest, network, k, vector, hidden, work, first_slot)
        add(network, k, vector, hidden, tape, work, _UNBOUNDED if network.stream_norm else network.lowest)
        if network.stream_norm:
            stream_norm(rest, network, hidden, tape, work, first_slot + tape.slots - _ONE)


@merged
def turn(network, batch, gradient, work):
    """Begin the way back at p_L, the read-out row."""
    fill_normals(batch.address, _READOUT, groups_of(network.rows), Table(work.fresh, _ZERO))
    for i in range(_ZERO, network.rows * _SIXTEEN):
        gradient.mantissas[i] = np.float64(work.fresh[i])
    begin(gradient, network.rows, work.log_starts[1], _UNBOUNDED)


@apart
def backward(rest, network, batch, hidden, gradient, tape, work, out):
    """Go back through the layers."""
    depth, segment = network.constants.depth, tape.layers
    for k in range(depth - 1, -1, -1):
        if k % segment == segment - 1 and k < depth - 1:
            refill(rest, network, batch, k + 1 - segment, hidden, tape, work, out)
        if out.gradient_path.size > 0:
            record_path(rest, batch, gradient, work.log_starts[1], out.gradient_path, k + 1)
        slot = np.uint64(k % segment) * tape.stride
        if network.stream_norm:
            stream_norm_back(rest, network, gradient, tape, work, slot + tape.slots - _ONE)
        meet_branch(rest, network, batch, k, gradient, tape, work, slot, out.gates)
        vector = perform_back(rest, network, batch, k, gradient, tape, work, slot, out)
        add_back(network, k, vector, gradient, tape, work)


@merged
def refill(rest, network, batch, first, hidden, tape, work, out):
    """Run a segment forward once more from its checkpoint, for its tape."""
    for i in range(_ZERO, network.rows * _SIXTEEN):
        hidden.mantissas[i] = tape.checkpoints[first // tape.layers, i]
        hidden.difference[i] = 0.0
    for lane in range(_ZERO, _SIXTEEN):
        hidden.exponents[lane] = hidden.starts[lane] = tape.checkpoint_exponents[first // tape.layers, lane]
    frames(hidden)
    dot(hidden.mantissas, hidden.mantissas, network.rows, hidden.squares)
    forward(rest, network, batch, first, first + tape.layers, hidden, tape, work, out, _AGAIN)


@apart
def record_path(rest, batch, state, log_starts, path, k):
    """Store the log-norms of sixteen states over those at the start; NaN for networks that are not finite."""
    if rest is None:
        return
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(batch.row + lane)
        if row < np.uint64(path.shape[0]):
            path[row, k] = log_state(state, lane) - log_starts[lane] if state.alive[lane] else np.nan


@apart
def record(network, batch, state, log_starts, rows, column):
    """Store the two log-ratios of sixteen finished states from a column on."""
    if network.stream_norm:
        forget_difference(state, network.rows)
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(batch.row + lane)
        if row < np.uint64(rows.shape[0]) and state.alive[lane]:
            rows[row, column] = log_state(state, lane) - log_starts[lane]
            rows[row, column + 1] = log_difference(state, network.rows, lane) - log_starts[lane]


@helper
def run_block(rest, address):
    """Sample the networks of a block, forward and, where it is asked for, backward; see `Outputs`.

    A network with a non-finite state leaves NaN.
    """
    block = _block_at(address)
    network, draw, out, work, tape = block.network, block.draw, block.outputs, block.work, block.tape
    hidden, gradient, depth = block.hidden, block.gradient, block.network.constants.depth
    ahead = np.uint64(draw.first_replica % _SIXTEEN)  # networks of the first batch before the block
    for done in range(_ZERO, ahead + np.uint64(out.rows.shape[0]), _SIXTEEN):
        row = np.uint64(done - ahead)
        batch = Batch(address_of(draw, row), row)
        start(network, batch, hidden, work)
        forward(rest, network, batch, _BEGINNING, depth, hidden, tape, work, out, _ONCE)
        record(network, batch, hidden, work.log_starts[0], out.rows, _HIDDEN)
        if out.hidden_path.size > 0:
            record_path(rest, batch, hidden, work.log_starts[0], out.hidden_path, depth)
        if block.gradients:
            turn(network, batch, gradient, work)
            backward(rest, network, batch, hidden, gradient, tape, work, out)
            record(network, batch, gradient, work.log_starts[1], out.rows, _GRADIENT)
            if out.gradient_path.size > 0:
                record_path(rest, batch, gradient, work.log_starts[1], out.gradient_path, _BEGINNING)
