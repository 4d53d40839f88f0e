"""The distance of a state from its start, which engines accumulate layer by layer.

The sum of the increments keeps its digits where a state hardly moves. Where a state grows far beyond its
start and falls back, the sum keeps the rounding of the largest state on the way, 2**-53 of it, which may be
more than all that is left at the end.
"""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.common._scalars import larger, ldexp

_ZERO = np.uint64(0)
ROUNDING = 2.0**-20
"""Where sum and state contradict each other by more of the larger end, the sum has lost its digits."""


@helper
def settle_difference(state, start, difference, size, stride, offset, exponent, start_exponent):
    """Replace the accumulated difference of one network by ``state - start`` where its digits are lost.

    The entries of the network lie at ``j * stride + offset``; the state is in the frame of `exponent`, the
    start in that of `start_exponent` and the difference in the larger one.
    """
    frame = larger(exponent, start_exponent)
    up = larger(exponent - frame, -2000)
    start_up = larger(start_exponent - frame, -2000)
    largest = 0.0
    gap = 0.0
    for j in range(_ZERO, size):
        i = np.uint64(j) * stride + offset
        end = ldexp(state[i], up)
        begin = ldexp(start[i], start_up)
        largest = larger(largest, larger(abs(end), abs(begin)))
        gap = larger(gap, abs(end - begin - difference[i]))
    if gap > ROUNDING * largest:
        for j in range(_ZERO, size):
            i = np.uint64(j) * stride + offset
            difference[i] = ldexp(state[i], up) - ldexp(start[i], start_up)
