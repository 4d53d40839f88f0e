"""Figure "cosines": two inputs of one network at fixed width, beside wide networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import distance_check, mean_check
from figures._points import PairPoint, Samples
from figures._style import LIMIT, NETWORKS, THEORY, width_colours, width_markers
from montecarlo import JointSample, ResNet

Array = npt.NDArray[np.float64]

_WIDTHS = (3, 10, 100)
_START = -0.5
"""Cosine of the inputs."""
_TIME = 40.0
_DEPTH = 3200
_EVERY = 16
"""Layers between those that are recorded: 0.2 of the time."""
_EARLY = 5.0
"""Time up to which paths are drawn."""
_PATHS = 12
_TOLERANCE = 1e-5


def _network(width: int) -> ResNet:
    return ResNet(width=width, depth=_DEPTH, alpha=math.sqrt(_TIME / _DEPTH))


def _points(setting: Setting) -> list[PairPoint]:
    factor = 4 if setting == "paper" else 1
    layers = tuple(range(0, _DEPTH + 1, _EVERY))
    replicas = {3: 2000, 10: 2000, 100: 600}
    return [PairPoint(_network(d), _START, layers, factor * replicas[d]) for d in _WIDTHS]


def _times(sample: JointSample) -> Array:
    return np.asarray(sample.layers * (_TIME / _DEPTH), np.float64)


def _cosines(samples: Samples, width: int, time: float | None = None) -> Array:
    """Return the cosines of all networks, at all recorded times or at one."""
    sample: JointSample = samples[_network(width)]
    found = sample.cosine[:, :, 0, 1]
    if time is None:
        return found
    return found[:, int(np.flatnonzero(np.isclose(_times(sample), time))[0])]


def _log_angles(cosines: Array) -> Array:
    # Angles below 1e-8 are rounding; networks of width 3 are still far from them.
    return np.log(np.maximum(2.0 * np.arcsin(np.sqrt(0.5 * np.maximum(1.0 - cosines, 0.0))), 1e-8))


def _law(width: int, time: float) -> theory.TabulatedLaw:
    return theory.cosine_diffusion_law(width=width, cosine=_START, time=time, tolerance=_TOLERANCE)


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(11.6, 7.4), layout="constrained")
    names: Any = [[str(width) for width in _WIDTHS], ["law", "end", "end"]]
    axes = canvas.subplot_mosaic(names)
    for width in _WIDTHS:
        _paths(axes[str(width)], samples, width)
    axes["3"].set_ylabel(r"cosine of the hidden states $c_t$")
    axes["100"].legend(loc="lower right", fontsize="small")
    _laws(axes["law"], samples)
    _ends(axes["end"], samples)
    return canvas


def _paths(axis: Axes, samples: Samples, width: int) -> None:
    times = _times(samples[_network(width)])
    early = times <= _EARLY + 1e-9
    rows = _cosines(samples, width)[:, early]
    t = times[early]
    axis.plot(t, rows[:_PATHS].T, color=NETWORKS, lw=0.6, alpha=0.55)
    axis.plot([], [], color=NETWORKS, lw=0.9, label="single networks")
    shown = slice(5, None, 5)
    axis.errorbar(
        t[shown], rows.mean(axis=0)[shown], yerr=3.3 * rows.std(axis=0)[shown] / math.sqrt(len(rows)),
        fmt="o", ms=4.5, lw=1, capsize=2, color=NETWORKS, label="mean of all networks",
    )  # fmt: skip
    fine = np.concatenate([np.linspace(0.02, 0.5, 9), np.linspace(0.75, _EARLY, 18)])
    means = [_START, *(_law(width, float(x)).mean() for x in fine)]
    axis.plot([0.0, *fine], means, color=THEORY, lw=1.8, label="mean, exact limit (C1)")
    every = np.linspace(0.0, _EARLY, 200)
    flow = np.asarray(theory.cosine_flow(cosine=_START, time=every))
    axis.plot(every, flow, color=LIMIT, ls="--", lw=1.4, label="wide networks (S5)")
    axis.set(title=f"width {width}", xlabel=r"depth-time $t = a^2 k$", ylim=(-1.05, 1.05))


def _laws(axis: Axes, samples: Samples) -> None:
    c = np.linspace(-1.0, 1.0, 801)
    for width, colour in zip(_WIDTHS, width_colours(len(_WIDTHS)), strict=True):
        rows = np.sort(_cosines(samples, width, 1.0))
        steps = np.arange(1, len(rows) + 1) / len(rows)
        axis.step(rows, steps, where="post", color=colour, lw=2.6, alpha=0.45, label=f"$d = {width}$")
        axis.plot(c, np.asarray(_law(width, 1.0).cdf(c)), color=colour, lw=1.2)
    axis.axvline(
        float(theory.cosine_flow(cosine=_START)), color=LIMIT, ls="--", lw=1.4, label="wide networks (S5)"
    )
    axis.set(
        title="law at $t = 1$: bands networks, lines C1", xlabel="cosine", ylabel="distribution function",
        xlim=(-1.0, 1.0), ylim=(0.0, 1.0),
    )  # fmt: skip
    axis.legend(loc="lower right", fontsize="small")


def _ends(axis: Axes, samples: Samples) -> None:
    colours, markers = width_colours(len(_WIDTHS)), width_markers(len(_WIDTHS))
    fine = np.linspace(0.5, _TIME, 30)
    for width, colour, marker in zip(_WIDTHS, colours, markers, strict=True):
        times = _times(samples[_network(width)])
        found = _log_angles(_cosines(samples, width)).mean(axis=0)
        shown = slice(5, None, 15)
        axis.plot(times[shown], found[shown], marker, color=colour, ms=5, label=f"$d = {width}$")
        curve = np.array([_law(width, float(t)).expect(_log_angles) for t in fine])
        axis.plot(fine, curve, color=colour, lw=1.5)
        if width < 100:
            end = curve[-1] - (fine - _TIME) / (2 * width)
            late = fine > 0.4 * _TIME
            axis.plot(
                fine[late], end[late] - 0.4, color=THEORY, ls=":", lw=1.6,
                label="slope $-1/(2d)$ (C2)" if width == _WIDTHS[0] else None,
            )  # fmt: skip
    flow = np.asarray(theory.cosine_flow(cosine=_START, time=fine))
    axis.plot(fine, _log_angles(flow), color=LIMIT, ls="--", lw=1.4, label="wide networks (S5)")
    axis.set(
        title="the end: points mean of networks, curves C1", xlabel=r"depth-time $t = a^2 k$",
        ylabel=r"mean of $\log\theta_t$, $\theta$ the angle",
    )  # fmt: skip
    axis.legend(loc="lower left", fontsize="small")


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for width in _WIDTHS:
        law, rows = _law(width, 1.0), _cosines(samples, width, 1.0)
        checks.append(mean_check(f"cosine at t = 1, d = {width} (C1)", rows, law.mean()))
        checks.append(distance_check(f"the cosine at t = 1, d = {width} (C1)", rows, law.cdf))
    late = [_log_angles(_cosines(samples, 3, t)) for t in (20.0, 40.0)]
    limits = [_law(3, t).expect(_log_angles) for t in (20.0, 40.0)]
    slope = (limits[1] - limits[0]) / 20.0
    checks.append(
        mean_check("slope of log θ from t = 20 to 40, d = 3 (C1)", (late[1] - late[0]) / 20.0, slope)
    )
    return checks


FIGURE = FigureDefinition(
    name="cosines",
    title="Two inputs of one network align, and in the end exponentially",
    caption=(
        "Two inputs at the cosine −1/2 through one res-3 network, a² = 1/80, Gaussian weights. Top: the "
        "cosine of their hidden states along depth-time t = a²k at widths 3, 10 and 100: single networks "
        "(thin), means with 99.9 % intervals (points), the mean of the diffusion that C1 has at each width "
        "(red), and the limit of wide networks (S5, dashed), the same in all three. At width 3 a single "
        "network may have its inputs anywhere; at width 100 it follows the limit. Bottom left: distribution "
        "functions at t = 1, of networks (bands) and of C1 (lines). Bottom right: the mean of the log of "
        "the angle up to t = 40. Wide networks align like 6π/t, slower and slower; at every fixed width "
        "angles shrink exponentially in the end, with the slope −1/(2d) (C2, dotted), which takes over when "
        "t is some multiple of d."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
