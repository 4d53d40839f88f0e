"""`ProcessExecutor`: worker processes of this machine.

Not a `concurrent.futures.ProcessPoolExecutor`. One worker that dies breaks that pool: all the others are
stopped, what they had in hand is lost, and nothing says whose item it was. Its workers print tracebacks after
Ctrl-C, and outlive a parent that is killed, because each of them holds both ends of the queue that it waits
for. Here every worker has a pipe of its own: its death closes the pipe, so does the parent's, and the parent
needs no thread and no lock that a signal could interrupt.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from montecarlo._errors import check_whole
from montecarlo.executors._interface import Executor, ExecutorError, Item, Result
from montecarlo.executors._interrupts import interrupts_blocked
from montecarlo.executors._pickles import error_from_bytes, to_bytes
from montecarlo.executors._threads import available_threads

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

IN_HAND = 2
"""Items a worker: the next one is there when one is done."""

DEATHS = 3
"""Workers that an item may end before it is given up."""

_SINGLE_THREADED = {
    f"{library}_NUM_THREADS": "1" for library in ("BLIS", "MKL", "NUMEXPR", "OMP", "OPENBLAS")
} | {"VECLIB_MAXIMUM_THREADS": "1"}
_GRACE_SECONDS = 2.0  # a worker whose pipe is closed and that has not ended by then is killed

_environment_lock = threading.Lock()


class ProcessExecutor(Executor):
    """Worker processes of this machine, started when there is work for them and kept until `close`.

    Every worker has one thread, and libraries for linear algebra are told so. Workers end with the parent,
    however that ends. Runs may be interleaved, all of them in one thread.

    Parameters
    ----------
    processes : int, optional
        How many; default: all the processors that this process may use.

    Raises
    ------
    InvalidFieldError
        For a number that is not whole or not positive; in `run`, for a function that cannot be pickled.
    ExecutorError
        In `run`, for an item that ended its worker three times, and for workers that cannot start.

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
        self._workers: list[_Worker] = []
        self._runs: dict[int, _Run] = {}
        self._numbers = itertools.count()
        self._failed_starts = 0

    @property
    def workers(self) -> int:
        """The number of processes."""
        return self._processes

    def run(
        self, function: Callable[[Item], Result], items: Iterator[Item]
    ) -> Generator[tuple[Item, Result], None, None]:
        """Yield each item with its result as they finish, in any order."""
        run = _Run(next(self._numbers), to_bytes(function))
        self._runs[run.number] = run
        try:
            more = True
            while True:
                while more and len(run.waiting) < IN_HAND * self._processes:
                    try:
                        item = next(items)
                    except StopIteration:
                        more = False
                        break
                    number = next(self._numbers)
                    run.waiting[number] = item, to_bytes(item)
                    with self._whole_messages():
                        self._give(run, number)
                if not more:
                    with self._whole_messages():
                        self._share_out()
                if not run.waiting and not run.outcomes:
                    return
                while not run.outcomes:
                    with self._whole_messages():
                        self._receive()
                item, result, error = run.outcomes.popleft()
                if error is not None:
                    raise error
                yield item, result
        finally:
            del self._runs[run.number]
            with self._whole_messages():
                for worker in self._workers:
                    worker.end(run)

    def close(self) -> None:
        """Stop the workers; a later run starts new ones."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.connection.close()  # which is what ends it
        for worker in workers:
            worker.kill(_GRACE_SECONDS)
        self._give_up_all("the executor was closed during its run")

    @contextlib.contextmanager
    def _whole_messages(self) -> Iterator[None]:
        """Give the workers up if an interrupt comes in the middle of a message."""
        try:
            yield
        except BaseException:
            for worker in self._workers:
                worker.kill()
            self._workers = []
            self._give_up_all("the executor was interrupted during its run")
            raise

    def _give_up_all(self, reason: str) -> None:
        for run in self._runs.values():
            for number in list(run.waiting):
                run.give_up(number, reason)

    def _give(self, run: _Run, number: int) -> None:
        """Give an item to the worker that has least in hand."""
        idle = [worker for worker in self._workers if not worker.hand]
        if idle:
            worker = idle[0]
        elif len(self._workers) < self._processes:
            worker = _start_worker()
            self._workers.append(worker)
        else:
            worker = min(self._workers, key=lambda candidate: len(candidate.hand))
        # A worker that is dead takes it with the rest: `_receive` will see and give it to another one.
        worker.take(run, number)

    def _share_out(self) -> None:
        """Let idle workers take over what others have not begun: the last items of a run."""
        for worker in self._workers:
            if worker.hand:
                continue
            richest = max(self._workers, key=lambda candidate: len(candidate.hand))
            if len(richest.hand) < 2:
                return
            number = richest.hand[-1]
            run = self._run_of(number)
            # Both compute it if it has begun by now; the later answer is of no one's interest.
            richest.drop(number)
            if run is not None:
                worker.take(run, number)

    def _run_of(self, number: int) -> _Run | None:
        return next((run for run in self._runs.values() if number in run.waiting), None)

    def _receive(self) -> None:
        """Wait for workers, and sort what they send into the runs."""
        from multiprocessing.connection import wait

        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection)):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                number, kind = pickle.loads(worker.connection.recv_bytes())
                answer = worker.connection.recv_bytes()
            except (EOFError, OSError):
                self._bury(worker)
                continue
            if not worker.ready:
                worker.ready = True
                self._failed_starts = 0
                continue
            if number in worker.hand:
                worker.hand.remove(number)
            run = self._run_of(number)
            if run is not None and kind != "skipped":
                run.finish(number, kind, answer)

    def _bury(self, worker: _Worker) -> None:
        """Give what a dead worker had in hand to others."""
        self._workers.remove(worker)
        code = worker.kill(_GRACE_SECONDS)
        hopeless = False
        if not worker.ready:
            self._failed_starts += 1
            hopeless = self._failed_starts >= DEATHS or (code or 0) > 0
        for place, number in enumerate(worker.hand):
            run = self._run_of(number)
            if run is None:
                continue
            if place == 0 and worker.ready:  # those behind the first one had not begun
                run.deaths[number] = run.deaths.get(number, 0) + 1
            if hopeless:
                run.give_up(
                    number,
                    f"a worker process ended as it started ({_ending(code)}); a script must use processes "
                    "under `if __name__ == '__main__':`, because they import it",
                )
            elif run.deaths.get(number, 0) >= DEATHS:
                run.give_up(
                    number,
                    f"item {run.waiting[number][0]!r} ended its worker process {DEATHS} times "
                    f"({_ending(code)}); if memory ran out, take fewer processes or smaller blocks",
                )
            else:
                self._give(run, number)


@dataclass(eq=False)
class _Run:
    """One call of `run`: the items in hand, by number, and what has become of others."""

    number: int
    function: bytes
    waiting: dict[int, tuple[Any, bytes]] = field(default_factory=dict)  # the item and its pickle
    deaths: dict[int, int] = field(default_factory=dict)
    outcomes: deque[tuple[Any, Any, BaseException | None]] = field(default_factory=deque)

    def finish(self, number: int, kind: str, answer: bytes) -> None:
        item, _ = self.waiting.pop(number)
        if kind == "error":
            self.outcomes.append((item, None, error_from_bytes(answer)))
            return
        try:
            self.outcomes.append((item, pickle.loads(answer), None))
        except Exception as error:
            self.outcomes.append((item, None, error))

    def give_up(self, number: int, reason: str) -> None:
        item, _ = self.waiting.pop(number)
        self.outcomes.append((item, None, ExecutorError(reason)))


@dataclass(eq=False)
class _Worker:
    """A worker process as its parent sees it."""

    process: SpawnProcess
    connection: Connection
    ready: bool = False
    hand: list[int] = field(default_factory=list)  # numbers of its items, the first of which is running
    runs: set[int] = field(default_factory=set)  # those whose function it has

    def take(self, run: _Run, number: int) -> None:
        if run.number not in self.runs:
            self._send("run", run.number, run.function)
            self.runs.add(run.number)
        self.hand.append(number)
        self._send("item", run.number, number, run.waiting[number][1])

    def drop(self, number: int) -> None:
        self.hand.remove(number)
        self._send("drop", number)

    def end(self, run: _Run) -> None:
        """Let it forget a run and skip its items."""
        if run.number in self.runs:
            self.runs.discard(run.number)
            self._send("end", run.number)

    def kill(self, grace: float = 0.0) -> int | None:
        """End it, after some seconds if it does not end by itself; return its exit code."""
        self.connection.close()
        self.process.join(grace)
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        self.process.close()
        return code

    def _send(self, *message: Any) -> None:
        # One that is dead has closed its end: whoever receives next will see.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickle.dumps(message))


def _start_worker() -> _Worker:
    import multiprocessing

    from montecarlo.executors._process_worker import work

    # Never fork: a process with threads may fork in the middle of a lock.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,), name="largedepth-worker", daemon=True)
    # numpy reads these when it is imported, before a worker runs any code of ours.
    with _environment(_SINGLE_THREADED), interrupts_blocked():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    with _environment_lock:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _ending(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
