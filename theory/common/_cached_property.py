"""`cached_property` of `functools`, without the lock that it has before Python 3.12.

The lock is one for all objects of a class: of several laws that are evaluated at the same time, each would
wait until the one before has built its tables. Two threads that want one law build it twice.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

Value = TypeVar("Value")


class cached_property(functools.cached_property[Value]):  # noqa: N801  # as in the standard library
    """A property that is computed once and kept in the object."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        super().__init__(compute)
        self.lock = nullcontext()
