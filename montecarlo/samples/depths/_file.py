"""Coupled depths on disk: rows that a file holds are kept, missing ones are drawn."""

from __future__ import annotations

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
from montecarlo.samples.depths._run import CoupledRun
from montecarlo.samples.depths._sample import COLUMNS, CoupledSample


def read_coupled_sample(path: str | os.PathLike[str], resnet: ResNet | None = None) -> CoupledSample:
    """Read the Parquet file of a sample of coupled depths.

    Parameters
    ----------
    path : path
        As `CoupledSample.write` or `coupled_to_file` left it.
    resnet : ResNet, optional
        The specification that it must be of; that of one's own activation or process must be given.

    Returns
    -------
    CoupledSample

    Raises
    ------
    ValueError
        If the file is torn or damaged, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import simulate_depths
    >>> net = ResNet(width=4, depth=16, beta=0.7, block="res-1", weights="fbm:0.7")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     simulate_depths(net, [4, 8, 16], replicas=3, seed=1).write(f"{folder}/s.parquet")
    ...     read_coupled_sample(f"{folder}/s.parquet").log_strong_error.shape
    (3, 2)
    """
    needed = {"depths", "first_replica"}
    resnet, metadata, columns = read_table(path, kind="coupled", needed=needed, resnet=resnet)
    depths, first = tuple(metadata["depths"]), metadata["first_replica"]
    replica, n = columns.pop("replica"), len(depths)
    rows = np.arange(first, first + len(replica))
    widths = dict(zip(COLUMNS, (n - 1, n - 1, n, n), strict=True))
    if not np.array_equal(replica, rows) or {k: c.shape[-1] for k, c in columns.items()} != widths:
        raise ValueError(f"{path}: its rows are not those of its metadata: edited since?")
    return CoupledSample(resnet, depths, metadata["seed"], first, **columns)


def coupled_to_file(
    resnet: ResNet,
    depths: Sequence[int],
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_found: Progress | None = None,
) -> CoupledSample:
    """Return `simulate_depths`'s sample and leave it in a file; rows found there are not drawn again.

    Whatever ends the run early, the finished rows from the first one on are in the file, and the same call
    continues after them. A file that holds more rows than asked for keeps them.

    Parameters
    ----------
    resnet, depths, replicas, seed, threads, progress
        As in `simulate_depths`; `progress` is told of what is sampled, not of rows found in the file.
    path : path
        Ends in ``.parquet``. A second run into the same file waits for the first one.
    overwrite : bool, default False
        Whether a file that holds anything but the beginning of this sample may be replaced.
    on_found : callable, optional
        Called with the number of networks of this sample that the file holds already, if any; it may be more
        than are asked for.

    Returns
    -------
    CoupledSample
        Of exactly `replicas` replicas, the same whatever was in the file.

    Raises
    ------
    InvalidFieldError
        As `simulate_depths`, or for a path that cannot be written, before anything is drawn.

    Examples
    --------
    >>> import tempfile
    >>> net = ResNet(width=4, depth=16, beta=0.5, block="res-1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     few = coupled_to_file(net, [8, 16], f"{folder}/s.parquet", replicas=3, seed=1)
    ...     more = coupled_to_file(net, [8, 16], f"{folder}/s.parquet", replicas=5, seed=1)
    >>> len(few), len(more), bool((more.cosine[:3] == few.cosine).all())
    (3, 5, True)
    """
    target = Path(path)
    check_writable(target, (".parquet",))
    # Also where the file turns out to hold all the rows.
    run = CoupledRun.find(resnet, check_seed(seed), depths)
    replicas, _ = check_replicas(replicas, 0)
    check_threads(threads)

    def make(first: int, columns: Columns) -> CoupledSample:
        return CoupledSample(resnet, run.depths, run.seed, first, **columns)

    return rows_to_file(
        target, run, lambda: _found(target, run), make, replicas=replicas, threads=threads,
        overwrite=overwrite, progress=progress, on_found=on_found,
    )  # fmt: skip


def _found(path: Path, run: CoupledRun) -> CoupledSample | None:
    found = read_coupled_sample(path, run.resnet)
    return found if (found.depths, found.seed, found.first_replica) == (run.depths, run.seed, 0) else None
