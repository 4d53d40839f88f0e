"""Experiments whose rows are not one sample's: coupled depths, joint inputs, replayed weights.

Most limits are tested through bounded rows, so that no moment condition is left to prove: a logarithm or a
ratio is clipped to an interval that networks leave with a probability far below the resolution, or an order
of convergence is a median over paths. What is tested is then the limit of that bounded quantity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from montecarlo import CoupledSample, ResNet, Sample, simulate_depths
from montecarlo.sequential import QuantileSequence
from montecarlo.verification._experiment import (
    LawExperiment,
    NetworkExperiment,
    NumberExperiment,
    SameLawExperiment,
)

Array = npt.NDArray[np.float64]
Source = Callable[[int, int, int, int | None], Array]
"""``(seed, first, count, threads)`` to rows: row i is a function of the seed and i."""


def no_observable(sample: Sample) -> Array:
    """Stand for the observable of experiments that have a source of rows instead."""
    raise TypeError(f"the rows of this experiment are not those of {sample!r}")


@dataclass(frozen=True, kw_only=True)
class _OfRows(NetworkExperiment):
    """An experiment on rows from a source.

    Parameters
    ----------
    source : callable
        ``(seed, first, count, threads)`` to the rows ``first ... first + count - 1``.
    """

    source: Source
    observable: Callable[[Sample], Array] = no_observable

    def rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows ``first ... first + count - 1``."""
        return self.source(seed, first, count, threads)


@dataclass(frozen=True, kw_only=True)
class NumberOfRows(_OfRows, NumberExperiment):
    """A `NumberExperiment` on rows from a source."""


@dataclass(frozen=True, kw_only=True)
class LawOfRows(_OfRows, LawExperiment):
    """A `LawExperiment` on rows from a source."""


@dataclass(frozen=True, kw_only=True)
class SameLawOfRows(_OfRows, SameLawExperiment):
    """A `SameLawExperiment` on rows from two sources.

    Parameters
    ----------
    other_source : callable
        As `source`, for the other law.
    """

    other_source: Source
    other_observable: Callable[[Sample], Array] = no_observable

    def other_rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the other rows ``first ... first + count - 1``."""
        return self.other_source(seed, first, count, threads)


def depths_source(
    resnet: ResNet, depths: tuple[int, ...], observable: Callable[[CoupledSample], Array]
) -> Source:
    """Return the source of an observable of coupled depths."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_depths(
            resnet, depths, replicas=count, seed=seed, first_replica=first, threads=threads
        )
        return observable(sample)

    return rows


def path_order(sample: CoupledSample) -> Array:
    """Return each path's order of convergence, from its first error and its last one."""
    errors = sample.log_strong_error
    with np.errstate(invalid="ignore"):  # NaN, no order, where no unit was active and nothing moved
        return (errors[:, 0] - errors[:, -1]) / np.log(sample.depths[-2] / sample.depths[0])


def median(false_alarm: float) -> QuantileSequence:
    """Return a sequence for the median."""
    return QuantileSequence(0.5, false_alarm=false_alarm)


def order_experiment(
    theorem: str, name: str, resnet: ResNet, depths: tuple[int, ...], predicted: float
) -> NumberOfRows:
    """Return an experiment of the order in 1/L on one path of weights.

    The scaled error of a path converges in law, so the median over paths of its order tends to the
    limit's: a median needs no moments.
    """
    return NumberOfRows(
        theorem=theorem, name=name, quantity="median over paths of the order in 1/L", predicted=predicted,
        resolution=0.05, resnet=resnet, source=depths_source(resnet, depths, path_order), sequence=median,
        first_rows=500,
    )  # fmt: skip
