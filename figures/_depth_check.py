"""`draw_depth_check`: a real model's dependence on depth as one picture, read from left to right."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator, NullLocator

from figures._style import NETWORKS, THEORY, figure_style, save_drawing
from montecarlo import InvalidFieldError
from montecarlo.diagnosis._numbers import number
from montecarlo.practice import DepthCheck

_TITLE = 125  # characters of a line that fit beside each other
_SHADES = ("0.75", "0.55", "0.35", "0.0")


def draw_depth_check(check: DepthCheck, path: str | os.PathLike[str]) -> Path:
    """Draw a depth check: stream, branches and gradients along depth, growth against depth with the four
    classes.

    Parameters
    ----------
    check : DepthCheck
        From `montecarlo.practice.depth_check`.
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
        raise InvalidFieldError("plot", str(path), "must end in .png or .pdf", "give plot='check.png', say")
    with figure_style():
        canvas = Canvas(figsize=(10.5, 3.9), layout="constrained")
        axes: Any = canvas.subplots(1, 3)
        _draw_along(axes[0], check, "log_hidden", "stream: size of $h_k$")
        _draw_along(axes[1], check, "log_gradient", "gradient: size of $p_k$")
        _draw_across(axes[2], check)
        faults = f"; {check.faults[0].words}" if check.faults else ""
        title = f"{check.found}: {check.structure.words}{faults}"
        canvas.suptitle(textwrap.fill(title, _TITLE), fontsize=10)
        return save_drawing(canvas, target)


def _draw_along(axis: Any, check: DepthCheck, name: str, title: str) -> None:
    axis.set_title(title)
    axis.set_xlabel("block $k$")
    axis.set_yscale("log")
    for j, L in enumerate(check.depths):
        curve = check.curves(j)[name]
        shade = _SHADES[max(0, len(_SHADES) - len(check.depths) + j) % len(_SHADES)]
        with np.errstate(over="ignore"):
            values = np.exp(np.clip(curve, -690, 690))
            axis.plot(np.arange(L + 1), values, color=shade, marker="o", markevery=[L], label=f"L = {L}")
    for fault in check.faults:
        if fault.depth == check.depths[-1] and 0 < len(fault.blocks) <= 2:
            axis.axvline(fault.blocks[0], color="C3", ls=":", lw=1.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    _plain_below_a_decade(axis)
    if axis.get_lines() and np.isfinite(axis.get_lines()[0].get_ydata()).any():
        axis.legend(fontsize=8, loc="best")
    else:
        axis.text(0.5, 0.5, "none given", transform=axis.transAxes, ha="center")


def _plain_below_a_decade(axis: Any) -> None:
    """Write plain numbers on a logarithmic axis where powers of ten would leave it nearly bare."""
    low, high = axis.get_ylim()
    if high < 10.0 * low:
        axis.yaxis.set_major_locator(MaxNLocator(5))
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}")
        axis.yaxis.set_minor_locator(NullLocator())


def _draw_across(axis: Any, check: DepthCheck) -> None:
    """Draw growth at each depth, theory's, and what the classes would make of the first one."""
    axis.set_title("growth from the first block to the last")
    axis.set_xlabel("depth $L$")
    axis.set_xscale("log")
    axis.set_yscale("log")
    depths = np.array(check.depths, dtype=float)
    # Open marks around theory's line, which lies on them where it is right.
    for growth, marker, label in ((check.stream, "o", "stream"), (check.gradient, "s", "gradient")):
        if growth is not None:
            values = np.exp(np.clip(growth.levels, -690, 690))
            colour = NETWORKS if label == "stream" else "C2"
            size = 9 if label == "stream" else 6
            axis.plot(depths, values, marker=marker, ms=size, mfc="none", ls="", color=colour, label=label)
    for name, style in (("stream", "-"), ("gradient", "--")):
        theory = np.array([getattr(entry, name) for entry in check.theory])
        if np.isfinite(theory).all():
            axis.plot(
                depths,
                np.exp(np.clip(theory, -690, 690)),
                color=THEORY,
                ls=style,
                lw=1,
                label=f"theory, {name}",
            )
    axis.set_xticks(check.depths, [str(L) for L in check.depths])
    axis.minorticks_off()
    low, high = axis.get_ylim()
    middle = np.sqrt(low * high)
    axis.set_ylim(min(low, middle / 2), max(high, middle * 2))  # what hardly changes shall look so
    axis.yaxis.set_major_formatter(lambda value, _: number(float(np.log(value))) if value > 0 else "0")
    _plain_below_a_decade(axis)
    axis.legend(fontsize=8, loc="best")
