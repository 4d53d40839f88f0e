"""`DaskExecutor`: workers of a Dask cluster, on this machine or on others."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import logging
import time
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from montecarlo.common._errors import InvalidFieldError
from montecarlo.executors._calls import pack
from montecarlo.executors._interface import Executor, ExecutorError, Item, Result
from montecarlo.executors._interrupts import interrupts_blocked

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

IN_HAND = 2
"""Items a thread of a worker: the next one is there when one is done."""

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer."""

_LOOK_SECONDS = 1.0  # how often workers are counted


class DaskExecutor(Executor):
    """Workers of a Dask cluster (``pip install 'largedepth[cluster]'``).

    Workers may come and go. What a dead one had in hand runs again on another; after as many deaths as Dask's
    setting ``distributed.scheduler.allowed-failures`` (3) allows, the item is given up. Workers need nothing
    but this package; one whose random streams have another format is refused.

    Parameters
    ----------
    dask : str or distributed.Client
        Address of a scheduler (``"tcp://host:8786"``; with ``"tls://host:8786"`` the certificates of Dask's
        configuration), or ``"local:N"`` for N processes of this machine with a thread each, or a client,
        which stays open.

    Raises
    ------
    InvalidFieldError
        If Dask is not installed, no scheduler answers, or the value is none of the above.
    ExecutorError
        In `run`, if workers draw other rows or keep dying, or the scheduler is lost.

    Notes
    -----
    A script that uses ``"local:N"`` must do so under ``if __name__ == "__main__":``, because the workers
    import it.

    Examples
    --------
    >>> with DaskExecutor("local:2") as executor:
    ...     sorted(executor.run(abs, iter([-1, 2, -3])))
    [(-3, 3), (-1, 1), (2, 2)]
    """

    def __init__(self, dask: str | Client) -> None:
        if importlib.util.find_spec("distributed") is None:
            fix = "pip install 'largedepth[cluster]'"
            raise InvalidFieldError("dask", dask, "needs the package distributed", fix)
        with contextlib.ExitStack() as closing:
            # Any: its methods are typed as returning awaitables, too, which only asynchronous clients do.
            self._client: Any = _connect(dask, closing)
            self._closing = closing.pop_all()
        self._counted = (-_LOOK_SECONDS, 1)

    @property
    def workers(self) -> int:
        """Threads of the cluster's workers, about at this moment; at least 1."""
        when, count = self._counted
        now = time.monotonic()
        if now - when >= _LOOK_SECONDS:
            # A scheduler that does not answer shows when results are waited for.
            with contextlib.suppress(OSError, ValueError, AttributeError):
                count = max(1, sum(self._client.nthreads().values()))
            self._counted = (now, count)
        return count

    @property
    def dashboard(self) -> str | None:
        """Where a browser finds the scheduler's dashboard; None without one (it needs bokeh)."""
        return self._client.dashboard_link or None

    def run(
        self, function: Callable[[Item], Result], items: Iterator[Item]
    ) -> Generator[tuple[Item, Result], None, None]:
        """Yield each item with its result as they finish, in any order."""
        from distributed import as_completed

        task = _make_task()
        hand: dict[Any, Item] = {}
        finished = as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        try:
            while True:
                for item in islice(items, max(0, IN_HAND * self.workers - len(hand))):
                    if self._client.status not in ("running", "connecting"):
                        raise self._lost()
                    future = self._client.submit(task, pack(function, item), pure=False)
                    hand[future] = item
                    finished.add(future)
                if not hand:
                    return
                future, result = next(finished)
                item = hand.pop(future)
                if future.status != "finished":
                    raise self._failure(item, future.status, result)
                future.release()  # or the cluster would keep the result
                yield item, result
        finally:
            finished.clear()
            for future in hand:
                future.release()

    def close(self) -> None:
        """Disconnect, and stop the cluster that ``dask="local:N"`` started."""
        self._closing.close()

    def _lost(self) -> ExecutorError:
        return ExecutorError("the connection to Dask's scheduler was lost; look at its log, then run again")

    def _failure(self, item: Any, status: str, result: Any) -> BaseException:
        from distributed.scheduler import KilledWorker

        if status != "error":
            return self._lost()
        _, error, trace = result
        if isinstance(error, KilledWorker):
            return ExecutorError(
                f"item {item!r} was in hand of {error.allowed_failures + 1} workers that died (the last is "
                f"{error.last_worker.address}); if memory ran out, take fewer threads a worker or smaller "
                "blocks, else see the workers' logs"
            )
        if isinstance(error, ModuleNotFoundError) and error.name == "montecarlo":
            return ExecutorError("a Dask worker lacks this package: install largedepth on every worker")
        return error.with_traceback(trace)


def _make_task() -> Callable[[bytes], Any]:
    def largedepth(packed: bytes) -> Any:
        from montecarlo.executors._calls import call

        return call(packed)

    # A local function is pickled by value, and its argument is bytes: the scheduler rebuilds both, and may
    # lack the package, which workers need.
    return largedepth


def _connect(dask: str | Client, closing: contextlib.ExitStack) -> Client:
    """Return a client; what it takes to close it goes to `closing`."""
    from distributed import Client

    if isinstance(dask, Client):
        return dask
    if not isinstance(dask, str) or not dask.strip():
        rule = "must be a scheduler's address, local:N or a client"
        raise InvalidFieldError("dask", dask, rule, "give dask='tcp://host:8786' or dask='local:4'")
    target = _local_cluster(dask, closing) if dask.partition(":")[0] == "local" else dask
    try:
        client = Client(target, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TypeError, ValueError) as error:  # TypeError: no certificates
        reason = " ".join(str(error).split())
    else:
        closing.callback(client.close)
        return client
    # Now, when the error does not hold it any more: at exit the client would try for 20 s to close what it
    # never opened, and complain.
    gc.collect()
    raise InvalidFieldError(
        "dask", dask, f"must be the address of a scheduler that answers ({reason})",
        "start one by `dask scheduler`, or give dask='local:4'",
    )  # fmt: skip


def _local_cluster(dask: str, closing: contextlib.ExitStack) -> LocalCluster:
    from distributed import LocalCluster

    _, _, count = dask.partition(":")
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= 4096):
        rule = "must be local:N with N processes, at least 1 and at most 4,096"
        raise InvalidFieldError("dask", dask, rule, "give dask='local:4'")
    # Its workers are started, and started again, by a thread that begins here.
    with interrupts_blocked():
        cluster = LocalCluster(
            n_workers=int(count),
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            scheduler_port=0,
            dashboard_address="127.0.0.1:0",  # any free port: the usual 8787 may be that of another run
            silence_logs=logging.CRITICAL,
        )
    closing.callback(cluster.close)
    return cluster
