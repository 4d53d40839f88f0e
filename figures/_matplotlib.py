"""matplotlib, imported whatever the environment says: the figures need no window and no settings of a user's.

This module comes before all others of the package.
"""

from __future__ import annotations

import contextlib
import locale
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _environment(name: str, value: str | None) -> Iterator[str | None]:
    """Set or drop a variable inside the block; yield what it was."""
    before = os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
    try:
        yield before
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def import_matplotlib() -> None:
    """Import matplotlib where ``MPLBACKEND`` names what is not installed here, or the locale is unknown.

    A notebook's kernel, say, leaves ``module://matplotlib_inline.backend_inline`` to all that it starts.
    matplotlib itself ends at the import then. A backend that is there stays the user's.
    """
    if "matplotlib" in sys.modules:
        return
    # With `axes.formatter.use_locale` in its settings it asks for the environment's locale.
    known = contextlib.nullcontext() if _locale_is_known() else _environment("LC_ALL", "C")
    with _environment("MPLBACKEND", None) as backend, known:
        import matplotlib as mpl
    if backend:
        with contextlib.suppress(ValueError):
            mpl.rcParams["backend"] = backend


def _locale_is_known() -> bool:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        return False
    locale.setlocale(locale.LC_ALL, before)
    return True


import_matplotlib()
