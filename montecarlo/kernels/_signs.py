"""Random signs of units, fair and independent: a bit each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from montecarlo.common._jit import helper, kernel
from montecarlo.common._scalars import smaller
from montecarlo.streams._address import Address
from montecarlo.streams._keys import ROLE_SIGNS
from montecarlo.streams._philox import philox

SIGNS = np.uint32(ROLE_SIGNS << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_BITS = np.uint64(32)


@helper
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
            for i in range(begin, smaller(units, np.uint64(begin + _BITS))):
                bit = np.uint32(word >> np.uint32(i - begin)) & np.uint32(1)
                out[first + i * stride] = np.float32(1.0) - np.float32(2.0) * np.float32(bit)


@kernel(allocates=False)
def _fill_layers(k0, k1, low, high, out):
    for k in range(out.shape[0]):
        fill_signs(k0, k1, np.uint32(k), low, high, np.uint64(out.shape[1]), _ONE, _ZERO, out[k])


def signs_of(address: Address, depth: int, width: int) -> npt.NDArray[np.float32]:
    """Return the signs of all layers of a replica as kernels draw them, shape (L, d)."""
    signs = np.empty((depth, width), np.float32)
    _fill_layers(*address, signs)
    return signs
