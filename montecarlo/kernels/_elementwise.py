"""An activation on every entry of an array, for callers that are no engine."""

from __future__ import annotations

from typing import Any

from numba import types

from montecarlo.common._jit import kernel
from montecarlo.kernels._state import SCALAR_FUNCTION


@kernel(
    signature=types.void(
        SCALAR_FUNCTION, types.Array(types.float64, 1, "C", readonly=True), types.float64[::1]
    ),
    allocates=False,
)
def apply(function: Any, x: Any, out: Any) -> None:
    """Write function(x) to out, entry by entry."""
    for i in range(len(x)):
        out[i] = function(x[i])
