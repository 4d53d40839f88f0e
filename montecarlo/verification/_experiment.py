"""Experiments: a prediction of a theorem bound to networks, an observable and a sequential test.

An experiment is a frozen record; `open` starts a session that draws rows and says where its test stands. Rows
are a function of (seed, experiment, row number) alone, and sessions look at numbers of rows that are fixed or
a function of the rows before, at most 1.5 times as many: what is decided depends on the seed, never on time,
threads or the other experiments.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from montecarlo.engines._request import Request
from montecarlo.estimates import Estimate
from montecarlo.networks._specification import ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.samples.independent._simulate import iter_blocks
from montecarlo.sequential import CdfBand, Claim, SequentialResult, TwoSampleCdf
from montecarlo.verification._number_test import NumberTest, aimed

Array = npt.NDArray[np.float64]
Observable = Callable[[Sample], Array]
Cdf = Callable[[Array], Any]


class Specified(Protocol):
    """What says which networks it stands for: `ResNet`, `Transformer`, explicit networks."""

    def brief(self) -> dict[str, Any]:
        """Return what is not at its default, as JSON-serialisable values, with the block's name."""
        ...


class Session(ABC):
    """A running experiment."""

    rows = 0
    networks = 0
    looks_at_will = False
    """Whether the test stays valid where what was seen says when to look again; a claim of the test's."""
    allowance = 0.0
    """By how much intervals are wider at any number of rows."""

    @abstractmethod
    def draw(self, rows: int, threads: int | None) -> None:
        """Draw so many more rows and look."""

    @abstractmethod
    def result(self) -> SequentialResult:
        """Return where the test stands."""


@dataclass(frozen=True, kw_only=True)
class Experiment(ABC):
    """What all experiments have.

    Parameters
    ----------
    theorem : str
        Id in the catalogue.
    name : str
        Tells the theorem's experiments apart.
    quantity : str
        What is measured, in words.
    resolution : float
        Error of the prediction that must not pass (`SequentialResult.reach`), in units of the quantity.
    relative_to : float, default 1
        What resolutions are divided by in reports: the predicted number itself where relative errors count.
    first_rows : int, default 1000
        Rows at the first look.
    quick : bool, optional
        Whether it belongs to the quick half of the catalogue. By default those of exact statements and of
        inequalities do, and those of limits do not.
    """

    theorem: str
    name: str
    quantity: str
    resolution: float
    relative_to: float = 1.0
    first_rows: int = 1000
    quick: bool | None = None

    @abstractmethod
    def open(self, false_alarm: float, seed: int) -> Session:
        """Start a session."""

    @property
    @abstractmethod
    def specifications(self) -> tuple[Specified, ...]:
        """The networks."""

    @property
    def label(self) -> str:
        """Id and name."""
        return f"{self.theorem} {self.name}"

    def own_seed(self, seed: int) -> int:
        """Return the seed of the experiment's networks: no two experiments share theirs.

        The first half of a SHA-256, whatever else is verified beside it.
        """
        return int.from_bytes(hashlib.sha256(f"{seed}/{self.label}".encode()).digest()[:8], "little")


@dataclass(frozen=True, kw_only=True)
class NetworkExperiment(Experiment):
    """An experiment on the rows of one specification's samples.

    Parameters
    ----------
    resnet : ResNet
        The networks.
    observable : callable
        A `Sample` to one row a network.
    request : Request, optional
        What to observe of a network.
    engine : str, default "auto"
        As in `montecarlo.simulate`.
    """

    resnet: ResNet
    observable: Observable
    request: Request = field(default_factory=Request)
    engine: str = "auto"

    @property
    def specifications(self) -> tuple[Specified, ...]:
        """The networks."""
        return (self.resnet,)

    def rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows of the networks ``first ... first + count - 1``."""
        return network_rows(
            self.resnet, self.observable, seed=seed, first=first, count=count, threads=threads,
            engine=self.engine, request=self.request,
        )  # fmt: skip


def network_rows(
    resnet: ResNet,
    observable: Observable,
    *,
    seed: int,
    first: int,
    count: int,
    threads: int | None,
    engine: str = "auto",
    request: Request | None = None,
) -> Array:
    """Return an observable of the networks ``first ... first + count - 1``, block by block."""
    blocks = iter_blocks(
        resnet, replicas=count, seed=seed, first_replica=first, engine=engine, threads=threads,
        request=request,
    )  # fmt: skip
    parts = {block.first_replica: np.asarray(observable(block), np.float64) for block in blocks}
    return np.concatenate([parts[start] for start in sorted(parts)])


@dataclass(frozen=True, kw_only=True)
class NumberExperiment(NetworkExperiment):
    """A number, such as a mean or a probability, tested by a sequence for it.

    Parameters
    ----------
    predicted : float
        By the theorem.
    sequence : callable
        A false-alarm probability to a fresh sequence of `montecarlo.sequential`.
    claim : {"equal", "at most", "at least"}, default "equal"
        What the theorem says of the number.
    allowance : float, default 0
        How far the number of these networks may be from the predicted one, in units of the quantity: for
        limits, what finite depth and width are worth. Without it a limit that is true would be refuted more
        often than `false_alarm` says. It counts towards the resolution.
    """

    predicted: float
    sequence: Callable[[float], NumberTest]
    claim: Claim = "equal"
    allowance: float = 0.0

    def open(self, false_alarm: float, seed: int) -> Session:
        """Start a session."""
        return _NumberSession(self, false_alarm, self.own_seed(seed))


class _NumberSession(Session):
    looks_at_will = True

    def __init__(self, experiment: NumberExperiment, false_alarm: float, seed: int) -> None:
        self._experiment, self._seed = experiment, seed
        self.allowance = experiment.allowance
        self._test = aimed(experiment.sequence(false_alarm), experiment.resolution - experiment.allowance)

    def draw(self, rows: int, threads: int | None) -> None:
        self._test.update(self._experiment.rows(self._seed, self.rows, rows, threads))
        self.rows += rows
        self.networks += rows

    def result(self) -> SequentialResult:
        experiment = self._experiment
        found = self._test.result(
            experiment.predicted, resolution=experiment.resolution, claim=experiment.claim
        )
        lower, upper = found.interval
        if not experiment.allowance or lower > upper:
            return found
        # The interval of the limit. Evidence against the prediction is none here: it may be off by that much.
        return replace(
            found, interval=(lower - experiment.allowance, upper + experiment.allowance), p_bound=1.0
        )


@dataclass(frozen=True, kw_only=True)
class LawExperiment(NetworkExperiment):
    """A whole law: the distance of its distribution function from the predicted one.

    Parameters
    ----------
    cdf : callable
        The predicted distribution function, an array to an array.
    distance : float, default 0
        Predicted ``sup |F_rows − F|``. For limits, what finite depth and width are worth, so that it is part
        of the prediction and not an excuse.
    claim : {"at most", "equal"}, default "at most"
        What theory says of the distance, where it is not 0.
    """

    cdf: Cdf
    distance: float = 0.0
    claim: Claim = "at most"

    def open(self, false_alarm: float, seed: int) -> Session:
        """Start a session."""
        return _LawSession(self, false_alarm, self.own_seed(seed))


class _LawSession(Session):
    looks_at_will = True

    def __init__(self, experiment: LawExperiment, false_alarm: float, seed: int) -> None:
        self._experiment, self._seed = experiment, seed
        self._band = aimed(CdfBand(false_alarm=false_alarm), experiment.resolution)

    def draw(self, rows: int, threads: int | None) -> None:
        self._band.update(self._experiment.rows(self._seed, self.rows, rows, threads))
        self.rows += rows
        self.networks += rows

    def result(self) -> SequentialResult:
        experiment = self._experiment
        found = self._band.result(experiment.cdf, resolution=experiment.resolution)
        if not experiment.distance:
            return found
        # The interval holds the true distance at all times but with probability false_alarm; the evidence
        # against distance 0 says nothing here.
        return replace(found, predicted=experiment.distance, claim=experiment.claim, p_bound=1.0)


@dataclass(frozen=True, kw_only=True)
class SameLawExperiment(NetworkExperiment):
    """Two laws that the theorem says are one: an observable of `resnet` and another one of `other`.

    Parameters
    ----------
    other : ResNet
        The other networks; drawn with another seed, so that they are independent of the first.
    other_observable : callable
        Their row.
    other_engine : str, default "auto"
        Their engine.
    """

    other: ResNet
    other_observable: Observable
    other_engine: str = "auto"

    @property
    def specifications(self) -> tuple[ResNet, ...]:
        """Both networks, one if they are equal."""
        return (self.resnet,) if self.other == self.resnet else (self.resnet, self.other)

    def other_rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the other rows of the networks ``first ... first + count - 1``."""
        return network_rows(
            self.other, self.other_observable, seed=seed, first=first, count=count, threads=threads,
            engine=self.other_engine, request=self.request,
        )  # fmt: skip

    def open(self, false_alarm: float, seed: int) -> Session:
        """Start a session."""
        return _SameLawSession(self, false_alarm, self.own_seed(seed))


class _SameLawSession(Session):
    looks_at_will = True

    def __init__(self, experiment: SameLawExperiment, false_alarm: float, seed: int) -> None:
        self._experiment, self._seed = experiment, seed
        self._test = aimed(TwoSampleCdf(false_alarm=false_alarm), experiment.resolution)

    def draw(self, rows: int, threads: int | None) -> None:
        experiment = self._experiment
        ours = experiment.rows(self._seed, self.rows, rows, threads)
        theirs = experiment.other_rows(self._seed + 1, self.rows, rows, threads)
        self._test.update(ours, theirs)
        self.rows += rows
        self.networks += 2 * rows

    def result(self) -> SequentialResult:
        return self._test.result(resolution=self._experiment.resolution)


@dataclass(frozen=True, kw_only=True)
class EstimateExperiment(Experiment):
    """A number that an interval of fixed size speaks of, such as an order of convergence.

    Look j (0, 1, ...) has the false alarm ``2^-(j+1)`` of the whole, so that all of them together keep it.

    Parameters
    ----------
    predicted : float
        By the theorem.
    networks : tuple of ResNet
        For the report.
    measure : callable
        ``(seed, rows, confidence, threads)`` to an `Estimate` from rows 0 ... rows - 1.
    networks_a_row : int, default 1
        Networks that a row costs.
    claim : {"equal", "at most", "at least"}, default "equal"
        What the theorem says of the number.
    """

    predicted: float
    networks: tuple[ResNet, ...]
    measure: Callable[[int, int, float, int | None], Estimate]
    networks_a_row: int = 1
    claim: Claim = "equal"

    @property
    def specifications(self) -> tuple[ResNet, ...]:
        """The networks."""
        return self.networks

    def open(self, false_alarm: float, seed: int) -> Session:
        """Start a session."""
        return _EstimateSession(self, false_alarm, self.own_seed(seed))


class _EstimateSession(Session):
    # looks at fixed sizes: an interval for one is not covered at a size that the rows chose
    def __init__(self, experiment: EstimateExperiment, false_alarm: float, seed: int) -> None:
        self._experiment, self._seed, self._false_alarm = experiment, seed, false_alarm
        self._looks = 0
        self._interval = (-np.inf, np.inf)
        self._value = np.nan

    def draw(self, rows: int, threads: int | None) -> None:
        self.rows += rows
        self.networks += rows * self._experiment.networks_a_row
        self._looks += 1
        confidence = 1.0 - self._false_alarm * 2.0**-self._looks
        found = self._experiment.measure(self._seed, self.rows, confidence, threads)
        self._value = found.value
        self._interval = (max(self._interval[0], found.lower), min(self._interval[1], found.upper))

    def result(self) -> SequentialResult:
        experiment = self._experiment
        return SequentialResult(
            kind="intervals of fixed size", predicted=experiment.predicted, claim=experiment.claim,
            estimate=self._value, interval=self._interval, resolution=experiment.resolution, e_value=None,
            p_bound=1.0, false_alarm=self._false_alarm, n=self.rows,
        )  # fmt: skip


def describe(experiment: Experiment) -> list[Mapping[str, Any]]:
    """Return the experiment's networks as JSON-serialisable records, fields at their defaults left out."""
    return [resnet.brief() for resnet in experiment.specifications]
