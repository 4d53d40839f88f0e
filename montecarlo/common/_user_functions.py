"""What a user's function is: a copy that nothing changes any more, and a key of what it computes.

A function means what its globals, closure, defaults and modules hold when it runs. Rows are kept under a key
and drawn again elsewhere, so its meaning must not move. Hence

* `freeze` copies a function with all it refers to (globals it names, closures, arrays, attributes of objects
  and of modules, functions it calls), and only the copy runs, here and in other processes;
* `key_of_values` hashes the name and the exact values on a fixed grid of arguments: not code, so a docstring,
  another Python or another way to write the same formula keep the key.

Left as they are: what the standard library and installed packages define, classes, and what code finds by
itself (``globals()``, an import inside). Where that changes values, `montecarlo` notices by the key.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import io
import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import PurePath
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cloudpickle, jit
from numba.core.dispatcher import Dispatcher

_OURS = ("montecarlo", "theory")


def freeze(function: Any, *, compiled: bool = False) -> bytes:
    """Return a copy of a function and of all it refers to, for `pickle.loads`, in this process or another.

    Parameters
    ----------
    function : callable
        Jitted functions are compiled afresh.
    compiled : bool, default False
        Whether to jit functions that it calls, so that numba can compile it.

    Raises
    ------
    Exception
        Whatever pickle raises for things that cannot be copied, such as locks and open files.

    Examples
    --------
    >>> table = [1.0, 2.0]
    >>> packed = freeze(lambda m: table[m])
    >>> table[0] = 5.0
    >>> pickle.loads(packed)(0)
    1.0
    """
    buffer = io.BytesIO()
    _Copier(buffer, compiled).dump(_Parts(function) if isinstance(function, FunctionType) else function)
    return buffer.getvalue()


def key_of_values(name: str, *values: npt.ArrayLike) -> str:
    """Return the name with a digest of numbers, bit by bit; NaNs are one, and so are the two zeros.

    Examples
    --------
    >>> key_of_values("f", [1.0, -0.0]) == key_of_values("f", [1.0, 0.0])
    True
    >>> key_of_values("f", [1.0]) == key_of_values("f", [1.0 + 2.0**-52])
    False
    """
    digest = hashlib.sha256()
    for numbers in values:
        array = np.asarray(numbers, "<f8") + 0.0
        array[np.isnan(array)] = np.nan
        digest.update(repr(array.shape).encode() + array.tobytes())
    return f"{name}#{digest.hexdigest()[:16]}"


class _Parts:
    """A function to be copied part by part, where pickle would send its name or its compiled form."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function


class _Copier(cloudpickle.CloudPickler):
    """Copies users' functions by value, wherever they are defined."""

    def __init__(self, file: io.BytesIO, compiled: bool) -> None:
        super().__init__(file)
        self._compiled = compiled

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, _Parts):
            return _parts(obj.function)
        if isinstance(obj, Dispatcher):
            return _jit, (_Parts(obj.py_func), {} if self._compiled else dict(obj.targetoptions))
        if isinstance(obj, FunctionType) and not _in_library(obj.__globals__.get("__name__")):
            return (_jit, (_Parts(obj), {})) if self._compiled else _parts(obj)
        return super().reducer_override(obj)


def _parts(function: FunctionType) -> tuple[Any, ...]:
    code = function.__code__
    names = {name for part in _codes(code) for name in part.co_names}
    known: dict[int, ModuleType] = {}
    scope = {
        step.argval: _still(function.__globals__[step.argval], names, known)
        for part in _codes(code)
        for step in dis.get_instructions(part)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in function.__globals__
    }
    cells = [
        (number, _still(cell.cell_contents, names, known))
        for number, cell in enumerate(function.__closure__ or ())
        if cell != CellType()  # not filled yet
    ]
    state = scope, cells, function.__defaults__, function.__kwdefaults__
    return _empty, (code, function.__name__, function.__globals__.get("__name__")), state, None, None, _fill


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and those of lambdas and comprehensions inside."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _still(thing: Any, names: set[str], known: dict[int, ModuleType]) -> Any:
    """Return what stands for a user's module: another with the attributes that code names; else the thing."""
    if not isinstance(thing, ModuleType) or _in_library(thing.__name__):
        return thing
    if id(thing) not in known:
        known[id(thing)] = copy = ModuleType(f"{thing.__name__}, as it was")
        for name in names:
            if hasattr(thing, name):
                setattr(copy, name, _still(getattr(thing, name), names, known))
    return known[id(thing)]


def _in_library(module: str | None) -> bool:
    """Return whether a module is the standard library's, an installed package's or ours."""
    top = str(module).split(".", maxsplit=1)[0]
    file = getattr(sys.modules.get(str(module)), "__file__", None) or ""
    installed = {"site-packages", "dist-packages"} & set(PurePath(file).parts)
    return top in sys.stdlib_module_names or top in _OURS or bool(installed)


def _empty(code: CodeType, name: str, module: str | None) -> FunctionType:
    cells = tuple(CellType() for _ in code.co_freevars)
    return FunctionType(code, {"__builtins__": builtins, "__name__": module}, name, None, cells)


def _fill(function: FunctionType, state: tuple[Any, ...]) -> None:
    scope, cells, function.__defaults__, function.__kwdefaults__ = state
    function.__globals__.update(scope)
    closure: Any = function.__closure__
    for number, content in cells:
        closure[number].cell_contents = content


def _jit(function: FunctionType, options: dict[str, Any]) -> Any:
    return jit(**{"nopython": True, "error_model": "numpy"} | options)(function)


def thaw(packed: bytes) -> Any:
    """Return the function that `freeze` packed."""
    return pickle.loads(packed)


def first_reason(error: Exception) -> str:
    """Return the first line of an error that says something.

    Examples
    --------
    >>> import os
    >>> first_reason(TypeError(os.linesep.join(["Failed in nopython mode", "Untyped global name 'C':"])))
    "Untyped global name 'C'"
    """
    plain = (re.sub(r"\x1b\[[0-9;]*m| for '\$.*", "", line).strip() for line in str(error).splitlines())
    told = [line for line in plain if line and not line.startswith("Failed in nopython")]
    return (told or [type(error).__name__])[0].removesuffix(":")
