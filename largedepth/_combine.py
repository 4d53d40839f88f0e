"""``largedepth combine``: results folders into one folder or table."""

from __future__ import annotations

import click


@click.command(epilog="Example: largedepth combine results/host-a results/host-b --out results/all.parquet")
@click.argument("folders", nargs=-1, metavar="DIR...")
@click.option(
    "--out",
    required=True,
    metavar="F",
    help="A .parquet or .csv file, or a results folder, new or not.",
)
@click.option("--overwrite", is_flag=True, help="Let --out replace a file.")
def combine(folders: tuple[str, ...], out: str, overwrite: bool) -> None:
    """Pool results folders, of several hosts say, into one table or folder.

    A table has a row a network, sorted by specification and replica, with the fields of the specifications,
    the seed and the engine as columns. A folder is as `largedepth sweep` leaves it, and can be continued.

    Rows that are in several folders count once; two that should be the same and differ are refused. Damaged
    files are named and left out. The folders are only read.
    """
    from montecarlo import InvalidFieldError, store

    if not folders:
        raise InvalidFieldError("DIR", None, "must be at least one results folder", "name one")
    done = store.combine(folders, out, overwrite=overwrite)
    repeats = f" ({done.repeats:,} repeats dropped)" if done.repeats else ""
    click.echo(f"combine: {out} holds {done.rows:,} rows of {done.runs:,} runs{repeats}", err=True)
