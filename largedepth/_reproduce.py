"""``largedepth reproduce``: the main job, every figure with its numbers beside theory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from largedepth._figures import draw_all, figure_options


@click.command(epilog="Example: largedepth reproduce --paper --out results")
@figure_options
@click.option("--out", default="results", show_default=True, metavar="DIR", help="Folder, made if need be.")
def reproduce(setting: str, seed: int, threads: int | None, out: str) -> None:
    """Draw every figure and write DIR/summary.md: each number beside what theory predicts."""
    drawn = draw_all((), out=out, setting=setting, seed=seed, threads=threads)
    from montecarlo.files import replaced_file

    path = Path(out) / "summary.md"
    with replaced_file(path) as temporary:
        temporary.write_text(_summary(drawn, setting), encoding="utf-8")
    checks = [check for figure in drawn for check in figure.checks]
    agreeing = sum(check.agrees for check in checks)
    click.echo(f"reproduce: {agreeing} of {len(checks)} numbers inside their intervals; see {path}", err=True)
    click.echo(str(path))


def _summary(drawn: list[Any], setting: str) -> str:
    lines = ["# Figures of “Scaling ResNets in the Large-depth Regime”", ""]
    for figure in drawn:
        definition = figure.definition
        lines += [
            f"## Figure {definition.name}. {definition.title}",
            "",
            f"![{definition.title}]({figure.paths[1].name})",
            "",
            definition.caption,
            "",
            f"{figure.networks:,} networks, seed {figure.seed}. Draw it again: "
            f"`largedepth figures {definition.name} --{setting} --seed {figure.seed}`",
            "",
            "| quantity | theory | networks | |",
            "| --- | --- | --- | --- |",
        ]
        for check in figure.checks:
            verdict = "agrees" if check.agrees else "outside the interval"
            lines.append(f"| {check.quantity} | {check.predicted:.4f} | {check.estimate} | {verdict} |")
        lines.append("")
    return "\n".join(lines)
