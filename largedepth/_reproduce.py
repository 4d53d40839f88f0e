"""``largedepth reproduce``: the main job, every figure with its numbers beside theory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from largedepth._figures import draw_all, figure_options
from largedepth._running import drawn_on
from largedepth._verify import run_verify

if TYPE_CHECKING:
    from montecarlo.verification import Verification

_SIGNS = {"equals": "", "at most": "≤ ", "at least": "≥ "}


_BUDGET_SECONDS = 120.0


@click.command(epilog="Example: largedepth reproduce --paper --out results")
@figure_options
@click.option("--out", default="results", show_default=True, metavar="DIR", help="Folder, made if need be.")
@click.option(
    "--trained", is_flag=True, help="Figures 8 and 9 too: minutes more, and the extra `training` is needed."
)
def reproduce(setting: str, seed: int, threads: int | None, out: str, trained: bool, **place: Any) -> int:
    """Draw every figure and write DIR/summary.md: each number beside what theory predicts.

    The quick half of `largedepth verify` ends it, and its verdicts the summary; the exit code is 1 if a
    theorem was refuted.
    """
    names = _with_trained() if trained else ()
    with drawn_on(threads=threads, **place):
        drawn = draw_all(names, out=out, setting=setting, seed=seed, threads=threads)
        verification, interrupted = run_verify(
            None, quick=True, seed=seed, threads=threads, budget=_BUDGET_SECONDS
        )
    from largedepth._verdict_table import counts
    from montecarlo.files import replaced_file

    path = Path(out) / "summary.md"
    with replaced_file(path) as temporary:
        temporary.write_text(_summary(drawn, setting) + _verdicts(verification), encoding="utf-8")
    checks = [check for figure in drawn for check in figure.checks]
    for kind, simulated in (("simulated numbers", True), ("computed numbers", False)):
        verdicts = [check.verdict for check in checks if check.simulated is simulated]
        found = ", ".join(f"{verdicts.count(word)} {word}" for word in ("agrees", "undecided", "outside"))
        click.echo(f"reproduce: {len(verdicts)} {kind} held against theory: {found}", err=True)
    click.echo(f"reproduce: each with the error it would have noticed in {path}", err=True)
    click.echo(f"reproduce: {counts(verification)}", err=True)
    click.echo(str(path))
    if interrupted:
        raise KeyboardInterrupt(f"{path} has the verdicts so far, undecided stands for the rest")
    return 1 if verification.verdict == "refuted" else 0


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
        "The quick half of the catalogue: exact statements and inequalities. *Resolution* is the error of "
        "the prediction that the run would have caught, relative to it; absolute for slopes, probabilities "
        "and distances between laws. All of it: `largedepth verify`",
        "",
        f"{counts(verification)}.",
        "",
        markdown_table(verification),
    ]
    return "\n".join(lines)
