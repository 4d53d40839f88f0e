"""`draw_figure`: simulate what the saved samples lack (`sample_figure`), draw from them, write the files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures._catalogue import TRAINED, find_figure
from figures._figure import Check, FigureDefinition, Setting
from figures._points import Report, SamplePoint, Samples, ignore
from figures._record import figure_record, write_record
from figures._style import figure_style, save_figure
from montecarlo import InvalidFieldError, ResNet
from montecarlo.common._errors import check_seed
from montecarlo.executors import check_threads
from montecarlo.runs import Progress, hired_crew


@dataclass(frozen=True)
class DrawnFigure:
    """A figure on disk.

    Parameters
    ----------
    definition : FigureDefinition
        The figure.
    paths : list of Path
        PDF and PNG.
    networks : int
        Networks behind it; 0 for a figure of theory alone.
    seed : int
        Their seed.
    checks : list of Check
        Numbers beside their predictions.
    """

    definition: FigureDefinition
    paths: list[Path]
    networks: int
    seed: int
    checks: list[Check]

    @property
    def record(self) -> Path:
        """The JSON file beside them, with all that is known of the figure: see `read_record`."""
        return self.paths[0].with_suffix(".json")


@dataclass(frozen=True)
class SampledFigure:
    """A figure that lacks nothing but its drawing.

    Parameters
    ----------
    definition : FigureDefinition
        The figure.
    samples : mapping of ResNet to sample
        What it is drawn from.
    folder : Path
        Where it is drawn.
    setting : {"quick", "paper"}
        Its sizes.
    seed : int
        Seed of the samples.
    """

    definition: FigureDefinition
    samples: Samples
    folder: Path
    setting: Setting
    seed: int

    def draw(self) -> DrawnFigure:
        """Draw it, and write PDF, PNG and the record; one thread at a time may draw."""
        definition, samples = self.definition, self.samples
        with figure_style():
            paths = save_figure(definition.draw(samples), self.folder / f"figure-{definition.name}")
        checks = definition.checks(samples)
        networks = sum(point.networks for point in definition.points(self.setting))
        drawn = DrawnFigure(definition, paths, networks, self.seed, checks)
        record = figure_record(definition, samples, checks, setting=self.setting, seed=self.seed)
        write_record(drawn.record, record)
        return drawn


def draw_figure(
    name: str,
    *,
    out: str | os.PathLike[str],
    setting: Setting = "quick",
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    on_reuse: Progress | None = None,
) -> DrawnFigure:
    """Draw a figure into a folder; samples are kept in its subfolder ``samples`` and used again.

    Beside the PDF and the PNG it writes what is known of the figure to ``figure-NAME.json``.

    Parameters
    ----------
    name : str
        A key of `FIGURES`.
    out : path
        Folder, made if need be.
    setting : {"quick", "paper"}, default "quick"
        Paper: the widths, depths and numbers of networks of the paper.
    seed : int, default 0
        Seed of the samples.
    threads : int, optional
        As in `montecarlo.simulate`.
    progress : callable, optional
        Told of networks as they are sampled. It and `on_reuse` are called from other threads, in turn.
    on_reuse : callable, optional
        Told of networks that saved samples hold already.

    Returns
    -------
    DrawnFigure

    Raises
    ------
    InvalidFieldError
        For an unknown name, a bad seed or number of threads, or an unusable folder.
    """
    sampled = sample_figure(
        name, out=out, setting=setting, seed=seed, threads=threads, progress=progress, on_reuse=on_reuse
    )
    return sampled.draw()


def sample_figure(
    name: str,
    *,
    out: str | os.PathLike[str],
    setting: Setting = "quick",
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    on_reuse: Progress | None = None,
) -> SampledFigure:
    """Return a figure with its samples, so that it can be drawn while others are sampled.

    Parameters
    ----------
    name, out, setting, seed, threads, progress, on_reuse
        As in `draw_figure`.

    Returns
    -------
    SampledFigure

    Raises
    ------
    InvalidFieldError
        As in `draw_figure`.
    """
    definition = find_figure(name)
    if not os.fspath(out):
        raise InvalidFieldError("out", "", "must name a folder", "give out='results'")
    seed = check_seed(seed)
    check_threads(threads)
    folder = Path(out)
    samples = folder / "samples"
    try:
        samples.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidFieldError(
            "out", str(folder), f"must be a folder that can be made ({error.strerror})", "choose another one"
        ) from error
    points = {}
    for point in definition.points(setting):
        if point.resnet in points:
            raise ValueError(
                f"figure {name} has two points of {point.resnet!r}: must have one; change a depth"
            )
        points[point.resnet] = point
    told, over = threading.Lock(), threading.Event()

    def in_turn(tell: Progress) -> Progress:
        def tell_if_wanted(networks: int) -> None:
            with told:
                if over.is_set():
                    raise _OverError
                tell(networks)

        return tell_if_wanted

    report = Report(in_turn(progress or ignore), in_turn(on_reuse or ignore))

    def saved(point: SamplePoint) -> Any:
        return point.saved(samples / f"{point.stem}-seed-{seed}.parquet", seed, threads, report)

    # Training has a results folder and processes of its own.
    at_a_time = 1 if name in TRAINED else len(points)
    data = _several_at_a_time(saved, list(points.values()), at_a_time, threads, over)
    return SampledFigure(definition, data, folder, setting, seed)


class _OverError(Exception):
    """Ends the sampling of a point after an error in another one."""


def _several_at_a_time(
    saved: Callable[[SamplePoint], Any],
    points: Sequence[SamplePoint],
    pieces: int,
    threads: int | None,
    over: threading.Event,
) -> dict[ResNet, Any]:
    """Return the samples of points, in their order.

    The networks of the next one fill the processors while one ends and is saved. An error in one sets `over`,
    and the others leave what they have in their files.
    """

    def attempt(point: SamplePoint) -> tuple[Any, BaseException | None]:
        try:
            return saved(point), None
        except BaseException as error:  # the caller's business
            return None, error
        finally:
            ended[point.resnet].set()

    ended = {point.resnet: threading.Event() for point in points}
    sent: list[SamplePoint] = []
    found = {}
    with hired_crew(attempt, pieces=pieces, threads=threads) as crew:
        try:
            while len(found) < len(points):
                if len(sent) < min(len(found) + crew.size, len(points)):
                    crew.send(points[len(sent)])
                    sent.append(points[len(sent)])
                    continue
                point, (sample, error) = crew.wait()
                if error is not None:
                    raise error
                found[point.resnet] = sample
        except BaseException as error:
            over.set()
            if isinstance(error, KeyboardInterrupt):
                crew.stop()
            for point in sent:
                ended[point.resnet].wait()
            raise
    return {point.resnet: found[point.resnet] for point in points}
