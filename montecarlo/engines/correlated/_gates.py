"""Gradients of the factors a_k of the correlated engine: ``∂ℓ/∂a_k = p_{k+1}·V g(h_k)``.

What branches added is kept on the way forward, where they are asked for, and met by the gradients on the way
back.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.engines.correlated._state import factor_of

_ZERO = np.uint64(0)
_LN2 = math.log(2.0)


@inline
def keep_branch(network, k, state, vector, tape):
    """Keep what branches leave, before their factors."""
    if tape.branches.shape[0] > 0:
        values = state.buffers[vector.front]
        for i in range(_ZERO, network.width * network.columns):
            tape.branches[k, i] = values[i]
        log_factor = math.log(factor_of(network, vector.roots, vector.inner_roots))
        for c in range(_ZERO, network.columns):
            tape.branch_logs[k, c] = log_factor + (0.0 if vector.normed else state.exponents[c] * _LN2)


@helper
def meet_branch(network, k, gradient, tape, work, gates):
    """Store log |∂ℓ/∂a_k| over ‖p_L‖‖h_0‖."""
    if gates.size > 0:
        for c in range(network.networks):
            total = 0.0
            for i in range(_ZERO, network.width):
                place = np.uint64(i) * network.columns + np.uint64(c)
                entry = np.float64(gradient.high[place]) + np.float64(gradient.low[place])
                total += entry * np.float64(tape.branches[k, place])
            log_scale = gradient.exponents[c] * _LN2 + tape.branch_logs[k, c]
            gates[c, k] = math.log(abs(total)) + log_scale - work.starts[0, c] - work.starts[1, c]
