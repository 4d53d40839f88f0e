"""Numbers that JSON can hold."""

from __future__ import annotations

import math


def finite(value: float) -> float | None:
    """Return a number that JSON can hold, else None."""
    return float(value) if math.isfinite(value) else None
