"""The interval of a mean over seeds that a check may look at several times.

Rows are one number a seed, independent and of one law, whatever links the depths of one seed. Student's
interval holds the mean with its stated probability for normal rows; ours are combinations of averages over
all blocks, rows and coordinates of a model, which are close to normal (`benchmarks/practice/calibration.py`
counts how often it misses). A check that looks J times gives each look 1/J of its false alarm: by the union
bound the probability that any look misses is at most the whole, however it stops.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

FEWEST = 4  # seeds before the first look


def looks_of(seeds: int) -> tuple[int, ...]:
    """Return after how many seeds a check looks: 4, then half as many more each time, and at the end.

    Examples
    --------
    >>> looks_of(3), looks_of(8), looks_of(20)
    ((3,), (4, 6, 8), (4, 6, 9, 13, 19, 20))
    """
    found, at = [], FEWEST
    while at < seeds:
        found.append(at)
        at += max(1, at // 2)
    return (*found, seeds)


def interval_of(rows: ArrayLike, false_alarm: float) -> tuple[float, float, float]:
    """Return mean, and ends of Student's interval that misses the mean with this probability.

    Examples
    --------
    >>> mean, low, high = interval_of([1.0, 2.0, 3.0], 0.05)
    >>> mean, round(low, 3), round(high, 3)
    (2.0, -0.484, 4.484)
    """
    values = np.asarray(rows, dtype=np.float64)
    n = values.size
    mean = float(values.mean()) if n else math.nan
    if n < 2 or not np.isfinite(values).all():
        return mean, -math.inf, math.inf
    half = float(student.isf(false_alarm / 2, n - 1) * values.std(ddof=1)) / math.sqrt(n)
    half += 1e-9 * max(1.0, abs(mean))  # rounding, for rows that are all equal
    return mean, mean - half, mean + half
