"""Figure "contraction": antipersistent weights contract linear networks (F3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import CONFIDENCE
from figures._points import Point, Samples
from figures._style import LIMIT, NETWORKS, THEORY
from montecarlo import Request, ResNet
from montecarlo.estimates import mean

Array = npt.NDArray[np.float64]

_WIDTH = 4
_PANELS = ((0.1, 0.5), (0.1, 0.4), (0.25, 0.5), (0.25, 0.4))
_DEPTHS = (30, 60, 120, 250, 500, 1000, 2000, 4000)
_CURVE = tuple(int(depth) for depth in np.unique(np.geomspace(_DEPTHS[0], _DEPTHS[-1], 40).round()))


def _network(hurst: float, beta: float, depth: int) -> ResNet:
    return ResNet(
        width=_WIDTH, depth=depth, beta=beta, block="res-1", activation="identity", weights=f"fbm:{hurst:g}"
    )


def _points(setting: Setting) -> list[Point]:
    replicas = 2000 if setting == "paper" else 200
    request = Request(gradients=False)
    return [
        Point(_network(hurst, beta, depth), replicas, request=request)
        for hurst, beta in _PANELS
        for depth in _DEPTHS
    ]


def _law(hurst: float, beta: float, depth: int) -> theory.AntipersistentContraction:
    return theory.antipersistent_contraction(width=_WIDTH, depth=depth, hurst=hurst, beta=beta)


def _rescaled(samples: Samples, hurst: float, beta: float, depth: int) -> Array:
    """Return ``L^(2β-1) log ‖h_L‖/‖h_0‖``."""
    return float(depth) ** (2.0 * beta - 1.0) * samples[_network(hurst, beta, depth)]["log_hidden_ratio"]


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(10.4, 7.0), layout="constrained")
    axes: Any = canvas.subplots(2, 2, sharex=True, sharey="row")
    for axis, (hurst, beta) in zip(axes.flat, _PANELS, strict=True):
        _panel(axis, samples, hurst, beta)
        axis.set_title(rf"$H = {hurst:g}$, $\beta = {beta:g}$")
        axis.set(xscale="log")
    for axis in axes[:, 0]:
        axis.set_ylabel(r"$L^{2\beta - 1}\,\log\,(\Vert h_L\Vert\,/\,\Vert h_0\Vert)$")
    for axis in axes[1]:
        axis.set_xlabel("depth $L$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    order = np.argsort([not label.startswith("networks") for label in labels], kind="stable")
    canvas.legend(
        [handles[i] for i in order], [labels[i] for i in order], loc="outside lower center", ncols=3
    )
    return canvas


def _panel(axis: Axes, samples: Samples, hurst: float, beta: float) -> None:
    rows = [_rescaled(samples, hurst, beta, depth) for depth in _DEPTHS]
    low, high = np.array([np.quantile(x, [0.05, 0.95]) for x in rows]).T
    axis.fill_between(_DEPTHS, low, high, color=NETWORKS, alpha=0.2, lw=0, label="networks: 5-95 % band")
    found = [mean(x) for x in rows]
    middle = np.array([e.value for e in found])
    half = np.array([e.half_width for e in found])
    axis.errorbar(
        _DEPTHS, middle, yerr=half, fmt="o", ms=4.5, lw=1, capsize=2.5, color=NETWORKS,
        label="networks: mean, 99 % interval",
    )  # fmt: skip
    laws = [_law(hurst, beta, depth) for depth in _CURVE]
    centre, deviation = np.array([(law.centre, law.deviation) for law in laws]).T
    axis.plot(_CURVE, centre, color=THEORY, lw=1.6, label="mean at depth $L$ (F3)")
    for sign, label in ((-1.645, "5 % and 95 % at depth $L$, to second order"), (1.645, None)):
        axis.plot(_CURVE, centre + sign * deviation, color=THEORY, lw=1.1, ls="-.", label=label)
    axis.axhline(laws[0].limit, color=LIMIT, ls="--", lw=1.3, label=r"limit $-1/(2d)$, $L \to \infty$ (F3)")
    axis.axhline(0.0, color="0.6", lw=0.8, zorder=0.5)


def _checks(samples: Samples) -> list[Check]:
    checks = []
    depth = _DEPTHS[-1]
    for hurst, beta in _PANELS:
        rows = _rescaled(samples, hurst, beta, depth)
        name = f"E L^(2β−1) log ‖h_L‖/‖h_0‖, H = {hurst:g}, β = {beta:g}, L = {depth}"
        checks.append(Check(name, _law(hurst, beta, depth).centre, mean(rows, confidence=CONFIDENCE)))
    return checks


FIGURE = FigureDefinition(
    name="contraction",
    title="Antipersistent weights contract linear networks",
    caption=(
        "Linear networks (res-1, identity, width 4) with fractional Gaussian noise of Hurst index below 1/2 "
        "for weights: the natural log of the norm ratio, times L^(2β−1), against depth. Independent layers "
        "of this width would diffuse at β = 1/2 with a mean above that of the start, and explode below. Here "
        "every panel goes to −1/(2d) = −1/8 (dashed) while the band narrows: norms shrink like exp(−1/8) at "
        "β = 1/2, and like exp(−L^0.2/8) at β = 0.4. Red: the mean at finite depth, (3 L^(2H−1) − 1)/8, and "
        "the spread about it, both to second order in the scaling: exact for small α L^H, at most "
        "3 % too narrow here. Depths and scalings share random numbers."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
