"""`path_regularity`: how regular weights are along depth, the Hurst or Hölder index of their sums."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from montecarlo.estimates._estimate import Estimate
from montecarlo.estimates._rows import check_confidence

Array = npt.NDArray[np.float64]

METHOD = "slope of log mean squares of sums over lags"
SINGLE_PATH = "a single path says nothing of its own spread"

_LAGS = (1, 2, 4, 8)
_SPAN = 8
"""A path has at least this many times its largest lag: the sums of a lag must not all overlap."""


def path_regularity(
    weights: npt.ArrayLike,
    *,
    lags: Sequence[int] | None = None,
    difference: Literal[1, 2] = 1,
    confidence: float = 0.95,
) -> Estimate:
    """Estimate the index of regularity of weights along depth, from sums of neighbouring layers.

    The index belongs to the path of sums S_k = ξ_1 + ... + ξ_k of an entry ξ, which is what a residual
    network adds up: half the exponent s in E (S_{k+m} − S_k)² ∝ m^s at small m. It is H for fractional
    Gaussian noise of Hurst index H, 1/2 for independent layers, and 1 for smooth weights, of which m
    neighbours are alike. So one number tells independent layers from smooth ones (whose scalings are 1/2 and
    1), and it is the Hölder index of S wherever that is at most 1.

    Right for the weights of one network, whose entries are paths of one law; at small lags alone: a weak
    trend along depth does not enter where layers are rough.

    Parameters
    ----------
    weights : array, shape (L, rows, columns) or (L, paths)
        Layers first. Matrices may have dependent rows or columns, as after training; separate paths are
        taken as independent of each other.
    lags : sequence of int, optional
        The m, at least two, increasing; 1, 2, 4, 8 by default, as far as an eighth of the depth.
    difference : {1, 2}, default 1
        1: sums over m layers, not centred. It is unbiased where entries have mean zero, and counts a mean
        along depth, which grows like m, as the smooth part that it is. 2: differences between neighbouring
        sums, blind to the mean of an entry, whatever that is. No mean is ever subtracted: that would take
        away a share (m/L)^(2−2H) of the sums' variances, another one at each lag. With 2 smooth weights have
        the index 2, and entries that are continuous with index η have 1 + η at lags above 4 or so.
    confidence : float, default 0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        n is the number of paths. The interval is approximate: influence values of the paths, summed over rows
        and over columns (the larger of these variances and of their sum less that of single entries counts),
        and Student's quantile.

    Raises
    ------
    ValueError
        For fewer than 16 layers, bad lags, or weights that are not finite.

    Notes
    -----
    The slope of log mean squares in log m, by least squares; the logs' bias is corrected to second order.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> estimate = path_regularity(rng.standard_normal((1000, 30, 30)))
    >>> abs(estimate.value - 0.5) < 0.01, estimate.half_width < 0.01
    (True, True)
    >>> smooth = np.sin(np.arange(1000)[:, None] / 100 + rng.uniform(0, 6, 20))
    >>> round(path_regularity(smooth).value, 3)
    1.0
    """
    miss = check_confidence(confidence)
    paths = np.asarray(weights, np.float64)
    if paths.ndim not in (2, 3) or 0 in paths.shape:
        raise ValueError(f"weights have shape {paths.shape}: must be (L, rows, columns) or (L, paths)")
    if not np.isfinite(paths).all():
        raise ValueError("weights are not all finite: leave out networks that diverged")
    if difference not in (1, 2):
        raise ValueError(f"difference={difference!r}: must be 1 or 2")
    chosen = _check_lags(lags, len(paths))
    sums = np.concatenate([np.zeros((1, *paths.shape[1:])), np.cumsum(paths, axis=0)])
    squares = np.stack([_mean_squares(sums, m, difference) for m in chosen])
    levels = squares.reshape(len(chosen), -1).mean(axis=1)
    n = squares[0].size
    if not (levels > 0.0).all():
        raise ValueError("weights do not vary along depth: they have no index of regularity")
    x = np.log(np.array(chosen, np.float64))
    slope = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    relative = squares / levels.reshape(-1, *[1] * (squares.ndim - 1)) - 1.0
    bias = -0.5 * np.array([_variance(one)[0] for one in relative])  # of log of a mean
    value = 0.5 * float(slope @ (np.log(levels) - np.where(np.isfinite(bias), bias, 0.0)))
    variance, freedom = _variance(0.5 * np.tensordot(slope, relative, axes=1))
    quantile = float(stdtrit(freedom, 1.0 - miss / 2.0)) if freedom > 0 else math.inf
    half = quantile * math.sqrt(variance) if freedom > 0 else math.inf
    return Estimate(
        value=value, lower=value - half, upper=value + half, confidence=confidence, n=n,
        method=METHOD, warning=None if freedom > 0 else SINGLE_PATH,
    )  # fmt: skip


def _check_lags(lags: Sequence[int] | None, depth: int) -> list[int]:
    if lags is None:
        lags = [m for m in _LAGS if _SPAN * m <= depth]
        if len(lags) < 2:
            raise ValueError(f"weights have {depth} layers: must have at least {2 * _SPAN}")
    chosen = [int(m) for m in lags]
    ordered = len(chosen) >= 2 and all(a < b for a, b in itertools.pairwise(chosen))
    if not ordered or chosen[0] < 1 or _SPAN * chosen[-1] > depth:
        raise ValueError(
            f"lags={tuple(lags)}: must be at least two increasing whole numbers from 1 to "
            f"{depth // _SPAN}, an eighth of the depth; leave them out for 1, 2, 4, 8"
        )
    return chosen


def _mean_squares(sums: Array, m: int, difference: int) -> Array:
    """Return the mean over k of the squared increments of each path, the shape of one layer."""
    increments = sums[m:] - sums[:-m]
    if difference == 2:
        increments = increments[m:] - increments[:-m]
    return np.mean(increments**2, axis=0)


def _variance(values: Array) -> tuple[float, int]:
    """Return the variance of the mean of centred values, and its degrees of freedom.

    Values of a matrix may depend on each other within rows and within columns.
    """
    entries = _clustered(values.ravel())
    if values.ndim == 1:
        return entries, values.size - 1
    rows, columns = values.shape
    if min(rows, columns) < 2:
        return entries, values.size - 1
    by_rows, by_columns = _clustered(values.mean(axis=1)), _clustered(values.mean(axis=0))
    return max(by_rows, by_columns, by_rows + by_columns - entries), min(rows, columns) - 1


def _clustered(means: Array) -> float:
    n = means.size
    return float(np.sum(means**2) / (n * (n - 1))) if n > 1 else math.nan
