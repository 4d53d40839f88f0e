"""`draw_figure`: simulate what the saved samples lack, draw from the samples, write the files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from figures._catalogue import find_figure
from figures._figure import Check, FigureDefinition, Report, Setting, ignore
from figures._record import figure_record, write_record
from figures._style import figure_style, save_figure
from montecarlo import InvalidFieldError
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
    data, networks = {}, 0
    report = Report(progress or ignore, on_reuse or ignore)
    for point in definition.points(setting):
        if point.resnet in data:
            raise ValueError(
                f"figure {name} has two points of {point.resnet!r}: must have one; change a depth"
            )
        path = samples / f"{point.stem}-seed-{seed}.parquet"
        data[point.resnet] = point.saved(path, seed, threads, report)
        networks += point.networks
    with figure_style():
        paths = save_figure(definition.draw(data), folder / f"figure-{name}")
    checks = definition.checks(data)
    drawn = DrawnFigure(definition, paths, networks, seed, checks)
    write_record(drawn.record, figure_record(definition, data, checks, setting=setting, seed=seed))
    return drawn
