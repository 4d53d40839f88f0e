"""A difference ratio against depth, one panel a scaling: what Figures 1, 3, 4 and 5 of the paper share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from figures._figure import Check, Setting
from figures._points import Point, Samples
from figures._style import NETWORKS
from montecarlo import ResNet
from montecarlo.estimates import log_mean_exp

Array = npt.NDArray[np.float64]

WIDTH = 40
PAPER_DEPTHS = tuple(int(depth) for depth in np.linspace(10, 1000, 10))
# Where the curves bend most the paper has no depth between 10 and 120.
DEPTHS = tuple(sorted({*PAPER_DEPTHS, 15, 22, 32, 46, 64, 88}))
_REPLICAS = 50
_NO_UPPER_END = "arrow: 99 % interval without upper end"


@dataclass(frozen=True)
class Curve:
    """A line of theory over the networks of a panel.

    Parameters
    ----------
    label : str
        What it is, for the legend.
    values : callable
        Depths, shape (depths,), to ratios of norms (not squared) of the same shape.
    color, ls : str
        Its colour and line style.
    """

    label: str
    values: Callable[[Array], Array]
    color: str
    ls: str = "-"


@dataclass(frozen=True)
class Panel:
    """One scaling.

    Parameters
    ----------
    beta : float
        The scaling exponent.
    regime : str
        Its name, for the title.
    curves : tuple of Curve
        Theory.
    log_mean_square : callable, optional
        Depth to the natural log of the mean square of the ratio, which the deepest networks are checked
        against; by default there is no check.
    scale : {"log", "decimals", "linear"}, default "log"
        Of the vertical axis; "decimals": logarithmic, but little more than a decade, which plain decimals at
        1, 2 and 5 label best.
    """

    beta: float
    regime: str
    curves: tuple[Curve, ...]
    log_mean_square: Callable[[int], npt.ArrayLike] | None = None
    scale: str = "log"


@dataclass(frozen=True)
class DepthPanels:
    """A figure of panels: networks of width 40, the paper's 50 a point.

    Parameters
    ----------
    weights : str
        Law of the weights, as in `montecarlo.ResNet`.
    column : str
        Column of the samples, the natural log of a ratio.
    label : str
        The ratio, for the vertical axis.
    quantity : str
        The ratio in plain text, for the checks.
    panels : tuple of Panel
        From left to right.
    curve_depths : tuple of int
        Depths at which theory is drawn.
    """

    weights: str
    column: str
    label: str
    quantity: str
    panels: tuple[Panel, ...]
    curve_depths: tuple[int, ...]

    def points(self, setting: Setting) -> list[Point]:
        """Return the paper's depths and six more between its first two.

        It is fast enough to be the quick setting, too.
        """
        del setting
        return [
            Point(self.network(panel.beta, depth), _REPLICAS) for panel in self.panels for depth in DEPTHS
        ]

    def network(self, beta: float, depth: int) -> ResNet:
        """Return the specification of one point."""
        return ResNet(width=WIDTH, depth=depth, beta=beta, weights=self.weights)

    def draw(self, samples: Samples) -> Canvas:
        """Draw band, median and root mean square of the networks, and theory."""
        canvas = Canvas(figsize=(11, 3.9), layout="constrained")
        axes = canvas.subplots(1, len(self.panels))
        for axis, panel in zip(axes, self.panels, strict=True):
            self._panel(axis, samples, panel)
            axis.set(xlabel="depth $L$", ylabel="", xlim=(0, 1030))
            axis.set_title(rf"$\beta = {panel.beta:g}$ ({panel.regime})")
            if panel.scale != "linear":
                axis.set_yscale("log")
            if panel.scale == "decimals":
                axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
                axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
                axis.yaxis.set_minor_formatter(NullFormatter())
        axes[0].set_ylabel(self.label)
        self._legend(canvas, axes)
        return canvas

    def _legend(self, canvas: Canvas, axes: Any) -> None:
        """Draw one legend below the panels with everything that any of them shows, networks first."""
        entries = {}
        for axis in axes:
            entries |= {
                label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
            }
        theory_labels = {curve.label for panel in self.panels for curve in panel.curves}
        labels = sorted(entries, key=lambda label: label in theory_labels)
        canvas.legend([entries[label] for label in labels], labels, loc="outside lower center", ncols=3)

    def _panel(self, axis: Axes, samples: Samples, panel: Panel) -> None:
        rows = [
            pd.DataFrame(
                {"depth": depth, "ratio": np.exp(samples[self.network(panel.beta, depth)][self.column])}
            )
            for depth in DEPTHS
        ]
        sns.lineplot(
            pd.concat(rows, ignore_index=True), x="depth", y="ratio", estimator="median",
            errorbar=("pi", 90), color=NETWORKS, ax=axis, label="networks: median, 5-95 % band", legend=False,
        )  # fmt: skip
        self._root_mean_squares(axis, samples, panel)
        depths = np.array(self.curve_depths, np.float64)
        for number, curve in enumerate(panel.curves):
            width = 1.3 if number else 1.5
            axis.plot(
                depths, curve.values(depths), color=curve.color, ls=curve.ls, lw=width, label=curve.label
            )

    def _root_mean_squares(self, axis: Axes, samples: Samples, panel: Panel) -> None:
        """Draw the root mean squares with their intervals, at the paper's depths only: more would crowd."""
        estimates = [self._root_mean_square(samples, panel, depth) for depth in PAPER_DEPTHS]
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

    def _root_mean_square(self, samples: Samples, panel: Panel, depth: int) -> tuple[float, float, float]:
        """Return the natural log of the root mean square with its 99 % interval."""
        sample = samples[self.network(panel.beta, depth)]
        found = log_mean_exp(sample[self.column], power=2.0, confidence=0.99)
        return 0.5 * found.value, 0.5 * found.lower, 0.5 * found.upper

    def checks(self, samples: Samples) -> list[Check]:
        """Return the log mean square of the deepest networks of each panel beside its prediction."""
        checks = []
        for panel in self.panels:
            if panel.log_mean_square is None:
                continue
            network = self.network(panel.beta, DEPTHS[-1])
            estimate = log_mean_exp(samples[network][self.column], power=2.0, confidence=0.999)
            name = f"log E {self.quantity}², β = {panel.beta:g}, L = {network.depth}"
            checks.append(Check(name, float(np.asarray(panel.log_mean_square(network.depth))), estimate))
        return checks
