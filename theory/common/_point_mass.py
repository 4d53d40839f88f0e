"""The law of a number that is not random, where a family of laws has no spread left."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theory.common import _validate


@dataclass(frozen=True)
class PointMass:
    """
    Law of a constant, with the methods of frozen laws of scipy, which refuse a deviation of 0.

    Parameters
    ----------
    point : float
        The number.

    Examples
    --------
    >>> law = PointMass(0.5)
    >>> law.ppf([0.025, 0.975]), law.cdf(0.5), law.sf(0.5), law.std()
    (array([0.5, 0.5]), 1.0, 0.0, 0.0)
    """

    point: float

    def cdf(self, x: npt.ArrayLike) -> Any:
        """Return 1 from the point on, else 0."""
        return _validate.plain(np.where(np.asarray(x) >= self.point, 1.0, 0.0))

    def sf(self, x: npt.ArrayLike) -> Any:
        """Return 1 below the point, else 0."""
        return _validate.plain(np.where(np.asarray(x) < self.point, 1.0, 0.0))

    def pdf(self, x: npt.ArrayLike) -> Any:
        """Return inf at the point, else 0."""
        return _validate.plain(np.where(np.asarray(x) == self.point, np.inf, 0.0))

    def ppf(self, q: npt.ArrayLike) -> Any:
        """Return the point, for every probability; NaN outside [0, 1]."""
        level = np.asarray(q, np.float64)
        return _validate.plain(np.where((level >= 0) & (level <= 1), self.point, np.nan))

    def mean(self) -> float:
        """Return the point."""
        return self.point

    def var(self) -> float:
        """Return 0."""
        return 0.0

    def std(self) -> float:
        """Return 0."""
        return 0.0
