"""Which framework an object belongs to, told by its class: nothing is imported to find out."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from montecarlo.common._errors import InvalidFieldError


class MissingFrameworkError(ImportError):
    """A framework that a model needs is not installed; the message names the command that installs it.

    Examples
    --------
    >>> raise MissingFrameworkError("no_such_framework")
    Traceback (most recent call last):
    ...
    montecarlo...MissingFrameworkError: this model needs no_such_framework: pip install no_such_framework
    """

    def __init__(self, package: str) -> None:
        super().__init__(f"this model needs {package}: pip install {package}", name=package)


def is_torch_module(model: Any) -> bool:
    """Return whether a model is a PyTorch module."""
    return any(c.__module__.startswith("torch.nn") and c.__name__ == "Module" for c in type(model).__mro__)


def is_jax_array(value: Any) -> bool:
    """Return whether a value is an array of JAX."""
    return any(c.__module__.split(".")[0] in ("jax", "jaxlib") for c in type(value).__mro__)


def framework(name: str) -> Any:
    """Return a framework that the user's model has already imported.

    Raises
    ------
    MissingFrameworkError
        If it is not installed.
    """
    if name in sys.modules:
        return sys.modules[name]
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingFrameworkError(name) from None


def refuse_framework(model: Any) -> InvalidFieldError:
    """Return the error for what is neither a PyTorch module nor a function."""
    return InvalidFieldError(
        "model", type(model).__name__, "must be a PyTorch module, or a function that returns its stream",
        "return [h_0, ..., h_L] from a function",
    )  # fmt: skip
