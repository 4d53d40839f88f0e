"""What goes wrong with results folders, in one line that begins with the file or folder."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(ValueError):
    """A results folder cannot be used as asked; the one line names the folder or file, and the fix."""


class StoreWarning(UserWarning):
    """A file in a results folder is damaged or foreign, and is left out; the one line names it."""


def leave_out(path: Path, reason: str) -> None:
    """Warn that a file is left out."""
    warnings.warn(f"{path}: {reason}", StoreWarning, stacklevel=2)


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn what the system says of a failed write into a `StoreError`."""
    try:
        yield
    except OSError as error:
        # Arrow's own texts are long.
        reason = os.strerror(error.errno) if error.errno else str(error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        fix = "free space, or choose another folder" if full else "choose another folder"
        raise StoreError(
            f"{path}: cannot be written ({reason}); what was written before is kept; {fix}, and run again"
        ) from error
