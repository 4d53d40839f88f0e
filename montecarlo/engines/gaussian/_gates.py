"""Gradients of the factors a_k of the Gaussian engine: ``∂ℓ/∂a_k = p_{k+1}·V g(h_k)``.

What a branch added lies in a slot of the tape, up to a factor that is kept on the way forward where the
gradients are asked for.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import apart, inline
from montecarlo.engines.gaussian._records import log_divisor, table_of
from montecarlo.engines.gaussian._state import half_log
from montecarlo.kernels._lanes import NETWORKS, dot

_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)


@inline
def keep_branch(rest, network, k, vector, state, work, first_slot):
    """Keep where a branch lies, and the factor that it lacks but for a_k."""
    if rest is None:
        return
    if work.branch_logs.shape[0] > 0:
        work.branch_slot[0] = vector.slot - first_slot
        for lane in range(_ZERO, _SIXTEEN):
            frame = np.int64(0) if vector.own else state.exponents[lane]
            log_factor = half_log(work.lengths[lane]) - log_divisor(network, vector)
            work.branch_logs[k, lane] = log_factor + frame * _LN2


@apart
def meet_branch(rest, network, batch, k, gradient, tape, work, first_slot, gates):
    """Store log |∂ℓ/∂a_k| over ‖p_L‖‖h_0‖."""
    if rest is None:
        return
    if gates.size == 0:
        return
    dot(
        table_of(network, tape, first_slot + work.branch_slot[0]),
        gradient.mantissas,
        network.rows,
        work.along,
    )
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(batch.row + lane)
        if row < np.uint64(gates.shape[0]):
            log_scale = gradient.exponents[lane] * _LN2 + work.branch_logs[k, lane]
            log_scale -= work.log_starts[0, lane] + work.log_starts[1, lane]
            value = math.log(abs(work.along[lane])) + log_scale
            gates[row, k] = value if gradient.alive[lane] else np.nan
