"""`sample_to_file`: simulate into a file, continuing what it already holds."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from montecarlo._engines import Request, find_engine
from montecarlo._sample import Sample, check_writable, read_sample
from montecarlo._simulate import Progress, gather, iter_blocks
from montecarlo._specification import ResNet


def sample_to_file(
    resnet: ResNet,
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    engine: str = "auto",
    threads: int | None = None,
    block_size: int | None = None,
    request: Request | None = None,
    progress: Progress | None = None,
) -> Sample:
    """Return a sample and leave it in a file; rows that a Parquet file already holds are not drawn again.

    Whatever ends the run early (Ctrl-C, a failing block), the finished rows from the first one on are
    written, and the same call continues after them. Since row i depends on (specification, seed, i) alone,
    the end result is the same, bit for bit.

    Parameters
    ----------
    resnet, replicas, seed, engine, threads, block_size, progress
        As in `montecarlo.simulate`; `progress` is told of the rows found in the file, too.
    path : path
        Ends in ``.parquet`` or ``.csv``; only Parquet can be continued. A file with anything else is
        replaced.
    request : Request, optional
        What to observe.

    Returns
    -------
    Sample

    Raises
    ------
    InvalidFieldError
        For a bad argument or an unwritable path, before anything is drawn.

    Examples
    --------
    >>> import tempfile
    >>> net = ResNet(width=8, depth=4, beta=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     small = sample_to_file(net, f"{folder}/s.parquet", replicas=10, seed=1)
    ...     large = sample_to_file(net, f"{folder}/s.parquet", replicas=30, seed=1)
    >>> len(small), len(large), bool((large["log_hidden_ratio"][:10] == small["log_hidden_ratio"]).all())
    (10, 30, True)
    """
    target = Path(path)
    check_writable(target)
    request = request or Request()
    chosen = find_engine(engine, resnet, request).name
    found = _usable_rows(target, resnet, seed, chosen, request)
    if found is not None and len(found) >= replicas:
        if progress is not None:
            progress(replicas)
        if len(found) > replicas:
            found.head(replicas).write(target)
        return found.head(replicas)
    start = 0 if found is None else len(found)
    if found is not None and progress is not None:
        progress(start)
    blocks: list[Sample] = [] if found is None else [found]
    iterator = iter_blocks(
        resnet, replicas=replicas - start, seed=seed, first_replica=start, engine=engine, threads=threads,
        block_size=block_size, request=request,
    )  # fmt: skip
    try:
        for block in iterator:
            blocks.append(block)
            if progress is not None:
                progress(len(block))
    finally:
        iterator.close()
        kept = _leading(blocks)
        if kept is not None and len(kept) > start:
            kept.write(target)
    return gather(blocks)


def _usable_rows(path: Path, resnet: ResNet, seed: int, engine: str, request: Request) -> Sample | None:
    if path.suffix != ".parquet" or not path.exists():
        return None
    with contextlib.suppress(ValueError, OSError):
        found = read_sample(path, resnet)
        asked = request.columns(resnet)
        same = (found.seed, found.engine, found.first_replica) == (seed, engine, 0)
        if same and tuple(found.columns) == asked:
            return found
    return None


def _leading(blocks: list[Sample]) -> Sample | None:
    """Join the blocks that follow one another from replica 0 on."""
    leading: list[Sample] = []
    expected = 0
    for block in sorted(blocks, key=lambda block: block.first_replica):
        if block.first_replica != expected:
            break
        leading.append(block)
        expected += len(block)
    return gather(leading) if leading else None
