"""Factories: `factory(depth, seed)` returns a model, or a model and its inputs; found by MODULE:FACTORY."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError, near_name
from montecarlo.practice._frameworks import MissingFrameworkError, is_torch_module
from montecarlo.practice._torch import generators_restored
from montecarlo.practice._users import UserCodeError, name_of, users

_FIX = "write MODULE:FACTORY, mymodel:build say, where mymodel.py stands in this folder"


def find_object(name: str, field: str = "factory") -> Any:
    """Return what MODULE:NAME names; the current folder counts among those that are searched.

    Parameters
    ----------
    name : str
        The module, as it is imported or as a file of the current folder, a colon, and a name in it.
    field : str, default "factory"
        What errors call it.

    Returns
    -------
    object

    Raises
    ------
    InvalidFieldError
        If the module or the name does not exist.
    MissingFrameworkError
        If the module needs a package that is not installed.
    UserCodeError
        If the module raises when it is imported.

    Examples
    --------
    >>> find_object("math:sqrt")(9.0)
    3.0
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise InvalidFieldError(field, name, "must name a module and something in it", _FIX)
    if module_name.endswith(".py"):
        module_name = module_name.removesuffix(".py").replace("/", ".")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        with users(f"{field} {name}"):
            found: Any = importlib.import_module(module_name)
    except UserCodeError as error:
        if not isinstance(error.__cause__, ModuleNotFoundError):
            raise
        missing = error.__cause__.name or module_name
        if module_name == missing or module_name.startswith(f"{missing}."):
            raise InvalidFieldError(
                field, name, f"must name a module that exists ({missing} does not)", _FIX
            ) from None
        raise MissingFrameworkError(missing) from None
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [one for one in vars(found) if not one.startswith("_")]
            fix = near_name(part, public, 0.5) or f"it has {', '.join(sorted(public)[:6])}"
            raise InvalidFieldError(field, name, f"must name something in {module_name}", fix)
        found = getattr(found, part)
    return found


def build(factory: Callable[..., Any], depth: int, seed: int, inputs: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the model of one depth and seed with what it is called with.

    Generators of Python, numpy and PyTorch are set from the seed, so that a factory may ignore it, and
    restored afterwards.

    Raises
    ------
    InvalidFieldError
        If nothing says what a PyTorch module is called with.
    UserCodeError
        If the factory raises.
    """
    torch = sys.modules.get("torch")
    with generators_restored(torch):
        words = np.random.SeedSequence(entropy=seed, spawn_key=(1,)).generate_state(2)
        random.seed(int(words[0]))
        np.random.seed(int(words[0]))
        if torch is not None:
            torch.manual_seed(int(words[1]))
        with users(f"factory {name_of(factory)}", "define it with two arguments, (depth, seed)"):
            made = factory(depth, seed)
    if torch is None and "torch" in sys.modules:
        return build(factory, depth, seed, inputs)  # the factory imported it: its generator was not set
    model, own = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if inputs is None:
        inputs = own if own is not None else getattr(model, "dummy_inputs", None)
    if inputs is None and is_torch_module(model):
        raise InvalidFieldError(
            "factory", type(model).__name__, "must return what its model is called with, too",
            "return (model, inputs)",
        )  # fmt: skip
    if inputs is None:
        return model, ()
    return model, inputs if isinstance(inputs, tuple) and not isinstance(inputs, Mapping) else (inputs,)
