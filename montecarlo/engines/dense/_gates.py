"""Gradients of the factors a_k of the dense engine: ``∂ℓ/∂a_k = p_{k+1}·V g(h_k)``.

What a branch added is kept on the way forward, where they are asked for, and met by the gradient on the way
back.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import apart, inline
from montecarlo.engines.dense._state import NOW

_ZERO = np.uint64(0)
_LN2 = math.log(2.0)


@inline
def keep_branch(rest, network, state, vector, tape, place):
    """Keep what a branch leaves, before its factor."""
    if rest is None:
        return
    if tape.branches.shape[0] > 0:
        values = state.buffers[vector.front]
        for j in range(_ZERO, network.width):
            tape.branches[place, j] = values[j]
        tape.branch_logs[place] = vector.frame * _LN2 - math.log(vector.divisor)


@apart
def meet_branch(rest, network, gradient, tape, place, work, gates, row, k):
    """Store log |∂ℓ/∂a_k| over ‖p_L‖‖h_0‖."""
    if rest is None:
        return
    if gates.size > 0:
        total = 0.0
        for j in range(_ZERO, network.width):
            total += gradient.mantissas[j] * np.float64(tape.branches[place, j])
        log_scale = gradient.exponents[NOW] * _LN2 + tape.branch_logs[place]
        gates[row, k] = math.log(abs(total)) + log_scale - work.starts[0] - work.starts[1]
