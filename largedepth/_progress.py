"""Progress on standard error: a bar on a terminal, one plain line at the end elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(total: int, *, what: str = "networks") -> Iterator[Callable[[int], None]]:
    """Yield a function to be told of finished networks, block by block.

    Parameters
    ----------
    total : int
        Networks to come.
    what : str
        Shown in front of the bar.
    """
    from tqdm import tqdm

    start = time.perf_counter()
    done = 0
    interactive = sys.stderr.isatty()
    bar = tqdm(total=total, desc=what, unit="net", unit_scale=True, leave=False, disable=not interactive)

    def tick(count: int) -> None:
        nonlocal done
        done += count
        bar.update(count)

    try:
        yield tick
    finally:
        bar.close()
        if done:
            seconds = time.perf_counter() - start
            click.echo(f"{what}: {done:,} of {total:,} networks in {seconds:.1f} s", err=True)
