"""Figure "kernel": the tangent kernel at initialisation, its law, its variance along depth, its mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import CONFIDENCE
from figures._points import Point, Samples
from figures._style import LIMIT, THEORY, bin_edges, width_colours, width_markers
from montecarlo import Request, ResNet
from montecarlo.estimates import log_mean_exp, variance

Array = npt.NDArray[np.float64]

_WIDTHS = (8, 32, 128)
_DEPTHS = (5, 10, 30, 100, 300)
_LAW_DEPTH = 100
_RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
_UNITS_DEPTH = 50
_UNITS_WIDTH = 16
_REQUEST = Request(tangent_kernel=True)
_CURVE = np.unique(np.geomspace(_DEPTHS[0], 2 * _DEPTHS[-1], 60).round().astype(int))


def _network(width: int, depth: int) -> ResNet:
    return ResNet(width=width, depth=depth, beta=0.5)


def _wide(ratio: float) -> ResNet:
    return ResNet(width=_UNITS_WIDTH, depth=_UNITS_DEPTH, beta=0.5, hidden_width=round(ratio * _UNITS_WIDTH))


def _size(resnet: ResNet) -> dict[str, Any]:
    return {
        "width": resnet.width, "depth": resnet.depth, "alpha": resnet.scaling,
        "hidden_width": resnet.inner_width,
    }  # fmt: skip


def _points(setting: Setting) -> list[Point]:
    deep, wide = (20_000, 40_000) if setting == "paper" else (2_000, 8_000)
    networks = {_network(width, depth): deep for width in _WIDTHS for depth in _DEPTHS}
    networks |= {_wide(ratio): wide for ratio in _RATIOS}
    return [Point(network, replicas, "gaussian", _REQUEST) for network, replicas in networks.items()]


def _relative(resnet: ResNet, samples: Samples) -> Array:
    """Return K/E K of the networks."""
    return np.exp(samples[resnet]["log_tangent_kernel"] - theory.log_tangent_kernel_mean(**_size(resnet)))


def _relative_variance(resnet: ResNet) -> float:
    """Return the exact Var K/(E K)²."""
    size = _size(resnet)
    return math.expm1(
        theory.log_tangent_kernel_second_moment(**size) - 2.0 * theory.log_tangent_kernel_mean(**size)
    )


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(12.4, 4.3), layout="constrained")
    axes: Any = canvas.subplots(1, 3)
    _laws(axes[0], samples)
    _variances(axes[1], samples)
    _means(axes[2], samples)
    return canvas


def _laws(axis: Axes, samples: Samples) -> None:
    for width, colour in zip(_WIDTHS, width_colours(len(_WIDTHS)), strict=True):
        rows = _relative(_network(width, _LAW_DEPTH), samples)
        edges = bin_edges(rows)
        heights, _ = np.histogram(rows, edges)
        density = np.repeat(heights / len(rows) / np.diff(edges), 2)
        outline = np.concatenate([[0.0], density, [0.0]])
        axis.plot(np.repeat(edges, 2), outline, color=colour, lw=1.5, label=f"$d = {width}$")
    axis.axvline(1.0, color=LIMIT, lw=0.8, ls=":")
    axis.set(
        xlim=(0.0, 3.0), ylim=(0.0, None), xlabel=r"$K\,/\,\mathrm{E}K$", ylabel="density",
        title=f"laws at depth {_LAW_DEPTH}, " + r"$\alpha^2 L = 1$",
    )  # fmt: skip
    axis.legend(title="networks")


def _variances(axis: Axes, samples: Samples) -> None:
    styles = zip(_WIDTHS, width_colours(len(_WIDTHS)), width_markers(len(_WIDTHS)), strict=True)
    for width, colour, marker in styles:
        found = [
            variance(_relative(_network(width, depth), samples), confidence=CONFIDENCE) for depth in _DEPTHS
        ]
        middle, low, high = np.array([(e.value, e.lower, e.upper) for e in found]).T
        axis.errorbar(
            _DEPTHS, middle, yerr=[middle - low, high - middle], fmt=marker, ms=5, lw=1, capsize=2.5,
            color=colour, label=f"$d = {width}$",
        )  # fmt: skip
        exact = [_relative_variance(_network(width, int(depth))) for depth in _CURVE]
        label = "exact (J4)" if width == _WIDTHS[0] else None
        axis.plot(_CURVE, exact, color=THEORY, lw=1.4, label=label)
        limit = theory.tangent_kernel_variance_limit(width=width)
        label = r"limit, about $4/(3d)$" if width == _WIDTHS[0] else None
        axis.axhline(limit, color=LIMIT, lw=1.1, ls="--", label=label)
    axis.set(
        xscale="log", yscale="log", xlabel="depth $L$",
        ylabel=r"$\mathrm{Var}\,K\,/\,(\mathrm{E}K)^2$", title="bounded along depth", ylim=(0.006, 0.9),
    )  # fmt: skip
    axis.set_xticks(_DEPTHS, [str(depth) for depth in _DEPTHS])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axis.legend(loc="upper right", fontsize="small", ncols=2)


def _means(axis: Axes, samples: Samples) -> None:
    ratios = np.linspace(0.0, 1.08 * _RATIOS[-1], 50)
    growth = (1.0 + 0.5 / _UNITS_DEPTH) ** (_UNITS_DEPTH - 1)
    axis.plot(ratios, 0.5 * (1.0 + ratios) * growth, color=THEORY, lw=1.4, label="exact: $1 + M/d$ (J4)")
    axis.axhline(growth, color=LIMIT, lw=1.1, ls="--", label="2 in its place: $M = d$ alone")
    found = [
        log_mean_exp(samples[_wide(ratio)]["log_tangent_kernel"], power=1.0, confidence=CONFIDENCE)
        for ratio in _RATIOS
    ]
    middle, low, high = np.exp([(e.value, e.lower, e.upper) for e in found]).T
    axis.errorbar(
        _RATIOS, middle, yerr=[middle - low, high - middle], fmt="o", ms=5, lw=1, capsize=2.5,
        color=width_colours(1)[0], label=f"networks, $d = {_UNITS_WIDTH}$, $L = {_UNITS_DEPTH}$",
    )  # fmt: skip
    axis.set(
        xlabel="units over width, $M / d$",
        ylabel=r"$\mathrm{E}K\,/\,(\Vert p_L\Vert^2\,\Vert h_0\Vert^2)$", xlim=(0.0, None), ylim=(0.0, None),
        title="mean against the hidden width",
    )  # fmt: skip
    axis.legend(loc="upper left", fontsize="small")


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for resnet in [_network(width, depth) for width in _WIDTHS for depth in (_DEPTHS[0], _DEPTHS[-1])] + [
        _wide(ratio) for ratio in _RATIOS
    ]:
        name = f"d = {resnet.width}, M = {resnet.inner_width}, L = {resnet.depth} (J4)"
        logs = samples[resnet]["log_tangent_kernel"]
        for quantity, power, predicted in (
            ("K/(‖p_L‖²‖h_0‖²)", 1.0, theory.log_tangent_kernel_mean(**_size(resnet))),
            ("K²/(‖p_L‖⁴‖h_0‖⁴)", 2.0, theory.log_tangent_kernel_second_moment(**_size(resnet))),
        ):
            found = log_mean_exp(logs, power=power, confidence=CONFIDENCE)
            checks.append(Check(f"log E {quantity}, {name}", predicted, found))
    return checks


FIGURE = FigureDefinition(
    name="kernel",
    title="The tangent kernel at initialisation",
    caption=(
        "The neural tangent kernel K of the residual layers of res-3 networks at one input, Gaussian "
        "weights, α = 1/√L. Left: its law over networks of depth 100, in units of its mean: wide networks "
        "concentrate, narrow ones have a long tail. Middle: relative variance against depth on logarithmic "
        "axes, on the exact curves (J4): it falls to a limit of about 4/(3d), dashed, and does not grow "
        "with depth as it does without skip connections. Right: the mean at width 16 against the hidden "
        "width: in proportion to 1 + M/d, V contributing M/d times as much as W, and not to 2, which is "
        "right at M = d alone."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
