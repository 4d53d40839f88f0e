"""A call on its way to a worker, and its error on the way back."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from typing import Any

from montecarlo.executors._interface import ExecutorError
from montecarlo.streams import STREAM_FORMAT


def pack(function: Callable[[Any], Any], item: Any) -> bytes:
    """Pickle ``function(item)``, with cloudpickle where it is installed: it takes lambdas and closures.

    Raises
    ------
    ExecutorError
        For what cannot be pickled.
    """
    try:
        from cloudpickle import dumps
    except ImportError:
        from pickle import dumps
    try:
        return dumps((STREAM_FORMAT, dumps((function, item))))
    except Exception as error:
        raise ExecutorError(
            f"what runs in other processes must be picklable ({error}): define its functions in a module, "
            "install cloudpickle, or use threads"
        ) from error


def call(packed: bytes) -> Any:
    """Return what the function makes of the item, in a worker.

    Raises
    ------
    ExecutorError
        If this worker's random streams are not those of the process that packed the call, or if it cannot
        import what it is to run. Workers come and go during a run, so each call is checked.
    """
    import numba

    numba.set_num_threads(1)  # whoever counts workers counts this thread as one
    theirs, pickled = pickle.loads(packed)
    if theirs != STREAM_FORMAT:
        raise ExecutorError(
            f"a worker has random streams of format {STREAM_FORMAT}, this process has {theirs}: their rows "
            "would differ; install the same version of largedepth everywhere"
        )
    try:
        function, item = pickle.loads(pickled)
    except (AttributeError, ImportError) as error:
        raise ExecutorError(
            f"a worker cannot import what it is to run ({error}): define it in a module that workers can "
            "import, not at a prompt or in a notebook"
        ) from error
    return function(item)


def pack_error(error: BaseException) -> bytes:
    """Pickle an error with a note of its traceback, or one that names it if it cannot be pickled."""
    note = f"\nin a worker:\n{''.join(traceback.format_exception(error)).rstrip()}"
    error.add_note(note)
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # an error whose arguments are not those of its class fails only here
    except Exception:
        error = ExecutorError(f"{type(error).__name__} in a worker: {error}")
        error.add_note(note)
        packed = pickle.dumps(error)
    return packed
