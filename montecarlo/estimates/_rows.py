"""Border checks shared by the estimates: what a column of rows and a confidence may be."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def column(x: ArrayLike, name: str = "x") -> NDArray[np.float64]:
    """Return `x` as a non-empty one-dimensional float64 array, or raise ValueError."""
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}: must be one-dimensional; pass one column")
    if values.size == 0:
        raise ValueError(f"{name} has 0 values: must have at least 1; simulate more replicas")
    return values


def keep_finite(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Split off NaN, +inf and -inf: the finite values in their order, and how many were not finite."""
    kept = values[np.isfinite(values)]
    return kept, values.size - kept.size


def keep_below_infinity(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Split off NaN and +inf but keep -inf, the natural log of an exact zero."""
    kept = values[values < np.inf]
    return kept, values.size - kept.size


def check_between(name: str, value: float, low: float, high: float, fix: str) -> None:
    """Raise ValueError unless `low < value < high`."""
    if not low < value < high:
        raise ValueError(f"{name}={value!r}: must lie strictly between {low:g} and {high:g}; {fix}")


def check_confidence(confidence: float) -> float:
    """Return the miss probability `1 - confidence`, or raise ValueError."""
    check_between("confidence", confidence, 0.0, 1.0, "pass for example 0.99")
    return 1.0 - confidence


def check_false_alarm(false_alarm: float) -> None:
    """Raise ValueError unless a false-alarm probability lies strictly between 0 and 1."""
    check_between("false_alarm", false_alarm, 0.0, 1.0, "pass for example 1e-6")


def check_finite(name: str, value: float, fix: str) -> None:
    """Raise ValueError unless `value` is a finite number."""
    if not math.isfinite(value):
        raise ValueError(f"{name}={value!r}: must be finite; {fix}")


def join_warnings(*texts: str | None) -> str | None:
    """Join the warnings that are set into one line, None where none is."""
    return "; ".join(text for text in texts if text) or None


def warn_nonfinite(n_nonfinite: int, n_total: int) -> str | None:
    """Say that outcomes were left out, which makes the estimate one given the others."""
    if n_nonfinite == 0:
        return None
    return f"{n_nonfinite} of {n_total} outcomes are left out as not finite: the estimate is for the others"
