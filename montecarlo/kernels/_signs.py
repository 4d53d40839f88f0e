"""Random signs of units, fair and independent: a bit each."""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import shared_helper
from montecarlo.streams._keys import ROLE_SIGNS
from montecarlo.streams._philox import philox

SIGNS = np.uint32(ROLE_SIGNS << 28)
_ZERO = np.uint64(0)
_BITS = np.uint64(32)


@shared_helper
def fill_signs(k0, k1, layer, low, high, units, stride, first, out):
    """Store a layer's signs of one replica in ``out[first + i stride]``, i = 0 ... units - 1.

    Unit i has bit i % 32 of word (i // 32) % 4 of counter i // 128.
    """
    role = np.uint32(np.uint32(layer) | SIGNS)
    for start in range(_ZERO, units, np.uint64(128)):
        words = philox(np.uint32(start // np.uint64(128)), role, low, high, k0, k1)
        for part in range(4):
            word = words[part]
            begin = np.uint64(start + np.uint64(part) * _BITS)
            for i in range(begin, min(units, np.uint64(begin + _BITS))):
                bit = np.uint32(word >> np.uint32(i - begin)) & np.uint32(1)
                out[first + i * stride] = np.float32(1.0) - np.float32(2.0) * np.float32(bit)
