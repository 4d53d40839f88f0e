"""What Dask's workers run: a check that their versions draw the same rows as the client's, then the block."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from typing import Any

import numba

from montecarlo.executors._interface import ExecutorError
from montecarlo.executors._pickles import error_to_bytes, from_bytes
from montecarlo.streams import STREAM_FORMAT


def versions() -> dict[str, str]:
    """Return what rows depend on, in this process."""
    found = {
        "stream format": str(STREAM_FORMAT),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }
    for package in ("largedepth", "numba", "numpy"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # run from a source tree
            found[package] = "of unknown version"
    return found


def run_block(function: bytes, item: bytes, stream_format: int) -> tuple[str, Any]:
    """Run a pickled function on a pickled item; return ``("result", result)`` or ``("error", pickle)``.

    Errors are returned, because Dask's workers would log those that are raised.
    """
    try:
        numba.set_num_threads(1)  # the cluster counts this thread as one
        # Workers come and go during a run, so the check is made where the work is.
        if stream_format != STREAM_FORMAT:
            raise ExecutorError(other_streams(str(STREAM_FORMAT), str(stream_format)))
        return "result", _rebuild(function)(from_bytes(item))
    except BaseException as error:  # the caller's business
        return "error", error_to_bytes(error)


def other_streams(theirs: str, ours: str) -> str:
    """Return the line that says that workers draw other rows."""
    return (
        f"workers have random streams of format {theirs}, this process has {ours}: their rows would differ; "
        "install one version of largedepth everywhere"
    )


# Kept: what a function holds may be costly to set up, a user's activation to compile, say.
@functools.lru_cache(maxsize=16)
def _rebuild(function: bytes) -> Any:
    return from_bytes(function)
