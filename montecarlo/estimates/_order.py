"""Orders of convergence from coupled runs: slopes of log-errors against log-depth with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from montecarlo.estimates._estimate import Estimate, estimated
from montecarlo.estimates._log_mean_exp import log_mean_exp
from montecarlo.estimates._rows import check_between, check_confidence

NOISE_FACTOR = 5.0
"""Standard errors by which a mean difference must exceed zero to count as a bias."""

_FEWEST = 3  # errors: the slope without the first and the one without the last must both exist

Array = NDArray[np.float64]


def strong_order(
    log_errors: ArrayLike, depths: Sequence[int], *, confidence: float = 0.99, correction: float = 0.5
) -> Estimate:
    """Estimate p in ``E error(L) ~ c L^-p`` from errors of the same replicas at several depths.

    Right for errors whose mean a sample can see; where a few replicas carry a mean, `warning` says so. The
    value is the least-squares slope s of the log of the mean errors against ``-log L``, without the
    shallowest one. At finite depths it is off: for errors ``c L^-p (1 + b L^-q)`` Richardson's extrapolation
    of s and the slope without the deepest error, ``s + (s - s') / (r^q - 1)``, r the ratio of consecutive
    depths, is p to first order in b. With q at least `correction`, p lies between s and the extrapolation at
    q = `correction`; the interval is the hull of those of both.

    Errors of a replica at different depths hang together. To first order both slopes are means over replicas
    of one number each (delta method), which has Student's interval, whatever the dependence.

    Parameters
    ----------
    log_errors
        Natural logs of the errors, shape (replicas, depths); -inf is an exact zero. Replicas with NaN or +inf
        are counted and left out.
    depths
        The depth L of each column, increasing, at least three of them, best in a constant ratio.
    confidence
        Nominal coverage of the statistical part, default 0.99.
    correction
        Smallest relative order q of what the leading term leaves out, default 0.5.

    Returns
    -------
    Estimate
        The order p; the interval is (-inf, inf), and a warning says why, where the errors vanish or fewer
        than two replicas are finite.

    Raises
    ------
    ValueError
        If shapes do not fit, there are fewer than three depths, or a parameter is out of range.

    Examples
    --------
    Errors of order 1/2 that share one factor a replica, which the slope does not see:

    >>> rng = np.random.default_rng(1)
    >>> depths = [16, 32, 64, 128]
    >>> shared, own = rng.normal(size=(1000, 1)), 0.1 * rng.normal(size=(1000, 4))
    >>> print(strong_order(shared + own - 0.5 * np.log(depths), depths))
    0.487 [0.377, 0.539] (99 %, n=1000)
    """
    logs, log_depths = _check(log_errors, depths, "log_errors")
    keep = (logs < np.inf).all(axis=1)
    lost = int(keep.size - keep.sum())
    logs = logs[keep]
    note = None
    if len(logs) < 2:
        note = "undecided: fewer than 2 finite replicas"
    elif np.isneginf(logs).all(axis=0).any():
        note = "undecided: all errors of a depth are exactly zero"
    if note is not None:
        return _undecided(confidence, len(logs), lost, note)
    # Any constant factor a column leaves the relative errors as they are, and keeps them in range.
    tops = logs.max(axis=0)
    errors = np.exp(logs - tops)
    means = errors.mean(axis=0)
    if any(log_mean_exp(column, power=1.0).heavy_tailed for column in logs.T):
        note = "a few replicas carry a mean error: the interval may miss"
    return _slope(
        np.log(means) + tops, errors / means, log_depths, confidence, correction, lost, "mean errors", note
    )


def weak_order(
    differences: ArrayLike, depths: Sequence[int], *, confidence: float = 0.99, correction: float = 1.0
) -> Estimate:
    """Estimate p in ``E f(h^2L) - E f(h^L) ~ c L^-p`` from differences on common random numbers.

    Right only where the bias is seen: the mean differences are used from the shallowest depth on, as far as
    each exceeds five of its standard errors, with one sign. Where fewer than three do, noise dominates, and
    the estimate is undecided: its interval is (-inf, inf), its value NaN, and `warning` says what to do.
    Value and interval are otherwise those of `strong_order` for the absolute mean differences; the correction
    is by default of relative order 1/L, as in the expansion of D. Talay and L. Tubaro, Stochastic Analysis
    and Applications 8 (1990) 483-509.

    Parameters
    ----------
    differences
        Of a bounded smooth function of the end state, shape (replicas, depths): that of the next depth minus
        that of this one, in the same replica. Replicas with a non-finite entry are counted and left out.
    depths, confidence, correction
        As in `strong_order`.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        As `strong_order`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> depths = np.array([4, 8, 16, 32])
    >>> noise = 0.1 * rng.normal(size=(10_000, 4)) / np.sqrt(depths)
    >>> print(weak_order(1 / depths + noise, depths))
    1.002 [0.979, 1.029] (99 %, n=10000)
    >>> print(weak_order(1 / depths + 60 * noise, depths).warning)
    undecided: noise exceeds the bias from the depth 8 on; simulate more replicas or shallower networks
    """
    rows, log_depths = _check(differences, depths, "differences")
    keep = np.isfinite(rows).all(axis=1)
    lost = int(keep.size - keep.sum())
    rows = rows[keep]
    n = len(rows)
    if n < 2:
        return _undecided(confidence, n, lost, "undecided: fewer than 2 finite replicas")
    means = rows.mean(axis=0)
    errors = rows.std(axis=0, ddof=1) / math.sqrt(n)
    seen = np.abs(means) > NOISE_FACTOR * errors
    used = len(seen) if seen.all() else int(np.argmin(seen))
    if used < _FEWEST:
        note = f"undecided: noise exceeds the bias from the depth {depths[used]:g} on"
        return _undecided(confidence, n, lost, f"{note}; simulate more replicas or shallower networks")
    if not (np.sign(means[:used]) == np.sign(means[0])).all():
        return _undecided(confidence, n, lost, "undecided: the bias changes sign; take deeper networks")
    note = None if used == len(seen) else f"noise exceeds the bias from the depth {depths[used]:g} on"
    means = means[:used]
    return _slope(
        np.log(np.abs(means)), rows[:, :used] / means, log_depths[:used], confidence, correction, lost,
        "mean differences", note,
    )  # fmt: skip


def _check(rows: ArrayLike, depths: Sequence[int], name: str) -> tuple[Array, Array]:
    values = np.asarray(rows, np.float64)
    levels = np.asarray(depths, np.float64)
    if values.ndim != 2 or values.shape[1] != levels.size or len(values) == 0:
        raise ValueError(
            f"{name} has shape {values.shape}: must have a column for each of {levels.size} depths, and rows"
        )
    if levels.size < _FEWEST or not (levels > 0).all() or not (np.diff(levels) > 0).all():
        raise ValueError(
            f"depths={[float(x) for x in levels]}: must be {_FEWEST} or more, increasing; add deeper networks"
        )
    return values, np.log(levels)


def _weights(log_depths: Array) -> Array:
    """Return w with ``w @ y`` minus the least-squares slope of y."""
    centred = log_depths - log_depths.mean()
    return -centred / (centred @ centred)


def _slope(
    logs: Array, relative: Array, log_depths: Array, confidence: float, correction: float, lost: int,
    what: str, note: str | None,
) -> Estimate:  # fmt: skip
    """Return the order from log mean errors and each replica's errors over their means."""
    miss = check_confidence(confidence)
    check_between("correction", correction, 0.0, math.inf, "pass 0.5, say")
    n = len(relative)
    deep = np.concatenate([[0.0], _weights(log_depths[1:])])
    shallow = np.concatenate([_weights(log_depths[:-1]), [0.0]])
    ratio = math.exp(float(np.diff(log_depths).mean()))
    limit = deep + (deep - shallow) / (ratio**correction - 1.0)
    quantile = -float(special.stdtrit(n - 1, miss / 2.0))
    ends = []
    for weights in (deep, limit):
        half = quantile * float((relative @ weights).std(ddof=1)) / math.sqrt(n)
        ends.append((float(weights @ logs), half))
    (value, noise), (extrapolated, _) = ends
    lower, upper = min(centre - half for centre, half in ends), max(centre + half for centre, half in ends)
    method = f"slope of log {what} (delta method ±{noise:.2g}), for L to infinity {extrapolated:.4g}"
    return estimated(value, (lower, upper), confidence=confidence, n=n, lost=lost, method=method, note=note)


def _undecided(confidence: float, n: int, lost: int, note: str) -> Estimate:
    check_confidence(confidence)
    return estimated(
        math.nan, (-math.inf, math.inf), confidence=confidence, n=n, lost=lost, method="slope of log errors",
        note=note,
    )  # fmt: skip
