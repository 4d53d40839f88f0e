"""`rows_to_file`: what a file already holds of a sample is kept, and the rest of it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common.files import exclusive
from montecarlo.runs import Progress
from montecarlo.samples._sample import RowSample

Rows = TypeVar("Rows", bound=RowSample)


def rows_to_file(
    target: Path,
    find: Callable[[], Rows | None],
    draw: Callable[[int, int], Rows],
    *,
    replicas: int,
    overwrite: bool,
    on_found: Progress | None,
    networks: Callable[[Rows], int] = len,
) -> Rows:
    """Return a sample and leave it in a file; rows that the file holds are not drawn again.

    Parameters
    ----------
    target : path
        The file. A second run into it waits for the first one.
    find : callable
        Reads the file's first rows; None if it holds anything else. An OSError or ValueError of its counts as
        that.
    draw : callable
        Samples from a first row on so many rows.
    replicas : int
        How many rows are wanted.
    overwrite : bool
        Whether a file that holds anything else may be replaced.
    on_found : callable or None
        Told how many networks were found.
    networks : callable
        Counts them.

    Raises
    ------
    InvalidFieldError
        For a file that holds something else and may not be replaced.
    """
    with exclusive(target):
        try:
            found = find()
        except (OSError, ValueError):
            found = None
        start = 0
        if found is not None:
            start = len(found)
            if on_found is not None:
                on_found(networks(found))
            if start >= replicas:
                return found.head(replicas)
        elif target.exists() and not overwrite:
            fix = "choose another file, or let it be replaced (overwrite=True)"
            raise InvalidFieldError("out", str(target), "is there already, and holds something else", fix)
        drawn = draw(start, replicas - start)
        sample = drawn if found is None else found + drawn
        sample.write(target)
    return sample
