"""Equality of two laws, by the exact two-sample Kolmogorov-Smirnov bound at fixed looks.

At look k the first n = n_k rows of each sample are compared. If both have one continuous law, the reflection
principle gives ``P(sup (F_n − G_n) >= g/n) = C(2n, n − g)/C(2n, n)`` exactly (B. V. Gnedenko and V. S.
Korolyuk, Doklady Akademii Nauk SSSR 80 (1951) 525-528), so ``P(sup |F_n − G_n| >= g/n) <= 2 C(2n, n −
g)/C(2n, n)``, which is below ``2 exp(−n (g/n)²)`` up to lower orders; with ties the distance is no larger in
law, since both samples are monotone images of uniform ones. The looks share the false alarm as in
`montecarlo.sequential._looks`.

The distance of the two true laws itself is a statement of its own at the same false alarm, the interval of a
result. It is no less than that of the samples less ``2 ε``, ε the DKW band of each at a quarter of the false
alarm. Its upper end is that of `montecarlo.sequential._cdf_band`: at a point where the laws are farthest
apart the rows ``1{X_i <= t} − 1{Y_i <= t}`` are i.i.d., sub-Gaussian with proxy 1/4 + 1/4, and their mean is
no farther from 0 than the distance of the samples, at every n.
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from montecarlo.estimates._law_distance import _sorted_steps, _sup_distance
from montecarlo.estimates._rows import keep_below_infinity
from montecarlo.estimates._shared_rows import warn_shared_rows
from montecarlo.sequential._cdf_band import EVENT_PROXY, look_epsilon, lower_end
from montecarlo.sequential._distance_sequence import DistanceSequence
from montecarlo.sequential._looks import look_cost, look_rows
from montecarlo.sequential._result import SequentialResult, half_width
from montecarlo.sequential._row_store import RowStore, merged
from montecarlo.sequential._rows import batch

_PAIRED = 10_000  # first rows that are asked whether the streams go together


def two_sample_bound(n: int, gap: int) -> float:
    """Return an upper bound of the probability that two samples of n rows of one law are ``gap/n`` apart.

    Examples
    --------
    >>> two_sample_bound(2, 2), two_sample_bound(2, 0)  # 2 of the 6 orders keep the samples apart
    (0.333..., 1.0)
    """
    if gap <= 0:
        return 1.0
    log_p = 2.0 * gammaln(n + 1.0) - gammaln(n - gap + 1.0) - gammaln(n + gap + 1.0)
    return min(1.0, 2.0 * math.exp(float(log_p)))


class TwoSampleCdf(DistanceSequence):
    """Sequential test of whether two independent streams of i.i.d. rows have the same law.

    Right for every law, with ties or −inf; NaN and +inf are counted and left out of each stream. Wrong for
    paired rows: the streams must be independent, and networks of one seed are not; `result` has a warning
    where rows go together. Weak in the far tails. It uses equally many rows of both, at the looks of
    `CdfBand`. Keeps all rows.

    Parameters
    ----------
    false_alarm
        Probability, at most, of ever refuting two equal laws, at most 0.5. Default 1e-6.

    Raises
    ------
    InvalidFieldError
        If `false_alarm` is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> same = TwoSampleCdf(false_alarm=1e-6).update(rng.random(20_000), rng.random(20_000))
    >>> moved = TwoSampleCdf(false_alarm=1e-6).update(rng.random(20_000), rng.random(20_000) + 0.06)
    >>> same.refuted, moved.refuted
    (False, True)
    """

    def __init__(self, *, false_alarm: float = 1e-6) -> None:
        super().__init__(false_alarm)
        self._x, self._y = RowStore(), RowStore()
        self._looks = 0
        self._p_bound = 1.0
        self._at_look = math.nan  # distance at the last look
        self._compared = 0, math.nan  # rows of each that were compared last, and their distance
        self._runs = (np.empty(0), np.empty(0))  # the rows of each that were compared last, sorted

    @property
    def false_alarm(self) -> float:
        """Probability, at most, of ever refuting two equal laws."""
        return self._false_alarm

    @property
    def n(self) -> int:
        """Rows taken in of the shorter stream, without NaN and +inf."""
        return min(self._x.n, self._y.n)

    @property
    def _longest(self) -> int:
        return max(self._x.n, self._y.n)

    @property
    def n_nonfinite(self) -> int:
        """Rows left out as NaN or +inf, both streams together."""
        return self._n_nonfinite

    @property
    def distance(self) -> float:
        """Largest distance of the empirical distribution functions of all rows, NaN before the first look."""
        return self._compare(self.n) if self._looks else math.nan

    @property
    def p_bound(self) -> float:
        """The anytime p-value bound: the least over all looks so far."""
        return self._p_bound

    @property
    def refuted(self) -> bool:
        """Whether equality of the laws is refuted."""
        return self._p_bound <= self.false_alarm

    @property
    def half_width(self) -> float:
        """Half the length of the interval of the distance between the laws; 1 before the first look."""
        return half_width(self.interval) if self._looks else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of the distance between the two true laws."""
        if not self._looks:
            return 0.0, 1.0
        band = 2.0 * look_epsilon(self._looks - 1, false_alarm=self.false_alarm / 4.0)
        above = self._above(self.n, 2.0 * EVENT_PROXY)
        return lower_end(self._at_look - band, refuted=self.refuted), min(1.0, self.distance + above)

    def update(self, x: ArrayLike, y: ArrayLike, /) -> Self:
        """Take batches of both streams in, of any sizes, then look if the number of rows asks for it."""
        rows_x, rows_y = batch(x, "x"), batch(y, "y")
        for rows, store in ((rows_x, self._x), (rows_y, self._y)):
            kept, n_lost = keep_below_infinity(rows)
            store.append(kept)
            self._n_nonfinite += n_lost
        while look_rows(self._looks) <= self.n:
            self._look(self._looks)
            self._looks += 1
        return self

    def _look(self, k: int) -> None:
        n = look_rows(k)
        self._at_look = self._compare(n)
        gap = round(n * self._at_look)
        self._p_bound = min(self._p_bound, look_cost(k) * two_sample_bound(n, gap))

    def _compare(self, n: int) -> float:
        """Return the distance of the first n rows of each; numbers of rows come in their order."""
        if n == self._compared[0]:
            return self._compared[1]
        x, y = (
            merged(run, store.first(n)[run.size :])
            for run, store in zip(self._runs, (self._x, self._y), strict=True)
        )
        self._runs = (x, y)
        apart = _sup_distance(*_sorted_steps(x), lambda points: np.searchsorted(y, points, side="right") / n)
        self._compared = n, apart
        return apart

    def result(self, *, resolution: float) -> SequentialResult:
        """Return where the test stands, as a statement on the distance between the two laws; 0 is claimed."""
        return SequentialResult(
            kind=type(self).__name__,
            predicted=0.0,
            estimate=self.distance,
            interval=self.interval,
            resolution=resolution,
            e_value=None,
            p_bound=self.p_bound,
            false_alarm=self.false_alarm,
            n=self.n,
            n_nonfinite=self.n_nonfinite,
            warning=warn_shared_rows(*(s.first(min(_PAIRED, s.n)) for s in (self._x, self._y))),
        )
