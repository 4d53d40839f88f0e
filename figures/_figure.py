"""What a figure is: points to simulate, a drawing of their samples, checks of numbers against theory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure as Canvas

from montecarlo import ResNet, Sample
from montecarlo.estimates import Estimate

Setting = Literal["quick", "paper"]


@dataclass(frozen=True)
class Point:
    """One specification that a figure needs, and how many networks of it.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replicas : int
        Networks.
    """

    resnet: ResNet
    replicas: int


Samples = Mapping[ResNet, Sample]


@dataclass(frozen=True)
class Check:
    """A number of the figure beside what theory predicts for it.

    Parameters
    ----------
    quantity : str
        In words.
    predicted : float
        By the theory.
    estimate : Estimate
        From the samples, with its interval, on the scale of `predicted`.
    """

    quantity: str
    predicted: float
    estimate: Estimate

    @property
    def agrees(self) -> bool:
        """Whether the prediction lies in the interval."""
        return self.estimate.contains(self.predicted)


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
        The setting ("quick" or "paper") to the points to simulate.
    draw : callable
        The samples to the drawing.
    checks : callable
        The samples to the numbers beside their predictions.
    """

    name: str
    title: str
    caption: str
    points: Callable[[Setting], list[Point]]
    draw: Callable[[Samples], Canvas]
    checks: Callable[[Samples], list[Check]]
