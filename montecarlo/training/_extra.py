"""What the extra `training` brings, and the one line that says so where it is not installed."""

from __future__ import annotations

import importlib.util

_PACKAGES = ("jax", "optax", "sklearn", "mnist1d")


class MissingExtraError(ImportError):
    """A package of the extra `training` is not installed; the message names the command that does it."""


def need_training(*packages: str) -> None:
    """Raise `MissingExtraError` unless the packages can be imported; without names, all of the extra.

    Examples
    --------
    >>> need_training("numpy")
    >>> need_training("no_such_package")
    Traceback (most recent call last):
    ...
    montecarlo...MissingExtraError: training needs no_such_package: pip install 'largedepth[training]'
    """
    missing = [name for name in packages or _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"training needs {', '.join(missing)}: pip install 'largedepth[training]'", name=missing[0]
        )
