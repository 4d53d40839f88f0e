"""`DistanceSequence`: what sequential tests of whole laws share, as `NumberSequence` is for numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from montecarlo.sequential._rows import check_aim, check_false_alarm
from montecarlo.sequential._sub_gaussian_mean import one_sided_width

_AIM = 0.01


class DistanceSequence(ABC):
    """A confidence sequence for the distance between two laws, which may aim at distances of some size.

    Parameters
    ----------
    false_alarm : float
        Probability, at most, of ever refuting what is true, at most 0.5.

    Raises
    ------
    InvalidFieldError
        If `false_alarm` is out of range.
    """

    def __init__(self, false_alarm: float) -> None:
        self._false_alarm = check_false_alarm(false_alarm)
        self._aims_at: float | None = None
        self._n_nonfinite = 0

    @property
    def aims_at(self) -> float | None:
        """Size of the distances that it aims at, None if it was told none."""
        return self._aims_at

    def aim(self, resolution: float, /) -> Self:
        """Make the upper end of the interval of the distance narrowest about this size, 0.01 by default.

        Before the first row; any size is valid.

        Raises
        ------
        InvalidFieldError
            If the size is not positive and finite, or rows were taken in.
        """
        self._aims_at = check_aim(resolution, self._longest + self._n_nonfinite)
        return self

    @property
    @abstractmethod
    def _longest(self) -> int:
        """Rows taken in, of the longest stream."""

    def _above(self, n: int, variance_proxy: float) -> float:
        """Return how far the true distance may lie above that of n rows, or of n pairs."""
        width = one_sided_width(
            n, variance_proxy=variance_proxy, resolution=self._aims_at or _AIM, false_alarm=self._false_alarm
        )
        return float(width)
