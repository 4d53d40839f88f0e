"""Do two samples go together, as those of networks that share their weights do?

Networks of one seed use common random numbers, whatever their depth, scaling, block or activation
(`ResNet.stream_key`): good for differences, wrong for tests that need independent samples, which then see
too little. Columns do not carry their seed, so the rows themselves are asked; that also finds samples that
overlap, and both columns of one network.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

# Probability, at most, of a word about independent rows: six deviations of a rank correlation, and counts of
# equal rows that ties inside the samples do not explain.
_DEVIATIONS = 6.0
_IN_PLACE, _ANYWHERE = 6, 20
_TIES = 8  # times as many equal pairs as inside the samples
_MOST = 100_000  # rows that are looked at


def warn_shared_rows(x: NDArray[np.float64], y: NDArray[np.float64]) -> str | None:
    """
    Return a warning if rows of x and y, in their order, depend on each other; None if nothing is found.

    Parameters
    ----------
    x, y
        Rows as they were drawn, not sorted; row i of both is held to be a pair. Longer samples are looked at
        up to row 100,000.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.standard_normal((2, 1000))
    >>> warn_shared_rows(x, y) is None
    True
    >>> print(warn_shared_rows(x, x + 0.5 * y))  # doctest: +ELLIPSIS
    rows of x and y go together (rank correlation 0.88...): draw one sample with another seed...
    """
    x, y = x[:_MOST], y[:_MOST]
    n = min(x.size, y.size)
    if n < 2:
        return None
    tied = _tied_pairs(x) + _tied_pairs(y)
    in_place = int(np.count_nonzero((x[:n] == y[:n]) & np.isfinite(x[:n])))
    anywhere = _equal_pairs(x, y)
    advice = (
        "draw one sample with another seed; networks of one seed share their weights, and the samples of "
        "this test must be independent"
    )
    if in_place > _IN_PLACE + _TIES * tied / n or anywhere > _ANYWHERE + _TIES * tied:
        return f"x and y have {max(in_place, anywhere):,} rows in common: {advice}"
    correlation = _rank_correlation(x[:n], y[:n])
    if abs(correlation) * np.sqrt(n - 1) > _DEVIATIONS:
        return f"rows of x and y go together (rank correlation {correlation:.2g}): {advice}"
    return None


def _tied_pairs(x: NDArray[np.float64]) -> float:
    """Return the number of pairs of equal finite rows inside a sample."""
    count = np.unique(x[np.isfinite(x)], return_counts=True)[1].astype(float)
    return float(np.sum(count * (count - 1)) / 2)


def _equal_pairs(x: NDArray[np.float64], y: NDArray[np.float64]) -> int:
    """Return the number of finite values that both samples have."""
    return np.intersect1d(x[np.isfinite(x)], y[np.isfinite(y)]).size


def _rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation, 0 if a sample is constant."""
    kept = ~(np.isnan(x) | np.isnan(y))
    if kept.sum() < 2:
        return 0.0
    u, v = (stats.rankdata(c[kept]) - 0.5 * (kept.sum() + 1) for c in (x, y))
    size = float(np.sqrt((u @ u) * (v @ v)))
    return float(u @ v) / size if size > 0 else 0.0
