"""What Figures 1 and 3 of the paper share: a difference ratio against depth, below, at and above
criticality.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import theory
from figures._figure import Check, Point, Samples, Setting
from figures._style import LIMIT, NETWORKS, THEORY
from montecarlo import ResNet
from montecarlo.estimates import log_mean_exp

Array = npt.NDArray[np.float64]

WIDTH = 40
BETAS = (1.0, 0.25, 0.5)
PAPER_DEPTHS = tuple(int(depth) for depth in np.linspace(10, 1000, 10))
# Where the curves bend most the paper has no depth between 10 and 120.
DEPTHS = tuple(sorted({*PAPER_DEPTHS, 15, 22, 32, 46, 64, 88}))
_CURVE = np.unique(np.geomspace(DEPTHS[0], DEPTHS[-1], 200).round())
_REGIMES = {1.0: "identity", 0.25: "explosion", 0.5: "critical"}
_LIMIT_STYLES = {
    1.0: ("--", r"limit at $\beta = 1$: median (I10)"),
    0.25: ("-.", r"limit at $\beta = 0.25$: typical size (I11)"),
    0.5: (":", r"limit at $\beta = 0.5$: root mean square (I8)"),
}
"""Line style and label of the large-depth limit of each panel: three different quantities."""
_NO_UPPER_END = "arrow: 99 % interval without upper end"


def depth_points(setting: Setting) -> list[Point]:
    """Return the paper's depths and six more between its first two, with the paper's 50 networks a point.

    It is fast enough to be the quick setting, too.
    """
    del setting
    replicas = 50
    return [Point(_network(beta, depth), replicas) for beta in BETAS for depth in DEPTHS]


def _network(beta: float, depth: int) -> ResNet:
    return ResNet(width=WIDTH, depth=depth, beta=beta, weights="uniform")


def draw_depth_panels(samples: Samples, *, column: str, label: str) -> Canvas:
    """Draw one panel a scaling: band and median of the networks, root mean square beside its exact value."""
    canvas = Canvas(figsize=(11, 3.9), layout="constrained")
    axes = canvas.subplots(1, len(BETAS))
    for axis, beta in zip(axes, BETAS, strict=True):
        _panel(axis, samples, column, beta)
        axis.set(xlabel="depth $L$", ylabel="", xlim=(0, 1030))
        axis.set_title(rf"$\beta = {beta:g}$ ({_REGIMES[beta]})")
        if beta != 0.5:
            axis.set_yscale("log")
    # Little more than a decade: plain decimals at 1, 2 and 5 read best.
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes[0].yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    axes[0].set_ylabel(label)
    _legend(canvas, axes)
    return canvas


def _legend(canvas: Canvas, axes: Any) -> None:
    """Draw one legend below the panels with everything that any of them shows, networks first."""
    entries = {}
    for axis in axes:
        entries |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    labels = sorted(entries, key=lambda label: label.startswith(("exact", "limit")))
    canvas.legend([entries[label] for label in labels], labels, loc="outside lower center", ncols=3)


def _panel(axis: Axes, samples: Samples, column: str, beta: float) -> None:
    rows = [
        pd.DataFrame({"depth": depth, "ratio": np.exp(samples[_network(beta, depth)][column])})
        for depth in DEPTHS
    ]
    sns.lineplot(
        pd.concat(rows, ignore_index=True), x="depth", y="ratio", estimator="median", errorbar=("pi", 90),
        color=NETWORKS, ax=axis, label="networks: median, 5-95 % band", legend=False,
    )  # fmt: skip
    _root_mean_squares(axis, samples, column, beta)
    alpha = np.asarray(_CURVE**-beta, np.float64)
    exact = np.asarray(theory.log_hidden_difference_second_moment(depth=_CURVE, alpha=alpha))
    axis.plot(_CURVE, np.exp(0.5 * exact), color=THEORY, lw=1.5, label="exact root mean square (I2, I3)")
    style, label = _LIMIT_STYLES[beta]
    axis.plot(_CURVE, _large_depth_limit(beta, _CURVE, alpha), color=LIMIT, ls=style, lw=1.3, label=label)


def _root_mean_squares(axis: Axes, samples: Samples, column: str, beta: float) -> None:
    """Draw the root mean squares with their intervals, at the paper's depths so that these do not crowd."""
    estimates = [_root_mean_square(samples, column, beta, depth) for depth in PAPER_DEPTHS]
    middle, low, high = np.exp(np.array(estimates)).T
    one_sided = ~np.isfinite(high)
    above = np.where(one_sided, 0.0, high - middle)
    axis.errorbar(
        PAPER_DEPTHS, middle, yerr=[middle - low, above], fmt="o", ms=4, lw=1, capsize=2,
        color=NETWORKS, label="networks: root mean square, 99 % interval",
    )  # fmt: skip
    for depth, value in zip(np.array(PAPER_DEPTHS)[one_sided], middle[one_sided], strict=True):
        axis.annotate(
            "", (depth, value), xytext=(0, 15), textcoords="offset points",
            arrowprops={"arrowstyle": "<-", "color": NETWORKS, "lw": 1, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
    if one_sided.any():
        arrow = Line2D([], [], color=NETWORKS, ls="", marker=r"$\uparrow$", ms=9, label=_NO_UPPER_END)
        axis.add_line(arrow)


def _large_depth_limit(beta: float, depth: Array, alpha: Array) -> Array:
    """Return the limit drawn in the panel of β: a median, a typical size or a root mean square."""
    if beta > 0.5:
        median = theory.identity_quantile(probability=0.5, width=WIDTH, depth=depth, alpha=alpha)
        return np.sqrt(np.asarray(median))
    if beta < 0.5:
        log_square = theory.explosion_log_mean(width=WIDTH, depth=depth, alpha=alpha, order=1)
        return np.exp(0.5 * np.asarray(log_square))
    return np.full(depth.shape, np.sqrt(np.expm1(0.5)))


def _root_mean_square(samples: Samples, column: str, beta: float, depth: int) -> tuple[float, float, float]:
    """Return the natural log of the root mean square with its 99 % interval."""
    found = log_mean_exp(samples[_network(beta, depth)][column], power=2.0, confidence=0.99)
    return 0.5 * found.value, 0.5 * found.lower, 0.5 * found.upper


def depth_checks(samples: Samples, *, column: str, quantity: str) -> list[Check]:
    """Return the log mean square of each panel's deepest networks beside I2 (I3)."""
    checks = []
    for beta in BETAS:
        network = _network(beta, DEPTHS[-1])
        predicted = theory.log_hidden_difference_second_moment(depth=network.depth, alpha=network.scaling)
        estimate = log_mean_exp(samples[network][column], power=2.0, confidence=0.999)
        checks.append(
            Check(f"log E {quantity}², β = {beta:g}, L = {network.depth}", float(predicted), estimate)
        )
    return checks
