"""Figure "convergence": distance between the exact law of the norm and its limit, against depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

import theory
from figures._figure import Check, Computed, FigureDefinition, Setting
from figures._points import Point, Samples
from figures._style import THEORY, width_colours, width_markers

_WIDTHS = (1, 2, 10, 40, 100)
_DEPTHS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
_FIT_FROM = 2
"""Orders are fitted from depth 1000 on: distances at 10 are not yet asymptotic at width 1."""
_TOLERANCE = 0.01
_DISTANCES = {
    "kolmogorov": r"Kolmogorov: $\sup\,|F_L - F|$",
    "wasserstein": r"Wasserstein: $\int |F_L - F|\,dx$",
}


def _points(setting: Setting) -> list[Point]:
    del setting
    return []


def _results() -> list[theory.ConvergenceInLaw]:
    return [_result(theory.convergence_in_law, width) for width in _WIDTHS]


@cache
def _result(compute: Callable[..., theory.ConvergenceInLaw], width: int) -> theory.ConvergenceInLaw:
    """Compute once for drawing and checks; the function is part of the key, for tests that replace it."""
    return compute(width=width, depths=_DEPTHS)


def _order(result: theory.ConvergenceInLaw, distance: str) -> float:
    """Return the order of the large depths alone."""
    tail = theory.ConvergenceInLaw(
        width=result.width, depths=result.depths[_FIT_FROM:],
        kolmogorov=result.kolmogorov[_FIT_FROM:], wasserstein=result.wasserstein[_FIT_FROM:],
    )  # fmt: skip
    return float(getattr(tail, f"{distance}_order"))


def _draw(samples: Samples) -> Canvas:
    del samples
    canvas = Canvas(figsize=(9.6, 4.4), layout="constrained")
    axes: Any = canvas.subplots(1, 2, sharey=True)
    results = _results()
    for axis, (distance, title) in zip(axes, _DISTANCES.items(), strict=True):
        _panel(axis, results, distance)
        axis.set(xscale="log", yscale="log", xlabel="depth $L$", title=title)
    axes[0].set_ylabel("distance to the limit law")
    return canvas


def _panel(axis: Axes, results: list[theory.ConvergenceInLaw], distance: str) -> None:
    count = len(results)
    # Open markers of one size but different shapes: curves that coincide are seen through one another.
    styles = zip(width_colours(count), width_markers(count), results, strict=True)
    for colour, marker, result in styles:
        axis.plot(
            result.depths, getattr(result, distance), color=colour, marker=marker, ms=7, mfc="none", mew=1.4,
            lw=1.0, label=f"$d = {result.width}$: order {_order(result, distance):.3f}",
        )  # fmt: skip
    depths = np.array(_DEPTHS, np.float64)
    axis.plot(depths, 8.0 / depths, color=THEORY, ls="--", lw=1.2, label=r"order 1: $8/L$")
    axis.legend(loc="lower left")


def _checks(samples: Samples) -> list[Check]:
    del samples
    method = f"fit over depths {_DEPTHS[_FIT_FROM]:,} to {_DEPTHS[-1]:,} of the exact law"
    return [
        Check(
            f"order of the {distance.title()} distance, d = {result.width}", 1.0,
            Computed(_order(result, distance), _TOLERANCE, method),
        )
        for result in _results()
        for distance in _DISTANCES
    ]  # fmt: skip


FIGURE = FigureDefinition(
    name="convergence",
    title="How fast the law at depth L approaches its limit",
    caption=(
        "Distance between the exact law of log ‖h_L‖/‖h_0‖ (res-3, Gaussian weights, β = 1/2) and its normal "
        "limit, against depth, on logarithmic axes, for widths 1 to 100. No network is simulated: both laws "
        "are computed. At every width both distances fall along straight lines of slope −1, parallel to the "
        "dashed one: the limit is approached like 1/L. At depth 1000 the laws of a net of width 40 differ by "
        "2.5·10⁻⁴ in probability, so a simulation would need some 10⁷ networks to see it. The Wasserstein "
        "distance falls with width up to 10 and then stays; the Kolmogorov distance grows from there on, "
        "because the limit law itself narrows."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
