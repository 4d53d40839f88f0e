"""The record that a test of a law returns."""

from dataclasses import dataclass

from montecarlo.common import _html


@dataclass(frozen=True, kw_only=True)
class LawTest:
    """Outcome of a test of a law by the largest distance between distribution functions.

    Parameters
    ----------
    distance
        Largest vertical distance found.
    threshold
        A distance of this size or more always refutes at `false_alarm`: what this run was able to see.
    pvalue
        Upper bound of the probability of such a distance if the law is right; valid for every law and n.
    false_alarm
        Probability, at most, of refuting a right law.
    n, m
        Rows used of the first sample and of the second (None for a one-sample test).
    n_nonfinite
        Rows left out as NaN or +inf, both samples together.
    method
        The method in a few words.
    warning
        Why the outcome should not be trusted as it stands; None if nothing was found.

    Examples
    --------
    >>> test = LawTest(distance=0.2, threshold=0.1, pvalue=1e-9, false_alarm=1e-6, n=1000, method="DKW")
    >>> test.refuted
    True
    >>> print(test)
    refuted: distance 0.2, sees 0.1 (p <= 1e-09, false alarm 1e-06, n=1000)
    """

    distance: float
    threshold: float
    pvalue: float
    false_alarm: float
    n: int
    m: int | None = None
    n_nonfinite: int = 0
    method: str
    warning: str | None = None

    @property
    def refuted(self) -> bool:
        """Whether the law is refuted at the stated false alarm."""
        return self.pvalue <= self.false_alarm

    def _repr_html_(self) -> str:
        rows = [
            ("verdict", "refuted" if self.refuted else "consistent"), ("distance", self.distance),
            ("sees", self.threshold), ("p at most", self.pvalue), ("false alarm", self.false_alarm),
            ("rows", self.n), ("rows of the other sample", self.m), ("not finite", self.n_nonfinite or None),
            ("method", self.method), ("warning", self.warning),
        ]  # fmt: skip
        return _html.record(type(self).__name__, rows)

    def __str__(self) -> str:
        verdict = "refuted" if self.refuted else "consistent"
        counts = f"n={self.n}" + ("" if self.m is None else f", m={self.m}")
        counts += f", {self.n_nonfinite} not finite" if self.n_nonfinite else ""
        text = (
            f"{verdict}: distance {self.distance:.4g}, sees {self.threshold:.4g} "
            f"(p <= {self.pvalue:.4g}, false alarm {self.false_alarm:.4g}, {counts})"
        )
        return f"{text} warning: {self.warning}" if self.warning else text
