"""Laws of log-ratios: their densities on the scale of the ratio, and their checks against samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from figures._figure import Check
from montecarlo.estimates import (
    Estimate,
    dkw_epsilon,
    law_distance,
    mean,
    probability,
    same_law,
    variance,
)

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.999
"""Of every interval of a check."""


def ratio_density(law: Any, ratio: Array) -> Array:
    """Return the density of a ratio > 0 from the law of its natural log: ``pdf(log r) / r``."""
    return np.asarray(law.pdf(np.log(ratio))) / ratio


def distance_check(quantity: str, rows: Array, cdf: Callable[[Array], Any]) -> Check:
    """Return the Kolmogorov distance of a sample from a law, which theory predicts to be 0.

    By the Dvoretzky-Kiefer-Wolfowitz inequality the distance of the *true* law lies within ε of that of the
    sample, at every size; the interval is that one.
    """
    test = law_distance(rows, cdf, false_alarm=1.0 - CONFIDENCE)
    estimate = Estimate(
        value=test.distance, lower=max(0.0, test.distance - test.threshold),
        upper=min(1.0, test.distance + test.threshold), confidence=CONFIDENCE, n=test.n,
        n_nonfinite=test.n_nonfinite, method="Kolmogorov distance, DKW", warning=test.warning,
    )  # fmt: skip
    return Check(f"Kolmogorov distance to the law of {quantity}", 0.0, estimate)


def same_law_check(quantity: str, x: Array, y: Array) -> Check:
    """Return the Kolmogorov distance of two independent samples, which theory predicts to have one law.

    Each empirical law is within its own ε of the true one (Dvoretzky, Kiefer, Wolfowitz), so that the
    distance of the true laws lies within the sum of both of that of the samples.
    """
    miss = 1.0 - CONFIDENCE
    test = same_law(x, y, false_alarm=miss)
    reach = dkw_epsilon(test.n, false_alarm=miss / 2.0) + dkw_epsilon(test.m or 1, false_alarm=miss / 2.0)
    estimate = Estimate(
        value=test.distance, lower=max(0.0, test.distance - reach), upper=min(1.0, test.distance + reach),
        confidence=CONFIDENCE, n=test.n + (test.m or 0), n_nonfinite=test.n_nonfinite,
        method="two-sample Kolmogorov distance, DKW", warning=test.warning,
    )  # fmt: skip
    return Check(f"Kolmogorov distance between the laws of {quantity}", 0.0, estimate)


def bound_check(quantity: str, events: npt.NDArray[np.bool_], most: float) -> Check:
    """Return the probability of an event beside an upper bound of it."""
    return Check(quantity, most, probability(events, confidence=CONFIDENCE), "at most")


def variance_check(quantity: str, rows: Array, predicted: float) -> Check:
    """Return the natural log of a column's variance beside that of its prediction."""
    found = variance(rows, confidence=CONFIDENCE)
    estimate = dataclasses.replace(
        found, value=np.log(found.value), lower=np.log(found.lower), upper=np.log(found.upper)
    )
    return Check(f"log Var {quantity}", float(np.log(predicted)), estimate)


def mean_check(quantity: str, rows: Array, predicted: float) -> Check:
    """Return the mean of a column beside its prediction."""
    return Check(f"E {quantity}", float(predicted), mean(rows, confidence=CONFIDENCE))
