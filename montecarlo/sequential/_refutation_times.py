"""Many streams at once with a look at every row: when would each have refuted a prediction?

For planning (how many rows does a sequence need to see an error of a given size?) and for calibration (how
often does it refute the truth?). The arithmetic is the plain one, products of factors instead of sums of
logs, and so a second, independent form of the e-processes. Laws look at their own fixed numbers of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._jit import kernel
from montecarlo.sequential._capital import BETS, PILOT, aimed_bets
from montecarlo.sequential._empirical_bernstein import _absorb
from montecarlo.sequential._looks import look_cost, look_rows
from montecarlo.sequential._non_negative_mean import aimed_slopes
from montecarlo.sequential._sub_gaussian_mean import one_sided_width, tuned_rho
from montecarlo.sequential._two_sample_cdf import two_sample_bound

Times = NDArray[np.int64]
"""First row (counted from 1) at which a stream refutes, shape (streams,); 0 if it never does."""


@kernel
def _product_times(up, up_bets, up_factors, down, down_bets, down_factors, up_shares, down_shares, starts, exponential, threshold, times):  # fmt: skip  # noqa: E501
    """Multiply ``(1 + κ up) f`` and ``(1 + κ down) f`` or ``exp(−κ down) f`` until an average is large.

    Bet j of stream s has ``shares[s, j]`` at first, and is made from row ``starts[j]`` on.
    """
    n_bets = starts.size
    above, below = np.empty(n_bets), np.empty(n_bets)
    for s in range(times.size):
        above[:] = up_shares[s]
        below[:] = down_shares[s]
        times[s] = 0
        for i in range(up.shape[1]):
            total_above, total_below = 0.0, 0.0
            u, d = up[s, i], down[s, i]
            for j in range(n_bets):
                if i >= starts[j]:
                    above[j] *= (1.0 + up_bets[s, j] * u) * up_factors[s, j]
                    bet = down_bets[s, j]
                    factor = math.exp(-bet * d) if exponential else 1.0 + bet * d
                    below[j] *= factor * down_factors[s, j]
                total_above += above[j]
                total_below += below[j]
            if max(total_above, total_below) >= threshold:
                times[s] = i + 1
                break


def _times(
    up: NDArray[np.float64],
    up_mean: float,
    down: NDArray[np.float64],
    down_mean: float,
    false_alarm: float,
    *,
    exponential: bool = False,
    aim: float | None = None,
) -> Times:
    streams, times = up.shape[0], np.zeros(up.shape[0], np.int64)
    grid = BETS if aim is None else BETS[::2]
    up_bets = down_bets = np.broadcast_to(grid, (streams, grid.size))
    up_shares = down_shares = np.full((streams, grid.size), 1.0 / grid.size)
    starts = np.zeros(grid.size, np.int64)
    if aim is not None:
        choices = (aimed_bets, aimed_slopes if exponential else aimed_bets)
        up_chosen, down_chosen = (
            [choose(aim, x[:PILOT]) for x in rows] for choose, rows in zip(choices, (up, down), strict=True)
        )
        up_bets, up_shares = _with_chosen(up_bets, up_chosen)
        down_bets, down_shares = _with_chosen(down_bets, down_chosen)
        starts = np.append(starts, np.full(BETS.size, PILOT))
    down_factors = 1.0 + down_bets * down_mean
    if exponential:
        down_factors = (1.0 - down_mean**2) + down_mean**2 * np.exp(-down_bets / down_mean)
    _product_times(
        up, up_bets, 1.0 / (1.0 + up_bets * up_mean), down, down_bets, 1.0 / down_factors, up_shares,
        down_shares, starts, exponential, 2.0 / false_alarm, times,
    )  # fmt: skip
    return times


def _with_chosen(
    grid: NDArray[np.float64], chosen: list[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all bets and their shares, shape (streams, bets): a quarter on the grid; the others fill up."""
    bets, shares = np.ones((len(chosen), BETS.size)), np.zeros((len(chosen), BETS.size))
    for row, share, found in zip(bets, shares, chosen, strict=True):
        row[: found.size], share[: found.size] = found, 0.75 / found.size
    return np.hstack((grid, bets)), np.hstack((np.full(grid.shape, 0.25 / grid.shape[1]), shares))


def bounded_times(
    rows: NDArray[np.float64], predicted: float, *, false_alarm: float, aim: float | None = None
) -> Times:
    """Return when `BoundedMean` on [0, 1] (for rows 0 and 1 `EventProbability`) refutes the mean.

    Parameters
    ----------
    rows
        Shape (streams, rows).
    predicted
        The mean in [0, 1].
    false_alarm
        That of the sequence.
    aim
        The error it aims at, if it does.

    Examples
    --------
    >>> bounded_times(np.ones((1, 30)), 0.5, false_alarm=0.05)
    array([7])
    """
    return _times(rows, predicted, 1.0 - rows, 1.0 - predicted, false_alarm, aim=aim)


def quantile_times(rows: NDArray[np.float64], predicted: float, p: float, *, false_alarm: float) -> Times:
    """Return when `QuantileSequence` refutes `predicted` as the p-quantile; rows as in `bounded_times`."""
    above, below = (rows > predicted).astype(float), (rows < predicted).astype(float)
    return _times(above, 1.0 - p, below, p, false_alarm)


def non_negative_times(
    rows: NDArray[np.float64],
    predicted: float,
    *,
    second_moment_bound: float,
    false_alarm: float,
    aim: float | None = None,
) -> Times:
    """Return when `NonNegativeMean` refutes a positive mean; arguments as in `bounded_times`."""
    unit = math.sqrt(second_moment_bound)
    m, scaled = predicted / unit, rows / unit
    return _times(
        scaled, m, scaled, m, false_alarm, exponential=True, aim=None if aim is None else aim / unit
    )


def sub_gaussian_times(
    rows: NDArray[np.float64], predicted: float, *, variance_proxy: float, tuned_rows: int, false_alarm: float
) -> Times:
    """Return when `SubGaussianMean` refutes the mean; rows as in `bounded_times`."""
    n = np.arange(1, rows.shape[1] + 1)
    deviations = np.cumsum(rows - predicted, axis=1)
    rho = tuned_rho(false_alarm) * tuned_rows * variance_proxy
    spread = rho + n * variance_proxy
    return _first(np.sqrt(rho / spread) * np.exp(deviations**2 / (2.0 * spread)) >= 1.0 / false_alarm)


@kernel
def _bernstein_times(rows, predicted, log_threshold, times):
    for s in range(times.size):
        state = np.zeros(6)
        times[s] = 0
        for i in range(rows.shape[1]):
            _absorb(rows[s, i : i + 1], log_threshold, state)
            if abs(state[3] - state[4] * (predicted - 0.5)) - state[5] >= log_threshold:
                times[s] = i + 1
                break


def bernstein_times(rows: NDArray[np.float64], predicted: float, *, false_alarm: float) -> Times:
    """Return when `EmpiricalBernstein` on [0, 1] refutes the mean; rows as in `bounded_times`."""
    times = np.zeros(rows.shape[0], np.int64)
    _bernstein_times(rows, predicted, math.log(2.0 / false_alarm), times)
    return times


def cdf_times(
    rows: NDArray[np.float64],
    predicted: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    false_alarm: float,
) -> Times:
    """Return when `CdfBand` refutes a continuous distribution function; rows as in `bounded_times`."""
    levels = np.asarray(predicted(rows))
    refuted = np.zeros(rows.shape, bool)
    k = 0
    while (n := look_rows(k)) <= rows.shape[1]:
        ordered = np.sort(levels[:, :n], axis=1)
        steps = np.arange(1, n + 1) / n
        distance = np.maximum(np.abs(ordered - steps), np.abs(ordered - steps + 1.0 / n)).max(axis=1)
        refuted[:, n - 1] = 2.0 * look_cost(k) * np.exp(-2.0 * n * distance**2) <= false_alarm
        k += 1
    return _first(refuted)


def two_sample_times(x: NDArray[np.float64], y: NDArray[np.float64], *, false_alarm: float) -> Times:
    """Return when `TwoSampleCdf` refutes equality, for streams without ties, each as in `bounded_times`."""
    refuted = np.zeros(x.shape, bool)
    k = 0
    while (n := look_rows(k)) <= x.shape[1]:
        order = np.argsort(np.concatenate((x[:, :n], y[:, :n]), axis=1), axis=1)
        gaps = np.abs(np.cumsum(np.where(order < n, 1, -1), axis=1)).max(axis=1)
        bounds = np.array([two_sample_bound(n, gap) for gap in range(n + 1)])
        refuted[:, n - 1] = look_cost(k) * bounds[gaps] <= false_alarm
        k += 1
    return _first(refuted)


def distance_times(
    rows: NDArray[np.float64],
    distance: float,
    *,
    variance_proxy: float,
    resolution: float,
    false_alarm: float,
) -> Times:
    """Return when the upper end of a distance between laws falls below the distance.

    Where all that tells the laws apart is at one point. With more points the empirical distance is no
    smaller, and the upper end falls later.

    Parameters
    ----------
    rows
        Shape (streams, rows): for `CdfBand` the events ``X <= t`` less the predicted probability (proxy 1/4),
        for `TwoSampleCdf` those of X less those of Y (proxy 1/2).
    distance
        Absolute value of their mean.
    resolution, false_alarm
        Those of the test; the upper end spends half the false alarm.
    """
    n = np.arange(1, rows.shape[1] + 1)
    width = one_sided_width(n, variance_proxy=variance_proxy, resolution=resolution, false_alarm=false_alarm)
    return _first(np.abs(np.cumsum(rows, axis=1)) / n + width < distance)


def _first(refuted: NDArray[np.bool_]) -> Times:
    return np.where(refuted.any(axis=1), refuted.argmax(axis=1) + 1, 0)
