"""A whole distribution function, by the DKW inequality at fixed looks.

At look k, after the first n_k rows, ``P(sup |F_n − F| >= ε) <= 2 exp(−2 n_k ε²)`` for every law (P. Massart,
Annals of Probability 18 (1990) 1269-1283, Corollary 1); with the shares of `montecarlo.sequential._looks`
the band

    ε_k = √( log((k + 16)(k + 17)/(8δ)) / (2 n_k) )

holds at all looks at once with probability at least 1 − δ, and between looks the last one stands. The
constants are proven and small: near n = 10⁵ and δ = 1e-6 the band is between 3.17/√n and 3.48/√n high,
against 3.63/√n for the stitched bound of S. R. Howard and A. Ramdas, "Sequential estimation of quantiles
with applications to A/B testing and best-arm identification", Bernoulli 28 (2022) 1704-1728, Theorem 2 (A =
0.85, from 10 rows on), and 2.69/√n for one n fixed beforehand.

The distance ``Δ = sup |F − F_0|`` of the true law to a predicted one has a better upper end than the band's.
If Δ is reached at a point t (or nearly, at points t_j), t is a number that no row has moved: the events ``X_i
<= t`` are i.i.d. with probability F(t), sub-Gaussian with proxy 1/4, and ``|F_n(t) − F_0(t)| <= D_n``, the
distance of the empirical law. So Δ exceeds ``D_n + c_n`` at any n only if the mean of these events leaves the
one-sided sequence of width c_n of `montecarlo.sequential._sub_gaussian_mean`, on the one side where F leaves
F_0; for t_j the probabilities that ``Δ − 1/j > D_n + c_n`` at some n are at most δ/2 and increase to that of
Δ. The lower end needs the band, for the empirical law is farthest from F_0 where the rows make it so. Each
end has half of the false alarm. Near n = 10⁵ and δ = 1e-6 the upper end is 2.81/√n above D_n, at every n.
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from montecarlo.estimates._law_distance import Cdf, _sorted_steps, _sup_distance
from montecarlo.estimates._rows import keep_below_infinity
from montecarlo.sequential._distance_sequence import DistanceSequence
from montecarlo.sequential._looks import look_cost, look_rows
from montecarlo.sequential._result import SequentialResult
from montecarlo.sequential._row_store import RowStore, merged
from montecarlo.sequential._rows import batch

EVENT_PROXY = 0.25
"""Variance proxy of events of any probability (W. Hoeffding, JASA 58 (1963) 13-30, inequality 4.16)."""


def look_epsilon(k: int, *, false_alarm: float) -> float:
    """Return the half-height of the band at look k; above 1 where it says nothing.

    Examples
    --------
    >>> round(look_epsilon(50, false_alarm=1e-6), 5)
    0.01052
    """
    return math.sqrt(math.log(2.0 * look_cost(k) / false_alarm) / (2.0 * look_rows(k)))


def lower_end(distance: float, *, refuted: bool) -> float:
    """Return the lower end of the interval of a distance: above 0 where equality of the laws is refuted.

    If the laws are equal only this end can miss, so equality may have the whole false alarm; if not, 0 is no
    miss.

    Examples
    --------
    >>> lower_end(-0.1, refuted=False), lower_end(-0.1, refuted=True), lower_end(0.1, refuted=True)
    (0.0, 5e-324, 0.1)
    """
    return max(distance, math.ulp(0.0) if refuted else 0.0)


class CdfBand(DistanceSequence):
    """Confidence sequence for a distribution function, everywhere at once.

    Right for every law, with atoms or −inf; NaN and +inf are counted and left out. Weak in the far tails. It
    uses the first n_k rows, n_k = 10 · 1.2^k rounded up, at the largest such number reached: nothing depends
    on how rows are cut into batches. Keeps all rows.

    Parameters
    ----------
    false_alarm
        Probability, at most, that the band ever misses the law somewhere, at most 0.5. Default 1e-6.

    Raises
    ------
    InvalidFieldError
        If `false_alarm` is out of range.

    Examples
    --------
    >>> from scipy import stats
    >>> band = CdfBand(false_alarm=1e-6).update(np.random.default_rng(1).standard_normal(20_000))
    >>> band.refutes(stats.norm.cdf), band.refutes(stats.norm(0.1).cdf)
    (False, True)
    >>> round(band.half_width, 4)
    0.0237
    """

    def __init__(self, *, false_alarm: float = 1e-6) -> None:
        super().__init__(false_alarm)
        self._rows = RowStore()
        self._looks = 0
        self._run = np.empty(0)  # the rows of a look, sorted
        self._tested: tuple[Cdf | None, int, float, float] = (None, 0, math.nan, 1.0)

    @property
    def false_alarm(self) -> float:
        """Probability, at most, that the band ever misses the law somewhere."""
        return self._false_alarm

    @property
    def n(self) -> int:
        """Rows taken in, without NaN and +inf."""
        return self._rows.n

    @property
    def _longest(self) -> int:
        return self.n

    @property
    def n_used(self) -> int:
        """Rows of the last look, 0 before the first."""
        return look_rows(self._looks - 1) if self._looks else 0

    @property
    def n_nonfinite(self) -> int:
        """Rows left out as NaN or +inf."""
        return self._n_nonfinite

    @property
    def half_width(self) -> float:
        """Half the height of the band before clipping to [0, 1], 1 while it says nothing.

        That of `result` is of the distance to a prediction.
        """
        return min(1.0, look_epsilon(self._looks - 1, false_alarm=self.false_alarm)) if self._looks else 1.0

    def update(self, rows: ArrayLike, /) -> Self:
        """Take a batch of i.i.d. rows in, shape (rows,), then look if the number of rows asks for it."""
        kept, n_lost = keep_below_infinity(batch(rows))
        self._rows.append(kept)
        self._n_nonfinite += n_lost
        while look_rows(self._looks) <= self.n:
            self._looks += 1
        return self

    def interval(self, points: ArrayLike, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the band of the last look at some points: lower and upper ends of the shape of `points`."""
        points = np.asarray(points, dtype=np.float64)
        levels = np.zeros(points.shape)
        if self._looks:
            steps, at_steps = self._empirical(look_rows(self._looks - 1))
            levels = np.concatenate(([0.0], at_steps))[np.searchsorted(steps, points, side="right")]
        return np.maximum(levels - self.half_width, 0.0), np.minimum(levels + self.half_width, 1.0)

    def distance(self, predicted: Cdf, /) -> float:
        """Return ``sup |F_n − F|`` of all rows to a predicted law, NaN before the first look."""
        return _sup_distance(*self._empirical(self.n), predicted) if self._looks else math.nan

    def p_bound(self, predicted: Cdf, /) -> float:
        """Return the anytime p-value bound of a predicted law: the least over all looks so far.

        Looks already held against the same function object are not repeated.
        """
        return self._test(predicted)[1]

    def refutes(self, predicted: Cdf, /) -> bool:
        """Whether the predicted distribution function left the band at any look."""
        return self.p_bound(predicted) <= self.false_alarm

    def result(self, predicted: Cdf, /, *, resolution: float) -> SequentialResult:
        """Return where the test of a law stands, as a statement on its distance to the true law.

        The prediction is a distance of 0; the interval is that of the distance ``sup |F_true − F|``: its
        lower end by the band of the last look, its upper end by all rows, each at half the false alarm.
        """
        at_look, p_bound = self._test(predicted)
        estimate = self.distance(predicted)
        lower, upper = 0.0, 1.0
        if self._looks:
            band = look_epsilon(self._looks - 1, false_alarm=self.false_alarm / 2.0)
            lower = lower_end(at_look - band, refuted=p_bound <= self.false_alarm)
            upper = min(1.0, estimate + self._above(self.n, EVENT_PROXY))
        return SequentialResult(
            kind=type(self).__name__,
            predicted=0.0,
            estimate=estimate,
            interval=(lower, upper),
            resolution=resolution,
            e_value=None,
            p_bound=p_bound,
            false_alarm=self.false_alarm,
            n=self.n,
            n_nonfinite=self.n_nonfinite,
        )

    def _test(self, predicted: Cdf) -> tuple[float, float]:
        """Return the distance at the last look and the p-value bound over all of them."""
        cdf, done, distance, p = self._tested
        if cdf is not predicted:
            done, distance, p = 0, math.nan, 1.0
        for k in range(done, self._looks):
            distance = _sup_distance(*self._empirical(look_rows(k)), predicted)
            p = min(p, 2.0 * look_cost(k) * math.exp(-2.0 * look_rows(k) * distance**2))
        self._tested = (predicted, self._looks, distance, p)
        return distance, p

    def _empirical(self, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the steps of the empirical law of the first n rows and its distribution function there."""
        if n != self._run.size:  # numbers of rows come in their order, but for another prediction
            run = self._run if n > self._run.size else np.empty(0)
            self._run = merged(run, self._rows.first(n)[run.size :])
        return _sorted_steps(self._run)
