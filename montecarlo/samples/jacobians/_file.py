"""Samples of Jacobians on disk: read again what a file holds, else draw and write it."""

from __future__ import annotations

import os
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
from montecarlo.samples.jacobians._run import JacobianRun
from montecarlo.samples.jacobians._sample import JacobianSample

_KEYS = ("replica", "log_abs_determinant", "sign_determinant", "log_qr_diagonal")


def read_jacobian_sample(path: str | os.PathLike[str], resnet: ResNet | None = None) -> JacobianSample:
    """Read the Parquet file of a sample of Jacobians.

    Parameters
    ----------
    path : path
        As `JacobianSample.write` left it.
    resnet : ResNet, optional
        The specification that it must be of; that of one's own activation must be given.

    Returns
    -------
    JacobianSample

    Raises
    ------
    ValueError
        If the file is torn or damaged, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import simulate_jacobians
    >>> net = ResNet(width=3, depth=4, beta=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     simulate_jacobians(net, replicas=5, seed=1).write(f"{folder}/j.parquet")
    ...     read_jacobian_sample(f"{folder}/j.parquet")["log_singular_value"].shape
    (5, 3)
    """
    resnet, metadata, columns = read_table(
        path, kind="jacobian", needed={"engine", "first_replica"}, resnet=resnet, keys=_KEYS
    )
    replica = columns.pop("replica")
    sample = JacobianSample(resnet, metadata["seed"], metadata["engine"], metadata["first_replica"], columns)
    if not np.array_equal(replica, sample.replica):
        raise ValueError(f"{path}: its rows are not those of its metadata: edited since?")
    return sample


def jacobians_to_file(
    resnet: ResNet,
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    engine: str = "auto",
    singular_values: bool = True,
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_found: Progress | None = None,
) -> JacobianSample:
    """Return `simulate_jacobians`'s sample and leave it in a file; rows found there are not drawn again.

    Whatever ends the run early, the finished rows from the first one on are in the file, and the same call
    continues after them. A file that holds more rows than asked for keeps them.

    Parameters
    ----------
    resnet, replicas, seed, engine, singular_values, threads, progress
        As in `simulate_jacobians`; `progress` is told of what is sampled, not of what is found in the file.
    path : path
        Ends in ``.parquet``. A second run into the same file waits for the first one.
    overwrite : bool, default False
        Whether a file that holds anything but the beginning of this sample may be replaced.
    on_found : callable, optional
        Called with the number of networks of this sample that the file holds already, if any; it may be more
        than are asked for.

    Returns
    -------
    JacobianSample

    Raises
    ------
    InvalidFieldError
        As `simulate_jacobians`, or for a path that cannot be written or holds something else, before anything
        is drawn.

    Examples
    --------
    >>> import tempfile
    >>> net = ResNet(width=3, depth=4, beta=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = jacobians_to_file(net, f"{folder}/j.parquet", replicas=5, seed=1)
    ...     second = jacobians_to_file(net, f"{folder}/j.parquet", replicas=5, seed=1)
    >>> bool((first["log_trace"] == second["log_trace"]).all())
    True
    """
    target = Path(path)
    check_writable(target, (".parquet",))
    run = JacobianRun.find(resnet, check_seed(seed), engine=engine, singular_values=bool(singular_values))
    replicas, _ = check_replicas(replicas, 0)
    check_threads(threads)

    def make(first: int, columns: Columns) -> JacobianSample:
        return JacobianSample(resnet, run.seed, run.engine, first, columns)

    return rows_to_file(
        target, run, lambda: _found(target, run), make, replicas=replicas, threads=threads,
        overwrite=overwrite, progress=progress, on_found=on_found,
    )  # fmt: skip


def _found(path: Path, run: JacobianRun) -> JacobianSample | None:
    found = read_jacobian_sample(path, run.resnet)
    same = (found.seed, found.first_replica, found.engine) == (run.seed, 0, run.engine)
    return found if same and set(found.columns) == set(run.cells) else None
