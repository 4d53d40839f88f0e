"""The mean of rows in a known interval, by betting.

Rows scaled to [0, 1] are non-negative with mean m, and so are their mirror images with mean 1 − m: the
capital of `montecarlo.sequential._capital` against "the mean is at most m" and against "at least m" are two
e-processes (hedged capital, I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by
betting", JRSS B 86 (2024) 1-27, Theorem 3, with a mixture over fixed bets in place of predictable ones). The
estimate is always inside: ``Σ log((1 + κ x_i)/(1 + κ x̄)) <= 0`` because log is concave.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._errors import InvalidFieldError, check_real
from montecarlo.sequential._capital import Capital
from montecarlo.sequential._rows import check_rows_between
from montecarlo.sequential._sequence import NumberSequence
from montecarlo.sequential._sums import RunningSum


def check_bounds(low: float, high: float) -> tuple[float, float]:
    """Return the bounds as floats, or raise InvalidFieldError."""
    low = check_real("low", low, -1e300, 1e300, 0.0)
    high = check_real("high", high, -1e300, 1e300, 1.0)
    if low >= high:
        raise InvalidFieldError("low", low, f"must be below high={high!r}", "swap them or widen the interval")
    return low, high


class BoundedMean(NumberSequence):
    """Confidence sequence for the mean of rows that lie in [low, high].

    Right for every law on [low, high] whose bounds are known before sampling, at all times at once. It learns
    the variance: rows that hardly vary give a narrow interval. The tightest sequence here for bounded rows; a
    million rows take a fifth of a second.

    Parameters
    ----------
    low, high
        The bounds, known beforehand.
    false_alarm
        Probability, at most, that the interval ever misses the mean, at most 0.5. Default 1e-6.

    Raises
    ------
    InvalidFieldError
        If low >= high, or `false_alarm` is out of range; in `update` if a row lies outside the bounds.

    Examples
    --------
    >>> rows = np.random.default_rng(1).random(100_000)
    >>> mean = BoundedMean(low=0.0, high=1.0, false_alarm=1e-6).update(rows)
    >>> mean.refutes(0.5), mean.refutes(0.51)
    (False, True)
    >>> print(mean.result(0.5, resolution=0.01))
    resolved: predicted 0.5, estimate 0.499... [0.49..., 0.50...] (BoundedMean, p <= 1, ..., n=100000)
    """

    def __init__(self, *, low: float, high: float, false_alarm: float = 1e-6) -> None:
        low, high = check_bounds(low, high)
        super().__init__(false_alarm=false_alarm, low=low, high=high)
        self._scale = high - low
        self._sum = RunningSum()
        self._above, self._below = Capital(), Capital()

    @property
    def estimate(self) -> float:
        """The sample mean, NaN without rows."""
        if self.n == 0:
            return math.nan
        return min(max(self._low + self._scale * (self._sum.value / self.n), self._low), self._high)

    def _aim(self, resolution: float) -> None:
        self._above, self._below = (Capital(resolution / self._scale) for _ in range(2))

    def _check(self, rows: NDArray[np.float64]) -> None:
        check_rows_between(rows, self._low, self._high)

    def _absorb(self, rows: NDArray[np.float64]) -> None:
        up = np.clip((rows - self._low) / self._scale, 0.0, 1.0)
        self._sum.absorb(up)
        self._above.absorb(up)
        self._below.absorb(1.0 - up)

    def _log_e_processes(self, predicted: float) -> tuple[float, float]:
        m = min(max((predicted - self._low) / self._scale, 0.0), 1.0)
        return self._above.log_capital(m), self._below.log_capital(1.0 - m)
