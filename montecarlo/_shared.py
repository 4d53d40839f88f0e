"""`simulate_shared`: several inputs and scalings on one set of weights, as matrix products."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from montecarlo._engines import Request
from montecarlo._errors import InvalidFieldError, check_real, check_seed, check_whole
from montecarlo._sample import check_writable
from montecarlo._simulate import Progress, available_threads, run_on_threads
from montecarlo._specification import ResNet
from montecarlo._tables import table_metadata, write_table
from montecarlo.correlated import _engine as correlated
from montecarlo.correlated._start import draw_inputs, draw_readout
from montecarlo.files import replaced_file

if TYPE_CHECKING:
    from montecarlo.estimates import Estimate, LogMeanExp

_REPLICA_LIMIT = 2**63 - 1
_TABLE_NUMBERS = 4800  # of one table of states: a handful of them fit the second-level cache

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SharedSample:
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

    resnet: ResNet
    seed: int
    first_replica: int
    betas: Array
    columns: dict[str, Array]

    def __getitem__(self, column: str) -> Array:
        try:
            return self.columns[column]
        except KeyError:
            raise KeyError(f"no column {column!r}; there are {', '.join(self.columns)}") from None

    def __repr__(self) -> str:
        weights, _, inputs = self["log_hidden_ratio"].shape
        start = f", first_replica={self.first_replica}" if self.first_replica else ""
        return (
            f"SharedSample({self.resnet!r}, replicas={weights}, betas={len(self.betas)}, inputs={inputs}, "
            f"seed={self.seed}{start})"
        )

    @property
    def n_nonfinite(self) -> int:
        """Number of networks that left the finite numbers."""
        return int(np.any([np.isnan(column) for column in self.columns.values()], axis=0).sum())

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

    @property
    def metadata(self) -> dict[str, Any]:
        """What a file needs to be recognised."""
        return table_metadata(
            "shared", self.resnet, self.seed, first_replica=self.first_replica,
            betas=self.betas.tolist(), inputs=self["log_hidden_ratio"].shape[2],
        )  # fmt: skip

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write `table` to a ``.parquet`` file, whole or not at all.

        Raises
        ------
        InvalidFieldError
            If the file cannot be written.
        """
        check_writable(Path(path), (".parquet",))
        with replaced_file(Path(path)) as temporary:
            write_table(temporary, self.table(), self.metadata)

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
    request = Request(gradients=gradients)
    if betas is None:
        scalings, exponents = np.array([resnet.scaling]), np.array([_exponent(resnet)])
    else:
        exponents = np.array([check_real("betas", beta, 0.0, 30.0, 0.5) for beta in betas])
        if not len(exponents):
            raise InvalidFieldError("betas", betas, "must be at least one exponent", "give betas=[0.5], say")
        scalings = float(resnet.depth) ** -exponents
    reason = correlated.refusal(resnet, request)
    if reason is not None:
        raise InvalidFieldError("weights", resnet.weights, reason, "give weights='fbm:0.7', say")
    replicas = check_whole("replicas", replicas, 1, _REPLICA_LIMIT, 5)
    seed = check_seed(seed)
    inputs = check_whole("inputs", inputs, 1, 2**28 - 1, 10)
    first_replica = check_whole("first_replica", first_replica, 0, _REPLICA_LIMIT - replicas, 0)
    workers = available_threads() if threads is None else check_whole("threads", threads, 1, 4096, 2)
    correlated.prepare(resnet)
    key = resnet.stream_key(seed)
    names = request.columns(resnet)
    columns = {name: np.empty((replicas, len(scalings), inputs)) for name in names}

    def run(index: int) -> int:
        paths = correlated.Paths.draw(resnet, key, first_replica + index)
        rows = _run_weights(resnet, key, first_replica + index, scalings, inputs, gradients, paths)
        for position, name in enumerate(names):
            columns[name][index] = rows[:, position].reshape(len(scalings), inputs)
        return len(rows)

    for finished in run_on_threads(run, iter(range(replicas)), workers):
        if progress is not None:
            progress(finished)
    return SharedSample(resnet, seed, first_replica, exponents, columns)


def _exponent(resnet: ResNet) -> float:
    if resnet.beta is not None:
        return resnet.beta
    return -math.log(resnet.scaling) / math.log(resnet.depth) if resnet.depth > 1 else math.nan


def chunk_of_columns(width: int, networks: int) -> int:
    """Return how many networks of one set of weights run at a time.

    Chunks are of nearly equal size, in whole tiles of the product, and a handful of their tables fits the
    second-level cache.
    """
    chunks = -(-networks * width // _TABLE_NUMBERS)
    size = -(-networks // chunks)
    return -(-size // correlated.TILE) * correlated.TILE if size > correlated.TILE else size


def _run_weights(
    resnet: ResNet, key: tuple[int, int], replica: int, scalings: Array, inputs: int, gradients: bool,
    paths: correlated.Paths,
) -> Array:  # fmt: skip
    """Return the log-ratios on one set of weights, shape (scalings * inputs, 4)."""
    starts = np.tile(draw_inputs(resnet, key, replica, inputs), (1, len(scalings)))
    scales = np.repeat(scalings, inputs)
    readout = draw_readout(resnet, key, replica)
    networks = len(scales)
    rows = np.empty((networks, 4))
    empty = np.empty((0, 0))
    size = chunk_of_columns(resnet.width, networks)
    for first in range(0, networks, size):
        last = min(first + size, networks)
        padded = -(-(last - first) // correlated.VECTOR) * correlated.VECTOR
        alphas = np.zeros(padded)
        alphas[: last - first] = scales[first:last]
        h, p = np.zeros((2, resnet.width, padded), np.float32)
        h[:, : last - first] = starts[:, first:last]
        p[:, : last - first] = readout[:, None]
        outputs = [rows[first:last], empty, empty, empty, empty]
        correlated.run(resnet, paths, alphas, h, p if gradients else p[:0], outputs, empty, empty)
    return rows
