"""Moments that pool: count, mean and the second to fourth central sums.

Notation: ``M_p = Σ (x_i − mean)^p``. Pooling by P. Pébay, "Formulas for robust, one-pass parallel computation
of covariances and arbitrary-order statistical moments", SAND2008-6212 (2008), equations for M2, M3, M4.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from montecarlo.estimates._rows import column, keep_finite


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, mean and central sums of finite rows; ``a + b`` is the pool of both samples.

    Add blocks in index order: the sum is then the same bits for any number of workers. Another split into
    blocks agrees to rounding, not to the bit.

    Parameters
    ----------
    n
        Number of finite rows. Default 0, the empty sample, which is neutral for ``+``.
    mean
        Their mean.
    M2, M3, M4
        Sums of the second, third and fourth powers of the deviations from the mean.
    n_nonfinite
        Number of rows that were NaN or infinite: counted, never in a mean.

    Examples
    --------
    >>> Moments.of([1.0, 2.0]) + Moments.of([3.0, float("nan")])
    Moments(n=3, mean=2.0, M2=2.0, M3=0.0, M4=2.0, n_nonfinite=1)
    >>> (Moments.of([1.0, 2.0]) + Moments.of([3.0])).variance
    1.0
    """

    n: int = 0
    mean: float = 0.0
    M2: float = 0.0
    M3: float = 0.0
    M4: float = 0.0
    n_nonfinite: int = 0

    @classmethod
    def of(cls, x: ArrayLike) -> "Moments":
        """Return the moments of one column, shape (rows,).

        Parameters
        ----------
        x
            Rows of size at most about 1e75 (fourth powers must be floats); NaN and infinite ones are counted
            apart.

        Returns
        -------
        Moments
            Two passes over the data: no cancellation at a large mean.

        Raises
        ------
        ValueError
            If `x` is not one-dimensional or is empty.
        """
        values, n_nonfinite = keep_finite(column(x))
        if values.size == 0:
            return cls(n_nonfinite=n_nonfinite)
        centre = float(np.mean(values))
        deviations = values - centre
        # the rounding error of the mean, which would enter M3 as 3 M2 times it
        correction = float(np.mean(deviations))
        centre += correction
        deviations -= correction
        squares = deviations * deviations
        return cls(
            n=values.size,
            mean=centre,
            M2=float(np.sum(squares)),
            M3=float(np.sum(squares * deviations)),
            M4=float(np.sum(squares * squares)),
            n_nonfinite=n_nonfinite,
        )

    def __add__(self, other: "Moments") -> "Moments":
        if not isinstance(other, Moments):
            return NotImplemented
        n_nonfinite = self.n_nonfinite + other.n_nonfinite
        a, b = self.n, other.n
        if a == 0 or b == 0:
            full = other if a == 0 else self
            return Moments(
                n=full.n, mean=full.mean, M2=full.M2, M3=full.M3, M4=full.M4, n_nonfinite=n_nonfinite
            )
        n = a + b
        delta = other.mean - self.mean
        step = delta / n
        M2 = self.M2 + other.M2 + delta * step * a * b
        M3 = (
            self.M3
            + other.M3
            + delta * step * step * a * b * (a - b)
            + 3.0 * step * (a * other.M2 - b * self.M2)
        )
        M4 = (
            self.M4
            + other.M4
            + delta * step**3 * a * b * (a * a - a * b + b * b)
            + 6.0 * step * step * (a * a * other.M2 + b * b * self.M2)
            + 4.0 * step * (a * other.M3 - b * self.M3)
        )
        return Moments(n=n, mean=self.mean + step * b, M2=M2, M3=M3, M4=M4, n_nonfinite=n_nonfinite)

    @property
    def variance(self) -> float:
        """Unbiased sample variance ``M2 / (n − 1)``; NaN for n < 2."""
        return self.M2 / (self.n - 1) if self.n > 1 else math.nan

    @property
    def skewness(self) -> float:
        """Sample skewness ``√n M3 / M2^{3/2}``, at most about √n in size; 0 where all rows are equal."""
        scale = math.sqrt(self.M2)
        return math.sqrt(self.n) * (self.M3 / scale**3) if scale**3 > 0.0 else 0.0

    @property
    def kurtosis(self) -> float:
        """Sample kurtosis ``n M4 / M2²`` (3 for a normal law), at most n; 1 where all rows are equal."""
        return self.n * (self.M4 / self.M2**2) if self.M2**2 > 0.0 else 1.0


def moments_of(x: "ArrayLike | Moments") -> Moments:
    """Return `x` if it already holds moments, else the moments of the column `x`."""
    return x if isinstance(x, Moments) else Moments.of(x)
