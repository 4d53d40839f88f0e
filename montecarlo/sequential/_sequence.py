"""What all sequences for a number share: batches, the running intersection, refutation, results.

A sequence holds, for each candidate number m, two e-processes: one that grows if the truth is above m and is
a supermartingale from 1 while it is at most m, and its mirror image. By Ville's inequality each ever reaches
2/δ with probability at most δ/2 at the true number. The interval at a look holds the candidates for which
neither has; the running intersection over looks is as valid, because the event bounded by δ is one event for
all times. Hence a run may look whenever it likes and stop when it likes.

Rows that are not finite are counted outcomes (`n_nonfinite`) and never enter a mean: what is estimated and
tested is then the law given that a row is finite, for which the remaining rows are i.i.d.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from montecarlo.common._errors import InvalidFieldError
from montecarlo.estimates._rows import keep_finite
from montecarlo.sequential._result import Claim, SequentialResult, half_width, p_from_log_e
from montecarlo.sequential._rows import batch, check_aim, check_false_alarm


class Sequence(Protocol):
    """What every sequence for a number offers."""

    @property
    def false_alarm(self) -> float:
        """Probability, at most, that the interval ever misses the true number."""
        ...

    @property
    def n(self) -> int:
        """Rows taken in, without those left out."""
        ...

    @property
    def interval(self) -> tuple[float, float]:
        """Running intersection over the looks so far."""
        ...

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        ...

    def update(self, rows: ArrayLike, /) -> Self:
        """Take a batch of rows in, then look."""
        ...

    def refutes(self, predicted: float, /) -> bool:
        """Whether the predicted number is outside the interval."""
        ...


class NumberSequence(ABC):
    """A confidence sequence for one number that lies in [low, high], fed in batches.

    The running intersection is taken at the end of each `update`; everything else depends on the rows
    alone, not on how they are cut into batches.
    """

    def __init__(self, *, false_alarm: float, low: float = -math.inf, high: float = math.inf) -> None:
        self._false_alarm = check_false_alarm(false_alarm)
        self._threshold = math.log(2.0 / self._false_alarm)  # for each side
        self._low, self._high = low, high
        self._lower, self._upper = low, high
        self._n = 0
        self._n_nonfinite = 0
        self._aims_at: float | None = None

    @property
    def false_alarm(self) -> float:
        """Probability, at most, that the interval ever misses the true number."""
        return self._false_alarm

    @property
    def n(self) -> int:
        """Rows taken in, without the non-finite ones."""
        return self._n

    @property
    def n_nonfinite(self) -> int:
        """Rows left out because they are not finite."""
        return self._n_nonfinite

    @property
    def interval(self) -> tuple[float, float]:
        """Running intersection over the looks; the lower end is above the upper one if all is refuted."""
        return self._lower, self._upper

    @property
    def half_width(self) -> float:
        """Half the length of the interval, 0 if it is empty."""
        return half_width(self.interval)

    @property
    @abstractmethod
    def estimate(self) -> float:
        """Point estimate, NaN without rows."""

    @property
    def aims_at(self) -> float | None:
        """Size of the errors that it aims at, None if it was told none."""
        return self._aims_at

    def aim(self, resolution: float, /) -> Self:
        """Spend most of the false alarm on errors of this size, before the first row; any size is valid.

        In the units of the number. Means of bounded and of non-negative rows then need up to an eighth of the
        rows less; the other sequences have nothing to choose.

        Raises
        ------
        InvalidFieldError
            If the size is not positive and finite, or rows were taken in.
        """
        self._aims_at = check_aim(resolution, self._n + self._n_nonfinite)
        self._aim(self._aims_at)
        return self

    def _aim(self, resolution: float) -> None:  # noqa: B027
        """Choose bets for errors of this size; the default has none to choose."""

    def update(self, rows: ArrayLike, /) -> Self:
        """Take a batch of i.i.d. rows in, shape (rows,), then look; a refused batch changes nothing."""
        values = batch(rows)
        kept, n_lost = self._keep(values)
        self._check(kept)
        self._absorb(kept)
        self._n += kept.size
        self._n_nonfinite += n_lost
        if kept.size:
            self._look()
        return self

    def refutes(self, predicted: float, /) -> bool:
        """Whether the number is outside the interval, hence refuted at `false_alarm`; NaN always is."""
        return not self._lower <= predicted <= self._upper

    def e_value(self, predicted: float, /) -> float:
        """Return the evidence against a predicted number at this look; inf above float range."""
        log_e = self.log_e_value(predicted)
        return math.exp(log_e) if log_e < 709.0 else math.inf

    def log_e_value(self, predicted: float, /, *, claim: Claim = "equal") -> float:
        """Return the natural log of the evidence against a claim at this look.

        Half the larger of the two e-processes, for a claim of one side half of the one that can refute it:
        the interval is where this stays below ``log(1/false_alarm)`` at all looks.
        """
        self._check_candidate(predicted)
        above, below = self._log_e_processes(predicted)
        log_e = {"equal": max(above, below), "at most": above, "at least": below}
        if claim not in log_e:
            raise InvalidFieldError("claim", claim, f"must be one of {', '.join(log_e)}", "give 'equal', say")
        return log_e[claim] - math.log(2.0)

    def result(self, predicted: float, /, *, resolution: float, claim: Claim = "equal") -> SequentialResult:
        """Return where the test of a prediction stands; `resolution` is in the units of `predicted`."""
        log_e = self.log_e_value(predicted, claim=claim)
        return SequentialResult(
            kind=type(self).__name__,
            predicted=float(predicted),
            claim=claim,
            estimate=self.estimate,
            interval=self.interval,
            resolution=resolution,
            e_value=math.exp(log_e) if log_e < 709.0 else math.inf,
            p_bound=p_from_log_e(log_e),
            false_alarm=self.false_alarm,
            n=self.n,
            n_nonfinite=self.n_nonfinite,
        )

    def __repr__(self) -> str:
        lower, upper = self.interval
        return f"<{type(self).__name__} {self.estimate:.6g} [{lower:.6g}, {upper:.6g}], n={self.n}>"

    def _keep(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
        return keep_finite(rows)

    def _check(self, rows: NDArray[np.float64]) -> None:  # noqa: B027
        """Raise InvalidFieldError for rows that break the hypothesis; the default allows all."""

    def _check_candidate(self, predicted: float) -> None:
        if not self._low <= predicted <= self._high:
            raise InvalidFieldError(
                "predicted", predicted, f"must lie in [{self._low:g}, {self._high:g}]", "check the prediction"
            )

    @abstractmethod
    def _absorb(self, rows: NDArray[np.float64]) -> None:
        """Take finite rows into the sums."""

    @abstractmethod
    def _log_e_processes(self, predicted: float) -> tuple[float, float]:
        """Return natural logs of the e-processes against "at most" and against "at least"."""

    def _look(self) -> None:
        """Intersect with the interval of this look, found by root search in a bounded range.

        The first process must fall and the second rise in the candidate.
        """
        self._lower = self._refuted_below()
        self._upper = self._refuted_above()

    def _refuted_below(self) -> float:
        def excess(m: float) -> float:
            return self._log_e_processes(m)[0] - self._threshold

        if self._lower == math.inf or excess(self._lower) < 0.0:
            return self._lower
        if excess(self._high) >= 0.0:
            return math.inf  # no candidate is left
        middle = min(max(self.estimate, self._lower), self._high)
        inside = middle if excess(middle) < 0.0 else self._high
        return max(self._lower, _root(excess, self._lower, inside, outward=-1.0))

    def _refuted_above(self) -> float:
        def excess(m: float) -> float:
            return self._log_e_processes(m)[1] - self._threshold

        if self._upper == -math.inf or excess(self._upper) < 0.0:
            return self._upper
        if excess(self._low) >= 0.0:
            return -math.inf
        middle = max(min(self.estimate, self._upper), self._low)
        inside = middle if excess(middle) < 0.0 else self._low
        return min(self._upper, _root(excess, inside, self._upper, outward=1.0))


def _root(function: Callable[[float], float], low: float, high: float, *, outward: float) -> float:
    """Return a root between low and high, moved outward by twice the tolerance of the search."""
    if low == high:
        return low
    tolerance = 1e-13 * max(abs(low), abs(high), high - low)
    found = brentq(function, low, high, xtol=tolerance, rtol=1e-14)  # pyright: ignore[reportArgumentType]
    root = float(found)  # pyright: ignore[reportArgumentType]
    return root + outward * 2.0 * (tolerance + 1e-14 * abs(root))
