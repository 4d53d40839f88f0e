"""`DaskExecutor`: workers of a Dask cluster, on this machine or on others."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import itertools
import logging
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from montecarlo._errors import InvalidFieldError
from montecarlo.executors._interface import Executor, ExecutorError, Item, Result
from montecarlo.executors._pickles import error_from_bytes, to_bytes
from montecarlo.streams import STREAM_FORMAT

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

IN_HAND = 2
"""Blocks a thread of a worker: the next one is there when one is done."""

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer."""

_LOOK_SECONDS = 1.0  # how often workers are counted


class DaskExecutor(Executor):
    """Workers of a Dask cluster (``pip install 'largedepth[cluster]'``).

    Workers may come and go. What a dead one had in hand runs again on another; after as many deaths as Dask's
    setting ``distributed.scheduler.allowed-failures`` (3) allows, the block is given up. Workers need nothing
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
        If the workers' package draws other rows; in `run`, if the scheduler is lost or workers keep dying.

    Examples
    --------
    >>> with DaskExecutor("local:2") as executor:
    ...     sorted(executor.run(abs, iter([-1, 2, -3])))
    [(-3, 3), (-1, 1), (2, 2)]
    """

    def __init__(self, dask: str | Client) -> None:
        self._closing = contextlib.ExitStack()
        self._counted = (0.0, 1)
        with contextlib.ExitStack() as closing:
            # Any: its methods are typed as returning awaitables, too, which only asynchronous clients do.
            self._client: Any = _connect(dask, closing)
            self._address = getattr(self._client.scheduler, "address", dask)
            self._check_versions()
            self._closing = closing.pop_all()
        # Before Dask's own clean-up at exit, which knows neither the order nor the folder.
        atexit.register(self.close)

    @property
    def workers(self) -> int:
        """Threads of the cluster's workers at this moment, at least 1."""
        when, count = self._counted
        now = time.monotonic()
        if now - when > _LOOK_SECONDS:
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
        pickled = to_bytes(function)
        run = uuid.uuid4().hex
        numbers = itertools.count()
        hand: dict[str, tuple[Item, Any]] = {}
        finished = as_completed(loop=self._client.loop)
        try:
            more = True
            while True:
                while more and len(hand) < IN_HAND * self.workers:
                    try:
                        item = next(items)
                    except StopIteration:
                        more = False
                        break
                    # A key of its own: Dask takes tasks of equal keys for one, of this or of another run.
                    key = f"largedepth-{run}-{next(numbers)}"
                    arguments = pickled, to_bytes(item), STREAM_FORMAT
                    with self._scheduler_there():
                        future = self._client.submit(task, *arguments, key=key, pure=False)
                        hand[key] = item, future
                        finished.add(future)
                if not hand:
                    return
                batch = finished.next_batch()
                for future in batch:
                    self._raise_failure(future, hand[future.key][0])
                with self._scheduler_there():
                    outcomes = self._client.gather(batch)
                for future, (kind, result) in zip(batch, outcomes, strict=True):
                    item, _ = hand.pop(future.key)
                    future.release()  # or the cluster would keep the result
                    if kind == "error":
                        raise error_from_bytes(result)
                    yield item, result
        finally:
            finished.clear()
            for _, future in hand.values():
                future.release()

    def close(self) -> None:
        """Disconnect, and stop the cluster that `dask="local:N"` started."""
        atexit.unregister(self.close)
        self._closing.close()

    @contextlib.contextmanager
    def _scheduler_there(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, AttributeError) as error:
            if self._client.status == "running" and not isinstance(error, OSError):
                raise
            raise self._lost() from error
        except BaseException as error:
            if type(error).__name__ == "FutureCancelledError":
                raise self._lost() from error
            raise

    def _lost(self) -> ExecutorError:
        return ExecutorError(
            f"the connection to Dask's scheduler at {self._address} was lost; look at its log, then run again"
        )

    def _raise_failure(self, future: Any, item: Any) -> None:
        if future.status == "cancelled":
            raise self._lost()
        if future.status != "error":
            return
        from distributed.scheduler import KilledWorker

        error: Any = future.exception()
        if isinstance(error, KilledWorker):
            raise ExecutorError(
                f"item {item!r} was in hand of {error.allowed_failures + 1} workers that died (the last is "
                f"{error.last_worker.address}); if memory ran out, take fewer threads a worker or smaller "
                "blocks, else see the workers' logs"
            ) from None
        fix = "see the logs of scheduler and workers"
        if isinstance(error, ImportError):
            fix = "install largedepth on every worker"
        # What the function raises comes as a result.
        raise ExecutorError(f"Dask could not run item {item!r} ({_line(error)}); {fix}") from error

    def _check_versions(self) -> None:
        from montecarlo.executors._dask_worker import other_streams, versions

        ours = versions()
        answers = self._client.run(versions, on_error="return")
        differing = set()
        for address, theirs in answers.items():
            if not isinstance(theirs, dict):
                raise ExecutorError(
                    f"Dask worker {address} cannot run largedepth ({theirs}): install it there, version "
                    f"{ours['largedepth']} as here"
                )
            if theirs["stream format"] != ours["stream format"]:
                raise ExecutorError(
                    f"Dask worker {address}: {other_streams(theirs['stream format'], ours['stream format'])}"
                )
            differing |= {
                f"{name} {theirs[name]} (here {version})"
                for name, version in ours.items()
                if theirs[name] != version
            }
        if differing:
            warnings.warn(
                f"Dask workers have {', '.join(sorted(differing))}: rows may differ in their last bits",
                stacklevel=3,
            )


def _connect(dask: str | Client, closing: contextlib.ExitStack) -> Client:
    """Return a client; what it takes to close it goes to `closing`."""
    if importlib.util.find_spec("distributed") is None:
        raise InvalidFieldError(
            "dask", dask, "needs the package distributed", "pip install 'largedepth[cluster]'"
        )
    from distributed import Client

    if isinstance(dask, Client):
        if dask.asynchronous:
            raise InvalidFieldError("dask", dask, "must be a synchronous client", "leave asynchronous out")
        return dask
    if not isinstance(dask, str) or not dask.strip():
        rule = "must be a scheduler's address, local:N or a client"
        raise InvalidFieldError("dask", dask, rule, "give dask='tcp://host:8786' or dask='local:4'")
    target: Any = dask
    if dask == "local" or dask.startswith("local:"):
        target = _local_cluster(dask, closing)
    else:
        target = dask if "://" in dask else f"tcp://{dask}"
        _check_address(target)
    try:
        client = Client(target, timeout=CONNECT_SECONDS, set_as_default=False)
    except OSError as error:
        raise _no_scheduler(dask, error) from error
    closing.callback(client.close)
    return client


def _make_task() -> Callable[..., Any]:
    def task(*arguments: Any) -> Any:
        from montecarlo.executors._dask_worker import run_block

        return run_block(*arguments)

    # A local function is pickled by value: the scheduler rebuilds it and may lack the package, which workers
    # need.
    return task


def _check_address(dask: str) -> None:
    # Before there is a client: one that fails on these would try for 20 s to close what it never opened.
    from distributed.comm.addressing import get_address_host_port
    from distributed.security import Security

    try:
        get_address_host_port(dask, strict=True)
    except ValueError as error:
        raise _no_scheduler(dask, error) from error
    if not dask.startswith(("tls:", "wss:")):
        return
    try:
        context = Security().get_connection_args("client")["ssl_context"]
    except (OSError, TypeError, ValueError) as error:
        raise _no_certificates(dask, error) from error
    if context is None:
        raise _no_certificates(dask, "there are none")


def _no_scheduler(dask: str, reason: object) -> InvalidFieldError:
    return InvalidFieldError(
        "dask", dask, f"must be the address of a scheduler that answers ({_line(reason)})",
        "start one by `dask scheduler`, or give dask='local:4'",
    )  # fmt: skip


def _no_certificates(dask: str, reason: object) -> InvalidFieldError:
    return InvalidFieldError(
        "dask", dask, f"needs certificates in Dask's configuration ({_line(reason)})",
        "set distributed.comm.tls.ca-file and distributed.comm.tls.client.cert",
    )  # fmt: skip


def _line(reason: object) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__


def _local_cluster(dask: str, closing: contextlib.ExitStack) -> LocalCluster:
    from distributed import LocalCluster

    from montecarlo.executors._interrupts import interrupts_blocked

    _, _, count = dask.partition(":")
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= 4096):
        rule = "must be local:N with N processes, at least 1 and at most 4,096"
        raise InvalidFieldError("dask", dask, rule, "give dask='local:4'")
    folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="largedepth-dask-"))
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
            local_directory=folder,
        )
    closing.callback(cluster.close)
    return cluster
