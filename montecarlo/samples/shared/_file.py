"""Samples with shared weights on disk: read again what a file holds, else draw and write it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from montecarlo.common._errors import check_seed
from montecarlo.common.files import check_writable
from montecarlo.common.rows import Columns
from montecarlo.executors import check_threads
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas
from montecarlo.samples._tables import read_table
from montecarlo.samples._to_file import rows_to_file
from montecarlo.samples.independent._sample import LOG_RATIOS
from montecarlo.samples.shared._run import SharedRun
from montecarlo.samples.shared._sample import SharedSample


def read_shared_sample(path: str | os.PathLike[str], resnet: ResNet | None = None) -> SharedSample:
    """Read the Parquet file of a sample with shared weights.

    Parameters
    ----------
    path : path
        As `SharedSample.write` left it.
    resnet : ResNet, optional
        The specification that it must be of; that of one's own activation or process must be given.

    Returns
    -------
    SharedSample

    Raises
    ------
    ValueError
        If the file is torn or damaged, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import simulate_shared
    >>> net = ResNet(width=4, depth=20, beta=1, weights="fbm:0.7")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     simulate_shared(net, replicas=3, inputs=2, betas=[0.5, 1], seed=1).write(f"{folder}/s.parquet")
    ...     read_shared_sample(f"{folder}/s.parquet")["log_hidden_ratio"].shape
    (3, 2, 2)
    """
    needed = {"first_replica", "betas", "inputs"}
    keys_of_rows = ("replica", "beta", "input")
    resnet, metadata, columns = read_table(
        path, kind="shared", needed=needed, resnet=resnet, keys=(*keys_of_rows, *LOG_RATIOS[:2])
    )
    betas = np.array(metadata["betas"], np.float64)
    shape = (-1, len(betas), metadata["inputs"])
    keys = [columns.pop(name) for name in keys_of_rows]
    if len(keys[0]) % math.prod(shape[1:]):
        raise ValueError(f"{path}: its rows are not those of its metadata: edited since?")
    ratios = {name: column.reshape(shape) for name, column in columns.items()}
    sample = SharedSample(resnet, metadata["seed"], metadata["first_replica"], betas, ratios)
    expected = sample.table()
    for name, found in zip(keys_of_rows, keys, strict=True):
        if not np.array_equal(found, expected[name], equal_nan=True):
            raise ValueError(f"{path}: its rows are not those of its metadata: edited since?")
    return sample


def shared_to_file(
    resnet: ResNet,
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    betas: Sequence[float],
    inputs: int,
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_found: Progress | None = None,
) -> SharedSample:
    """Return `simulate_shared`'s sample and leave it in a file; rows found there are not drawn again.

    Whatever ends the run early, the finished rows from the first one on are in the file, and the same call
    continues after them. A file that holds more rows than asked for keeps them.

    Parameters
    ----------
    resnet, replicas, seed, betas, inputs, threads, progress
        As in `simulate_shared`; `progress` is told of what is sampled, not of what is found in the file.
    path : path
        Ends in ``.parquet``. A second run into the same file waits for the first one.
    overwrite : bool, default False
        Whether a file that holds anything but the beginning of this sample may be replaced.
    on_found : callable, optional
        Called with the number of networks of this sample that the file holds already, if any; it may be more
        than are asked for.

    Returns
    -------
    SharedSample

    Raises
    ------
    InvalidFieldError
        As `simulate_shared`, or for a path that cannot be written or holds something else, before anything is
        drawn.

    Examples
    --------
    >>> import tempfile
    >>> net = ResNet(width=4, depth=20, beta=1, weights="fbm:0.7")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     arguments = {"replicas": 3, "inputs": 2, "betas": [0.5, 1], "seed": 1}
    ...     first = shared_to_file(net, f"{folder}/s.parquet", **arguments)
    ...     second = shared_to_file(net, f"{folder}/s.parquet", **arguments)
    >>> bool((first["log_hidden_ratio"] == second["log_hidden_ratio"]).all())
    True
    """
    target = Path(path)
    check_writable(target, (".parquet",))
    run = SharedRun.find(resnet, check_seed(seed), betas=betas, inputs=inputs, gradients=True)
    replicas, _ = check_replicas(replicas, 0)
    check_threads(threads)

    def make(first: int, columns: Columns) -> SharedSample:
        return SharedSample(resnet, run.seed, first, run.exponents, columns)

    return rows_to_file(
        target, run, lambda: _found(target, run), make, replicas=replicas, threads=threads,
        overwrite=overwrite, progress=progress, on_found=on_found,
    )  # fmt: skip


def _found(path: Path, run: SharedRun) -> SharedSample | None:
    found = read_shared_sample(path, run.resnet)
    same = (found.seed, found.first_replica, set(found.columns)) == (run.seed, 0, set(run.cells))
    same = same and found["log_hidden_ratio"].shape[2] == run.inputs
    return found if same and np.array_equal(found.betas, run.exponents) else None
