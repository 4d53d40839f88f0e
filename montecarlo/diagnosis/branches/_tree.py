"""A model as a list of named arrays: modules, nested mappings and lists, by duck typing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError

_NO_FLOATS = re.compile(r"(^|\.)(u?int\d*|bool\w*|str|bytes)$|^[<>|]?[US]\d")
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """One array of a model: where it stands, its shape, and its values once they are asked for."""

    path: tuple[str, ...]
    value: Any
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        """The path with dots."""
        return ".".join(self.path)

    def array(self) -> Array:
        """Return the values, which must be finite real numbers."""
        found = _values(self.name, self.value)
        if not np.isfinite(found).all():
            raise InvalidFieldError(
                "model", self.name, "must have finite weights", "measure the model at initialisation"
            )
        return found


def read_parameters(model: Any) -> tuple[list[Parameter], list[str]]:
    """Return the arrays of floats, and the names of what is no such array."""
    found, left_out = [], []
    for keys, leaf in _leaves(model, ()):
        path = tuple(part for key in keys for part in re.split(r"[./]", key) if part not in ("", "~"))
        try:
            value = leaf if hasattr(leaf, "shape") else getattr(leaf, "value", leaf)  # Flax's boxes
            shape = tuple(int(n) for n in value.shape) if hasattr(value, "shape") else None
        except (RuntimeError, TypeError):  # PyTorch's lazy modules have no shape yet
            raise _valueless(".".join(path)) from None
        kind = str(getattr(value, "dtype", type(value).__name__))
        if value is None or _NO_FLOATS.search(kind) or callable(value):
            left_out.append(f"{'.'.join(path)} ({kind})")
            continue
        if shape is None:
            value = _values(".".join(path), value)
            shape = value.shape
        found.append(Parameter(path, value, shape))
    return found, left_out


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    named = getattr(tree, "named_parameters", None)
    items: Any = None
    if callable(named):
        try:
            items = named(remove_duplicate=False)  # a block that is used twice counts twice
        except TypeError:
            items = named()
    elif isinstance(tree, Mapping):
        items = tree.items()
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        items = zip(tree._fields, tree, strict=True)  # type: ignore[attr-defined]
    elif isinstance(tree, list | tuple):
        items = enumerate(tree)
    if items is not None:
        for key, value in items:
            # Flax's flatten_dict has tuples of names as keys.
            keys = key if isinstance(key, tuple) else (key,)
            yield from _leaves(value, (*path, *map(str, keys)))
    elif path:
        yield path, tree
    else:
        raise InvalidFieldError(
            "model", type(tree).__name__, "must have named_parameters() or be mappings or lists of arrays",
            "give a PyTorch module, Flax parameters, or a mapping of names to arrays",
        )  # fmt: skip


def _values(name: str, value: Any) -> Array:
    if getattr(value, "is_meta", False) or str(getattr(value, "device", "")) == "meta":
        raise _valueless(name)
    try:
        if hasattr(value, "detach"):  # PyTorch's way to numpy, which has no bfloat16
            value = value.detach().cpu().float()
        found = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        if np.iscomplexobj(found):
            raise InvalidFieldError(
                "model", name, "must be real, not complex", "give a model of real weights"
            )
        return found.astype(np.float64)
    except InvalidFieldError:
        raise
    except Exception:
        raise _valueless(name) from None


def _valueless(name: str) -> InvalidFieldError:
    rule = "must hold numbers (an array on 'meta', a shape alone or a text has none)"
    return InvalidFieldError("model", name, rule, "initialise the model, or leave this entry out")
