"""Where a verb's networks are drawn, and the results folder that keeps them: options and what they do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

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


@contextmanager
def sampled_into(out: str | None, store: str | None) -> Iterator[None]:
    """Say in an interrupt what of the rows is kept: those of a results folder, or of the file `out`."""
    before = _written(out)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"finished rows are in {store}, and the same command continues"
            if store is not None
            else _kept_words(out, before)
        ) from None


def _written(out: str | None) -> tuple[int, int] | None:
    """Return what tells a file from the one that replaces it; None without a file."""
    if out is None or not Path(out).exists():
        return None
    status = Path(out).stat()
    return status.st_ino, status.st_mtime_ns


def _kept_words(out: str | None, before: tuple[int, int] | None) -> str:
    if out is None or not out.endswith(".parquet"):
        return "no rows are kept: CSV and standard output cannot be continued; give --out FILE.parquet"
    now = _written(out)
    if now is None:
        return f"no rows were finished, and {out} was not written"
    if now == before:
        return f"{out} is as it was before"
    from pyarrow.parquet import read_metadata

    rows = read_metadata(out).num_rows
    return f"{out} has {rows:,} finished rows, and the same command continues from them"


def show_sample(verb: str, sample: Any, out: str | None, *, in_file: int, how: str = "") -> None:
    """Write a sample that is in no file to standard output as CSV, or say what the file holds."""
    if out is None:
        sample.to_pandas().to_csv(sys.stdout, index=False, float_format="%.17g")
    else:
        click.echo(f"{verb}: {out} holds {max(in_file, len(sample)):,} rows{how}", err=True)
