"""The mean of rows in a known interval, by the empirical Bernstein sequence in closed form.

For rows in [0, 1] and predictable λ_i in [0, 1) and centres c_i in [0, 1] (functions of the rows before i),
with ``ψ(λ) = −log(1 − λ) − λ``::

    exp( Σ λ_i (X_i − m) − Σ ψ(λ_i) (X_i − c_i)² )

is a supermartingale from 1 while the mean μ is at most m. Proof: ``exp(λy − ψ(λ)y²) <= 1 + λy`` for y >= −1
(X. Fan, I. Grama, Q. Liu, Electronic Journal of Probability 20 (2015), 1-22), so the factor has mean at most
``(1 + λ(μ − c)) exp(λ(c − m)) <= exp(λ(μ − c) + λ(c − m)) <= 1``. Mirror images give the other side. Solved
for m, each side at δ/2, the interval is ``(Σ λ_i X_i ± (log(2/δ) + Σ ψ(λ_i)(X_i − c_i)²)) / Σ λ_i``: I.
Waudby-Smith and A. Ramdas (2024), Theorem 2, whose λ_i and regularised means and variances are used: ``λ_i =
min(1/2, √(2 log(2/δ) / (σ̂²_{i−1} i log(1 + i))))``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._jit import kernel
from montecarlo.sequential._bounded_mean import check_bounds
from montecarlo.sequential._rows import check_rows_between
from montecarlo.sequential._sequence import NumberSequence

_LARGEST_BET = 0.5


@kernel(allocates=False)
def _absorb(rows, log_threshold, state):
    """Take rows in [0, 1] into the state: rows, Σ x, Σ (x − mean)², Σ λ(x − 1/2), Σ λ, Σ ψ(λ)(x − c)²."""
    for i in range(rows.size):
        x = rows[i]
        n = state[0]
        # one row of 1/2 and a variance of 1/4 are added, so that the first bets are defined
        centre = (0.5 + state[1]) / (n + 1.0)
        variance = (0.25 + state[2]) / (n + 1.0)
        index = n + 1.0
        bet = min(_LARGEST_BET, math.sqrt(2.0 * log_threshold / (variance * index * math.log(1.0 + index))))
        state[0] = index
        state[1] += x
        state[2] += (x - (0.5 + state[1]) / (index + 1.0)) ** 2
        state[3] += bet * (x - 0.5)
        state[4] += bet
        state[5] += (-math.log1p(-bet) - bet) * (x - centre) ** 2


class EmpiricalBernstein(NumberSequence):
    """Confidence sequence for the mean of rows that lie in [low, high], in closed form.

    Right where `BoundedMean` is, and wider: it is for checks of that one, and for a look at every row, which
    costs nothing here. It depends on the order of the rows.

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
    >>> mean = EmpiricalBernstein(low=0.0, high=1.0, false_alarm=1e-6).update(rows)
    >>> mean.refutes(0.5), mean.refutes(0.51)
    (False, True)
    """

    def __init__(self, *, low: float, high: float, false_alarm: float = 1e-6) -> None:
        low, high = check_bounds(low, high)
        super().__init__(false_alarm=false_alarm, low=low, high=high)
        self._scale = high - low
        self._state = np.zeros(6)

    @property
    def estimate(self) -> float:
        """The mean weighted by bets, centre of the interval; NaN without rows."""
        if self.n == 0:
            return math.nan
        return self._low + self._scale * (0.5 + float(self._state[3] / self._state[4]))

    def _check(self, rows: NDArray[np.float64]) -> None:
        check_rows_between(rows, self._low, self._high)

    def _absorb(self, rows: NDArray[np.float64]) -> None:
        scaled = np.clip((rows - self._low) / self._scale, 0.0, 1.0)
        _absorb(np.ascontiguousarray(scaled), self._threshold, self._state)

    def _log_e_processes(self, predicted: float) -> tuple[float, float]:
        m = (predicted - self._low) / self._scale
        _, _, _, gain, bets, cost = (float(number) for number in self._state)
        return gain - bets * (m - 0.5) - cost, -gain + bets * (m - 0.5) - cost

    def _look(self) -> None:
        half = self._scale * (self._threshold + float(self._state[5])) / float(self._state[4])
        self._lower = max(self._lower, self.estimate - half)
        self._upper = min(self._upper, self.estimate + half)
