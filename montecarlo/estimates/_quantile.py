"""Quantiles with the distribution-free interval between two order statistics."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from montecarlo.estimates._estimate import Estimate, estimated
from montecarlo.estimates._rows import check_between, check_confidence, column, keep_below_infinity


def quantile(x: ArrayLike, p: float, *, confidence: float = 0.99) -> Estimate:
    """Estimate the p-quantile ``inf{t : P(x <= t) >= p}``, between exact binomial order statistics.

    Right for every law, with atoms, heavy tails or -inf, at every n: coverage is at least `confidence`. The
    price is width where the density is low, and an infinite end where n is too small for that p and
    confidence.

    Parameters
    ----------
    x
        Rows, shape (rows,), on any scale; -inf (the natural log of an exact zero) is the smallest value. NaN
        and +inf are counted and left out.
    p
        Level, strictly between 0 and 1.
    confidence
        Guaranteed coverage, default 0.99.

    Returns
    -------
    Estimate
        Value: the order statistic of index ceil(n p), no interpolation.

    Raises
    ------
    ValueError
        If `x` is empty or not one-dimensional, or `p` or `confidence` is not in (0, 1).

    Notes
    -----
    W. R. Thompson, Annals of Mathematical Statistics 7 (1936) 122-128; H. A. David and H. N.
    Nagaraja, "Order Statistics" (2003), section 7.1: with B ~ Bin(n, p), ``P(X_(r) > q) <= P(B < r)`` and
    ``P(X_(s) < q) <= P(B >= s)``, for discontinuous laws too; each is kept at or below (1 − confidence)/2.

    Examples
    --------
    >>> print(quantile(range(1, 1000), 0.9, confidence=0.95))
    900 [880, 918] (95 %, n=999)
    """
    check_between("p", p, 0.0, 1.0, "pass for example 0.5")
    miss = check_confidence(confidence)
    values, n_nonfinite = keep_below_infinity(column(x))
    n = values.size
    value, lower, upper = math.nan, -math.inf, math.inf
    below = above = False
    if n > 0:
        ordered = np.sort(values)
        # 1e-9: n p may exceed an integer by rounding
        value = float(ordered[max(1, math.ceil(n * p - 1e-9)) - 1])
        r = int(stats.binom.ppf(miss / 2.0, n, p))  # P(B < r) <= miss / 2, r = 0 stands for -inf
        s = int(stats.binom.isf(miss / 2.0, n, p)) + 1  # P(B >= s) <= miss / 2, s = n + 1 stands for +inf
        below, above = r < 1, s > n
        lower = -math.inf if below else float(ordered[r - 1])
        upper = math.inf if above else float(ordered[s - 1])
    sides = " and ".join(side for side, hit in (("lower", below), ("upper", above)) if hit)
    return estimated(
        value, (lower, upper), confidence=confidence, n=n, lost=n_nonfinite,
        method=f"quantile {p:g}, order statistics",
        note=f"n={n} is too small for a {sides} end" if sides else None,
    )  # fmt: skip


def median(x: ArrayLike, *, confidence: float = 0.99) -> Estimate:
    """Estimate the median, ``quantile(x, 0.5)``: for even n the lower of the two middle values.

    Right for every law, see `quantile`.

    Parameters
    ----------
    x
        Rows, shape (rows,); -inf is allowed, NaN and +inf are counted and left out.
    confidence
        Guaranteed coverage, default 0.99.

    Returns
    -------
    Estimate
        The median on the scale of the rows (natural logs stay natural logs).

    Raises
    ------
    ValueError
        If `x` is empty or not one-dimensional, or `confidence` is not in (0, 1).

    Notes
    -----
    W. R. Thompson (1936), see `quantile`.

    Examples
    --------
    >>> print(median(range(1, 1000)))
    500 [459, 541] (99 %, n=999)
    """
    return quantile(x, 0.5, confidence=confidence)
