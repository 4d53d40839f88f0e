"""`ProcessExecutor`: worker processes of this machine.

Not a `concurrent.futures.ProcessPoolExecutor`. One worker that dies breaks that pool: all the others are
stopped, what they had in hand is lost, and nothing says whose item it was. Its workers print tracebacks after
Ctrl-C, and outlive a parent that is killed. Here each of a `ThreadExecutor`'s threads hands its item to a
process of its own and waits: a death is seen by the one thread that knows the item, and signals, which only
the main thread gets, never meet a message half sent.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from queue import LifoQueue
from typing import TYPE_CHECKING

from montecarlo.common._errors import check_whole
from montecarlo.executors._calls import pack
from montecarlo.executors._interface import Executor, ExecutorError, Item, Result
from montecarlo.executors._interrupts import interrupts_blocked
from montecarlo.executors._processors import available_threads
from montecarlo.executors._threads import ThreadExecutor

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

DEATHS = 3
"""Workers that an item may end before it is given up."""

_SINGLE_THREADED = {
    f"{library}_NUM_THREADS": "1" for library in ("BLIS", "MKL", "NUMEXPR", "OMP", "OPENBLAS")
} | {"VECLIB_MAXIMUM_THREADS": "1"}
_STARTING = threading.Lock()
_END_SECONDS = 2.0  # a worker that has closed its pipe and still runs then is killed


class ProcessExecutor(Executor):
    """Worker processes of this machine, started when there is work for them and kept until `close`.

    Every worker has one thread, and libraries for linear algebra are told so. Workers end with the parent,
    however that ends. Runs may be interleaved.

    Parameters
    ----------
    processes : int, optional
        How many; default: all the processors that this process may use.

    Raises
    ------
    InvalidFieldError
        For a number that is not whole or not positive.
    ExecutorError
        In `run`, for what cannot be pickled, an item that ended its worker three times, workers that cannot
        start, and an executor that is closed.

    Notes
    -----
    A script that uses it must do so under ``if __name__ == "__main__":``, because the workers import it.

    Examples
    --------
    >>> with ProcessExecutor(2) as executor:
    ...     sorted(executor.run(abs, iter([-1, 2, -3])))
    [(-3, 3), (-1, 1), (2, 2)]
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = (
            available_threads() if processes is None else check_whole("processes", processes, 1, 4096, 2)
        )
        # Last in, first out: no new process while one that has started is free.
        self._free: LifoQueue[_Worker | None] = LifoQueue()
        for _ in range(self._processes):
            self._free.put(None)  # one that has not started
        self._lock = threading.Lock()  # of the next two, and of starts and ends of processes
        self._started: list[_Worker] = []
        self._closed = False

    @property
    def workers(self) -> int:
        """The number of processes."""
        return self._processes

    def run(
        self, function: Callable[[Item], Result], items: Iterator[Item]
    ) -> Generator[tuple[Item, Result], None, None]:
        """Yield each item with its result as they finish, in any order."""

        def elsewhere(item: Item) -> Result:
            packed = pack(function, item)
            code = 0
            for _ in range(DEATHS):
                with self._worker() as worker:
                    try:
                        kind, answer = worker.call(packed)
                    except (EOFError, OSError):
                        code = self._bury(worker)
                        continue
                if kind == b"error":
                    raise pickle.loads(answer)
                return pickle.loads(answer)
            raise ExecutorError(
                f"item {item!r} ended its worker process {DEATHS} times ({_ending(code)}); if memory ran "
                "out, take fewer processes or smaller blocks"
            )

        run = ThreadExecutor(self._processes).run(elsewhere, items)
        try:
            yield from run
        except KeyboardInterrupt:
            self.close()  # or the threads would wait for the items in hand
            raise

    def close(self) -> None:
        """Kill the workers; runs that are not over end with an error."""
        with self._lock:
            self._closed = True
            for worker in self._started:
                worker.process.kill()
            for worker in self._started:
                worker.process.join()

    @contextlib.contextmanager
    def _worker(self) -> Iterator[_Worker]:
        """Wait for a process that is free, or may start; it is free again at the end."""
        worker = self._free.get()
        try:
            with self._lock:
                self._check_open()
                if worker is None or not worker.process.is_alive():
                    self._started = [other for other in self._started if other.process.is_alive()]
                    try:
                        worker = _start_worker()
                    except OSError as error:
                        reason = f"a worker process cannot start ({error.strerror or error})"
                        raise ExecutorError(f"{reason}; take fewer processes, or threads") from error
                    self._started.append(worker)
            yield worker
        finally:
            self._free.put(worker)

    def _bury(self, worker: _Worker) -> int:
        """Return the exit code of a worker that does not answer any more."""
        with self._lock:
            self._check_open()
            worker.connection.close()
            worker.process.join(_END_SECONDS)
            worker.process.kill()
            worker.process.join()
        code = worker.process.exitcode or 0
        if not worker.ready and code > 0:
            raise ExecutorError(
                f"a worker process ended as it started (exit code {code}); a script must use processes "
                "under `if __name__ == '__main__':`, because they import it"
            )
        return code

    def _check_open(self) -> None:
        if self._closed:
            raise ExecutorError("the executor is closed; a later run needs a new one")


@dataclass(eq=False)
class _Worker:
    """A worker process as its parent sees it."""

    process: SpawnProcess
    connection: Connection
    ready: bool = False

    def call(self, packed: bytes) -> tuple[bytes, bytes]:
        if not self.ready:
            self.connection.recv_bytes()
            self.ready = True
        self.connection.send_bytes(packed)
        return self.connection.recv_bytes(), self.connection.recv_bytes()


def _start_worker() -> _Worker:
    import multiprocessing

    from montecarlo.executors._process_worker import work

    # Never fork: a process with threads may fork in the middle of a lock.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,), name="largedepth-worker", daemon=True)
    # numpy reads these when it is imported, before a worker runs any code of ours.
    # One at a time: the environment is the process's, and executors start workers from many threads.
    with _STARTING, _environment(_SINGLE_THREADED), interrupts_blocked():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _ending(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"
