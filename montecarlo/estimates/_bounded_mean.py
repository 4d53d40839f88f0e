"""The mean of rows in a known interval, valid at every n and for every law."""

import math

import numpy as np
from numpy.typing import ArrayLike

from montecarlo.estimates._estimate import Estimate, estimated
from montecarlo.estimates._rows import check_confidence, check_finite, column, keep_finite


def bounded_mean(x: ArrayLike, *, low: float, high: float, confidence: float = 0.99) -> Estimate:
    """Estimate the mean of rows that lie in [low, high], with a finite-sample interval (empirical Bernstein).

    Right whenever the bounds are known beforehand (cosines, probabilities, bounded functions of a ratio):
    coverage is at least `confidence` for every law on [low, high] and every n. Wrong when `low` and `high`
    are read off the data. Price: about ``√(2 ln(4/δ))`` standard errors and a term ``7 (high − low) ln(4/δ) /
    (3n)``, with δ = 1 − `confidence`; twice Student's width near n = 1000, less beyond.

    Parameters
    ----------
    x
        Rows, shape (rows,), each in [low, high]. Non-finite ones are counted, never in the mean.
    low, high
        The bounds, known before sampling.
    confidence
        Guaranteed coverage, default 0.99.

    Returns
    -------
    Estimate
        Interval clipped to [low, high]; all of [low, high] with fewer than two finite rows.

    Raises
    ------
    ValueError
        If `x` is empty or not one-dimensional, a row lies outside, low >= high, or `confidence` is not in (0,
        1).

    Notes
    -----
    A. Maurer and M. Pontil, "Empirical Bernstein bounds and sample variance penalization", COLT
    2009, Theorem 4, once for each side at δ/2.

    Examples
    --------
    >>> print(bounded_mean([0.25, 0.75] * 500, low=0.0, high=1.0))
    0.500 [0.459, 0.541] (99 %, n=1000)
    """
    miss = check_confidence(confidence)
    check_finite("low", low, "pass a known bound")
    check_finite("high", high, "pass a known bound")
    if low >= high:
        raise ValueError(f"low={low!r}: must be below high={high!r}; swap them or widen the interval")
    values, n_nonfinite = keep_finite(column(x))
    outside = values[(values < low) | (values > high)]
    if outside.size:
        raise ValueError(
            f"x has the value {float(outside[0])!r}: must lie in [{low:g}, {high:g}]; give true bounds"
        )
    n = values.size
    value, lower, upper = math.nan, low, high
    if n > 0:
        value = min(max(float(np.mean(values)), low), high)
    if n > 1:
        log_term = math.log(4.0 / miss)
        spread = math.sqrt(2.0 * float(np.var(values, ddof=1)) * log_term / n)
        half = spread + 7.0 * (high - low) * log_term / (3.0 * (n - 1))
        lower, upper = max(low, value - half), min(high, value + half)
    return estimated(
        value, (lower, upper), confidence=confidence, n=n, lost=n_nonfinite,
        method="bounded mean, empirical Bernstein (Maurer-Pontil)",
        note="fewer than 2 finite rows give no interval" if n < 2 else None,
    )  # fmt: skip
