"""What a weight law must offer: two kernels on rows of unit-variance entries that are never stored.

A matrix role (V, W, the embedding, ...) of one layer and replica is a virtual array ``M[unit, j]``. For W a
unit is a row; for V it is a *column*, so that in both matrices skipping an inactive hidden unit skips one
contiguous run of counters. The counter of Philox is

    (unit * counters_per_unit + position, layer | role << 28, low word and high word of the replica)

with ``position`` running along ``j``; `address` names key and replica, and a law hands it on to `generate`.
The two kernels of a law share one signature:

``project(address, layer_role, units, n, x, steps, scratch, out)``
    ``out[i] = sum_j M[units[i], j] x[j]`` for i < n.
``combine(...)``
    ``out[j] = sum_i x[i] M[units[i], j]`` for j < 8 * steps.

``steps`` is the number of groups of eight positions. The caller pads: positions from the width to
``8 * steps`` carry x = 0 in `project`; ``units``, ``out`` of `project` and ``x`` of `combine` have room for n
rounded up to eights, there x is 0 and ``out`` is left undefined.

Kernels are compiled with the explicit signature below and handed to the engine as first-class
functions: the engine is compiled once for all laws, a law only when it is used.
"""

from __future__ import annotations

import functools

from numba import types

from montecarlo.common._jit import kernel
from montecarlo.streams._address import ADDRESS

SIGNATURE = types.void(
    ADDRESS,  # key and replica
    types.uint32,  # layer | role << 28
    types.uint32[::1],  # units
    types.uint64,  # n
    types.float32[::1],  # x
    types.uint64,  # steps
    types.float32[::1],  # scratch, `montecarlo.laws._products.SCRATCH` long
    types.float32[::1],  # out
)

law_kernel = functools.partial(kernel, signature=SIGNATURE, allocates=False, passed=True)
"""Decorator of a law's `project` and `combine`."""
