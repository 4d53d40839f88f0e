"""`rows_to_file`: what a file already holds of a sample is kept, and the rest of it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common.files import exclusive
from montecarlo.common.rows import Columns
from montecarlo.runs import Progress, Run, collect_rows
from montecarlo.samples._sample import RowSample

Rows = TypeVar("Rows", bound=RowSample)


def rows_to_file(
    target: Path,
    run: Run,
    find: Callable[[], Rows | None],
    make: Callable[[int, Columns], Rows],
    *,
    replicas: int,
    threads: int | None,
    block_size: int | None = None,
    overwrite: bool,
    progress: Progress | None,
    on_found: Progress | None,
) -> Rows:
    """Return a sample and leave it in a file; rows that the file holds are not drawn again.

    Whatever ends the run early, the finished rows from the first one on are in a Parquet file.

    Parameters
    ----------
    target : path
        The file. A second run into it waits for the first one.
    run : Run
        What the rows are of.
    find : callable
        Reads the file's first rows; None if it holds anything else. An OSError or ValueError of its counts as
        that, but an InvalidFieldError of the field `out` is the reason that is given.
    make : callable
        Returns the sample of a first row and columns.
    replicas : int
        How many rows are wanted.
    threads, block_size, progress
        As in `collect_rows`.
    overwrite : bool
        Whether a file that holds anything else may be replaced.
    on_found : callable or None
        Told how many networks were found.

    Raises
    ------
    InvalidFieldError
        For a file that holds something else and may not be replaced.
    """
    with exclusive(target):
        found = _found(target, find, overwrite=overwrite)
        start = 0
        if found is not None:
            start = len(found)
            if on_found is not None:
                on_found(run.networks * start)
            if start >= replicas:
                return found.head(replicas)

        def write(columns: Columns) -> Rows:
            drawn = make(start, columns)
            sample = drawn if found is None else found + drawn
            sample.write(target)
            return sample

        def keep(columns: Columns) -> None:
            write(columns)

        columns = collect_rows(
            run, replicas=replicas - start, first_replica=start, threads=threads, block_size=block_size,
            progress=progress, keep=keep if target.suffix == ".parquet" else None,
        )  # fmt: skip
        return write(columns)


def _found(target: Path, find: Callable[[], Rows | None], *, overwrite: bool) -> Rows | None:
    """Return what a file holds of the sample; raise where it holds anything else and may not be replaced."""
    reason = None
    try:
        found = find()
    except (OSError, ValueError) as error:
        found, reason = None, error
    if found is None and target.exists() and not overwrite:
        if isinstance(reason, InvalidFieldError) and reason.field == "out":
            raise reason
        fix = "choose another file, or let it be replaced (overwrite=True)"
        raise InvalidFieldError("out", str(target), "is there already, and holds something else", fix)
    return found
