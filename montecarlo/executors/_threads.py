"""`ThreadExecutor`: threads of this process; the engines' kernels release the interpreter's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import Any

from montecarlo.common._errors import check_whole
from montecarlo.executors._interface import Executor, ExecutorError, Item, Result
from montecarlo.executors._processors import available_threads


class ThreadExecutor(Executor):
    """Threads of this process.

    Runs may be interleaved, and begun by several threads: so many items as it has threads run at the same
    time in all runs together.

    Parameters
    ----------
    threads : int, optional
        How many; default: all the processors that this process may use.

    Raises
    ------
    InvalidFieldError
        For a number that is not whole or not positive.
    ExecutorError
        In `run`, once it is closed.

    Examples
    --------
    >>> sorted(ThreadExecutor(2).run(abs, iter([-1, 2, -3])))
    [(-3, 3), (-1, 1), (2, 2)]
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = check_threads(threads)
        self._free: SimpleQueue[None] = SimpleQueue()  # a place for each item that may run
        for _ in range(self._threads):
            self._free.put(None)
        self._closed = False

    @property
    def workers(self) -> int:
        """The number of threads."""
        return self._threads

    def run(
        self, function: Callable[[Item], Result], items: Iterator[Item]
    ) -> Generator[tuple[Item, Result], None, None]:
        """Yield each item with its result as they finish, in any order."""
        # Not a pool of concurrent.futures: Ctrl-C inside its locks leaves them in disorder for the workers.
        # These queues are single operations that no signal can split.
        tasks: SimpleQueue[Any] = SimpleQueue()
        outcomes: SimpleQueue[tuple[Item, Any, BaseException | None]] = SimpleQueue()
        over = [False]

        def work() -> None:
            while True:
                # Without a time limit: a wait that has one may miss its end and last for ever (CPython 3.11).
                item = tasks.get()
                if over[0]:
                    return
                self._free.get()
                try:
                    if over[0]:  # meanwhile
                        return
                    outcome = item, function(item), None
                except BaseException as error:  # the caller's business
                    outcome = item, None, error
                finally:
                    self._free.put(None)
                outcomes.put(outcome)

        waiting = started = 0
        try:
            while True:
                if self._closed:
                    raise ExecutorError("the executor is closed; a later run needs a new one")
                # A short queue: 10^7 replicas must not become 10^5 tasks.
                while waiting < 2 * self._threads:
                    try:
                        item = next(items)
                    except StopIteration:
                        break
                    tasks.put(item)
                    waiting += 1
                    if started < self._threads:
                        # Daemons: a block takes minutes where networks are large, and a script that was
                        # interrupted must not wait for rows that nobody will have.
                        threading.Thread(target=work, name=f"largedepth-{started}", daemon=True).start()
                        started += 1
                if not waiting:
                    return
                item, result, error = outcomes.get()
                waiting -= 1
                if error is not None:
                    raise error
                yield item, result
        finally:
            # Not waiting for the blocks in hand keeps Ctrl-C prompt; what they compute is dropped.
            over[0] = True
            for _ in range(started):
                tasks.put(None)  # wakes those that wait

    def close(self) -> None:
        """End runs of other threads, with an error, once an item of theirs is finished."""
        self._closed = True


def check_threads(threads: int | None) -> int:
    """Return the number of threads, all processors' where None is given; raise `InvalidFieldError` if bad."""
    return available_threads() if threads is None else check_whole("threads", threads, 1, 4096, 2)
