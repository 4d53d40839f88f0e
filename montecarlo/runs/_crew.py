"""`Crew`: threads that do pieces of work, several at a time, each of which draws rows."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

from montecarlo.executors import Executor
from montecarlo.runs._rows import executor_in_use
from montecarlo.runs._running import current_running, running

Work = TypeVar("Work")
Found = TypeVar("Found")

_MOST = 4
"""Pieces at a time, at most: each brings as many threads as the executor has workers."""


class Crew(Generic[Work, Found]):
    """Threads that each do a piece of work; where one is all there may be, the caller's thread does it.

    Parameters
    ----------
    do : callable
        Does a piece.
    size : int
        Pieces at a time.
    executor : Executor
        What they draw on.
    """

    def __init__(self, do: Callable[[Work], Found], size: int, executor: Executor) -> None:
        self._do, self.size, self._executor = do, size, executor
        self._done: SimpleQueue[tuple[Work, Found | BaseException]] = SimpleQueue()

    def send(self, work: Work) -> None:
        """Begin a piece of work, of which no more than `size` may be in hand."""
        if self.size == 1:
            self._take(work)
            return
        run = contextvars.copy_context().run
        # Daemons: a script that was interrupted must not wait for what nobody will see.
        threading.Thread(target=run, args=(self._take, work), name="piece", daemon=True).start()

    def wait(self) -> tuple[Work, Found]:
        """Return a piece that is done with what it gave; what it raised is raised here."""
        work, found = self._done.get()
        if isinstance(found, BaseException):
            raise found
        return work, found

    def stop(self) -> None:
        """Give up what is in hand, which would go on otherwise."""
        if self.size > 1:
            self._executor.close()

    def _take(self, work: Work) -> None:
        try:
            self._done.put((work, self._do(work)))
        except BaseException as error:  # the caller's business
            self._done.put((work, error))


@contextlib.contextmanager
def hired_crew(
    do: Callable[[Work], Found], *, pieces: int, threads: int | None
) -> Iterator[Crew[Work, Found]]:
    """Yield a crew for so many pieces of work, which all draw on the executor of `running` or on one more.

    Parameters
    ----------
    do : callable
        Does a piece.
    pieces : int
        How many there are.
    threads : int, optional
        Threads of this process, where `running` says no executor; default: all the processors it may use.
    """
    inside = current_running()
    executor = executor_in_use(threads)
    # One more than draw: what is done with the rows is Python, one thread at a time.
    size = min(pieces, executor.workers + 1, _MOST) if executor.workers > 1 else 1
    crew = Crew(do, max(1, size), executor)
    with contextlib.ExitStack() as stack:
        if crew.size > 1 and (inside is None or inside.executor is None):
            stack.enter_context(executor)
            stack.enter_context(running(executor=executor) if inside is None else inside.lent(executor))
        yield crew
