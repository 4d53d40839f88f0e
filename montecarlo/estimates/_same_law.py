"""Two samples: do they have one law?"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from montecarlo.estimates._law_test import LawTest
from montecarlo.estimates._rows import (
    check_false_alarm,
    column,
    join_warnings,
    keep_below_infinity,
    warn_nonfinite,
)
from montecarlo.estimates._shared_rows import warn_shared_rows

_EXACT_ROWS = 2000  # above, scipy's path counting costs more than the sharpness is worth
_EXACT_FLOOR = 1e-10  # scipy's exact p-value is 1 minus a sum: absolute errors near 1e-13


def _bound(n: int, m: int) -> tuple[float, float]:
    """Return (C, c) with ``P(D >= ε) <= C exp(−c ε²)`` for every law: proven two-sample DKW constants."""
    if n == m and n >= 458:
        return 2.0, float(n)  # Wei and Dudley, Theorem 1
    # triangle inequality with two one-sample bounds, ε split as 1/√n : 1/√m
    return 4.0, 2.0 * n * m / (math.sqrt(n) + math.sqrt(m)) ** 2


def _distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    x, y = np.sort(x), np.sort(y)
    points = np.concatenate((x, y))
    gaps = (
        np.searchsorted(x, points, side="right") / x.size - np.searchsorted(y, points, side="right") / y.size
    )
    return float(np.max(np.abs(gaps)))


def _exact_pvalue(x: NDArray[np.intp], y: NDArray[np.intp]) -> float:
    """Return the exact Kolmogorov-Smirnov p-value, or 1 where scipy cannot compute it.

    Where its sum rounds to more than 1 (seven rows each, distance 1/7), scipy warns and returns the
    asymptotic value, which is no bound: the caller's proven one stands then.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(stats.ks_2samp(x, y, method="exact").pvalue)  # pyright: ignore[reportAttributeAccessIssue]
        except RuntimeWarning:
            return 1.0


def same_law(x: ArrayLike, y: ArrayLike, *, false_alarm: float = 1e-6) -> LawTest:
    """Test whether two independent i.i.d. samples have the same law (Kolmogorov-Smirnov).

    Right for every law, with ties and -inf, at every pair of sizes: the false alarm is guaranteed. Samples of
    at most 2000 rows use the exact law of the distance (conservative under ties), larger ones a proven bound,
    which is sharp for equal sizes and costs up to half of the rows for unequal ones: give both samples the
    same size there. Wrong for paired rows: the samples must be independent. Two columns of one sample are
    not, and samples of one seed share their weights whatever the depth, scaling, block or activation;
    `warning` says so where rows go together (a false word has a probability below 1e-6). Weak in the far
    tails.

    Parameters
    ----------
    x, y
        Rows, shapes (rows of x,) and (rows of y,), on one scale (natural logs for the columns of a sample);
        -inf is the smallest value, NaN and +inf are counted and left out.
    false_alarm
        Probability, at most, of refuting where the laws agree. Default 1e-6.

    Returns
    -------
    LawTest
        `pvalue` is the smaller of two valid numbers: the exact one (where computed, floored at 1e-10 for its
        rounding) and the bound ``C exp(−c D²)``. `threshold` is that of the bound.

    Raises
    ------
    ValueError
        If a sample is empty or not one-dimensional, or `false_alarm` is not in (0, 1).

    Notes
    -----
    Bound for equal sizes n >= 458: ``2 exp(−n D²)``, F. Wei and R. M. Dudley, "Two-sample
    Dvoretzky-Kiefer-Wolfowitz inequalities", Statistics & Probability Letters 82 (2012) 636-644, Theorem 1.
    Otherwise the triangle inequality and Massart (1990) for each sample: ``4 exp(−2 n m D² / (√n + √m)²)``.
    Ties: both samples are monotone images of uniform ones, whose distance is at least as large, so p-values
    for continuous laws stay valid.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.standard_normal(1000), rng.standard_normal(1000)
    >>> same_law(x, y).refuted, same_law(x, y + 0.5).refuted
    (False, True)
    """
    check_false_alarm(false_alarm)
    rows_x, rows_y = column(x), column(y, "y")
    kept_x, lost_x = keep_below_infinity(rows_x)
    kept_y, lost_y = keep_below_infinity(rows_y)
    n, m = kept_x.size, kept_y.size
    notes = join_warnings(
        warn_nonfinite(lost_x, rows_x.size),
        warn_nonfinite(lost_y, rows_y.size),
        "a sample has no row below +inf" if min(n, m) == 0 else None,
        warn_shared_rows(rows_x, rows_y),
    )
    distance, threshold, pvalue = 0.0, math.inf, 1.0
    method = "two-sample DKW bound"
    if min(n, m) > 0:
        factor, rate = _bound(n, m)
        distance = _distance(kept_x, kept_y)
        threshold = math.sqrt(math.log(factor / false_alarm) / rate)
        pvalue = min(1.0, factor * math.exp(-rate * distance**2))
        if max(n, m) <= _EXACT_ROWS:
            method = "two-sample Kolmogorov-Smirnov, exact or DKW bound"
            # ranks: scipy then never meets -inf
            ranks = np.unique(np.concatenate((kept_x, kept_y)), return_inverse=True)[1]
            pvalue = min(pvalue, max(_exact_pvalue(ranks[:n], ranks[n:]), _EXACT_FLOOR))
    return LawTest(
        distance=distance,
        threshold=threshold,
        pvalue=pvalue,
        false_alarm=false_alarm,
        n=n,
        m=m,
        n_nonfinite=lost_x + lost_y,
        method=method,
        warning=notes,
    )
