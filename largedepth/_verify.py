"""``largedepth verify``: theorems against simulation, with verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from largedepth._options import real, whole
from largedepth._progress import shown
from largedepth._running import drawn_on, running_options

if TYPE_CHECKING:
    from montecarlo.verification import MutantRun, Verification

CODES = {"consistent": 0, "refuted": 1, "undecided": 3}
"""Exit code of a run by the worst of its verdicts."""


@click.command(
    epilog="Example: largedepth verify I2 I6 --budget 60 --junit junit.xml\n\n"
    "Exit codes: 0 nothing refuted, 1 a theorem was refuted (or a mutant was not), 2 bad input, 3 undecided "
    "within the budget, 130 interrupted."
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--quick", is_flag=True, help="Exact statements and inequalities alone, no limits.")
@click.option(
    "--mutants",
    is_flag=True,
    help="Run wrong variants of theorems and simulators instead: each must be refuted.",
)
@click.option(
    "--false-alarm", type=real("1e-6"), default=1e-6, show_default=True, metavar="P",
    help="Probability, at most, that the run refutes anything if all theorems are true.",
)  # fmt: skip
@click.option(
    "--budget", type=real("60"), metavar="SECONDS",
    help="What is not decided by then is undecided. Default: no limit.",
)  # fmt: skip
@click.option(
    "--seed", type=whole("7"), default=0, show_default=True, metavar="N",
    help="The same seed gives the same verdicts, on any number of threads.",
)  # fmt: skip
@running_options
@click.option("--junit", metavar="FILE", help="Write JUnit XML, a test case a theorem.")
@click.option("--json", metavar="FILE", help="Write the verdicts as JSON.")
@click.option("--summary", metavar="FILE", help="Write a job summary in Markdown.")
def verify(
    ids: tuple[str, ...],
    quick: bool,
    mutants: bool,
    junit: str | None,
    json: str | None,
    summary: str | None,
    threads: int | None,
    processes: int | None,
    dask: str | None,
    store: str | None,
    **options: Any,
) -> int:
    """Test theorems (all of them without an ID) against simulated networks.

    Each is consistent to within the resolution shown, refuted, or undecided within the budget. A resolution
    is the error of the prediction that could not have passed, relative to it (absolute for slopes,
    probabilities and distances between laws). Testing stops where it is decided; false alarms are
    bounded however long it takes. An ID is that of a theorem in the catalogue, or its name.
    """
    from largedepth import _verdict_files as files
    from largedepth import _verdict_table as tables
    from largedepth._targets import check_targets

    targets = {"junit": junit, "json": json, "summary": summary}
    check_targets(targets, {"junit": "junit.xml", "json": "verdicts.json", "summary": "summary.md"})
    chosen = ids or None
    options["threads"] = threads
    place = drawn_on(threads=threads, processes=processes, dask=dask, store=store)
    if mutants:
        with place:
            run, interrupted = _run_mutants(chosen, quick, options)
        texts = {"junit": files.mutants_junit, "json": files.mutants_json, "summary": tables.mutant_summary}
        _write(targets, texts, run)  # first: nothing that happens to standard output can lose them
        click.echo(tables.mutant_table(run, width=_width(), colour=True))
        if interrupted:
            raise KeyboardInterrupt(
                "the table has the mutants caught so far; the rest were not run to the end"
            )
        return 1 if run.missed else 0
    texts = {"junit": files.verdicts_junit, "json": files.verdicts_json, "summary": tables.summary}
    from montecarlo.runs import compiled_beside, kernel_modules

    # A few theorems need a few kernels.
    with place, compiled_beside([] if ids else kernel_modules()[::-1], threads):
        verification, interrupted = run_verify(chosen, quick=quick, **options)
    _write(targets, texts, verification)
    click.echo(tables.terminal_table(verification, width=_width(), colour=True))
    if not ids and not interrupted:
        _say_untested(verification, quick)
    if interrupted:
        raise KeyboardInterrupt("the table has the verdicts so far, undecided stands for the rest")
    return CODES[verification.verdict]


def run_verify(ids: tuple[str, ...] | None, *, quick: bool, **options: Any) -> tuple[Verification, bool]:
    """Run theorems with progress; return the verdicts and whether Ctrl-C ended the run."""
    from largedepth._verify_progress import VerifyProgress
    from montecarlo.verification import VerificationInterrupted, chosen_experiments, run_experiments

    experiments = chosen_experiments(ids, quick=quick)
    with shown(VerifyProgress(len(experiments), ("refuted", "undecided"))) as bar:
        try:
            return run_experiments(experiments, **options, on_verdict=bar.verdict, on_turn=bar.turn), False
        except VerificationInterrupted as stop:
            return stop.verification, True


def _run_mutants(ids: tuple[str, ...] | None, quick: bool, options: dict[str, Any]) -> tuple[MutantRun, bool]:
    from largedepth._verify_progress import VerifyProgress
    from montecarlo.verification import MutantsInterrupted, chosen_mutants, run_mutants

    total = len(chosen_mutants(ids, quick=quick))
    with shown(VerifyProgress(total, ("consistent", "undecided"))) as bar:
        try:
            run = run_mutants(ids, quick=quick, **options, on_verdict=bar.verdict, on_turn=bar.turn)
            return run, False
        except MutantsInterrupted as stop:
            return stop.run, True


def _say_untested(verification: Verification, quick: bool) -> None:
    from theory.catalogue import THEOREMS

    missing = [theorem for theorem in THEOREMS if theorem not in verification.theorems]
    if missing:
        kind = "quick experiment" if quick else "experiment"
        click.echo(f"verify: not tested, as there is no {kind}: {', '.join(missing)}", err=True)


def _write(targets: dict[str, str | None], texts: dict[str, Any], run: Any) -> None:
    from largedepth._targets import write_text

    for field, path in targets.items():
        if path is not None:
            write_text(path, texts[field](run))


def _width() -> int:
    """Return the columns of the terminal, 100 at most."""
    import shutil

    return min(100, shutil.get_terminal_size((100, 24)).columns)
