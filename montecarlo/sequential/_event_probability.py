"""The probability of an event, by a mixture of likelihood ratios in closed form.

The e-process against "the probability is at most p" is the average over alternatives whose odds are 1 + κ
times those of p of the likelihood ratio ``(1 + κ)^k / (1 + κ p)^n``, k events in n rows
(`montecarlo.sequential._capital`); against "at least p" it is the same for the complement. A Beta mixture
(beta-binomial) is a closed form as well, but its log falls short of the best alternative by ``log(n)/2`` and
more for small p, where this grid pays at most log 45 = 3.8 at any n and p.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._errors import InvalidFieldError
from montecarlo.sequential._capital import log_event_capital
from montecarlo.sequential._sequence import NumberSequence


class EventProbability(NumberSequence):
    """Confidence sequence for the probability of an event, from yes/no rows.

    Right at every n and every probability, 0 and 1 included. For a claim such as "with probability at most δ"
    ask for ``result(δ, claim="at most", ...)``.

    Parameters
    ----------
    false_alarm
        Probability, at most, that the interval ever misses the probability, at most 0.5. Default 1e-6.

    Raises
    ------
    InvalidFieldError
        If `false_alarm` is out of range; in `update` if a row is not True, False, 1, 0 or NaN (an unknown
        outcome, counted and left out). A comparison such as ``x > 0`` turns NaN into False: put the NaN back
        where that matters.

    Examples
    --------
    >>> events = np.random.default_rng(1).random(10_000) < 0.02
    >>> sequence = EventProbability(false_alarm=1e-6).update(events)
    >>> sequence.result(0.05, resolution=0.0, claim="at most").decision
    'resolved'
    >>> sequence.result(0.01, resolution=0.0, claim="at most").decision
    'refuted'
    """

    def __init__(self, *, false_alarm: float = 1e-6) -> None:
        super().__init__(false_alarm=false_alarm, low=0.0, high=1.0)
        self._hits = 0

    @property
    def estimate(self) -> float:
        """The share of events, NaN without rows."""
        return self._hits / self.n if self.n else math.nan

    def _check(self, rows: NDArray[np.float64]) -> None:
        strange = rows[(rows != 0.0) & (rows != 1.0)]
        if strange.size:
            raise InvalidFieldError(
                "rows", float(strange[0]), "must be True, False or NaN", "pass a comparison"
            )

    def _absorb(self, rows: NDArray[np.float64]) -> None:
        self._hits += int(np.count_nonzero(rows))

    def _log_e_processes(self, predicted: float) -> tuple[float, float]:
        above = log_event_capital(self._hits, self.n, predicted)
        below = log_event_capital(self.n - self._hits, self.n, 1.0 - predicted)
        return float(above), float(below)
