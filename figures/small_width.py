"""Figure "small-width": above criticality narrow networks explode in mean square, and may yet collapse."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MultipleLocator
from scipy.interpolate import PchipInterpolator
from scipy.stats import norm

import theory
from figures._figure import Check, Computed, FigureDefinition, Setting
from figures._laws import CONFIDENCE, mean_check
from figures._points import Point, Samples
from figures._style import NETWORKS, THEORY, width_colours, width_markers
from montecarlo import Request, ResNet
from montecarlo.estimates import probability

Array = npt.NDArray[np.float64]

_WIDTHS = (1, 2, 3, 10)
_DEPTHS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
_NODES = tuple(round(10 ** (1 + k / 3)) for k in range(13))
_CURVE = np.geomspace(_NODES[0], _NODES[-1], 200)
_CHECKED = 1_000
# Not in _DEPTHS: a figure has one point a specification.
_PATH_DEPTH = 2_000
_PATHS = 24
_PATH_POINTS = 250
_BETA = 0.25
_LIMIT_TOLERANCE = 1e-3


def _network(width: int, depth: int) -> ResNet:
    return ResNet(width=width, depth=depth, beta=_BETA)


def _points(setting: Setting) -> list[Point]:
    # The cost is the number of layers: fewer networks where they are deep.
    most, layers = (10_000, 2 * 10**8) if setting == "paper" else (4_000, 6 * 10**7)
    ends, paths = Request(gradients=False), Request(gradients=False, trajectories=True)
    points = []
    for width in _WIDTHS:
        for depth in _DEPTHS:
            points.append(Point(_network(width, depth), min(most, layers // depth), "radial", ends))
        points.append(Point(_network(width, _PATH_DEPTH), 100, "radial", paths))
    return points


def _exact(width: int, depth: int) -> theory.ExactNormLaw:
    network = _network(width, depth)
    return theory.ExactNormLaw(width=width, depth=depth, alpha=network.scaling)


def _probability_above(width: int, depth: int) -> float:
    """Return the exact P(‖h_L‖ > ‖h_0‖)."""
    return _cached_probability(theory.ExactNormLaw, width, depth, _network(width, depth).scaling)


@cache
def _cached_probability(law: Callable[..., Any], width: int, depth: int, alpha: float) -> float:
    """Compute once for drawing and checks; the law is part of the key, for tests that replace it."""
    return float(law(width=width, depth=depth, alpha=alpha).sf(0.0))


def _probability_curve(width: int) -> Array:
    """Return the probability along `_CURVE` from exact values at `_NODES`.

    A spline of the normal quantile over log depth: in this scale the curve is nearly straight, and the spline
    is off by less than 0.001, less than a line's width; 200 exact laws would take ten times as long.
    """
    exact = np.array([_probability_above(width, depth) for depth in _NODES])
    # Probabilities that round to 1 have no quantile.
    quantile = norm.ppf(exact.clip(1e-12, 1.0 - 1e-12))
    return np.asarray(norm.cdf(PchipInterpolator(np.log(_NODES), quantile)(np.log(_CURVE))))


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(12.4, 5.6), layout="constrained")
    parts: Any = canvas.subfigures(1, 2, width_ratios=(1.0, 1.15))
    left, right = parts
    _probabilities(left.subplots(), samples)
    axes: Any = right.subplots(2, 2, sharex=True, sharey=True)
    for axis, width in zip(axes.flat, _WIDTHS, strict=True):
        _paths(axis, samples, width)
    for axis in axes[:, 0]:
        axis.set_ylabel(r"natural log of $\Vert h_k\Vert \,/\, \Vert h_0\Vert$")
    for axis in axes[1]:
        axis.set_xlabel("layer $k$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    right.legend(handles, labels, loc="outside lower center", ncols=3, columnspacing=1.2, handlelength=1.5)
    right.suptitle(f"paths of networks of depth {_PATH_DEPTH:,}")
    return canvas


def _probabilities(axis: Axes, samples: Samples) -> None:
    styles = list(zip(_WIDTHS, width_colours(len(_WIDTHS)), width_markers(len(_WIDTHS)), strict=True))
    limits = ((0.0, 4, "limit 0 ($d = 1$)"), (0.5, -12, "limit 1/2 ($d = 2$)"), (1.0, 4, "limit 1 ($d > 2$)"))
    for limit, shift, text in limits:
        axis.axhline(limit, color=THEORY, ls="--", lw=1.2, zorder=2.5)
        axis.annotate(
            text, (9, limit), xytext=(0, shift), textcoords="offset points", color=THEORY, fontsize="small"
        )
    for width, colour, marker in styles:
        axis.plot(_CURVE, _probability_curve(width), color=colour, lw=1.5)
        found = [probability(samples[_network(width, L)]["log_hidden_ratio"] > 0.0) for L in _DEPTHS]
        middle, low, high = np.array([(e.value, e.lower, e.upper) for e in found]).T
        axis.errorbar(
            _DEPTHS, middle, yerr=[middle - low, high - middle], fmt=marker, ms=5, lw=1, capsize=2.5,
            color=colour, label=f"$d = {width}$",
        )  # fmt: skip
    axis.set(
        xscale="log", xlabel="depth $L$", ylabel=r"$P(\Vert h_L\Vert > \Vert h_0\Vert)$", ylim=(-0.05, 1.09),
        title="points: networks, 99 % intervals; curves: exact (I6)",
    )  # fmt: skip
    axis.legend(loc="center right", bbox_to_anchor=(1.0, 0.7), title=r"width, $\beta = 1/4$")


def _paths(axis: Axes, samples: Samples, width: int) -> None:
    network = _network(width, _PATH_DEPTH)
    layers = np.unique(np.linspace(0, _PATH_DEPTH, _PATH_POINTS).round().astype(np.int64))
    paths = samples[network]["log_hidden_path"][:_PATHS, layers]
    lines = axis.plot(layers, paths.T, color=NETWORKS, lw=0.6, alpha=0.5)
    lines[0].set_label(f"{len(paths)} networks")
    lyapunov = _exact(width, _PATH_DEPTH).lyapunov
    axis.plot(layers, layers * lyapunov, color=THEORY, lw=1.8, label="exact mean of the log (I6)")
    square = theory.log_hidden_second_moment(depth=layers, alpha=network.scaling)
    axis.plot(
        layers, 0.5 * np.asarray(square), color=THEORY, lw=1.6, ls=":",
        label="log of the exact root mean square (I2)",
    )  # fmt: skip
    axis.set_title(f"$d = {width}$")
    axis.xaxis.set_major_locator(MultipleLocator(500))


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for width in _WIDTHS:
        exact, rows = _exact(width, _CHECKED), samples[_network(width, _CHECKED)]["log_hidden_ratio"]
        found = probability(rows > 0.0, confidence=CONFIDENCE)
        name = f"P(‖h_L‖ > ‖h_0‖), d = {width}, L = {_CHECKED}"
        checks.append(Check(name, _probability_above(width, _CHECKED), found))
        checks.append(
            mean_check(f"log ‖h_L‖/‖h_0‖, d = {width}, L = {_CHECKED}", rows, _CHECKED * exact.lyapunov)
        )
    for width in _WIDTHS:
        deepest = _network(width, _DEPTHS[-1])
        found = probability(samples[deepest]["log_hidden_ratio"] > 0.0, confidence=CONFIDENCE)
        exact = _probability_above(width, deepest.depth)
        name = f"P(‖h_L‖ > ‖h_0‖), d = {width}, L = {deepest.depth}"
        checks.append(Check(name, exact, found))
        # The sample is beside the exact value: at depth 100,000 a large one tells the limit from it.
        computed = Computed(exact, _LIMIT_TOLERANCE, f"exact law at L = {deepest.depth}")
        checks.append(Check(f"limit of {name}", float(theory.explosion_limit_probability(width)), computed))
    return checks


FIGURE = FigureDefinition(
    name="small-width",
    title="Explosion or collapse of narrow networks",
    caption=(
        "Res-3 networks with Gaussian weights at β = 1/4, above criticality. Left: the probability that the "
        "last hidden state is longer than the first one, against depth. With depth it falls to 0 at width 1 "
        "(0.41 at depth 10, 0.02 at depth 1000), falls to 1/2 at width 2, and rises to 1 at widths 3 and 10, "
        "along the exact curves towards the dashed limits (I11). Estimates at different depths share their "
        "random numbers. Right: logarithm of the norm along the layers of networks of depth 2000. The dotted "
        "line, the log of the root mean square, rises to 11.1 at every width. Typical networks follow the "
        "solid line, the mean of the log: at width 1 it falls to −12.8, so the mean square is carried by "
        "networks too rare for any sample; at width 2 it stays at 0; at width 10 it rises nearly with the "
        "root mean square, to 8.9."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
