"""Pickles of what travels to other processes, and who is to blame where something cannot travel."""

from __future__ import annotations

import functools
import importlib.util
import pickle
import traceback
from collections.abc import Callable
from typing import Any

from montecarlo._errors import InvalidFieldError
from montecarlo.executors._interface import ExecutorError

PROTOCOL = 5


def to_bytes(thing: Any) -> bytes:
    """Pickle a function or an item, with cloudpickle where it is installed: it takes lambdas and closures.

    Raises
    ------
    InvalidFieldError
        Naming the innermost field that cannot be pickled.
    """
    dumps = _dumps()
    try:
        return dumps(thing)
    except Exception as error:
        raise _refusal(thing, dumps) from error


def from_bytes(pickled: bytes) -> Any:
    """Rebuild what `to_bytes` pickled, in a worker.

    Raises
    ------
    ExecutorError
        If it refers to what the worker cannot import.
    """
    try:
        return pickle.loads(pickled)
    except (AttributeError, ImportError) as error:
        raise ExecutorError(
            f"workers cannot import what they are to run ({error}): define it in a module that they can "
            "import, not at a prompt or in a notebook"
        ) from error


def error_to_bytes(error: BaseException) -> bytes:
    """Pickle an error of a worker with its traceback, or one that names it if it cannot be pickled."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickled = pickle.dumps((error, trace), protocol=PROTOCOL)
        pickle.loads(pickled)  # an error whose arguments are not those of its class fails only here
    except Exception:
        error = ExecutorError(f"{type(error).__name__} in a worker: {error}")
        pickled = pickle.dumps((error, trace), protocol=PROTOCOL)
    return pickled


def error_from_bytes(pickled: bytes) -> BaseException:
    """Return the error with a note of its traceback."""
    try:
        error, trace = pickle.loads(pickled)
    except Exception as failure:
        return failure
    error.add_note(f"\nin a worker:\n{trace.rstrip()}")
    return error


def _dumps() -> Callable[[Any], bytes]:
    if importlib.util.find_spec("cloudpickle") is not None:
        import cloudpickle

        return functools.partial(cloudpickle.dumps, protocol=PROTOCOL)
    return functools.partial(pickle.dumps, protocol=PROTOCOL)


def _refusal(thing: Any, dumps: Callable[[Any], bytes]) -> InvalidFieldError:
    names: list[str] = []
    found = True
    while found and len(names) < 10:
        found = False
        for name, part in _parts(thing):
            try:
                dumps(part)
            except Exception:
                thing, found = part, True
                names.append(name)
                break
    return InvalidFieldError(
        ".".join(names[-2:]) or "function",
        thing,
        "must be picklable to travel to other processes, which lambdas and local functions are not",
        "define it in a module, install cloudpickle, or use threads",
    )


def _parts(thing: Any) -> list[tuple[str, Any]]:
    """Return what a pickle of the thing holds, by name."""
    if isinstance(thing, functools.partial):
        arguments = [(f"argument {number}", value) for number, value in enumerate(thing.args, 1)]
        return [("function", thing.func), *arguments, *thing.keywords.items()]
    if isinstance(thing, (tuple, list)):
        return [(f"item {number}", value) for number, value in enumerate(thing, 1)]
    if isinstance(thing, dict):
        return [(str(key), value) for key, value in thing.items()]
    bound = getattr(thing, "__self__", None)
    if bound is not None and not isinstance(bound, type):
        return _parts(bound)
    public = [(name, value) for name, value in getattr(thing, "__dict__", {}).items() if name[:1] != "_"]
    return [] if isinstance(thing, type) else public
