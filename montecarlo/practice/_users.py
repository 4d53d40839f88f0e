"""Errors in a user's code, told in one line: which function, what was raised, and where."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from montecarlo.common._errors import InvalidFieldError
from montecarlo.practice._frameworks import MissingFrameworkError

_OURS = Path(__file__).resolve().parents[1]
_LIBRARIES = tuple(Path(sysconfig.get_paths()[name]).resolve() for name in ("stdlib", "purelib", "platlib"))


class UserCodeError(RuntimeError):
    """A function or a model that was handed over raised an error; the line says which, what and where.

    Its cause, `__cause__`, is the error itself with its traceback.

    Examples
    --------
    >>> with users("factory mymodel:build", "define build(depth, seed)"):
    ...     {}["width"]
    Traceback (most recent call last):
    ...
    montecarlo...UserCodeError: factory mymodel:build: must not raise, but did: KeyError: 'width'
    """


@contextmanager
def users(what: str, fix: str = "") -> Iterator[None]:
    """Run a user's code; whatever it raises is raised as `UserCodeError` that names it.

    Parameters
    ----------
    what : str
        What runs, "factory mymodel:build" say.
    fix : str, default ""
        How it must be written, which is told where it could not even be called.

    Raises
    ------
    UserCodeError
        Of any error but ours and a lack of memory.
    """
    try:
        yield
    except (InvalidFieldError, MissingFrameworkError, MemoryError, UserCodeError):
        raise
    except Exception as error:
        text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
        said = f"{type(error).__name__}: {text}" if text else type(error).__name__
        place = _place(error)
        where = f" ({place})" if place else ""
        wanted = f"; {fix}" if fix and not place and isinstance(error, TypeError) else ""
        raise UserCodeError(f"{what}: must not raise, but did: {said}{where}{wanted}") from error


def name_of(function: Any) -> str:
    """Return MODULE:NAME of a function, or what its class is called.

    Examples
    --------
    >>> name_of(name_of)
    'montecarlo.practice._users:name_of'
    """
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}:{name}" if name else type(function).__name__


def _place(error: Exception) -> str:
    """Return the last line of the user's own code on the way to an error, else ""."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if frame.filename.startswith("<") or _inside(path.resolve()):
            continue
        return f"{path.name}:{frame.lineno}, in {frame.name}"
    return ""


def _inside(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in (_OURS, *_LIBRARIES))
