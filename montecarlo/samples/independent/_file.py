"""`sample_to_file`: simulate into a file, continuing what it already holds."""

from __future__ import annotations

import os
from pathlib import Path

from montecarlo.common._errors import InvalidFieldError, check_seed
from montecarlo.common.files import check_writable
from montecarlo.common.rows import Columns
from montecarlo.engines._request import Request
from montecarlo.executors import check_threads
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas
from montecarlo.samples._to_file import rows_to_file
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.samples.independent._sample import Sample, read_sample


def sample_to_file(
    resnet: ResNet,
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    engine: str = "auto",
    threads: int | None = None,
    block_size: int | None = None,
    request: Request | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_found: Progress | None = None,
) -> Sample:
    """Return a sample and leave it in a file; rows that a Parquet file already holds are not drawn again.

    Whatever ends the run early (Ctrl-C, a failing block), the finished rows from the first one on are written
    to a Parquet file (every ten seconds, too), and the same call continues after them. Since row i depends on
    (specification, seed, i) alone, the end result is the same, bit for bit. A file that holds more rows than
    asked for keeps them.

    Parameters
    ----------
    resnet, replicas, seed, engine, threads, block_size, progress
        As in `montecarlo.simulate`; `progress` is told of what is sampled, not of rows found in the file.
    path : path
        Ends in ``.parquet`` or ``.csv``; only Parquet can be continued, a CSV file is written at the end.
        A second run into the same file waits for the first one.
    request : Request, optional
        What to observe.
    overwrite : bool, default False
        Whether a file that holds anything but the beginning of this sample may be replaced.
    on_found : callable, optional
        Called with the number of rows of this sample that the file holds already, if any; it may be more than
        `replicas`.

    Returns
    -------
    Sample
        Of exactly `replicas` networks.

    Raises
    ------
    InvalidFieldError
        For a bad argument, an unwritable path or a file that holds something else, before anything is drawn.

    Examples
    --------
    >>> import tempfile
    >>> net = ResNet(width=8, depth=4, beta=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     small = sample_to_file(net, f"{folder}/s.parquet", replicas=10, seed=1)
    ...     large = sample_to_file(net, f"{folder}/s.parquet", replicas=30, seed=1)
    >>> len(small), len(large), bool((large["log_hidden_ratio"][:10] == small["log_hidden_ratio"]).all())
    (10, 30, True)
    """
    target = Path(path)
    check_writable(target)
    request = request or Request()
    check_table_kind(request, target.suffix)
    # Also where the file turns out to hold all the rows.
    replicas, _ = check_replicas(replicas, 0)
    run = NetworkRun.find(resnet, check_seed(seed), engine=engine, request=request)
    check_threads(threads)

    def make(first: int, columns: Columns) -> Sample:
        return Sample(resnet, run.seed, run.engine, first, columns)

    return rows_to_file(
        target, run, lambda: _rows_of(target, run), make, replicas=replicas, threads=threads,
        block_size=block_size, overwrite=overwrite, progress=progress, on_found=on_found,
    )  # fmt: skip


def check_table_kind(request: Request, suffix: str) -> None:
    """Raise `InvalidFieldError` if the request has columns that a table of this kind cannot hold."""
    if suffix != ".csv":
        return
    for field in ("trajectories", "weight_gradients", "gate_gradients"):
        if getattr(request, field):
            rule = "needs Parquet, whose cells hold lists; those of CSV hold one number"
            raise InvalidFieldError(field, None, rule, "give out='sample.parquet'")


def _rows_of(path: Path, run: NetworkRun) -> Sample:
    """Return the rows of a file, refused if they are not the beginning of the sample that is asked for."""
    fix = "choose another file, or let it be replaced (overwrite=True)"
    if path.suffix != ".parquet":
        raise InvalidFieldError("out", str(path), "is there already, and only Parquet can be continued", fix)
    try:
        found = read_sample(path, run.resnet)
    except (ValueError, OSError) as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise InvalidFieldError(
            "out", str(path), f"is there already, and cannot be continued ({reason})", fix
        ) from error
    asked = {"seed": run.seed, "engine": run.engine, "first_replica": 0, "columns": tuple(run.cells)}
    there = {
        "seed": found.seed, "engine": found.engine, "first_replica": found.first_replica,
        "columns": tuple(found.columns),
    }  # fmt: skip
    differing = [name for name in asked if asked[name] != there[name]]
    if differing:
        name = differing[0]
        rule = f"is there already with {name} {there[name]!r} instead of {asked[name]!r}"
        raise InvalidFieldError("out", str(path), rule, fix)
    return found
