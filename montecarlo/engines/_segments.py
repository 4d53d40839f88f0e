"""How many layers a tape holds at once: what the way back needs of the way forward."""

from __future__ import annotations

import math

TAPE_BYTES = 32 << 20
"""Memory that the tape of a block may take before depth is cut into segments."""


def segment_length(depth: int, layer_bytes: int) -> int:
    """Return the layers of a segment: all where `TAPE_BYTES` hold them, else about √L.

    Examples
    --------
    >>> segment_length(1000, 320), segment_length(10**6, 8000)
    (1000, 1000)
    """
    if depth * layer_bytes <= TAPE_BYTES:
        return depth
    return math.isqrt(depth - 1) + 1
