"""`Executor`: what runs a function on items, in threads, processes or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class ExecutorError(RuntimeError):
    """Workers failed, not the function that they ran: one line says which, and what to do."""


class Executor(Protocol):
    """Runs a function on items, several at a time.

    Where the workers are other processes, function, items and results travel there and back by pickling: a
    function of a module, or an instance of a module's class, not a closure. What comes back depends on the
    items alone, so the executor changes the time that a run takes and nothing else. As a context manager it
    closes itself.
    """

    @property
    def workers(self) -> int:
        """Items that run at the same time, at this moment."""
        ...

    def run(
        self, function: Callable[[Item], Result], items: Iterator[Item]
    ) -> Generator[tuple[Item, Result], None, None]:
        """Yield each item with its result as they finish, in any order.

        Items are taken from the iterator in the calling thread, a few more than there are workers, and no
        sooner than they are needed. What the function raises is raised here. An item whose worker died runs
        again on another one. Closing the generator drops the items in hand.
        """
        ...

    def close(self) -> None:
        """Stop the workers that this executor started; one that is not open any more does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
