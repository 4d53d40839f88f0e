"""The record of where a sequential test stands, and its decision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from montecarlo.common import _html

Decision = Literal["refuted", "resolved", "undecided"]
Claim = Literal["equal", "at most", "at least"]


@dataclass(frozen=True, kw_only=True)
class SequentialResult:
    """Where a sequential test of one prediction stands.

    Valid at any time and however the time was chosen: if the prediction is right, `decision` is ever
    "refuted" with probability at most `false_alarm`.

    Parameters
    ----------
    kind
        Name of the sequence that made it.
    predicted
        The predicted number; 0 for a distance between laws.
    claim
        Whether the true number is claimed to be equal to `predicted`, at most, or at least that.
    estimate
        Point estimate, NaN without rows.
    interval
        Closed interval of the numbers not refuted; empty (lower end above upper end) if all are.
    resolution
        Error, in the units of `predicted`, that must not pass: a test is resolved where `reach` is at most
        this.
    e_value
        Evidence against the claim at this look: its expectation is at most 1 if the claim is right. None for
        tests of laws.
    p_bound
        Upper bound of the probability of evidence like this if the claim is right, valid at any time.
    false_alarm
        Probability, at most, of ever refuting a right claim.
    n, n_nonfinite
        Rows used, and rows left out because they are not finite (for laws and quantiles: NaN or +inf).
    warning
        Why the outcome should not be trusted as it stands; None if nothing was found.

    Examples
    --------
    >>> result = SequentialResult(kind="BoundedMean", predicted=0.5, estimate=0.501, interval=(0.498, 0.504),
    ...     resolution=0.005, e_value=0.01, p_bound=1.0, false_alarm=1e-6, n=10**6)
    >>> result.decision
    'resolved'
    >>> print(result)
    resolved: predicted 0.5, estimate 0.501 [0.498, 0.504] (BoundedMean, p <= 1, false alarm 1e-06, n=1000000)
    """

    kind: str
    predicted: float
    claim: Claim = "equal"
    estimate: float
    interval: tuple[float, float]
    resolution: float
    e_value: float | None
    p_bound: float
    false_alarm: float
    n: int
    n_nonfinite: int = 0
    warning: str | None = None

    @property
    def decision(self) -> Decision:
        """The decision: "refuted", "resolved" or "undecided".

        Refuted: the interval holds no number that agrees with the claim. Resolved: it holds none that
        breaks the claim by more than `resolution`.
        """
        lower, upper = self.interval
        below, above = self.predicted - lower, upper - self.predicted
        refuted = {"equal": below < 0.0 or above < 0.0, "at most": below < 0.0, "at least": above < 0.0}
        if refuted[self.claim] or lower > upper or self.p_bound <= self.false_alarm:
            return "refuted"
        return "resolved" if self.reach <= self.resolution else "undecided"

    @property
    def reach(self) -> float:
        """How far the interval reaches to where the claim is wrong: the error that could not have passed.

        Were the claim off by `resolution` or more, a test would ever be resolved with probability at most the
        false alarm: it would go on, or refute. Of a number, besides, the same rows would have refuted a
        prediction moved by more than this; of a law they need not, for the lower end of a distance is
        farther. Negative where the whole interval is on the right side of a claim of one side.
        """
        lower, upper = self.interval
        below, above = self.predicted - lower, upper - self.predicted
        return {"equal": max(below, above), "at most": above, "at least": below}[self.claim]

    @property
    def half_width(self) -> float:
        """Half the length of the interval, 0 if it is empty."""
        return half_width(self.interval)

    def _repr_html_(self) -> str:
        claim = "" if self.claim == "equal" else f"{self.claim} "
        rows = [
            ("decision", self.decision), ("predicted", f"{claim}{self.predicted:.6g}"), ("estimate",
            self.estimate), ("not refuted", _html.interval(self.interval)), ("resolution",
            self.resolution), ("p at most", self.p_bound), ("false alarm", self.false_alarm), ("rows",
            self.n), ("not finite", self.n_nonfinite or None), ("sequence", self.kind),
            ("warning", self.warning),
        ]  # fmt: skip
        return _html.record(type(self).__name__, rows)

    def __str__(self) -> str:
        lower, upper = self.interval
        claim = "" if self.claim == "equal" else f"{self.claim} "
        lost = f", {self.n_nonfinite} not finite" if self.n_nonfinite else ""
        text = (
            f"{self.decision}: predicted {claim}{self.predicted:.6g}, estimate {self.estimate:.6g} "
            f"[{lower:.6g}, {upper:.6g}] ({self.kind}, p <= {self.p_bound:.3g}, "
            f"false alarm {self.false_alarm:.3g}, n={self.n}{lost})"
        )
        return f"{text} warning: {self.warning}" if self.warning else text


def half_width(interval: tuple[float, float]) -> float:
    """Return half the length of an interval, 0 if it is empty.

    Examples
    --------
    >>> half_width((1.0, 2.0)), half_width((2.0, 1.0))
    (0.5, 0.0)
    """
    lower, upper = interval
    return max(0.0, (upper - lower) / 2.0) if upper > lower else 0.0


def p_from_log_e(log_e: float) -> float:
    """Return the anytime p-value bound of an e-value given by its natural log (Ville).

    Examples
    --------
    >>> p_from_log_e(math.log(1000.0)), p_from_log_e(-1.0)
    (0.001..., 1.0)
    """
    return math.exp(-max(0.0, log_e))
