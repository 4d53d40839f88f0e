"""The sequences of `montecarlo.sequential`, each with rows of its own kind, for calibration and power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from montecarlo.sequential import _refutation_times as times

POWER = 0.9


@dataclass(frozen=True)
class Kind:
    """A sequence, a law of rows, and what is predicted of it.

    `deviation` is the standard deviation a row of the statistic and `gap` the error of its mean under the
    wrong prediction; `longest` is the length of a stream in units of four fixed samples.
    """

    name: str
    draw: Callable  # (rng, shape) -> rows
    times: Callable  # (rows, prediction, false alarm, rows to tune for) -> refutation times
    truth: float
    wrong: float
    deviation: float
    gap: float
    longest: float = 1.0

    def fixed_rows(self, false_alarm: float) -> float:
        """Rows of a two-sided z-test of this power."""
        z = stats.norm.isf(false_alarm / 2.0) + stats.norm.ppf(POWER)
        return (z * self.deviation / self.gap) ** 2


def kinds() -> list[Kind]:
    """The sequences, each with a law of its own kind."""
    sigma = 1.0 / math.sqrt(12.0)
    log_sigma = 0.5  # log-normal rows of mean 1
    second = math.exp(log_sigma**2)

    def log_normal(rng, shape):
        return np.exp(rng.normal(-(log_sigma**2) / 2.0, log_sigma, shape))

    def uniform(rng, shape):
        return rng.random(shape)

    def events(rng, shape):
        return (rng.random(shape) < 0.3).astype(float)

    def bent(c):  # a law at distance |c − 1/2|: F(1/2) = c, linear on both sides
        return lambda t: np.where(t < 0.5, 2.0 * c * t, c + 2.0 * (1.0 - c) * (t - 0.5))

    def law_times(x, c, false_alarm, _):
        return times.cdf_times(x, bent(c), false_alarm=false_alarm)

    def two_times(x, c, false_alarm, _):
        half = x.shape[1] // 2
        y = x[:, half : 2 * half]
        y = np.where(y < c, 0.5 * y / c, 0.5 + 0.5 * (y - c) / (1.0 - c))  # then F(1/2) = c
        return times.two_sample_times(x[:, :half].copy(), y, false_alarm=false_alarm)

    def bounded(x, m, a, _):
        return times.bounded_times(x, m, false_alarm=a)

    return [
        Kind("BoundedMean, uniform", uniform, bounded, 0.5, 0.515, sigma, 0.015),
        Kind(
            "BoundedMean that aims, uniform",
            uniform,
            lambda x, m, a, _: times.bounded_times(x, m, false_alarm=a, aim=0.015),
            0.5,
            0.515,
            sigma,
            0.015,
        ),
        Kind("EventProbability, p = 0.3", events, bounded, 0.3, 0.309, math.sqrt(0.21), 0.009),
        Kind(
            "NonNegativeMean, log-normal",
            log_normal,
            lambda x, m, a, _: times.non_negative_times(x, m, second_moment_bound=second, false_alarm=a),
            1.0,
            1.03,
            math.sqrt(second - 1.0),
            0.03,
        ),
        Kind(
            "NonNegativeMean that aims, log-normal",
            log_normal,
            lambda x, m, a, _: times.non_negative_times(
                x, m, second_moment_bound=second, false_alarm=a, aim=0.03
            ),
            1.0,
            1.03,
            math.sqrt(second - 1.0),
            0.03,
        ),
        Kind(
            "SubGaussianMean, normal",
            lambda rng, shape: rng.normal(1.0, 0.5, shape),
            lambda x, m, a, n: times.sub_gaussian_times(
                x, m, variance_proxy=0.25, tuned_rows=n, false_alarm=a
            ),
            1.0,
            1.03,
            0.5,
            0.03,
        ),
        Kind(
            "EmpiricalBernstein, uniform",
            uniform,
            lambda x, m, a, _: times.bernstein_times(x, m, false_alarm=a),
            0.5,
            0.515,
            sigma,
            0.015,
            6.0,
        ),
        Kind(
            "QuantileSequence, median",
            uniform,
            lambda x, q, a, _: times.quantile_times(x, q, 0.5, false_alarm=a),
            0.5,
            0.53,
            0.5,
            0.03,
        ),
        Kind("CdfBand", uniform, law_times, 0.5, 0.53, 0.5, 0.03, 1.5),
        Kind("TwoSampleCdf (rows of both)", uniform, two_times, 0.5, 0.53, 1.0, 0.03, 1.5),
    ]
