"""Where the random numbers of one replica lie."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types


class Address(NamedTuple):
    """Key and replica, each in two words of 32 bits."""

    k0: Any
    k1: Any
    low: Any
    high: Any

    @classmethod
    def of(cls, key: tuple[Any, Any], replica: int) -> Address:
        """Return an address as kernels take it.

        Examples
        --------
        >>> tuple(int(word) for word in Address.of((1, 2), 2**32 + 3))
        (1, 2, 3, 1)
        """
        return cls(*(np.uint32(word) for word in (*key, replica & 0xFFFFFFFF, replica >> 32)))


ADDRESS = types.NamedUniTuple(types.uint32, 4, Address)
"""Its type."""
