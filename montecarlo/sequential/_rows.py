"""What a batch of rows, a false alarm and an aim may be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from montecarlo.common._errors import InvalidFieldError, check_real


def batch(rows: ArrayLike, field: str = "rows") -> NDArray[np.float64]:
    """Return a batch as a one-dimensional float64 array, possibly empty, or raise InvalidFieldError."""
    try:
        values = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidFieldError(field, rows, "must be an array of numbers", "pass one column") from None
    if values.ndim != 1:
        raise InvalidFieldError(
            field, f"array of shape {values.shape}", "must be one-dimensional", "pass one column"
        )
    return values


def check_false_alarm(false_alarm: object) -> float:
    """Return a false-alarm probability as a float above 0 and at most 1/2, or raise InvalidFieldError."""
    try:
        number = float(false_alarm)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(false_alarm, bool) or not 0.0 < number <= 0.5:
        raise InvalidFieldError(
            "false_alarm", false_alarm, "must be above 0 and at most 0.5", "give false_alarm=1e-6, say"
        )
    return number


def check_aim(resolution: object, rows: int) -> float:
    """Return the size of an error to aim at as a float above 0, or raise InvalidFieldError."""
    size = check_real("resolution", resolution, 0.0, 1e300, 0.01, open_low=True)
    if rows:
        raise InvalidFieldError("resolution", size, "must be given before the first row", "aim first")
    return size


def check_rows_between(rows: NDArray[np.float64], low: float, high: float) -> None:
    """Raise InvalidFieldError unless all rows lie in [low, high]."""
    outside = rows[(rows < low) | (rows > high)]
    if outside.size:
        raise InvalidFieldError(
            "rows",
            float(outside[0]),
            f"must lie in [{low:g}, {high:g}]",
            "give bounds that are known to hold",
        )
