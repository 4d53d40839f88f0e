"""Rows that are the same, bit for bit."""

from typing import Any

import numpy as np


def same_bits(a: Any, b: Any) -> bool:
    """Whether two samples, or columns by name, hold the same bits."""
    a, b = (getattr(rows, "columns", rows) for rows in (a, b))
    return list(a) == list(b) and all(
        np.shape(a[name]) == np.shape(b[name]) and a[name].tobytes() == b[name].tobytes() for name in a
    )
