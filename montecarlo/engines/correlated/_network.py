"""The correlated engine's kernel: many columns, forward and backward.

A column is a network: an input h_0, a scaling and a gradient p_L at the end. Either all columns share the
weights V_k, W_k and biases, or each has its own (narrow networks, eight in the lanes of a register). A layer
is a product of a d × d matrix with the columns for each matrix and pass, bound by the multiply-adds, or by
the loads of the columns' own matrices, and a few passes over the columns.
"""

from __future__ import annotations

import numpy as np
from numba import types

from montecarlo.common._jit import helper, inline, kernel
from montecarlo.engines.correlated._gates import keep_branch, meet_branch
from montecarlo.engines.correlated._norms import stream_norm, stream_norm_back
from montecarlo.engines.correlated._records import build_network, build_state, build_tape, build_work
from montecarlo.engines.correlated._start import PATHS
from montecarlo.engines.correlated._state import advance, begin, log_distance, log_state
from montecarlo.engines.correlated._words import kept_words, perform, perform_back
from montecarlo.kernels._records import CONSTANTS, OUTPUTS
from montecarlo.kernels._state import SCALAR_FUNCTION, UNBOUNDED
from montecarlo.kernels._words import STREAM_NORM

_STARTS = types.float32[:, ::1]
_RUN_COLUMNS = types.void(
    SCALAR_FUNCTION, SCALAR_FUNCTION, CONSTANTS, PATHS, types.float64[::1], _STARTS, _STARTS, OUTPUTS
)


@helper
def start(network, state, starts, lowest, log_start, path, first):
    """Begin at h_0, or the way back at p_L."""
    begin(network, state, starts, lowest)
    for c in range(network.networks):
        log_start[c] = log_state(network, state, c)
        if path.size > 0:
            path[c, first] = 0.0


@inline
def has_stream_norm(sentence):
    """Return whether a norm ends the layer."""
    return sentence[sentence.size - 1] == STREAM_NORM


@helper
def forward(network, state, tape, work, outputs):
    """Go through the layers."""
    normed = has_stream_norm(network.constants.sentence)
    for k in range(network.constants.depth):
        slot = k % tape.layers * tape.words
        vector = perform(network, k, state, tape, work, slot)
        keep_branch(network, k, state, vector, tape)
        advance(network, k, state, vector, network.lowest)
        if normed:
            stream_norm(network, state, tape, slot + tape.words - 1)
        trace(network, state, work.starts[0], outputs.hidden_path, k + 1)


@helper
def backward(network, state, tape, work, outputs):
    """Go back through the layers."""
    normed = has_stream_norm(network.constants.sentence)
    for k in range(network.constants.depth - 1, -1, -1):
        if normed:
            stream_norm_back(network, state, tape, (k + 1) * tape.words - 1, UNBOUNDED)
        meet_branch(network, k, state, tape, work, outputs.gates)
        vector = perform_back(network, k, state, tape, work, k * tape.words, outputs)
        advance(network, k, state, vector, UNBOUNDED)
        trace(network, state, work.starts[1], outputs.gradient_path, k)


@inline
def trace(network, state, log_start, path, k):
    """Store the log-norms along depth, where they are asked for."""
    if path.size > 0:
        for c in range(network.networks):
            path[c, k] = log_state(network, state, c) - log_start[c]


@helper
def record(network, state, starts, log_start, ratios, last):
    """Store the two log-ratios of finished states, and the states themselves where they are asked for."""
    for c in range(network.networks):
        ratios[c, 0] = log_state(network, state, c) - log_start[c]
        ratios[c, 1] = log_distance(network, state, starts, c, log_start[c]) - log_start[c]
        for j in range(last.shape[1]):
            place = np.uint64(j) * network.columns + np.uint64(c)
            last[c, j] = np.float64(state.high[place]) + np.float64(state.low[place])


@kernel(signature=_RUN_COLUMNS)
def run_columns(value, slope, constants, paths, scales, starts, ends, outputs):
    """Run the networks of one set of weights, or of one set each.

    `scales` holds the columns' α, a multiple of eight of them, `starts` and `ends` (d, columns) h_0 and p_L;
    no `ends`, no gradients. Fills the rows of the first ``len(outputs.rows)`` columns as the dense engine
    does. A network with a non-finite state leaves NaN.
    """
    network = build_network(value, slope, constants, paths, scales, outputs.rows.shape[0])
    state = build_state(network)
    work = build_work(network, outputs)
    branches = outputs.gates.shape[1] > 0
    tape = build_tape(network, kept_words(constants.sentence), ends.size > 0, branches)
    start(network, state, starts, network.lowest, work.starts[0], outputs.hidden_path, 0)
    forward(network, state, tape, work, outputs)
    record(network, state, starts, work.starts[0], outputs.rows[:, :2], outputs.last_hidden)
    if ends.size > 0:
        start(network, state, ends, UNBOUNDED, work.starts[1], outputs.gradient_path, constants.depth)
        backward(network, state, tape, work, outputs)
        record(network, state, ends, work.starts[1], outputs.rows[:, 2:], outputs.first_gradient)
    for c in range(outputs.rows.shape[0]):
        if not state.finite[c]:
            for column in outputs:
                column[c, :] = np.nan
