"""Arrays that Python makes for kernels, each from the beginning of a line of the cache on.

Loads and stores across two lines take twice as long, and numpy promises 16 bytes. Inside a kernel it is
`montecarlo.kernels._room`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

LINE = 64
"""Bytes of a line."""


def zeros(shape: int | tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Return an array of zeros, in C order.

    Examples
    --------
    >>> array = zeros((2, 3), np.float32)
    >>> array.ctypes.data % LINE, array.shape, array.dtype
    (0, (2, 3), dtype('float32'))
    """
    size = math.prod(shape if isinstance(shape, tuple) else (shape,)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + LINE, np.uint8)
    first = -memory.__array_interface__["data"][0] % LINE
    return memory[first : first + size].view(dtype).reshape(shape)


def ones(shape: int | tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Return an array of ones, in C order."""
    array = zeros(shape, dtype)
    array[...] = 1
    return array
