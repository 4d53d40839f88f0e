"""`iter_rows`: blocks of a run's rows, from the store as far as it has them, else drawn on the executor."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import numpy as np

from montecarlo.common._errors import check_whole
from montecarlo.common.rows import REPLICA_LIMIT, Columns, complement
from montecarlo.executors import Executor, ThreadExecutor, check_threads
from montecarlo.runs._run import Block, Run, draw_block
from montecarlo.runs._running import Running, current_running

Progress = Callable[[int], None]

_BLOCK_SECONDS = 0.25
_LEAST_SECONDS = 0.02  # what a block costs beside its rows counts where it is shorter
_BLOCK_BYTES = 64 << 20
_READ_BYTES = 16 << 20
_KEEP_SECONDS = 10.0
_KEEP_SHARE = 0.1  # of the time, at most: rows of many numbers take long to write


def iter_rows(
    run: Run,
    *,
    replicas: int,
    first_replica: int = 0,
    threads: int | None = None,
    block_size: int | None = None,
) -> Generator[tuple[int, Columns], None, None]:
    """Yield rows of a run as they come, each block with the index of its first row, in any order.

    Arguments are checked and kernels compiled before the first block starts. Closing the iterator drops the
    blocks that are not finished.

    Parameters
    ----------
    run : Run
        The run.
    replicas, first_replica : int
        The rows ``first_replica ... first_replica + replicas - 1``.
    threads : int, optional
        Threads of this process; default: all the processors it may use. `running` comes before it.
    block_size : int, optional
        Rows a block; default: about a quarter of a second's worth.

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.
    """
    inside = current_running()
    executor = executor_in_use(threads)
    if block_size is None:
        block_size = suggest_block_size(run, replicas, executor.workers)
    else:
        block_size = check_whole("block_size", block_size, 1, REPLICA_LIMIT, 64)
    end = first_replica + replicas
    held, missing = [], [(first_replica, end)]
    if inside is not None and inside.store is not None:
        inside.add(run)
        missing = inside.missing(run, first_replica, end)
        held = complement(missing, first_replica, end)
    if missing:
        run.prepare()

    def rows() -> Generator[tuple[int, Columns], None, None]:
        found = max(block_size, _READ_BYTES // run.row_bytes)
        for start, stop in held:
            assert inside is not None
            for first, count in _blocks(start, stop, found):
                yield first, inside.read(run, first, first + count)
        blocks = (
            Block(run, first, count)
            for start, stop in missing
            for first, count in _blocks(start, stop, block_size)
        )
        drawing = draw_blocks(blocks, executor, inside)
        try:
            for block, columns in drawing:
                yield block.first, columns
        finally:
            drawing.close()

    return rows()


def executor_in_use(threads: int | None) -> Executor:
    """Return the executor of `running`, else so many threads of this process, all processors' for None."""
    inside = current_running()
    if inside is None or inside.executor is None:
        return ThreadExecutor(threads)
    if threads is not None:
        check_threads(threads)
    return inside.executor


def draw_blocks(
    blocks: Iterator[Block], executor: Executor, inside: Running | None
) -> Generator[tuple[Block, Columns], None, None]:
    """Yield blocks with their rows as they are drawn, and leave the rows in the store in use, if any.

    Their runs must be in its manifest. Closing the iterator drops the blocks that are not finished.
    """
    drawing = executor.run(draw_block, blocks)
    try:
        for block, drawn in drawing:
            if inside is not None:
                inside.keep(block.run, block.first, drawn.columns)
            yield block, drawn.columns
    finally:
        drawing.close()


def collect_rows(
    run: Run,
    *,
    replicas: int,
    first_replica: int = 0,
    threads: int | None = None,
    block_size: int | None = None,
    progress: Progress | None = None,
    keep: Callable[[Columns], None] | None = None,
) -> Columns:
    """Return rows of a run in their order, arrays of shape ``(replicas, *cell)``.

    Parameters
    ----------
    run, replicas, first_replica, threads, block_size
        As in `iter_rows`.
    progress : callable, optional
        Called with the number of networks of each block, in the calling thread.
    keep : callable, optional
        Given the rows that are finished, from the first one on, every ten seconds (seldomer where that takes
        long) and where anything ends the run early.

    Returns
    -------
    dict of str to array
        The columns.
    """
    blocks = iter_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, block_size=block_size
    )
    rows = {name: np.empty((replicas, *cell)) for name, cell in run.cells.items()}
    finished: dict[int, int] = {}  # blocks behind the leading ones: their ends by their starts
    leading = kept = 0
    next_time = time.monotonic() + _KEEP_SECONDS

    def keep_leading() -> None:
        if keep is not None and leading > kept:
            keep({name: column[:leading] for name, column in rows.items()})

    try:
        for first, columns in blocks:
            start, count = first - first_replica, len(next(iter(columns.values())))
            for name, column in columns.items():
                rows[name][start : start + count] = column
            finished[start] = start + count
            while leading in finished:
                leading = finished.pop(leading)
            if progress is not None:
                progress(run.networks * count)
            if (began := time.monotonic()) > next_time:
                keep_leading()
                kept, ended = leading, time.monotonic()
                next_time = ended + max(_KEEP_SECONDS, (ended - began) / _KEEP_SHARE)
    except BaseException:
        blocks.close()
        keep_leading()
        raise
    return rows


def _blocks(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield (first, count) of blocks that end at multiples of the size.

    So that engines with lanes have full ones whatever the first row.
    """
    while start < stop:
        end = min((start // size + 1) * size, stop)
        yield start, end - start
        start = end


def suggest_block_size(run: Run, replicas: int, workers: int) -> int:
    """Return the rows a block, in whole lanes of the run.

    About a quarter of a second's worth, at least four blocks a worker where there is enough to do, and at
    most 64 MiB of rows.
    """
    by_time = max(1, int(_BLOCK_SECONDS / run.seconds))
    by_balance = max(-(-replicas // (4 * workers)), int(_LEAST_SECONDS / run.seconds))
    by_memory = _BLOCK_BYTES // run.row_bytes
    return max(1, -(-min(by_time, by_balance, by_memory) // run.lanes)) * run.lanes
