"""``largedepth figures``: draws figures from saved samples."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import click

from largedepth._drawing import DrawingDesk
from largedepth._options import apply_options, seed_help, whole
from largedepth._progress import SAMPLED_WORDS, TRAINED_WORDS, in_words, progress_bar
from largedepth._running import drawn_on, running_options

_QUICK = "largedepth.quick"


def _note_quick(context: click.Context, _: click.Parameter, quick: bool) -> None:
    context.meta[_QUICK] = quick


def _setting(context: click.Context, _: click.Parameter, paper: bool) -> str:
    if paper and context.meta[_QUICK]:
        raise click.UsageError("--paper: must not go with --quick; drop one of the two")
    return "paper" if paper else "quick"


figure_options = apply_options(
    click.option(
        "--quick",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_note_quick,
        help="Small samples (default); 1 and 3 have the paper's 50 networks a point.",
    ),
    click.option(
        "--paper",
        "setting",
        is_flag=True,
        callback=_setting,
        help="The paper's own sample sizes (1 and 3: as --quick).",
    ),
    click.option("--seed", type=whole("7"), default=0, show_default=True, metavar="N", help=seed_help),
    running_options,
)


def figures_prepared(
    names: tuple[str, ...], setting: str, threads: int | None, then: Sequence[str] = ()
) -> AbstractContextManager[None]:
    """Return a block in which kernels of figures, and those of modules then, are compiled beside."""
    from figures._ahead import prepared_ahead

    points = (point for definition in _definitions(names) for point in definition.points(setting))
    return prepared_ahead(points, then, threads=threads)


def _definitions(names: tuple[str, ...]) -> list[Any]:
    """Return figures by name; without a name, all that train nothing."""
    import figures as package

    return [package.find_figure(name) for name in names or tuple(package.FIGURES)]


def sample_all(
    names: tuple[str, ...], desk: DrawingDesk, *, out: str, setting: str, seed: int, threads: int | None
) -> None:
    """Sample figures by name, or all that train nothing, with progress; leave each at the desk."""
    import figures as package

    for definition in _definitions(names):
        total = sum(point.networks for point in definition.points(setting))
        words = TRAINED_WORDS if definition.name in package.TRAINED else SAMPLED_WORDS
        with progress_bar(total, what=f"figure {definition.name}", words=words) as bar:
            try:
                sampled = package.sample_figure(
                    definition.name, out=out, setting=setting, seed=seed,  # type: ignore[arg-type]
                    threads=threads, progress=bar.finish, on_reuse=bar.reuse,
                )  # fmt: skip
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"finished networks are in {out}/samples, and the same command continues from them"
                ) from None
        desk.draw(sampled)


@click.command(epilog="Example: largedepth figures 1 2 --out results/figures")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@figure_options
@click.option(
    "--out", default="results/figures", show_default=True, metavar="DIR", help="Folder, made if need be."
)
@click.option(
    "--dry-run", is_flag=True, help="Say how many networks each takes, and for training how long, roughly."
)
def figures(
    names: tuple[str, ...],
    setting: str,
    seed: int,
    threads: int | None,
    out: str,
    dry_run: bool,
    **place: Any,
) -> None:
    """Draw figures (without a NAME all of them but 8 and 9) as PDF and PNG.

    1: hidden states against depth; 2: laws at the critical scaling; 3: gradients against depth;
    4, 5: the same as 1 and 3 for smooth weights; 6: fractional weights along depth;
    7: hidden states and gradients over scaling and smoothness of the weights;
    small-width: explosion or collapse at widths 1, 2, 3, 10; activations: laws of the norm for four of them;
    convergence: how fast the exact law approaches its limit (no networks).
    strong-order: how fast hidden states approach their limit on one path of weights.
    growth: exponents of the differences in depth against the Hurst index;
    contraction: linear networks with antipersistent weights.
    normalised: growth along depth with and without norms; schedules: scalings that change along depth;
    post-activation: an activation outside the last matrix.
    spectrum: singular values of the Jacobian; kernel: tangent kernels; cosines: of two inputs along depth;
    transformers: random transformers along depth.
    8, 9: weights and accuracy after training, which takes minutes and the extra `training`.
    Samples are kept in DIR/samples and used again.
    """
    names = tuple(dict.fromkeys(names))
    if dry_run:
        _estimate(names, setting, threads)
        return
    prepared = figures_prepared(names, setting, threads)
    with drawn_on(threads=threads, **place), DrawingDesk(threads) as desk:
        with prepared:
            sample_all(names, desk, out=out, setting=setting, seed=seed, threads=threads)
        desk.drawn()


def _estimate(names: tuple[str, ...], setting: str, threads: int | None) -> None:
    """Print what figures take."""
    from montecarlo.executors import check_threads

    for definition in _definitions(names):
        points = definition.points(setting)
        seconds = sum(point.seconds(threads) for point in points if hasattr(point, "seconds"))
        time = f", roughly {in_words(seconds)} on {check_threads(threads)} threads" if seconds else ""
        click.echo(f"figure {definition.name}: {sum(point.networks for point in points):,} networks{time}")
