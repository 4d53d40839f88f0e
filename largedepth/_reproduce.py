"""``largedepth reproduce``: the main job, every figure and theorem beside simulation, and a report of it."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from largedepth._drawing import DrawingDesk
from largedepth._figures import figure_options, figures_prepared, sample_all
from largedepth._running import drawn_on
from largedepth._verify import CODES, run_verify

if TYPE_CHECKING:
    from montecarlo.verification import Verification

_SIGNS = {"equals": "", "at most": "≤ ", "at least": "≥ "}


_BUDGET_SECONDS = 240.0
"""For the theorems, which take about a minute on two cores."""


@click.command(epilog="Example: largedepth reproduce --paper --out results")
@figure_options
@click.option("--out", default="results", show_default=True, metavar="DIR", help="Folder, made if need be.")
@click.option(
    "--trained", is_flag=True, help="Figures 8 and 9 too: minutes more, and the extra `training` is needed."
)
def reproduce(setting: str, seed: int, threads: int | None, out: str, trained: bool, **place: Any) -> int:
    """Draw every figure, test every theorem, and write DIR/report.html on both.

    The report is one file that needs no other: verdicts with their statements, figures with what to see, and
    each number beside what theory predicts; DIR/summary.md has the numbers as text, DIR/verdicts.json the
    verdicts. Stopped and run again, it goes on from the samples that it has; `largedepth report DIR` writes
    the report anew. The exit code is 1 if a theorem was refuted, 3 if one is undecided.
    """
    from montecarlo.runs import kernel_modules

    began = time.time()
    names = _with_trained() if trained else ()
    prepared = figures_prepared(names, setting, threads, kernel_modules())
    with drawn_on(threads=threads, **place), DrawingDesk(threads) as desk:
        with prepared:
            sample_all(names, desk, out=out, setting=setting, seed=seed, threads=threads)
            verification, interrupted = run_verify(
                None, quick=False, seed=seed, threads=threads, budget=_BUDGET_SECONDS
            )
        drawn = desk.drawn()
    from largedepth._targets import write_text
    from largedepth._verdict_files import verdicts_json
    from largedepth._verdict_table import counts
    from largedepth.report import Run, machine_facts, write_report, write_run

    folder = Path(out)
    write_text(str(folder / "summary.md"), _summary(drawn, setting) + _verdicts(verification))
    write_text(str(folder / "verdicts.json"), verdicts_json(verification))
    run = Run(
        command=f"largedepth reproduce --{setting} --seed {seed}" + " --trained" * trained,
        started=datetime.datetime.fromtimestamp(began, datetime.UTC).isoformat(timespec="seconds"),
        seed=seed,
        seconds=time.time() - began,
        verification_seconds=verification.seconds,
        false_alarm=verification.false_alarm,
        interrupted=interrupted,
        machine=machine_facts(),
    )
    write_run(folder, run)
    path = write_report(folder)
    checks = [check for figure in drawn for check in figure.checks]
    for kind, simulated in (("simulated numbers", True), ("computed numbers", False)):
        verdicts = [check.verdict for check in checks if check.simulated is simulated]
        found = ", ".join(f"{verdicts.count(word)} {word}" for word in ("agrees", "undecided", "outside"))
        click.echo(f"reproduce: {len(verdicts)} {kind} held against theory: {found}", err=True)
    click.echo(f"reproduce: each with the error it would have noticed in {folder / 'summary.md'}", err=True)
    click.echo(f"reproduce: {counts(verification)}", err=True)
    click.echo(str(path))
    if interrupted:
        raise KeyboardInterrupt(f"{path} has the verdicts so far, undecided stands for the rest")
    return CODES[verification.verdict]


def _with_trained() -> tuple[str, ...]:
    import figures
    from montecarlo.training import need_training

    need_training()  # before minutes of other figures
    return (*figures.FIGURES, *figures.TRAINED)


def _source(figure: Any, setting: str) -> str:
    if not figure.networks:
        return "Computed, not simulated."
    quick, paper = (figure.definition.points(name) for name in ("quick", "paper"))
    if quick == paper:
        size = "quick and paper setting are the same"
    else:
        other = {"quick": "paper", "paper": "quick"}[setting]
        networks = sum(point.networks for point in {"quick": quick, "paper": paper}[other])
        size = f"{setting} setting; the {other} one has {networks:,}"
    return f"{figure.networks:,} networks ({size}), seed {figure.seed}."


def _summary(drawn: list[Any], setting: str) -> str:
    lines = [
        "# Random ResNets of large depth: figures and theory",
        "",
        "Intervals hold at the stated confidence each: of a thousand at 99.9 %, one is outside by chance. "
        "*Undecided* marks a sample that cannot tell: its interval has one end only. *Would notice* is the "
        "error of the theory, on the scale of the quantity, that the row would surely have called outside; "
        "for natural logs it is about the relative error. Rows with a tolerance hold theory against theory. "
        "≤ and ≥ mark bounds: one that is sharper by more than *would notice* would have been refuted.",
        "",
    ]
    for figure in drawn:
        definition = figure.definition
        lines += [
            f"## Figure {definition.name}. {definition.title}",
            "",
            f"![{definition.title}]({figure.paths[1].name})",
            "",
            definition.caption,
            "",
            f"{_source(figure, setting)} Draw it again: "
            f"`largedepth figures {definition.name} --{setting} --seed {figure.seed}`",
            "",
            "| quantity | theory | estimate | would notice | verdict |",
            "| --- | --- | --- | --- | --- |",
        ]
        for check in figure.checks:
            predicted = f"{_SIGNS[check.relation]}{check.predicted:.4f}"
            cells = (check.quantity, predicted, check.estimate, f"{check.resolution:.2g}", check.verdict)
            lines.append(f"| {' | '.join(map(str, cells))} |")
        lines.append("")
    return "\n".join(lines)


def _verdicts(verification: Verification) -> str:
    from largedepth._verdict_table import counts, markdown_table

    lines = [
        "## Theorems against simulation",
        "",
        "*Resolution* is the error of the prediction that could not have passed, relative to it; "
        "absolute for slopes, probabilities and distances between laws.",
        "",
        f"{counts(verification)}.",
        "",
        markdown_table(verification),
    ]
    return "\n".join(lines)
