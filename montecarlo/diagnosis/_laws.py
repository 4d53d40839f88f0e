"""Laws of log-ratios that no formula gives at once: of a random start, of squares, and mixtures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from montecarlo.networks._specification import ResNet

Array = npt.NDArray[np.float64]

_GRID = 400
_STEPS = 60


def start_degrees(resnet: ResNet) -> float:
    """Return ν such that ‖h_0‖²/d is m χ²_ν/ν up to its third moment, m the mean: see `StartLaw`.

    x uniform gives ‖x‖² the relative variance 4/(5n), the matrix A the factor χ²_d/d.
    """
    d, n = resnet.width, resnet.input_dim
    return 2.0 / (2.0 / d + 0.8 / n * (1.0 + 2.0 / d))


def start_nodes(resnet: ResNet, count: int = 5) -> tuple[Array, Array]:
    """Return a rule for means over the random ‖h_0‖²/d: nodes and their weights."""
    u, weight = np.polynomial.hermite_e.hermegauss(count)
    nu = start_degrees(resnet)
    mean = resnet.input_scale**2 / 3
    return mean * stats.chi2.ppf(special.ndtr(u), nu) / nu, weight / weight.sum()


@dataclass(frozen=True)
class StartLaw:
    """Law of −½ log ‖h_0‖²/d, the ratio of a norm that is fixed to √d to that of h_0.

    Parameters
    ----------
    mean_square : float
        E ‖h_0‖²/d.
    degrees : float
        ν of its χ².
    """

    mean_square: float
    degrees: float

    def _level(self, x: Any) -> Array:
        """Return the level of log χ²_ν/2 that a value stands for."""
        return -2.0 * np.asarray(x, np.float64) - math.log(2.0 * self.mean_square / self.degrees)

    def _value(self, level: Any) -> Array:
        return -0.5 * (np.asarray(level, np.float64) + math.log(2.0 * self.mean_square / self.degrees))

    @property
    def _law(self) -> Any:
        return stats.loggamma(0.5 * self.degrees)

    def cdf(self, x: Any) -> Any:
        """Return the distribution function."""
        return self._law.sf(self._level(x))

    def sf(self, x: Any) -> Any:
        """Return one minus the distribution function."""
        return self._law.cdf(self._level(x))

    def pdf(self, x: Any) -> Any:
        """Return the density."""
        return 2.0 * self._law.pdf(self._level(x))

    def ppf(self, q: Any) -> Any:
        """Return quantiles."""
        return self._value(self._law.isf(q))

    def mean(self) -> float:
        """Return the mean."""
        return float(self._value(special.digamma(0.5 * self.degrees)))

    def std(self) -> float:
        """Return the standard deviation."""
        return 0.5 * math.sqrt(float(special.polygamma(1, 0.5 * self.degrees)))


@dataclass(frozen=True)
class HalfLog:
    """Law of ½ log(Y/y) for the law of a square Y > 0 and a number y > 0."""

    square: Any
    start: float

    def _level(self, x: Any) -> Array:
        return self.start * np.exp(2.0 * np.asarray(x, np.float64))

    def cdf(self, x: Any) -> Any:
        """Return the distribution function."""
        return self.square.cdf(self._level(x))

    def sf(self, x: Any) -> Any:
        """Return one minus the distribution function."""
        return self.square.sf(self._level(x))

    def pdf(self, x: Any) -> Any:
        """Return the density."""
        level = self._level(x)
        return 2.0 * level * self.square.pdf(level)

    def ppf(self, q: Any) -> Any:
        """Return quantiles."""
        return 0.5 * np.log(np.asarray(self.square.ppf(q)) / self.start)

    def _values(self) -> Array:
        return np.asarray(self.ppf((np.arange(_GRID) + 0.5) / _GRID))

    def mean(self) -> float:
        """Return the mean."""
        return float(self._values().mean())

    def std(self) -> float:
        """Return the standard deviation."""
        return float(self._values().std())


@dataclass(frozen=True)
class Mixture:
    """Mixture of laws, each moved by a shift.

    Parameters
    ----------
    laws : tuple of Law
        The laws.
    weights : ndarray of float64
        Their weights, which add up to 1.
    shifts : ndarray of float64
        What is added to each.
    """

    laws: tuple[Any, ...]
    weights: Array
    shifts: Array

    def _average(self, method: str, x: Any) -> Any:
        point = np.asarray(x, np.float64)
        parts = zip(self.weights, self.laws, self.shifts, strict=True)
        return sum(w * np.asarray(getattr(law, method)(point - shift)) for w, law, shift in parts)

    def cdf(self, x: Any) -> Any:
        """Return the distribution function."""
        return self._average("cdf", x)

    def sf(self, x: Any) -> Any:
        """Return one minus the distribution function."""
        return self._average("sf", x)

    def pdf(self, x: Any) -> Any:
        """Return the density."""
        return self._average("pdf", x)

    def ppf(self, q: Any) -> Any:
        """Return quantiles, by bisection between those of the laws."""
        wanted = np.asarray(q, np.float64)
        ends = [np.asarray(law.ppf(wanted)) + s for law, s in zip(self.laws, self.shifts, strict=True)]
        low, high = np.min(ends, axis=0), np.max(ends, axis=0)
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            up = np.asarray(self.cdf(middle)) < wanted
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        return high

    def mean(self) -> float:
        """Return the mean."""
        return float(self.weights @ self._means())

    def std(self) -> float:
        """Return the standard deviation."""
        within = self.weights @ np.array([float(law.std()) ** 2 for law in self.laws])
        between = self.weights @ np.square(self._means() - self.mean())
        return math.sqrt(float(within + between))

    def _means(self) -> Array:
        return np.array([float(law.mean()) for law in self.laws]) + self.shifts


@dataclass(frozen=True)
class NormalMixture:
    """Mixture of normal laws of one deviation, many enough to stand for a continuum.

    Parameters
    ----------
    means : ndarray of float64
        Their means.
    weights : ndarray of float64
        Their weights, which add up to 1.
    deviation : float
        Their deviation, > 0.
    """

    means: Array
    weights: Array
    deviation: float

    def _average(self, function: Any, x: Any, sign: float = 1.0) -> Array:
        z = (np.asarray(x, np.float64)[..., None] - self.means) / self.deviation
        return function(sign * z) @ self.weights

    def cdf(self, x: Any) -> Any:
        """Return the distribution function."""
        return self._average(special.ndtr, x)

    def sf(self, x: Any) -> Any:
        """Return one minus the distribution function."""
        return self._average(special.ndtr, x, -1.0)

    def pdf(self, x: Any) -> Any:
        """Return the density."""
        return self._average(stats.norm.pdf, x) / self.deviation

    def ppf(self, q: Any) -> Any:
        """Return quantiles, by bisection."""
        wanted = np.asarray(q, np.float64)
        reach = self.deviation * special.ndtri(np.clip(wanted, 1e-300, 1.0))
        low, high = self.means.min() + reach, self.means.max() + reach
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            up = self.cdf(middle) < wanted
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        return high

    def mean(self) -> float:
        """Return the mean."""
        return float(self.weights @ self.means)

    def std(self) -> float:
        """Return the standard deviation."""
        between = float(self.weights @ np.square(self.means - self.mean()))
        return math.sqrt(self.deviation**2 + between)
