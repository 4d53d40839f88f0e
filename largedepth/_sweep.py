"""``largedepth sweep``: many specifications into a results folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from largedepth._options import executor_options, quoted
from largedepth._progress import in_words, shown

if TYPE_CHECKING:
    from montecarlo.sweeps import Sweep, SweepResult

_UNDECIDED = 3


@click.command(
    epilog="Example: largedepth sweep sweep.toml --out results/sweep\n\n"
    "Exit codes: 0 complete, 2 bad input, 3 max_seconds passed or a precision was not reached, "
    "130 interrupted."
)
@click.argument("file", metavar="FILE.toml")
@click.option(
    "--out", metavar="DIR", required=True, help="Results folder, made if need be; it may hold other sweeps."
)
@click.option("--dry-run", is_flag=True, help="Say what there is to do, and how long it takes, roughly.")
@executor_options
def sweep(file: str, out: str, dry_run: bool, **executor: Any) -> int:
    """Sample networks of many specifications into a results folder.

    FILE.toml has seed, replicas and perhaps max_seconds at the top; [network]: what all specifications share,
    any option of `largedepth simulate`; [grid]: lists, whose product is taken; [[points]]: tables of fields
    that go together; [precision] (half_width, column, quantile, false_alarm): stop a specification where the
    interval of a quantile is short enough.

    The same command again draws only what is missing, whatever ended it before; more replicas extend. Two
    sweeps may write into one folder. `largedepth combine DIR --out table.parquet` makes one table of it.
    """
    from contextlib import closing

    from montecarlo.executors import executor_from
    from montecarlo.store import Store
    from montecarlo.sweeps import read_sweep

    asked = read_sweep(file)
    if dry_run:
        with closing(executor_from(**executor)) as workers:
            _say_plan(asked, out, workers.workers)
        return 0
    store = Store.open(out)
    with closing(executor_from(**executor)) as workers:
        try:
            result = _run(asked, store, workers)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"finished rows are in {out}, and the same command continues") from None
    _say_result(asked, result, out)
    return 0 if result.complete else _UNDECIDED


def _run(asked: Sweep, store: Any, executor: Any) -> SweepResult:
    from largedepth._sweep_progress import SweepProgress
    from montecarlo.sweeps import run_sweep

    with shown(SweepProgress(asked.networks)) as watch:
        return run_sweep(asked, store, executor, watch=watch)


def _say_plan(asked: Sweep, out: str, workers: int) -> None:
    from montecarlo.store import Store

    store = Store.peek(out)
    to_do = asked if store is None else asked.missing(store)
    at_most = "at most " if asked.precision is not None else ""
    held = asked.networks - to_do.networks
    click.echo(f"{len(asked.points):,} specifications, {at_most}{asked.networks:,} networks")
    if held:
        click.echo(f"{held:,} of them are in {out} already, {to_do.networks:,} are to be sampled")
    click.echo(f"time: {at_most}roughly {in_words(to_do.seconds / workers)} on {workers} workers")
    click.echo(f"size: {at_most}roughly {_size(to_do.bytes)}")
    if asked.max_seconds is not None:
        click.echo(f"it would stop after {in_words(asked.max_seconds)} (max_seconds)")


def _say_result(asked: Sweep, result: SweepResult, out: str) -> None:
    if result.nonfinite:
        click.echo(
            f"sweep: {result.nonfinite:,} of {result.sampled:,} sampled networks left the finite numbers "
            "(NaN rows)",
            err=True,
        )
    if result.missing:
        click.echo(
            f"sweep: max_seconds passed with {result.missing:,} networks to go; the same command continues",
            err=True,
        )
    if result.imprecise:
        click.echo(
            f"sweep: {result.imprecise} of {len(asked.points):,} specifications have all their networks and "
            "a longer interval than asked for; raise replicas",
            err=True,
        )
    click.echo(
        f"sweep: {out} has {result.reused + result.sampled:,} networks of it; "
        f"largedepth combine {quoted(out)} --out table.parquet makes a table",
        err=True,
    )


def _size(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
