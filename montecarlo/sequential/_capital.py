"""Capital of a gambler who bets at fixed odds against a mean: the e-process behind several sequences.

Let X be in [0, ∞) with ``E X <= m``. For a bet κ > 0 the factor ``(1 + κ X) / (1 + κ m)`` is non-negative
with mean at most 1, so the product over i.i.d. rows is a supermartingale from 1, and so is the average over
a grid of bets::

    capital_n(m) = (1/J) Σ_j exp( Σ_i log(1 + κ_j X_i) − n log(1 + κ_j m) ).

By Ville's inequality it ever reaches 1/δ with probability at most δ. It falls as m grows, so the means that
it refutes are a half-line, at every n. The factor is ``1 + λ (X − m)`` with ``λ = κ / (1 + κ m)``: every bet
of Waudby-Smith and Ramdas (2023) on one side, in a coordinate that does not depend on m. The sums are
therefore kept once for all candidate means, a row costs one product a bet, and the order of rows does not
matter.

A capital that is told the error that matters (`Capital`) puts three quarters on three bets that grow fastest
against such an error, which the first rows choose: `PILOT` of them say what mean and variance rows have, and
the three bets are made from the next row on. A bet that is a function of the rows before it keeps the
supermartingale, and what has not been bet yet stays as it is. At the rows where the test ends this costs
about 1.1 of log capital in place of 3.8, up to an eighth of the rows at a false alarm of 1e-9; the last
quarter, on every second bet of the grid, sees errors of any other size. Where the first rows do not know the
variance, for fewer than about ten of them make it up, the three quarters go to the whole grid.

For rows 0 and 1 the factor is the likelihood ratio of two Bernoulli laws whose odds differ by 1 + κ.

The grid is geometric with ratio √2. A bet off by a factor of at most 2^(1/4) from the best one loses 3.6 %
of the growth of log capital, and the average costs at most log J = 3.8 beside the best of the grid. 2^-12 is
the best bet near 10^9 rows of standard deviation 1/2; 2^10 is one for deviations of 10^-3 within a hundred
rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._jit import kernel

BETS: NDArray[np.float64] = 2.0 ** np.arange(-12.0, 10.25, 0.5)
"""The grid of bets κ for rows on the scale of 1, shape (bets,)."""

PILOT = 512
"""Rows that choose the three bets of a capital that is told the error that matters."""

AIMS: NDArray[np.float64] = np.array([0.72, 0.9, 1.12])
"""The three bets, in units of the best one against an error of the size given: estimates are off a little."""

LEAST_MOVES = 10.0
"""Rows that must make up the variance of the first ones for it to be trusted."""

LOG_SHARES = float(np.log(0.25)), float(np.log(0.75))
"""Natural logs of what the grid and the three bets have at first."""

_FLUSH = 64  # factors whose product is taken before its log
_LARGE = 16.0  # rows above take their logs at once: (1 + 2^10 · 16)^64 = 1e270 is the largest product


@kernel(allocates=False)
def _absorb(rows, bets, product, pending, log_growth):
    """Multiply ``1 + κ x`` of each row into `product`, whose log goes to `log_growth` every 64 rows."""
    held = pending[0]
    for i in range(rows.size):
        x = rows[i]
        if x > _LARGE:
            for j in range(bets.size):
                log_growth[j] += np.log1p(bets[j] * x)
            continue
        for j in range(bets.size):
            product[j] *= 1.0 + bets[j] * x
        held += 1
        if held == _FLUSH:
            for j in range(bets.size):
                log_growth[j] += np.log(product[j])
                product[j] = 1.0
            held = 0
    pending[0] = held


class Growth:
    """The sums ``Σ_i log(1 + κ_j x_i)`` of non-negative rows, the same bits for every cut into batches.

    Examples
    --------
    >>> growth = Growth()
    >>> growth.absorb(np.array([0.5, 1.0]))
    >>> bool(np.allclose(growth.logs(), np.log((1 + BETS / 2) * (1 + BETS))))
    True
    """

    def __init__(self, bets: NDArray[np.float64] = BETS) -> None:
        self.bets = bets
        self.n = 0
        self._product = np.ones(bets.size)
        self._pending = np.zeros(1, np.int64)
        self._log_growth = np.zeros(bets.size)

    def absorb(self, rows: NDArray[np.float64]) -> None:
        """Take rows in, shape (rows,), each finite and at least 0."""
        _absorb(np.ascontiguousarray(rows), self.bets, self._product, self._pending, self._log_growth)
        self.n += rows.size

    def logs(self) -> NDArray[np.float64]:
        """Return the sums, shape (bets,), natural logs."""
        return self._log_growth + np.log(self._product)

    def log_capital(self, mean: float) -> float:
        """Return the natural log of the capital against ``E X <= mean``, equal parts on all bets."""
        return float(log_average(self.logs() - self.n * np.log1p(mean * self.bets)))


class Pilot:
    """The first rows of a stream, however it is cut into batches.

    Examples
    --------
    >>> pilot = Pilot()
    >>> pilot.absorb(np.zeros(500)).size, pilot.absorb(np.ones(500)).size, pilot.full
    (0, 488, True)
    >>> int(pilot.rows.sum())
    12
    """

    def __init__(self) -> None:
        self._rows = np.empty(PILOT)
        self._held = 0

    @property
    def full(self) -> bool:
        """Whether all of them are there."""
        return self._held == PILOT

    @property
    def rows(self) -> NDArray[np.float64]:
        """All of them."""
        return self._rows

    def absorb(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take in what is missing, and return the rows after it."""
        taken = min(PILOT - self._held, rows.size)
        self._rows[self._held : self._held + taken] = rows[:taken]
        self._held += taken
        return rows[taken:]


class Capital:
    """Capital against ``E X <= m`` for all m at once, of rows that are not negative.

    Parameters
    ----------
    resolution
        The error of the mean that matters, in units of the rows; None if all errors do.

    Examples
    --------
    >>> capital = Capital(0.01)
    >>> capital.absorb(np.random.default_rng(1).random(50_000))
    >>> capital.log_capital(0.5) < 0.0, capital.log_capital(0.49) > 20.0
    (True, True)
    """

    def __init__(self, resolution: float | None = None) -> None:
        self._resolution = resolution
        self._grid = Growth(BETS if resolution is None else BETS[::2])
        self._pilot = Pilot()
        self._aimed: Growth | None = None

    def absorb(self, rows: NDArray[np.float64]) -> None:
        """Take rows in, shape (rows,), each finite and at least 0."""
        self._grid.absorb(rows)
        if self._resolution is None:
            return
        rest = self._pilot.absorb(rows)
        if self._aimed is None and self._pilot.full:
            self._aimed = Growth(aimed_bets(self._resolution, self._pilot.rows))
        if self._aimed is not None:
            self._aimed.absorb(rest)

    def log_capital(self, mean: float) -> float:
        """Return its natural log at a candidate mean."""
        grid = self._grid.log_capital(mean)
        if self._resolution is None:
            return grid
        return shared(grid, 0.0 if self._aimed is None else self._aimed.log_capital(mean))


def moves(rows: NDArray[np.float64]) -> float:
    """Return how many rows make up the variance: their number over the kurtosis, 0 of equal rows.

    The relative standard error of the variance is one over its root, roughly.

    Examples
    --------
    >>> round(moves(np.repeat([0.0, 1.0], [508, 4])), 1)
    4.1
    """
    off = np.abs(rows - rows.mean())
    most = off.max()
    if most == 0.0:
        return 0.0
    squares = np.square(off / most)
    return float(squares.sum() ** 2 / np.square(squares).sum())


def aimed_bets(resolution: float, first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bets κ that grow fastest against an error of the mean, shape (3,), or the grid."""
    if moves(first) < LEAST_MOVES:
        return BETS
    mean = float(first.mean())
    with np.errstate(over="ignore"):
        variance = float(first.var())
    # λ = κ/(1 + κm) = error/variance, and less than 1/m
    slopes = np.minimum(AIMS * min(resolution, 1.0) / max(variance, 1e-12), 0.999 / max(mean, 1e-3))
    return np.minimum(slopes / (1.0 - slopes * mean), BETS[-1])


def shared(log_grid: float, log_aimed: float) -> float:
    """Return the natural log of the capital from those of its two parts, each from 1."""
    return float(np.logaddexp(LOG_SHARES[0] + log_grid, LOG_SHARES[1] + log_aimed))


def log_average(exponents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the natural log of the average of exp over the last axis, which holds the grid of bets."""
    # scipy's logsumexp takes ten times as long on arrays of this size, and a root search calls this often
    largest = exponents.max(axis=-1)
    return largest + np.log(np.exp(exponents - largest[..., None]).mean(axis=-1))


def log_capital(
    log_growth: NDArray[np.float64], n: NDArray[np.int64] | int, mean: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the natural log of the capital against ``E X <= mean`` after n rows.

    Parameters
    ----------
    log_growth
        ``Σ_i log(1 + κ_j x_i)``, shape (..., bets).
    n
        Rows, shape (...) or a number.
    mean
        Candidate mean, at least 0, shape (...) or a number.

    Examples
    --------
    >>> float(log_capital(np.zeros(BETS.size), 0, 0.5))
    0.0
    """
    cost = np.log1p(np.multiply.outer(np.asarray(mean, dtype=np.float64), BETS))
    return log_average(log_growth - np.asarray(n)[..., None] * cost)


def log_event_capital(
    hits: NDArray[np.int64] | int, n: NDArray[np.int64] | int, probability: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return `log_capital` for rows 0 and 1, from the number of ones.

    Examples
    --------
    >>> bool(log_event_capital(9, 10, 0.5) > np.log(3.0))
    True
    """
    return log_capital(np.multiply.outer(np.asarray(hits), np.log1p(BETS)), n, probability)
