"""Quantiles, by the event probabilities on both sides of a candidate.

q is a p-quantile if ``P(X <= q) >= p`` and ``P(X < q) <= p``. A candidate q is too low once the number k of
rows at or below it refutes ``P(X <= q) >= p``, too high once the number of rows below it refutes ``P(X < q)
<= p``, each at δ/2 by the e-processes of `montecarlo.sequential._event_probability`. Both are monotone in
the count, so at each look the candidates left are those between two order statistics. At the true quantile
both hypotheses hold, for laws with atoms too, hence the interval ever misses it with probability at most δ;
if a whole interval of numbers are p-quantiles, that holds for each of them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._errors import InvalidFieldError
from montecarlo.estimates._rows import keep_below_infinity
from montecarlo.sequential._capital import log_event_capital
from montecarlo.sequential._row_store import merged
from montecarlo.sequential._sequence import NumberSequence


def _largest_refuting(n: int, share: float, threshold: float) -> int:
    """Return the largest k such that k of n events refute "the probability is at least `share`", or -1."""
    low, high = -1, n
    while high - low > 1:  # k = low refutes (or is -1), k = high does not: n of n never does
        middle = (low + high) // 2
        if float(log_event_capital(n - middle, n, 1.0 - share)) >= threshold:
            low = middle
        else:
            high = middle
    return low


class QuantileSequence(NumberSequence):
    """Confidence sequence for the p-quantile, between two order statistics.

    Right for every law, with atoms, heavy tails or −inf (the natural log of an exact zero), at all times at
    once; equivariant under increasing maps of the rows. NaN and +inf are counted and left out. Keeps all
    rows.

    Parameters
    ----------
    p
        Level, strictly between 0 and 1.
    false_alarm
        Probability, at most, that the interval ever misses the quantile, at most 0.5. Default 1e-6.

    Raises
    ------
    InvalidFieldError
        If `p` or `false_alarm` is out of range.

    Examples
    --------
    >>> rows = np.random.default_rng(1).standard_cauchy(20_000)
    >>> median = QuantileSequence(0.5, false_alarm=1e-6).update(rows)
    >>> median.refutes(0.0), median.refutes(0.1)
    (False, True)
    """

    def __init__(self, p: float, *, false_alarm: float = 1e-6) -> None:
        super().__init__(false_alarm=false_alarm)
        if isinstance(p, bool) or not 0.0 < p < 1.0:
            raise InvalidFieldError("p", p, "must lie strictly between 0 and 1", "give p=0.5, say")
        self.p = float(p)
        self._sorted = np.empty(0)

    @property
    def estimate(self) -> float:
        """The order statistic of index ceil(n p), NaN without rows."""
        if self.n == 0:
            return math.nan
        # 1e-9: n p may exceed an integer by rounding
        return float(self._sorted[max(1, math.ceil(self.n * self.p - 1e-9)) - 1])

    def _keep(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
        return keep_below_infinity(rows)

    def _absorb(self, rows: NDArray[np.float64]) -> None:
        self._sorted = merged(self._sorted, rows)

    def _log_e_processes(self, predicted: float) -> tuple[float, float]:
        at_or_below = int(np.searchsorted(self._sorted, predicted, side="right"))
        below = int(np.searchsorted(self._sorted, predicted, side="left"))
        quantile_is_above = log_event_capital(self.n - at_or_below, self.n, 1.0 - self.p)
        quantile_is_below = log_event_capital(below, self.n, self.p)
        return float(quantile_is_above), float(quantile_is_below)

    def _look(self) -> None:
        k = _largest_refuting(self.n, self.p, self._threshold)  # rows at or below q: k or fewer refute q
        if k >= 0:
            self._lower = max(self._lower, float(self._sorted[k]))
        k = _largest_refuting(self.n, 1.0 - self.p, self._threshold)  # rows at or above q
        if k >= 0:
            self._upper = min(self._upper, float(self._sorted[self.n - 1 - k]))
