"""`TrainingRun`: rows of outcomes, one trained network each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.executors import ExecutorError
from montecarlo.runs import Columns, ResNetRun
from montecarlo.training._columns import outcome_cells, outcome_columns
from montecarlo.training._cost import item_seconds
from montecarlo.training._extra import need_training
from montecarlo.training._outcome import TrainedNetwork
from montecarlo.training._plan import TRAINING_FORMAT, TrainingItem, TrainingPlan
from montecarlo.training._sources import load_data


@dataclass(frozen=True)
class TrainingRun(ResNetRun):
    """Networks of one specification, trained in one way on one data set.

    Parameters
    ----------
    resnet, seed
        As in `montecarlo.runs.ResNetRun`.
    rate : float
        Learning rate.
    data : str
        Name of the data.
    fingerprint : str
        Of their content.
    plan : TrainingPlan
        How they are trained.
    steps : int
        Training steps.
    training_format : int
        That of the process that asks; a worker that trains in another way is refused.
    """

    rate: float
    data: str
    fingerprint: str
    plan: TrainingPlan
    steps: int
    training_format: int = TRAINING_FORMAT

    @classmethod
    def find(cls, item: TrainingItem) -> TrainingRun:
        """Return the run whose row of an item's replica is the outcome of the item."""
        data = load_data(item.data)
        steps = item.plan.epochs * item.plan.steps(len(data.train_labels))
        return cls(item.resnet, item.seed, item.rate, item.data, data.fingerprint, item.plan, steps)

    def item(self, replica: int) -> TrainingItem:
        """Return what is trained in a row."""
        return TrainingItem(
            resnet=self.resnet, rate=self.rate, data=self.data, seed=self.seed, replica=replica,
            plan=self.plan,
        )  # fmt: skip

    @property
    def kind(self) -> str:
        """Rows of outcomes."""
        return "training"

    @property
    def details(self) -> dict[str, Any]:
        """How they are trained, and on what."""
        return {
            "rate": self.rate,
            "data": self.data,
            "fingerprint": self.fingerprint,
            **asdict(self.plan),
            "training_format": self.training_format,
        }

    @property
    def cells(self) -> dict[str, tuple[int, ...]]:
        """The losses are as many as steps, an index with its interval is five numbers."""
        return outcome_cells(self.steps)

    @property
    def seconds(self) -> float:
        """By the count of operations."""
        return item_seconds(self.item(0), self.steps)

    def prepare(self) -> None:
        """Refuse what cannot be trained here."""
        need_training("jax", "optax")

    def sample(self, first: int, count: int) -> Columns:
        """Train consecutive networks and return their outcomes."""
        outcomes = [outcome_columns(self.train(first + row).outcome) for row in range(count)]
        return {name: np.concatenate([outcome[name] for outcome in outcomes]) for name in self.cells}

    def train(self, replica: int) -> TrainedNetwork:
        """Train one network."""
        if self.training_format != TRAINING_FORMAT:
            raise ExecutorError(
                f"a worker trains by format {TRAINING_FORMAT}, this run is of {self.training_format}: its "
                "outcomes would differ; install the same version of largedepth everywhere"
            )
        need_training("jax", "optax")
        from montecarlo.training._fit import train_networks

        data = load_data(self.data)
        if data.fingerprint != self.fingerprint:  # another process, or another host
            rule = "must be the same wherever networks are trained, and are not"
            raise InvalidFieldError("data", self.data, rule, "copy them from one place")
        (network,) = train_networks([self.item(replica)], data)
        return network
