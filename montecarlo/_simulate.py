"""`simulate`: blocks of replicas on a thread pool, gathered in the order of the replicas."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Generator, Iterator
from queue import Empty, SimpleQueue
from typing import Literal, TypeVar

import numpy as np

from montecarlo._engines import Columns, Engine, Request, find_engine
from montecarlo._errors import InvalidFieldError, check_seed, check_whole, unknown_name
from montecarlo._sample import Sample
from montecarlo._specification import ResNet

Progress = Callable[[int], None]
_Block = TypeVar("_Block")
Gradients = Literal["joint", "none", "dual"]

_BLOCK_SECONDS = 0.25
_POLL_SECONDS = 0.05  # how soon idle workers see that the run is over
_REPLICA_LIMIT = 2**63 - 1  # replica indices are int64 in tables


def simulate(
    resnet: ResNet,
    *,
    replicas: int,
    seed: int,
    first_replica: int = 0,
    engine: str = "auto",
    threads: int | None = None,
    block_size: int | None = None,
    gradients: Gradients = "joint",
    trajectories: bool = False,
    weight_gradients: bool = False,
    progress: Progress | None = None,
) -> Sample:
    """Sample random networks, one row each.

    Row i is a function of (specification, seed, i) alone: not of threads, block size, or the number of
    replicas.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replicas : int
        Number of networks.
    seed : int
        Any whole number from 0 to 2**128 - 1. The same seed gives the same rows for the same stream format.
    first_replica : int, default 0
        Index of the first network.
    engine : str, default "auto"
        The engine; auto takes the fastest one that samples exactly this law.
    threads : int, optional
        Threads of this process; default: all the processors it may use.
    block_size : int, optional
        Networks a task; default: about a quarter of a second's worth.
    gradients : {"joint", "none", "dual"}, default "joint"
        Joint: the gradient ratios of the very network of each row. None: no backward pass. Dual: gradient
        ratios of other networks of the same law, in columns named ``..._dual`` (I4; radial engine only):
        right one by one, independent of the hidden ratios beside them.
    trajectories, weight_gradients : bool, default False
        Whether to return log-norms along depth, and those of the weight gradients (needs joint
        gradients).
    progress : callable, optional
        Called with the number of networks of each finished block, in the calling thread.

    Returns
    -------
    Sample

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Examples
    --------
    >>> net = ResNet(width=40, depth=100, beta=0.5, weights="uniform")
    >>> sample = simulate(net, replicas=400, seed=7)
    >>> second_moment = np.exp(2 * sample["log_hidden_ratio"]).mean()  # I2: (1 + 1/200)**100 = 1.647
    >>> bool(abs(second_moment - 1.647) < 0.2)
    True
    """
    request = make_request(gradients, trajectories=trajectories, weight_gradients=weight_gradients)
    blocks = iter_blocks(
        resnet, replicas=replicas, seed=seed, first_replica=first_replica, engine=engine, threads=threads,
        block_size=block_size, request=request,
    )  # fmt: skip
    parts = []
    for block in blocks:
        parts.append(block)
        if progress is not None:
            progress(len(block))
    return gather(parts)


def make_request(
    gradients: str = "joint", *, trajectories: bool = False, weight_gradients: bool = False
) -> Request:
    """Return the `Request` of `simulate`'s arguments.

    Raises
    ------
    InvalidFieldError
        If `gradients` is none of the three words, or not joint where weight gradients are asked for.
    """
    if gradients not in ("joint", "none", "dual"):
        raise unknown_name("gradients", gradients, ("joint", "none", "dual"))
    if weight_gradients and gradients != "joint":
        raise InvalidFieldError(
            "gradients", gradients, "must be joint for weight gradients", "drop one of the two"
        )
    return Request(gradients == "joint", gradients == "dual", trajectories, weight_gradients)


def gather(blocks: list[Sample]) -> Sample:
    """Join blocks of consecutive replicas, given in any order."""
    ordered = sorted(blocks, key=lambda block: block.first_replica)
    first = ordered[0]
    columns = {name: np.concatenate([block[name] for block in ordered]) for name in first.columns}
    return Sample(first.resnet, first.seed, first.engine, first.first_replica, columns)


def iter_blocks(
    resnet: ResNet,
    *,
    replicas: int,
    seed: int,
    first_replica: int = 0,
    engine: str = "auto",
    threads: int | None = None,
    block_size: int | None = None,
    request: Request | None = None,
) -> Generator[Sample, None, None]:
    """Yield samples of consecutive replicas as they finish, in any order; `gather` joins them.

    Arguments as in `simulate`, all of them checked before the first block starts. Closing the iterator drops
    the blocks that are not finished.
    """
    request = request or Request()
    chosen, replicas, seed, first_replica, workers, block_size = check_run(
        resnet, replicas=replicas, seed=seed, first_replica=first_replica, engine=engine, threads=threads,
        block_size=block_size, request=request,
    )  # fmt: skip
    chosen.prepare(resnet)
    key = resnet.stream_key(seed)
    end = first_replica + replicas
    # Blocks end at multiples of their size, so that engines with lanes have full ones whatever the first
    # replica.
    starts = itertools.chain(
        [first_replica], range((first_replica // block_size + 1) * block_size, end, block_size)
    )

    def run(start: int) -> Sample:
        stop = min((start // block_size + 1) * block_size, end)
        columns: Columns = chosen.sample(resnet, request, key, start, stop - start)
        return Sample(resnet, seed, chosen.name, start, columns)

    return run_on_threads(run, starts, workers)


def check_run(
    resnet: ResNet,
    *,
    replicas: int,
    seed: int,
    first_replica: int,
    engine: str,
    threads: int | None,
    block_size: int | None,
    request: Request,
) -> tuple[Engine, int, int, int, int, int]:
    """Return (engine, replicas, seed, first replica, threads, block size), checked and complete."""
    replicas = check_whole("replicas", replicas, 1, _REPLICA_LIMIT, 1000)
    seed = check_seed(seed)
    first_replica = check_whole("first_replica", first_replica, 0, _REPLICA_LIMIT - replicas, 0)
    chosen = find_engine(engine, resnet, request)
    workers = check_threads(threads)
    if block_size is None:
        block_size = suggest_block_size(chosen, resnet, request, replicas, workers)
    else:
        block_size = check_whole("block_size", block_size, 1, _REPLICA_LIMIT, 64)
    return chosen, replicas, seed, first_replica, workers, block_size


def check_threads(threads: int | None) -> int:
    """Return the number of threads, all processors' where None is given; raise `InvalidFieldError` if bad."""
    return available_threads() if threads is None else check_whole("threads", threads, 1, 4096, 2)


def run_on_threads(
    run: Callable[[int], _Block], starts: Iterator[int], workers: int
) -> Generator[_Block, None, None]:
    """Yield the blocks that start at the given replicas as they finish, in any order."""
    # Not a pool of concurrent.futures: Ctrl-C inside its locks leaves them in disorder for the workers.
    # These queues are single operations that no signal can split.
    tasks: SimpleQueue[int] = SimpleQueue()
    outcomes: SimpleQueue[tuple[_Block | None, BaseException | None]] = SimpleQueue()
    over = [False]

    def work() -> None:
        while not over[0] and threading.main_thread().is_alive():
            try:
                start = tasks.get(timeout=_POLL_SECONDS)
            except Empty:
                continue
            if over[0]:
                return
            try:
                outcomes.put((run(start), None))
            except BaseException as error:  # the caller's business
                outcomes.put((None, error))

    for number in range(workers):
        threading.Thread(target=work, name=f"largedepth-{number}").start()
    waiting = 0
    try:
        while True:
            # A short queue: 10^7 replicas must not become 10^5 tasks.
            while waiting < 2 * workers and (start := next(starts, None)) is not None:
                tasks.put(start)
                waiting += 1
            if not waiting:
                return
            block, error = outcomes.get()
            waiting -= 1
            if error is not None:
                raise error
            yield block  # type: ignore[misc]
    finally:
        # Not waiting for the blocks in hand keeps Ctrl-C prompt; what they compute is dropped.
        over[0] = True


def suggest_block_size(engine: Engine, resnet: ResNet, request: Request, replicas: int, workers: int) -> int:
    """Return the networks a block, in whole lanes of the engine.

    About a quarter of a second's worth, at least four blocks a worker, and at most 64 MiB of rows.
    """
    by_time = max(1, int(_BLOCK_SECONDS / engine.seconds(resnet, request)))
    by_balance = -(-replicas // (4 * workers))
    paths = 2 * request.trajectories + 2 * request.weight_gradients
    by_memory = (64 << 20) // (8 * (4 + paths * (resnet.depth + 1)))
    lanes = engine.lanes
    return max(1, -(-min(by_time, by_balance, by_memory) // lanes)) * lanes


def available_threads() -> int:
    """Return the number of processors this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
