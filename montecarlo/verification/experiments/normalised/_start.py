"""Experiments whose rows know ‖h_0‖² of their networks, which samples leave out of their ratios.

Networks of one width, input and weight law share A and x at one seed, whatever their layers are. The branch
of a peri-RMS network has the length √d exactly: one such layer, drawn beside the networks, shows ‖h_0‖.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from montecarlo import ResNet, Sample, simulate
from montecarlo.engines._registry import find_engine
from montecarlo.verification._experiment import Array, LawExperiment, NetworkExperiment, NumberExperiment
from montecarlo.verification.experiments._row_sources import no_observable

Measure = Callable[[Sample, Array], Array]
"""A sample and ‖h_0‖² of its networks to rows."""


def squared_starts(
    resnet: ResNet, *, engine: str, seed: int, first: int, count: int, threads: int | None
) -> Array:
    """Return ‖h_0‖² of the networks ``first ... first + count - 1`` that an engine draws."""
    # The radial engine knows ReLU alone, whose 64 units are all dead with probability 5e-20.
    radial = engine == "radial"
    ruler = ResNet(
        width=resnet.width, depth=1, alpha=1.0, norm="peri-rms", weights=resnet.weights,
        block="res-3" if radial else "res-2", activation="relu" if radial else "tanh",
        hidden_width=64 if radial else 1, input_dim=resnet.input_dim, input_scale=resnet.input_scale,
    )  # fmt: skip
    sample = simulate(
        ruler, replicas=count, seed=seed, first_replica=first, engine=engine, threads=threads,
        gradients="none",
    )  # fmt: skip
    return resnet.width * np.exp(-2.0 * sample["log_hidden_difference"])


@dataclass(frozen=True, kw_only=True)
class _FromStart(NetworkExperiment):
    """An experiment whose rows depend on ‖h_0‖² beside the sample.

    Parameters
    ----------
    measure : callable
        A sample and ‖h_0‖² of its networks to rows.
    """

    measure: Measure
    observable: Callable[[Sample], Array] = no_observable

    def rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows of the networks ``first ... first + count - 1``."""
        request = self.request
        sample = simulate(
            self.resnet, replicas=count, seed=seed, first_replica=first, threads=threads,
            engine=find_engine(self.engine, self.resnet, request).name,
            gradients="joint" if request.gradients else "none", trajectories=request.trajectories,
            weight_gradients=request.weight_gradients, gate_gradients=request.gate_gradients,
        )  # fmt: skip
        starts = squared_starts(
            self.resnet, engine=sample.engine, seed=seed, first=first, count=count, threads=threads
        )
        return np.asarray(self.measure(sample, starts), np.float64)


@dataclass(frozen=True, kw_only=True)
class NumberFromStart(_FromStart, NumberExperiment):
    """A `NumberExperiment` whose rows know ‖h_0‖²."""


@dataclass(frozen=True, kw_only=True)
class LawFromStart(_FromStart, LawExperiment):
    """A `LawExperiment` whose rows know ‖h_0‖²."""


def squared_difference(sample: Sample, starts: Array) -> Array:
    """Return ‖h_L − h_0‖²."""
    return np.exp(2.0 * sample["log_hidden_difference"]) * starts


def log_difference(sample: Sample, starts: Array) -> Array:
    """Return log‖h_L − h_0‖."""
    return sample["log_hidden_difference"] + 0.5 * np.log(starts)


def squared(measure: Measure) -> Measure:
    """Return the square of a measure."""
    return lambda sample, starts: np.square(measure(sample, starts))
