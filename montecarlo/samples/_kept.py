"""What a file already holds of a sample, before the rest of it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from montecarlo.common._errors import InvalidFieldError
from montecarlo.runs import Progress

Kept = TypeVar("Kept")


def kept_rows(
    target: Path,
    find: Callable[[], Kept | None],
    *,
    overwrite: bool,
    on_found: Progress | None,
    networks: Callable[[Kept], int],
) -> Kept | None:
    """Return the part of a sample that a file holds, or None where there is nothing to keep.

    Parameters
    ----------
    target : path
        The file.
    find : callable
        Reads the file; None if it holds anything else. An OSError or ValueError of its counts as that.
    overwrite : bool
        Whether a file that holds anything else may be replaced.
    on_found : callable or None
        Told how many networks were found.
    networks : callable
        Counts them.

    Returns
    -------
    The sample that `find` returns, or None.

    Raises
    ------
    InvalidFieldError
        For a file that holds something else and may not be replaced.
    """
    try:
        found = find()
    except (OSError, ValueError):
        found = None
    if found is not None:
        if on_found is not None:
            on_found(networks(found))
    elif target.exists() and not overwrite:
        fix = "choose another file, or let it be replaced (overwrite=True)"
        raise InvalidFieldError("out", str(target), "is there already, and holds something else", fix)
    return found
