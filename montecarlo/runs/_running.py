"""`running`: where the rows of everything inside are drawn, and the results folder that keeps them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from montecarlo.common.rows import Columns
from montecarlo.executors import Executor
from montecarlo.runs._run import Run
from montecarlo.store import Piece, Store

_SHARD_SECONDS = 1.0
_SHARD_SHARE = 0.01  # of the time that the run has taken
_LONGEST_WAIT = 10.0
_SHARD_BYTES = 32 << 20


class Running:
    """An executor and a store in use; rows go to the store about once a second,
    every ten seconds in a long run.

    Several threads may draw rows in it at once, though a store is for one at a time.

    Parameters
    ----------
    executor : Executor, optional
        Where blocks run; threads of this process by default.
    store : Store, optional
        Rows that it holds are read instead of drawn, and those that are drawn are left in it.

    Attributes
    ----------
    networks_found : int
        Networks that were read from the store so far.
    """

    def __init__(self, executor: Executor | None = None, store: Store | None = None) -> None:
        self.executor = executor
        self.store = store
        self.networks_found = 0
        self._pieces: list[Piece] = []
        self._bytes = 0
        self._started = self._written = time.monotonic()
        self._over = False
        self._lock = threading.RLock()  # of all that is below, and of the store

    @contextmanager
    def lent(self, executor: Executor) -> Iterator[None]:
        """Draw all rows inside on an executor, where none was in use."""
        self.executor = executor
        try:
            yield
        finally:
            self.executor = None

    def add(self, run: Run) -> None:
        """Add a run to the manifest of the store, if there is one."""
        if self.store is not None:
            with self._lock:
                self.store.add_runs([run.record])

    def missing(self, run: Run, start: int, stop: int) -> list[tuple[int, int]]:
        """Return which of the rows ``start ... stop - 1`` of a run the store lacks, as sorted ranges."""
        if self.store is None:
            return [(start, stop)]
        with self._lock:
            if any(piece.key == run.key for piece in self._pieces):
                self.flush()
            return self.store.missing(run.key, start, stop)

    def read(self, run: Run, start: int, stop: int) -> Columns:
        """Return the rows ``start ... stop - 1`` of a run from the store, which has them, and count them."""
        assert self.store is not None
        with self._lock:
            self.networks_found += (stop - start) * run.networks
            return self.store.read(run.key, start, stop)

    def keep(self, run: Run, first: int, columns: Columns) -> None:
        """Leave rows in the store, if there is one, at once or soon."""
        if self.store is None:
            return
        # What waits to be written is not the caller's, who may change what he gets.
        columns = {name: column.copy() for name, column in columns.items()}
        with self._lock:
            self._pieces.append(Piece(run.key, first, columns))
            self._bytes += sum(column.nbytes for column in columns.values())
            # A run of hours must not leave a file a second.
            now = time.monotonic()
            wait = min(max(_SHARD_SECONDS, _SHARD_SHARE * (now - self._started)), _LONGEST_WAIT)
            if self._over or self._bytes > _SHARD_BYTES or now > self._written + wait:
                self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        if self.store is None or not self._pieces:
            return
        shards: dict[tuple[tuple[str, tuple[int, ...]], ...], list[Piece]] = {}
        for piece in self._pieces:  # a shard's pieces have the same columns
            schema = tuple((name, column.shape[1:]) for name, column in piece.columns.items())
            shards.setdefault(schema, []).append(piece)
        try:
            for pieces in shards.values():
                self.store.write(pieces)
        except Exception:
            self._forget()  # what cannot be written now will not be in a second
            raise
        self._forget()  # after an interrupt they are written again, under the same names

    def end(self) -> None:
        """Write the rows that wait; those that an iterator still yields are written at once."""
        self._over = True
        self.flush()

    def _forget(self) -> None:
        self._pieces, self._bytes = [], 0
        self._written = time.monotonic()


_CURRENT: ContextVar[Running | None] = ContextVar("running", default=None)


def current_running() -> Running | None:
    """Return the executor and the store in use, if `running` said any."""
    return _CURRENT.get()


@contextmanager
def running(*, executor: Executor | None = None, store: Store | None = None) -> Iterator[Running]:
    """Draw all rows inside on an executor, and keep them in a results folder.

    Every sampler follows: `simulate`, `simulate_shared`, `simulate_depths`, `simulate_inputs`,
    `simulate_jacobians`, and with them figures and verification. What they return is the same, bit for bit,
    as without.

    Parameters
    ----------
    executor : Executor, optional
        Where blocks run, such as `montecarlo.executors.DaskExecutor`; it stays open. The samplers' own
        ``threads`` do not count then. Default: threads of this process.
    store : Store, optional
        Rows that this `montecarlo.store.Store` holds are read instead of drawn, and the others are left in
        it, also if the run ends early.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import ResNet, simulate
    >>> from montecarlo.store import Store
    >>> net = ResNet(width=8, depth=4, beta=0.5)
    >>> with tempfile.TemporaryDirectory() as folder, running(store=Store.open(folder)):
    ...     drawn = simulate(net, replicas=100, seed=1)
    ...     found = simulate(net, replicas=100, seed=1)
    >>> bool((drawn["log_hidden_ratio"] == found["log_hidden_ratio"]).all())
    True
    """
    inside = Running(executor, store)
    token = _CURRENT.set(inside)
    try:
        yield inside
    finally:
        _CURRENT.reset(token)
        inside.end()
