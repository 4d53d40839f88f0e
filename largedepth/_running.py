"""Where a verb's networks are drawn, and the results folder that keeps them: options and what they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from largedepth._options import apply_options, executor_options

running_options = apply_options(
    executor_options,
    click.option(
        "--store",
        metavar="DIR",
        help="Results folder to read networks from instead of sampling them again, and to leave them in.",
    ),
)
"""For a verb whose networks are drawn inside `drawn_on`."""


@contextmanager
def drawn_on(
    *, threads: int | None, processes: int | None, dask: str | None, store: str | None
) -> Iterator[None]:
    """Draw all networks inside as `running_options` say."""
    if processes is None and dask is None and store is None:
        yield  # samplers take threads themselves
        return
    from montecarlo.executors import executor_from
    from montecarlo.runs import running

    folder = None
    if store is not None:
        from montecarlo.store import Store

        folder = Store.open(store)
    executor = executor_from(threads=threads, processes=processes, dask=dask)
    with closing(executor), running(executor=executor, store=folder):
        yield
