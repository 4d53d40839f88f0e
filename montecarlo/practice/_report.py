"""`DepthCheck`: what a check found, as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from montecarlo.practice import _words as words
from montecarlo.practice._findings import Findings


@dataclass(frozen=True, eq=False, repr=False)
class DepthCheck(Findings):
    """What `depth_check` found; printed, it is a table.

    Parameters
    ----------
    depths : tuple of int
        The depths.
    seeds : tuple of int
        The seeds that were used until it stopped.
    found : str
        identity, critical, polynomial, exponential, or undecided.
    expect : str or None
        The class that was claimed.
    branches, stream, gradient : Growth
        How each depends on depth; no gradient where the model gives none.
    structure : Structure
        Where the norm of its blocks stands.
    faults : tuple of Fault
        What is wrong, or unlike the rest, with block and number.
    measured : tuple of tuples of Measured
        A row a seed, an entry a depth.
    false_alarm : float
        Probability, at most, of a wrong class (for slopes that are normal over seeds), and as much again
        that a promise which the model keeps is refuted (without assumption for Gaussian weights).
    notes : tuple of str
        What a reader should know.
    promise : tuple of ResNet or Transformer
        What the model claims to be at each depth.
    resolution : Resolution or None
        The smallest factor of one block's branch that would be named without any promise.
    """

    def record(self) -> dict[str, Any]:
        """Return all of it as JSON-serialisable values, null for what is no finite number."""
        return words.record(self)

    def markdown(self) -> str:
        """Return a summary for a CI job's page."""
        return words.markdown(self)

    def __str__(self) -> str:
        return words.text(self)

    def __repr__(self) -> str:
        return (
            f"DepthCheck({self.found!r}, depths={self.depths}, seeds={len(self.seeds)}, "
            f"verdict={self.verdict!r}, faults={len(self.faults)})"
        )
