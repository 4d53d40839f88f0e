"""The mean of non-negative rows whose second moment has a known bound, for heavy tails.

Let X >= 0 with ``E X² <= B`` known, and measure X in units of √B, so that ``E X² <= 1`` and the mean lies in
[0, 1].

* Against "the mean is at most m": the capital of `montecarlo.sequential._capital`, which asks for nothing
  beside X >= 0. No row can hurt it, however large.
* Against "the mean is at least m": for λ > 0 and ``E X >= m``::

      E exp(−λX) <= D(λ, m) = 1 − m² (1 − exp(−λ/m)),

  so ``exp(−λ Σ X_i) / D(λ, m)^n`` is a supermartingale from 1, and so is its average over a grid of λ.

Proof of the bound. Let q be the parabola with q(0) = 1 that touches h(x) = exp(−λx) at x = 1/m. By the
remainder of Hermite interpolation ``h(x) − q(x) = h'''(ξ) x (x − 1/m)² / 6 <= 0``, and its leading
coefficient is ``h''(ξ')/2 > 0``. So ``E h(X) <= E q(X) <= E q(Y)`` for Y = 1/m with probability m² and else
0, which has mean m and second moment 1, and ``E q(Y) = E h(Y) = D``. It is attained, hence the best bound
there is; it is below ``1 − λm + λ²/2``, hence below ``exp(−λm + λ²/2)``, the left-tail bound of A. Maurer,
"A bound on the deviation probability for sums of non-negative random variables", J. Inequalities in Pure and
Applied Mathematics 4 (2003) 15. D falls in m: with u = λ/m the term ``m²(1 − e^{−u})`` is ``λ² (1 −
e^{−u})/u²``, which falls in u. So the bound for m holds for every mean above m, and the means refuted are a
half-line.

Near the mean the growth of the log is ``λ(m − X) − λ²(1 − m²)/2``: the variance B − m² that the bound
allows, not that of the rows, sets the width of the upper side. Told the error that matters, this side has
three λ of its own, too: multiples of error/(1 − m²), m the mean of the first rows, unless these leave 1 − m²
open.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._errors import InvalidFieldError, check_real
from montecarlo.sequential._capital import AIMS, BETS, Capital, Pilot, log_average, shared
from montecarlo.sequential._rows import check_rows_between
from montecarlo.sequential._sequence import NumberSequence
from montecarlo.sequential._sums import RunningSum


def log_shortfall(
    total: NDArray[np.float64] | float,
    n: NDArray[np.int64] | int,
    mean: NDArray[np.float64] | float,
    bets: NDArray[np.float64] = BETS,
) -> NDArray[np.float64]:
    """Return the natural log of the e-process against "the mean is at least `mean`", for ``E X² <= 1``.

    Parameters
    ----------
    total
        Sum of the rows, shape (...) or a number.
    n
        Rows, shape (...) or a number.
    mean
        Candidate mean in [0, 1], shape (...) or a number.
    bets
        The λ, shape (bets,).

    Examples
    --------
    >>> float(log_shortfall(0.0, 0, 0.5))
    0.0
    >>> bool(log_shortfall(20.0, 200, 0.5) > np.log(1e3))
    True
    """
    m = np.maximum(np.asarray(mean, dtype=np.float64), 1e-290)[..., None]
    drop = m * m * np.expm1(-bets / m)  # D − 1
    with np.errstate(divide="ignore"):  # log 0 at m = 1, where D = exp(−λ)
        log_rest = np.log((1.0 - m) * (1.0 + m))
    far = np.logaddexp(log_rest, 2.0 * np.log(m) - bets / m)  # precise near D = 0
    log_bound = np.where(drop > -0.5, np.log1p(np.maximum(drop, -0.5)), far)
    return log_average(-bets * np.asarray(total)[..., None] - np.asarray(n)[..., None] * log_bound)


def aimed_slopes(resolution: float, first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the λ that grow fastest against an error of the mean, shape (3,), or the grid.

    The grid where the first rows do not know 1 − m²: a standard error of their mean moves it by 2/5.
    """
    mean = min(float(first.mean()), 1.0)
    with np.errstate(over="ignore"):
        variance = float(first.var())
    allowed = 1.0 - mean**2
    if not 5.0 * mean * math.sqrt(variance / first.size) < allowed:
        return BETS
    return np.minimum(AIMS * min(resolution, 1.0) / max(allowed, 1e-12), BETS[-1])


class _Shortfall:
    """Capital against ``E X >= m`` for all m at once, of rows that are not negative with ``E X² <= 1``."""

    def __init__(self, resolution: float | None = None) -> None:
        self._resolution = resolution
        self._bets = BETS if resolution is None else BETS[::2]
        self._total, self._n = RunningSum(), 0
        self._pilot, self._rest, self._n_rest = Pilot(), RunningSum(), 0
        self._chosen = BETS

    def absorb(self, rows: NDArray[np.float64]) -> None:
        self._total.absorb(rows)
        self._n += rows.size
        if self._resolution is not None:
            missing = not self._pilot.full
            rest = self._pilot.absorb(rows)
            if missing and self._pilot.full:
                self._chosen = aimed_slopes(self._resolution, self._pilot.rows)
            self._rest.absorb(rest)
            self._n_rest += rest.size

    def log_capital(self, mean: float) -> float:
        grid = float(log_shortfall(self._total.value, self._n, mean, self._bets))
        if self._resolution is None:
            return grid
        aimed = 0.0
        if self._n_rest:
            aimed = float(log_shortfall(self._rest.value, self._n_rest, mean, self._chosen))
        return shared(grid, aimed)


class NonNegativeMean(NumberSequence):
    """Confidence sequence for the mean of non-negative rows with a known bound of their second moment.

    Right where tails are too heavy for a sample variance to mean anything, such as ‖h_L‖²/‖h_0‖², whose
    second moment theory knows exactly: a few rows may carry the whole mean, and the sequence is still valid.
    Wrong if ``E X² > second_moment_bound``: a refutation then refutes the mean or the bound. The price of a
    loose bound is the width of the upper side, which goes with ``√(second_moment_bound − mean²)``.

    Parameters
    ----------
    second_moment_bound
        A number known to be at least E X², in squared units of the rows.
    false_alarm
        Probability, at most, that the interval ever misses the mean, at most 0.5. Default 1e-6.

    Raises
    ------
    InvalidFieldError
        If the bound is not positive and finite or `false_alarm` is out of range; in `update` if a row is
        negative.

    Notes
    -----
    The interval starts as [0, √second_moment_bound], by Jensen: a prediction above is refuted without rows,
    and it may be the bound that is wrong. It becomes empty if every mean there is refuted.

    Examples
    --------
    >>> rows = np.exp(np.random.default_rng(1).normal(-0.5, 1.0, 300_000))  # mean 1, second moment e
    >>> mean = NonNegativeMean(second_moment_bound=math.e, false_alarm=1e-6).update(rows)
    >>> mean.refutes(1.0), mean.refutes(0.95), mean.refutes(1.05)
    (False, True, True)
    """

    def __init__(self, *, second_moment_bound: float, false_alarm: float = 1e-6) -> None:
        bound = check_real("second_moment_bound", second_moment_bound, 0.0, 1e300, 2.0, open_low=True)
        self._unit = math.sqrt(bound)
        super().__init__(false_alarm=false_alarm, low=0.0, high=self._unit)
        self._sum = RunningSum()
        self._above, self._below = Capital(), _Shortfall()

    @property
    def estimate(self) -> float:
        """The sample mean, NaN without rows."""
        return self._unit * (self._sum.value / self.n) if self.n else math.nan

    def _aim(self, resolution: float) -> None:
        self._above, self._below = Capital(resolution / self._unit), _Shortfall(resolution / self._unit)

    def _check(self, rows: NDArray[np.float64]) -> None:
        check_rows_between(rows, 0.0, math.inf)

    def _absorb(self, rows: NDArray[np.float64]) -> None:
        # a row beyond 1e290 units counts as one of 1e290: sums stay finite, and less evidence is still valid
        scaled = np.minimum(rows / self._unit, 1e290)
        self._sum.absorb(scaled)
        self._above.absorb(scaled)
        self._below.absorb(scaled)

    def _check_candidate(self, predicted: float) -> None:
        if not 0.0 <= predicted < math.inf:
            raise InvalidFieldError(
                "predicted", predicted, "must be a finite number, at least 0", "check the prediction"
            )

    def _log_e_processes(self, predicted: float) -> tuple[float, float]:
        m = min(predicted / self._unit, 1.0)
        below = self._below.log_capital(m) if predicted <= self._high else math.inf
        return self._above.log_capital(m), below
