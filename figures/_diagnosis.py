"""`draw_diagnosis`: a diagnosis as a picture, laws of both ratios and growth along depth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, MaxNLocator

from figures._growth_theory import growth_theory
from figures._style import NETWORKS, THEORY, bin_edges, figure_style, save_drawing
from montecarlo import InvalidFieldError, simulate
from montecarlo.diagnosis import Diagnosis
from montecarlo.diagnosis._numbers import number
from montecarlo.diagnosis._text import around_words, scaling_as_rule

_PATHS = 32  # networks whose growth is drawn
_LARGEST_PATHS = 4_000_000  # numbers of all paths together


def draw_diagnosis(diagnosis: Diagnosis, path: str | os.PathLike[str]) -> Path:
    """Draw a diagnosis: predicted and simulated laws of both ratios, and ‖h_k‖/‖h_0‖ along depth.

    Parameters
    ----------
    diagnosis : Diagnosis
        From `montecarlo.diagnosis.diagnose`.
    path : path
        A .png or .pdf file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidFieldError
        For another ending.
    """
    target = Path(path)
    if target.suffix not in (".png", ".pdf"):
        raise InvalidFieldError(
            "plot", str(path), "must end in .png or .pdf", "give plot='diagnosis.png', say"
        )
    with figure_style():
        canvas = Canvas(figsize=(10.5, 3.6), layout="constrained")
        axes: Any = canvas.subplots(1, 3)
        columns: list[npt.NDArray[np.float64] | None] = [None, None]
        if diagnosis.sample is not None:
            every = list(diagnosis.sample.columns.values())
            columns = [every[0], every[2]]
        for axis, prediction, rows in zip(
            axes, (diagnosis.hidden, diagnosis.gradient), columns, strict=False
        ):
            _draw_law(axis, prediction, rows)
        _draw_growth(axes[2], diagnosis)
        net = diagnosis.resnet
        canvas.suptitle(
            f"{net.block}, {net.activation_function.name}, d = {net.width:,}, L = {net.depth:,}, "
            f"{scaling_as_rule(diagnosis)}{around_words(net)}: {diagnosis.regime.name}"
        )
        return save_drawing(canvas, target)


def _draw_law(axis: Any, prediction: Any, rows: npt.NDArray[np.float64] | None) -> None:
    axis.set_xlabel(f"log({prediction.quantity})")
    axis.set_ylabel("density")
    if rows is not None:
        kept = rows[np.isfinite(rows)]
        if kept.size > 1 and np.ptp(kept) > 0:
            axis.hist(
                kept,
                bin_edges(kept),
                density=True,
                color=NETWORKS,
                alpha=0.55,
                label=f"{len(rows):,} networks",
            )
    if prediction.law is not None:
        label = f"{prediction.kind} ({prediction.source})"
        x = np.linspace(prediction.log_quantile(1e-4), prediction.log_quantile(1 - 1e-4), 401)
        if x[-1] > x[0]:
            axis.plot(x, prediction.law.pdf(x), color=THEORY, label=label)
        else:  # all of it in one point
            axis.axvline(x[0], color=THEORY, label=label)
        for end in prediction.log_range:
            axis.axvline(end, color=THEORY, ls=":", lw=1)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=8, loc="upper left")
    axis.margins(y=0.25)


def _draw_growth(axis: Any, diagnosis: Diagnosis) -> None:
    net = diagnosis.resnet
    axis.set_xlabel("layer k")
    axis.set_ylabel("‖h_k‖/‖h_0‖")
    paths = _paths(diagnosis)
    if paths is not None:
        step = max(1, net.depth // 500)
        k = np.arange(0, net.depth + 1, step)
        for index, row in enumerate(paths):
            label = f"{len(paths)} networks" if index == 0 else None
            axis.plot(k, row[::step] / np.log(10), color=NETWORKS, lw=0.5, alpha=0.6, label=label)
    theory = growth_theory(net, law=diagnosis.hidden.law is not None)
    if theory is not None:
        named = "median, 95 %" if theory.low is not None else "wide networks, root mean square"
        axis.plot(theory.layers, theory.middle / np.log(10), color=THEORY, label=f"theory: {named}")
        for end in (theory.low, theory.high):
            if end is not None:
                axis.plot(theory.layers, end / np.log(10), color=THEORY, ls=":", lw=1)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.yaxis.set_major_formatter(lambda value, _: number(value * np.log(10)))
    low, high = axis.get_ylim()
    if high - low < 1.0:  # less than a decade: plain numbers, not powers of ten between
        ticks = MaxNLocator(5).tick_values(10.0**low, 10.0**high)
        ticks = ticks[(ticks > 10.0**low) & (ticks < 10.0**high)]
        axis.yaxis.set_major_locator(FixedLocator(np.log10(ticks)))
    if axis.get_legend_handles_labels()[0]:
        axis.margins(y=0.2)
        axis.legend(fontsize=8, loc="best")


def _paths(diagnosis: Diagnosis) -> npt.NDArray[np.float64] | None:
    """Return the log-norms along depth of a few of the diagnosis's networks, if it simulated any."""
    if diagnosis.sample is None:
        return None
    replicas = min(_PATHS, len(diagnosis.sample), _LARGEST_PATHS // (diagnosis.resnet.depth + 1))
    if replicas == 0:
        return None
    sample = simulate(
        diagnosis.resnet, replicas=replicas, seed=diagnosis.check.seed, engine=diagnosis.sample.engine,
        gradients="none", trajectories=True,
    )  # fmt: skip
    return sample["log_hidden_path"]
