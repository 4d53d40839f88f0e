"""Observables and sequences that the experiments share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from montecarlo.samples.independent._sample import Sample
from montecarlo.sequential import BoundedMean, EventProbability, NonNegativeMean
from montecarlo.verification._experiment import Array, Observable


def column(name: str) -> Observable:
    """Return the observable of a column of natural logs."""
    return lambda sample: sample[name]


def square(name: str) -> Observable:
    """Return the square of a column of natural logs of norms."""
    return lambda sample: np.exp(2.0 * sample[name])


def overlap(sample: Sample) -> Array:
    """Return ⟨h_L, h_0⟩/‖h_0‖², which is (R + 1 − D)/2."""
    ratio, difference = square("log_hidden_ratio")(sample), square("log_hidden_difference")(sample)
    return (ratio + 1.0 - difference) / 2.0


def gradient_overlap(sample: Sample) -> Array:
    """Return ⟨p_0, p_L⟩/‖p_L‖²."""
    ratio, difference = square("log_gradient_ratio")(sample), square("log_gradient_difference")(sample)
    return (ratio + 1.0 - difference) / 2.0


def above(name: str, threshold: float) -> Observable:
    """Return the event that a column exceeds a threshold, NaN where the network left the finite numbers."""
    return lambda sample: np.where(np.isnan(sample[name]), np.nan, sample[name] > threshold)


def below(name: str, threshold: float) -> Observable:
    """Return the event that a column is below a threshold, NaN where the network left the finite numbers."""
    return lambda sample: np.where(np.isnan(sample[name]), np.nan, sample[name] < threshold)


def non_negative(second_moment_bound: float) -> Callable[[float], NonNegativeMean]:
    """Return the sequence for non-negative rows."""
    # a rounding error more: an exact second moment is a bound only up to that
    bound = second_moment_bound * (1.0 + 1e-9)
    return lambda false_alarm: NonNegativeMean(second_moment_bound=bound, false_alarm=false_alarm)


def bounded(low: float, high: float) -> Callable[[float], BoundedMean]:
    """Return the sequence for bounded rows."""
    return lambda false_alarm: BoundedMean(low=low, high=high, false_alarm=false_alarm)


def clipped_to(low: float, high: float) -> str:
    """Return in words that rows are clipped."""
    return f"clipped to [{low:.2f}, {high:.2f}]"


def probability(false_alarm: float) -> EventProbability:
    """Return the sequence for events."""
    return EventProbability(false_alarm=false_alarm)
