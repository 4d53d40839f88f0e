"""``largedepth depth-check``: a real model at several depths, beside theory, with a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from largedepth._options import real, whole
from largedepth._targets import check_targets, json_text, write_text

if TYPE_CHECKING:
    from montecarlo.practice import DepthCheck

UNDECIDED = 3


@click.command(
    "depth-check",
    epilog="Example: largedepth depth-check mymodel:build --depths 6,12,24 --expect critical --plot c.png",
)
@click.argument("factory", metavar="MODULE:FACTORY")
@click.option(
    "--depths", default="6,12,24,48", show_default=True, metavar="L,L,...", help="Depths, three or more."
)
@click.option(
    "--seeds",
    type=whole("8"),
    default=8,
    show_default=True,
    metavar="N",
    help="At most so many models a depth; it stops before where the class is decided.",
)
@click.option(
    "--expect",
    metavar="CLASS",
    help="identity, critical, polynomial or exponential: exit code 1 where that is refuted.",
)
@click.option(
    "--promise",
    metavar="MODULE:FUNCTION",
    help="A function from depth to the ResNet that the model claims to be: every block is tested; or to its "
    "Transformer: the stream is.",
)
@click.option("--blocks", metavar="NAME", help="The PyTorch module that holds the blocks, or an expression.")
@click.option(
    "--false-alarm",
    type=real("1e-3"),
    default=1e-3,
    show_default=True,
    metavar="P",
    help="Probability, at most, of a wrong class, and of refuting a promise that is kept.",
)
@click.option("--json", metavar="FILE", help="Write all numbers as JSON.")
@click.option("--plot", metavar="FILE", help="Draw it: .png or .pdf.")
@click.option("--junit", metavar="FILE", help="Write JUnit XML, a test case a claim.")
@click.option(
    "--summary", metavar="FILE", help="Append a Markdown summary, $GITHUB_STEP_SUMMARY for example."
)
def depth_check(
    factory: str, depths: str, expect: str | None, promise: str | None, json: str | None, plot: str | None,
    junit: str | None, summary: str | None, **options: Any,
) -> int:  # fmt: skip
    """Check how a real model depends on its depth.

    FACTORY(depth, seed), in a module of this folder or an installed one, returns a PyTorch module and its
    inputs, or a function that returns its stream. Prints growth of the residual stream and of gradients
    along and across depth, the class (identity, critical, polynomial, exponential), theory beside it, and
    what is wrong with which block. Exit code 1 where a claim (--expect, --promise) is refuted or numbers
    overflow, 3 where the class is undecided; warnings refute nothing.
    """  # fmt: skip
    import sys
    import time

    from montecarlo import InvalidFieldError
    from montecarlo.practice import depth_check as run
    from montecarlo.practice import find_object

    check_targets(
        {"json": json, "plot": plot, "junit": junit, "summary": summary},
        {"json": "check.txt", "plot": "check.png", "junit": "check.txt", "summary": "check.txt"},
    )
    start = time.perf_counter()
    build = find_object(factory, "FACTORY")
    promised = None if promise is None else find_object(promise, "promise")
    bar = sys.stderr.isatty()

    def say(words: str) -> None:
        click.echo(f"\r{words:60}", err=True, nl=False)

    try:
        check = run(
            build, _depths(depths), expect=expect, promise=promised, progress=say if bar else None, **options
        )
    except InvalidFieldError as error:
        if error.field not in ("factory", "model"):
            raise
        raise InvalidFieldError("FACTORY", error.value, error.rule, error.fix) from None
    finally:
        if bar:
            click.echo("\r" + " " * 60 + "\r", err=True, nl=False)
    seconds = time.perf_counter() - start
    _write(check, factory, seconds=seconds, json=json, plot=plot, junit=junit, summary=summary)
    click.echo(str(check))
    return {"consistent": 0, "refuted": 1, "undecided": UNDECIDED}[check.verdict]


def _depths(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise click.ClickException(
            f"--depths {text}: must be whole numbers with commas; give --depths 6,12,24, say"
        ) from None


def _write(
    check: DepthCheck,
    name: str,
    *,
    seconds: float,
    json: str | None,
    plot: str | None,
    junit: str | None,
    summary: str | None,
) -> None:
    if json is not None:
        write_text(json, json_text(check.record()))
    if junit is not None:
        write_text(junit, depth_check_junit(check, name, seconds))
    if summary is not None:
        with open(summary, "a", encoding="utf-8") as file:
            file.write(check.markdown())
    if plot is not None:
        from figures import draw_depth_check

        draw_depth_check(check, plot)


def depth_check_junit(check: DepthCheck, name: str, seconds: float) -> str:
    """Return JUnit XML: a test case for the class, and one for the promise and what is certain.

    The first holds the report, once, and the seconds that the check took.
    """
    import junitparser

    from largedepth._verdict_files import junit_text

    suite = junitparser.TestSuite("largedepth depth-check")
    for key, value in (("false_alarm", check.false_alarm), ("seeds", len(check.seeds))):
        suite.add_property(key, str(value))
    wrong = check.expect is not None and check.decided and check.found != check.expect
    cases = [(f"{name} class", wrong, f"found {check.found}, {check.expect} was claimed", not check.decided)]
    cases.append((f"{name} blocks", bool(check.refuted), "; ".join(f.words for f in check.refuted), False))
    for number, (title, failed, words, undecided) in enumerate(cases):
        case = junitparser.TestCase(title, "largedepth.depth-check")
        case.time = round(seconds, 3) if number == 0 else 0.0
        if number == 0:
            case.system_out = str(check)
        if failed or undecided:
            kind = junitparser.Failure if failed else junitparser.Error
            result = kind(words, "refuted" if failed else "undecided")
            case.result = [result]
        suite.add_testcase(case)
    return junit_text(suite)
