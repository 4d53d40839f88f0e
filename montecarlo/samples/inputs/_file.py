"""Joint inputs on disk: rows that a file holds are kept, missing ones are drawn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import check_seed
from montecarlo.common.files import check_writable
from montecarlo.common.rows import Columns
from montecarlo.executors import check_threads
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas
from montecarlo.samples._tables import read_table
from montecarlo.samples._to_file import rows_to_file
from montecarlo.samples.inputs._run import JointRun
from montecarlo.samples.inputs._sample import JointSample


def joint_to_file(
    resnet: ResNet,
    inputs: npt.ArrayLike,
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    layers: Sequence[int] | None = None,
    engine: str = "auto",
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_found: Progress | None = None,
) -> JointSample:
    """Return `simulate_inputs`'s sample and leave it in a file; rows found there are not drawn again.

    Whatever ends the run early, the finished rows from the first one on are in the file, and the same call
    continues after them. A file that holds more rows than asked for keeps them.

    Parameters
    ----------
    resnet, inputs, replicas, seed, layers, engine, threads, progress
        As in `simulate_inputs`; `progress` is told of what is sampled, not of rows found in the file.
    path : path
        Ends in ``.parquet``. A second run into the same file waits for the first one.
    overwrite : bool, default False
        Whether a file that holds anything but the beginning of this sample may be replaced.
    on_found : callable, optional
        Called with the number of networks of this sample that the file holds already, if any; it may be more
        than are asked for.

    Returns
    -------
    JointSample
        Of exactly `replicas` networks, the same whatever was in the file.

    Raises
    ------
    InvalidFieldError
        As `simulate_inputs`, or for a path that cannot be written, before anything is drawn.

    Examples
    --------
    >>> import tempfile
    >>> net = ResNet(width=4, depth=8, beta=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     few = joint_to_file(net, np.eye(2), f"{folder}/s.parquet", replicas=3, seed=1)
    ...     more = joint_to_file(net, np.eye(2), f"{folder}/s.parquet", replicas=5, seed=1)
    >>> len(few), len(more), bool((more.log_norm[:3] == few.log_norm).all())
    (3, 5, True)
    """
    target = Path(path)
    check_writable(target, (".parquet",))
    # Also where the file turns out to hold all the rows.
    run = JointRun.find(resnet, check_seed(seed), inputs, None, layers, engine)
    replicas, _ = check_replicas(replicas, 0)
    check_threads(threads)

    def make(first: int, columns: Columns) -> JointSample:
        return JointSample(
            resnet, run.seed, first, run.matrix, (), run.recorded, **columns, engine=run.engine
        )

    return rows_to_file(
        target, run, lambda: _found(target, run), make, replicas=replicas, threads=threads,
        overwrite=overwrite, progress=progress, on_found=on_found,
    )  # fmt: skip


def _found(path: Path, run: JointRun) -> JointSample | None:
    """Return the sample of a run that a file begins with, None if it holds anything else."""
    keys = ("replica", *run.cells)
    _, metadata, columns = read_table(
        path, kind="joint", needed={"gram", "tangents", "layers"}, resnet=run.resnet, keys=keys
    )
    replica, n = columns["replica"], len(columns["replica"])
    rows = {name: columns[name].reshape(n, *cell) for name, cell in run.cells.items()}
    sample = JointSample(run.resnet, run.seed, 0, run.matrix, (), run.recorded, **rows, engine=run.engine)
    there = {"engine": "gaussian"} | metadata
    if there["layers"] is None:
        there["layers"] = list(range(run.resnet.depth + 1))
    same = all(there[name] == value for name, value in ({"seed": run.seed} | sample.details).items())
    return sample if same and np.array_equal(replica, sample.replica) else None
