"""A continuous law given by its distribution function on a grid, with the methods of a frozen scipy law."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import interpolate

from theory.common import _validate
from theory.common._validate import FloatArray

Map = Callable[[FloatArray], FloatArray]

# Points of the Gauss-Legendre rule on each interval, exact for the quintic spline times a quadratic.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(6)


def _same(x: FloatArray) -> FloatArray:
    return x


class TabulatedLaw:
    """
    Law of a real number X, from values of its distribution function at equally spaced points.

    A quintic spline joins the values; density, quantiles and means are those of the spline. X may be a smooth
    increasing function of the coordinate in which the points are equally spaced.

    Parameters
    ----------
    points : array_like
        Equally spaced coordinates, at least 8; the law has no mass outside them.
    cdf : array_like
        Distribution function at the points, from 0 to 1.
    from_coordinate, to_coordinate, slope : callable, optional
        X as a function of the coordinate, its inverse, and the derivative of the coordinate as a function of
        X. By default X is the coordinate.
    error : float, optional
        Estimated error of the distribution function, kept as the attribute `error`.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> x = np.linspace(-9, 9, 400)
    >>> law = TabulatedLaw(x, norm.cdf(x))
    >>> round(float(law.ppf(0.975)), 8)
    1.95996398
    """

    def __init__(
        self,
        points: npt.ArrayLike,
        cdf: npt.ArrayLike,
        *,
        from_coordinate: Map = _same,
        to_coordinate: Map = _same,
        slope: Map = np.ones_like,
        error: float = 0.0,
    ) -> None:
        self._points = np.asarray(points, dtype=np.float64)
        values = np.asarray(cdf, dtype=np.float64)
        self._from, self._to, self._slope = from_coordinate, to_coordinate, slope
        self._cdf = interpolate.make_interp_spline(self._points, values, k=5)
        self._pdf = self._cdf.derivative()
        # Rounding makes the tails of the table wiggle by 1e-16; quantiles need it sorted.
        self._sorted = np.maximum.accumulate(np.clip(values, 0.0, 1.0))
        self.error = error

    def __repr__(self) -> str:
        return f"TabulatedLaw(mean={self.mean():.6g}, std={self.std():.6g}, error={self.error:.1e})"

    @classmethod
    def from_density(
        cls,
        points: npt.ArrayLike,
        density: npt.ArrayLike,
        *,
        from_coordinate: Map = _same,
        to_coordinate: Map = _same,
        slope: Map = np.ones_like,
    ) -> "TabulatedLaw":
        """Integrate the density of the coordinate, given at the points, and scale its mass to 1."""
        x = np.asarray(points, dtype=np.float64)
        integral = interpolate.make_interp_spline(
            x, np.asarray(density, dtype=np.float64), k=5
        ).antiderivative()
        cdf = integral(x) - integral(x[0])
        return cls(
            x,
            cdf / cdf[-1],
            from_coordinate=from_coordinate,
            to_coordinate=to_coordinate,
            slope=slope,
            error=abs(float(cdf[-1]) - 1),
        )

    def support(self) -> tuple[float, float]:
        """Return the ends of the table; the law has less than `error` of its mass beyond."""
        low, high = self._from(self._points[[0, -1]])
        return float(low), float(high)

    def _inside(self, x: npt.ArrayLike) -> FloatArray:
        return np.clip(self._to(np.asarray(x, dtype=np.float64)), self._points[0], self._points[-1])

    def cdf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return P(X <= x)."""
        return _validate.plain(np.clip(self._cdf(self._inside(x)), 0.0, 1.0))

    def sf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return P(X > x), with the absolute precision of the table."""
        return _validate.plain(np.clip(1 - self._cdf(self._inside(x)), 0.0, 1.0))

    def pdf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return the density at x."""
        values = np.asarray(x, dtype=np.float64)
        coordinate = self._to(values)
        inside = (coordinate >= self._points[0]) & (coordinate <= self._points[-1])
        density = np.maximum(self._pdf(self._inside(values)), 0.0) * self._slope(values)
        return _validate.plain(np.where(inside, density, 0.0))

    def logpdf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return the logarithm of the density at x."""
        with np.errstate(divide="ignore"):
            return _validate.plain(np.log(self.pdf(x)))

    def ppf(self, probability: npt.ArrayLike) -> float | FloatArray:
        """Return quantiles: the x with P(X <= x) = probability."""
        p = _validate.level("probability", probability, fix="give a level")
        j = np.clip(np.searchsorted(self._sorted, p, side="left"), 1, self._points.size - 1)
        low, high = self._points[j - 1], self._points[j]
        # Bisection first: Newton's method may leave the interval where the density is tiny.
        for _ in range(6):
            middle = 0.5 * (low + high)
            below = self._cdf(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        point = 0.5 * (low + high)
        for _ in range(4):
            density = self._pdf(point)
            move = np.divide(self._cdf(point) - p, density, out=np.zeros(p.shape), where=density > 1e-12)
            point = np.clip(point - move, low, high)
        return _validate.plain(self._from(point))

    def median(self) -> float:
        """Return the median."""
        return float(self.ppf(0.5))

    def expect(self, function: Map) -> float:
        """Return E function(X) for a smooth vectorised function, by Gauss-Legendre on every interval."""
        half = 0.5 * np.diff(self._points)[:, None]
        nodes = self._points[:-1, None] + half * (1 + _POINTS)
        mass = half * _WEIGHTS * self._pdf(nodes)
        return float((mass * function(self._from(nodes))).sum())

    def mean(self) -> float:
        """Return E X."""
        return self.expect(_same)

    def var(self) -> float:
        """Return the variance of X."""
        centre = self.mean()
        return self.expect(lambda x: (x - centre) ** 2)

    def std(self) -> float:
        """Return the standard deviation of X."""
        return float(np.sqrt(self.var()))

    def rvs(self, *, size: int | tuple[int, ...], random_state: np.random.Generator) -> FloatArray:
        """Return random numbers of the law, by inversion, from a numpy generator."""
        return np.asarray(self.ppf(random_state.random(size)))
