"""What a figure is: points to simulate, a drawing of their samples, checks of numbers against theory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.figure import Figure as Canvas

from figures._points import SamplePoint, Samples
from montecarlo.estimates import Estimate

Setting = Literal["quick", "paper"]
Relation = Literal["equals", "at most", "at least"]


@dataclass(frozen=True)
class Computed:
    """A number that was computed, not sampled: it has a tolerance instead of a confidence interval.

    Parameters
    ----------
    value : float
        The number.
    tolerance : float
        How far a prediction may lie from it, set before looking.
    method : str
        Where the number comes from.

    Examples
    --------
    >>> order = Computed(1.002, 0.01, "fit")
    >>> print(order, order.contains(1.0))
    1.002 (fit; tolerance 0.01) True
    """

    value: float
    tolerance: float
    method: str

    def contains(self, x: float) -> bool:
        """Whether `x` lies within the tolerance; NaN never does."""
        return abs(x - self.value) <= self.tolerance

    @property
    def lower(self) -> float:
        """Lowest prediction that passes."""
        return self.value - self.tolerance

    @property
    def upper(self) -> float:
        """Highest prediction that passes."""
        return self.value + self.tolerance

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.method}; tolerance {self.tolerance:g})"


@dataclass(frozen=True)
class Check:
    """A number of the figure beside what theory predicts for it.

    Parameters
    ----------
    quantity : str
        In words.
    predicted : float
        By the theory.
    estimate : Estimate or Computed
        On the scale of `predicted`: from the samples, with its interval; or computed without any, with its
        tolerance.
    relation : {"equals", "at most", "at least"}, default "equals"
        What theory says of the quantity and `predicted`; the latter two are bounds.
    """

    quantity: str
    predicted: float
    estimate: Estimate | Computed
    relation: Relation = "equals"

    @property
    def agrees(self) -> bool:
        """Whether the prediction lies in the interval or within the tolerance.

        A bound disagrees only where the whole interval lies on its wrong side.
        """
        if self.relation == "at most":
            return self.estimate.lower <= self.predicted
        if self.relation == "at least":
            return self.estimate.upper >= self.predicted
        return self.estimate.contains(self.predicted)

    @property
    def simulated(self) -> bool:
        """Whether networks stand behind the estimate; else theory is held against theory."""
        return isinstance(self.estimate, Estimate)

    @property
    def resolution(self) -> float:
        """The error of the prediction, either way, that this check would surely have called outside.

        On the scale of the quantity; for a natural log it is a relative error where it is small. For a bound,
        by how much a stronger one would have been refuted: bounds with room to spare are not tested sharply.
        """
        if self.relation == "at most":
            return self.predicted - self.estimate.lower
        if self.relation == "at least":
            return self.estimate.upper - self.predicted
        return max(self.estimate.upper - self.predicted, self.predicted - self.estimate.lower)

    @property
    def verdict(self) -> str:
        """``agrees``, ``outside``, or ``undecided`` where the interval has one end only (a heavy tail)."""
        if not self.agrees:
            return "outside"
        return "agrees" if np.isfinite(self.resolution) else "undecided"


@dataclass(frozen=True)
class FigureDefinition:
    """A figure.

    Parameters
    ----------
    name : str
        As on the command line; the paper's figures go by their number.
    title : str
        One line.
    caption : str
        What to see, for the report and for those who cannot see the picture.
    points : callable
        The setting ("quick" or "paper") to the points to simulate; none for a figure of theory alone.
    draw : callable
        The samples to the drawing.
    checks : callable
        The samples to the numbers beside their predictions.
    paper : str, default ""
        For a figure of the paper: what agrees with it and what differs, for the report.
    """

    name: str
    title: str
    caption: str
    points: Callable[[Setting], Sequence[SamplePoint]]
    draw: Callable[[Samples], Canvas]
    checks: Callable[[Samples], list[Check]]
    paper: str = ""
