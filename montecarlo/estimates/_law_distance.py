"""One sample against a law: the Dvoretzky-Kiefer-Wolfowitz distance and band."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from montecarlo.estimates._law_test import LawTest
from montecarlo.estimates._rows import (
    check_confidence,
    check_false_alarm,
    column,
    keep_below_infinity,
    warn_nonfinite,
)

Cdf = Callable[[NDArray[np.float64]], ArrayLike]
"""A distribution function t -> P(X <= t), of arrays; at -inf the mass of an atom there (usually 0)."""


def _evaluate(cdf: Cdf, points: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.asarray(cdf(points), dtype=np.float64)
    if values.shape != points.shape:
        raise ValueError(
            f"cdf returns shape {values.shape} for {points.shape}: must keep the shape; vectorise it"
        )
    bad = ~((values >= -1e-9) & (values <= 1.0 + 1e-9))
    if np.any(bad):
        k = int(np.argmax(bad))
        raise ValueError(
            f"cdf is {float(values[k])!r} at {float(points[k])!r}: must lie in [0, 1]; mend it there"
        )
    return np.clip(values, 0.0, 1.0)


def _steps(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct values in order and the empirical cdf at each."""
    return _sorted_steps(np.sort(values))


def _sorted_steps(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `_steps` of values that are sorted."""
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    return values[last], (last + 1) / values.size


def _sup_distance(points: NDArray[np.float64], levels: NDArray[np.float64], cdf: Cdf) -> float:
    """Return sup |F_n − F|, for any F: monotone, so the supremum is at a step or just left of one.

    F is asked at a few steps first. Between two of them both functions are known to lie between their values
    there, and only where that leaves room for more than the largest difference so far is F asked further: at
    about the square root of all steps where the laws are close.
    """
    left_levels = np.concatenate(([0.0], levels[:-1]))
    stride = 1 << int(points.size**0.5).bit_length()
    ends = np.unique(np.append(np.arange(0, points.size, stride), points.size - 1))
    at, left = _both_sides(cdf, points[ends])
    largest = float(max(np.max(np.abs(levels[ends] - at)), np.max(np.abs(left_levels[ends] - left))))
    low, high, above, below = ends[:-1], ends[1:], at[:-1], left[1:]
    while True:
        # F is at least `above` and at most `below` strictly between low and high
        room = np.maximum(left_levels[high] - above, below - levels[low])
        open_ = (high - low > 1) & (room > largest)
        if not np.any(open_):
            return largest
        low, high, above, below = low[open_], high[open_], above[open_], below[open_]
        middle = (low + high) // 2
        at, left = _both_sides(cdf, points[middle])
        gaps = np.maximum(np.abs(levels[middle] - at), np.abs(left_levels[middle] - left))
        largest = max(largest, float(np.max(gaps)))
        low, high = np.concatenate((low, middle)), np.concatenate((middle, high))
        above, below = np.concatenate((above, at)), np.concatenate((left, below))


def _both_sides(cdf: Cdf, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a distribution function at points, and just left of them."""
    at, left = np.split(_evaluate(cdf, np.concatenate((points, np.nextafter(points, -np.inf)))), 2)
    return at, np.where(points == -np.inf, 0.0, left)


def dkw_epsilon(n: int, *, false_alarm: float) -> float:
    """Return ε with ``P(sup |F_n − F| >= ε) <= false_alarm`` for every law and every n.

    Parameters
    ----------
    n
        Number of i.i.d. rows, at least 1.
    false_alarm
        Probability, strictly between 0 and 1.

    Returns
    -------
    float
        ``√(log(2/false_alarm) / (2n))``; above 1 where n is too small to see anything.

    Raises
    ------
    ValueError
        If `n` < 1 or `false_alarm` is not in (0, 1).

    Notes
    -----
    A. Dvoretzky, J. Kiefer, J. Wolfowitz (1956), with the sharp constant 2 of P. Massart, "The
    tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality", Annals of Probability 18 (1990) 1269-1283,
    Corollary 1.

    Examples
    --------
    >>> round(dkw_epsilon(1000, false_alarm=1e-6), 4)
    0.0852
    """
    check_false_alarm(false_alarm)
    if n < 1:
        raise ValueError(f"n={n!r}: must be at least 1; simulate more replicas")
    return math.sqrt(math.log(2.0 / false_alarm) / (2.0 * n))


def law_distance(x: ArrayLike, cdf: Cdf, *, false_alarm: float = 1e-6) -> LawTest:
    """Test whether i.i.d. rows have the law `cdf`, by the largest distance of the distribution functions.

    Right for every law, with atoms and -inf, at every n: the false alarm is a bound, not an approximation
    (conservative by a little, more so for laws with large atoms). Weak in the far tails, where the distance
    is small by nature. An atom is matched bit for bit: rows off it by rounding, or a `cdf` that
    jumps early by a tolerance, count as a difference.

    Parameters
    ----------
    x
        Rows, shape (rows,), on the scale of `cdf` (natural logs for the columns of a sample); -inf is
        allowed, NaN and +inf are counted and left out.
    cdf
        Right-continuous distribution function of arrays. If rows can be -inf, its value there is their
        probability.
    false_alarm
        Probability, at most, of refuting the right law. Default 1e-6.

    Returns
    -------
    LawTest
        With the p-value bound ``2 exp(−2 n D²)``.

    Raises
    ------
    ValueError
        If `x` is empty or not one-dimensional, `false_alarm` is not in (0, 1), or `cdf` leaves [0, 1].

    Notes
    -----
    Massart (1990), Corollary 1, see `dkw_epsilon`.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> x = np.random.default_rng(1).standard_normal(1000)
    >>> law_distance(x, stats.norm.cdf).refuted, law_distance(x, stats.norm(0.5).cdf).refuted
    (False, True)
    """
    check_false_alarm(false_alarm)
    rows = column(x)
    values, n_nonfinite = keep_below_infinity(rows)
    n = values.size
    distance, threshold, pvalue = 0.0, math.inf, 1.0
    if n > 0:
        distance = _sup_distance(*_steps(values), cdf)
        threshold = dkw_epsilon(n, false_alarm=false_alarm)
        pvalue = min(1.0, 2.0 * math.exp(-2.0 * n * distance**2))
    return LawTest(
        distance=distance,
        threshold=threshold,
        pvalue=pvalue,
        false_alarm=false_alarm,
        n=n,
        n_nonfinite=n_nonfinite,
        method="one-sample DKW-Massart",
        warning=warn_nonfinite(n_nonfinite, rows.size),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class DkwBand:
    """A band that holds the whole distribution function with probability at least `confidence`.

    Parameters
    ----------
    points
        Distinct rows in increasing order, shape (points,).
    levels
        Empirical distribution function at the points, shape (points,), constant up to the next point.
    lower, upper
        The band at the points, shape (points,).
    epsilon
        Its half-height before clipping to [0, 1].
    confidence
        Guaranteed simultaneous coverage.
    n, n_nonfinite
        Rows used, and rows left out as NaN or +inf.
    """

    points: NDArray[np.float64]
    levels: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    epsilon: float
    confidence: float
    n: int
    n_nonfinite: int = 0

    def contains(self, cdf: Cdf) -> bool:
        """Whether the distribution function `cdf` lies in the band everywhere."""
        return _sup_distance(self.points, self.levels, cdf) <= self.epsilon


def dkw_band(x: ArrayLike, *, confidence: float = 0.99) -> DkwBand:
    """Return a simultaneous band around the empirical distribution function.

    Right for every law and n, for figures and for reading off any number of quantiles at once.

    Parameters
    ----------
    x
        Rows, shape (rows,); -inf is allowed, NaN and +inf are counted and left out.
    confidence
        Guaranteed coverage of the whole band, default 0.99.

    Returns
    -------
    DkwBand
        On the scale of the rows (natural logs stay natural logs).

    Raises
    ------
    ValueError
        If `x` is not one-dimensional or has no value below +inf, or `confidence` is not in (0, 1).

    Notes
    -----
    Massart (1990), Corollary 1, see `dkw_epsilon`.

    Examples
    --------
    >>> band = dkw_band(range(100), confidence=0.95)
    >>> round(band.epsilon, 4), round(float(band.upper[49]), 4)
    (0.1358, 0.6358)
    """
    miss = check_confidence(confidence)
    values, n_nonfinite = keep_below_infinity(column(x))
    if values.size == 0:
        raise ValueError(
            f"x has {n_nonfinite} rows, all NaN or +inf: must have at least 1 other; simulate more replicas"
        )
    points, levels = _steps(values)
    epsilon = dkw_epsilon(values.size, false_alarm=miss)
    return DkwBand(
        points=points,
        levels=levels,
        lower=np.maximum(levels - epsilon, 0.0),
        upper=np.minimum(levels + epsilon, 1.0),
        epsilon=epsilon,
        confidence=confidence,
        n=values.size,
        n_nonfinite=n_nonfinite,
    )
