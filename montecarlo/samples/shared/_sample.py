"""`simulate_shared`: several inputs and scalings on one set of weights, as matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import check_seed
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas, collect_rows
from montecarlo.samples._sample import Labels, RowSample
from montecarlo.samples.shared._run import SharedRun

if TYPE_CHECKING:
    from montecarlo.estimates import Estimate, LogMeanExp

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SharedSample(RowSample):
    """Log-ratios of networks that share their weights: one set of weights for many inputs and scalings.

    Parameters
    ----------
    resnet : ResNet
        The specification; its own scaling is not used.
    seed : int
        The seed. Weights number r are those of replica r of ``simulate(resnet, seed=seed)``, and input 0 is
        that replica's input.
    first_replica : int
        Number of the first set of weights.
    betas : array, shape (scalings,)
        Scaling exponents, α = L**-beta.
    columns : dict of str to array, shape (weights, scalings, inputs)
        The four log-ratios of `montecarlo.Sample`, or the two hidden ones. Numbers of one set of weights are
        dependent; different sets are independent.

    Examples
    --------
    >>> net = ResNet(width=8, depth=50, beta=1, weights="fbm:0.7")
    >>> sample = simulate_shared(net, replicas=4, inputs=3, betas=[0.5, 1], seed=1)
    >>> sample["log_hidden_ratio"].shape
    (4, 2, 3)
    >>> print(sample.mean("log_hidden_difference")[1].value < -0.5)
    True
    """

    kind = "shared"

    resnet: ResNet
    seed: int
    first_replica: int
    betas: Array
    columns: dict[str, Array]

    @property
    def _said(self) -> dict[str, object]:
        inputs = self["log_hidden_ratio"].shape[2]
        return {"replicas": len(self), "betas": len(self.betas), "inputs": inputs, "seed": self.seed}

    @property
    def details(self) -> dict[str, Any]:
        """The scalings and the number of inputs."""
        return {"betas": self.betas.tolist(), "inputs": self["log_hidden_ratio"].shape[2]}

    @property
    def n_nonfinite(self) -> int:
        """Number of networks that left the finite numbers."""
        return int(np.any([np.isnan(column) for column in self.columns.values()], axis=0).sum())

    @property
    def labels(self) -> Labels:
        """The columns with their dimensions: replica (of the weights), beta, input."""
        weights, _, inputs = self["log_hidden_ratio"].shape
        dims = ("replica", "beta", "input")
        coordinates = {
            "replica": np.arange(self.first_replica, self.first_replica + weights),
            "beta": self.betas,
            "input": np.arange(inputs),
        }
        return Labels(dims, coordinates, {name: (dims, column) for name, column in self.columns.items()})

    def table(self) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]:
        """Return one row a network: `replica` (equal where weights are shared), `beta`, `input`, ratios."""
        weights, scalings, inputs = self["log_hidden_ratio"].shape
        replica, beta, number = np.meshgrid(
            np.arange(self.first_replica, self.first_replica + weights), self.betas, np.arange(inputs),
            indexing="ij",
        )  # fmt: skip
        ratios = {name: column.ravel() for name, column in self.columns.items()}
        assert len(ratios["log_hidden_ratio"]) == weights * scalings * inputs
        return {"replica": replica.ravel(), "beta": beta.ravel(), "input": number.ravel(), **ratios}

    def mean(self, column: str, *, confidence: float = 0.99) -> list[Estimate]:
        """Return the mean of a column for each scaling, with an interval that knows of the shared weights.

        The inputs of one set of weights are averaged first: intervals come from the sets, which are
        independent, and not from the rows, which are not.
        """
        from montecarlo import estimates

        return [
            estimates.mean(self[column][:, i].mean(axis=-1), confidence=confidence)
            for i in range(len(self.betas))
        ]

    def log_square_means(self, column: str) -> Array:
        """Return log of the mean over inputs of ratio² (natural log), shape (weights, scalings).

        One number a set of weights: rows of these are independent.
        """
        return np.logaddexp.reduce(2.0 * self[column], axis=-1) - math.log(self[column].shape[-1])

    def log_mean_square(self, column: str, *, confidence: float = 0.99) -> list[LogMeanExp]:
        """Return log E ratio² (natural log) for each scaling, with an interval as in `mean`.

        The squares of one set of weights are averaged first, in the log domain.
        """
        from montecarlo import estimates

        averages = self.log_square_means(column)
        return [
            estimates.log_mean_exp(averages[:, i], power=1.0, confidence=confidence)
            for i in range(len(self.betas))
        ]


def simulate_shared(
    resnet: ResNet,
    *,
    replicas: int,
    seed: int,
    betas: Sequence[float] | None = None,
    inputs: int = 1,
    first_replica: int = 0,
    gradients: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SharedSample:
    """Sample sets of correlated weights and run many inputs and scalings on each.

    A set of paths costs far more than a network that runs on it: this is the way to maps over the scaling
    exponent, where what matters is the difference between scalings on the same weights.

    Parameters
    ----------
    resnet : ResNet
        The specification; its weights must be a process along depth.
    replicas : int
        Number of sets of weights.
    seed : int
        Any whole number from 0 to 2**128 - 1.
    betas : sequence of float, optional
        Scaling exponents; default: the specification's own.
    inputs : int, default 1
        Number of inputs x, independent and uniform, for each set of weights.
    first_replica : int, default 0
        Number of the first set of weights.
    gradients : bool, default True
        Whether to run backward, too.
    threads : int, optional
        Threads of this process; default: all the processors it may use. Never changes a result.
    progress : callable, optional
        Called with the number of networks of each finished set, in the calling thread.

    Returns
    -------
    SharedSample
        Its numbers depend neither on threads nor on the other inputs and scalings.

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.
    """
    replicas, first_replica = check_replicas(replicas, first_replica)
    run = SharedRun.find(resnet, check_seed(seed), betas=betas, inputs=inputs, gradients=gradients)
    columns = collect_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, progress=progress
    )
    return SharedSample(resnet, run.seed, first_replica, run.exponents, columns)
