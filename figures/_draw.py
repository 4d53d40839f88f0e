"""`draw_figure`: simulate what the saved samples lack (`sample_figure`), draw from them, write the files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures._catalogue import find_figure
from figures._figure import Check, FigureDefinition, Setting
from figures._points import Report, Samples, ignore
from figures._record import figure_record, write_record
from figures._style import figure_style, save_figure
from montecarlo import InvalidFieldError, ResNet
from montecarlo.common._errors import check_seed
from montecarlo.executors import check_threads
from montecarlo.runs import Progress


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
        Told of networks as they are sampled.
    on_reuse : callable, optional
        Told of rows that saved samples hold already.

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
    data: dict[ResNet, Any] = {}
    report = Report(progress or ignore, on_reuse or ignore)
    for point in definition.points(setting):
        if point.resnet in data:
            raise ValueError(
                f"figure {name} has two points of {point.resnet!r}: must have one; change a depth"
            )
        path = samples / f"{point.stem}-seed-{seed}.parquet"
        data[point.resnet] = point.saved(path, seed, threads, report)
    return SampledFigure(definition, data, folder, setting, seed)
