"""``largedepth report``: the page on a folder's figures and verdicts, written anew."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: largedepth report results")
@click.argument("folder", metavar="DIR")
def report(folder: str) -> None:
    """Write DIR/report.html anew from the figures and verdicts in DIR.

    `largedepth reproduce` ends with it. Figures that `largedepth figures NAME --out DIR` draws later come in,
    and so do the verdicts of `largedepth verify --json DIR/verdicts.json`.
    """
    from largedepth.report import write_report

    click.echo(str(write_report(Path(folder))))
