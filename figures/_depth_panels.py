"""What Figures 1 and 3 of the paper share: a difference ratio against depth, below, at and above
criticality.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import theory
from figures._figure import Check, Point, Samples, Setting
from figures._style import NETWORKS, THEORY
from montecarlo import ResNet
from montecarlo.estimates import log_mean_exp

Array = npt.NDArray[np.float64]

WIDTH = 40
BETAS = (1.0, 0.25, 0.5)
DEPTHS = tuple(int(depth) for depth in np.linspace(10, 1000, 10))
_REGIMES = {1.0: "identity", 0.25: "explosion", 0.5: "critical"}


def depth_points(setting: Setting) -> list[Point]:
    """Return the paper's grid; it is fast enough to be the quick setting, too."""
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
    handles, labels = axes[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=2)
    return canvas


def _panel(axis: Axes, samples: Samples, column: str, beta: float) -> None:
    rows = [
        pd.DataFrame({"depth": depth, "ratio": np.exp(samples[_network(beta, depth)][column])})
        for depth in DEPTHS
    ]
    sns.lineplot(
        pd.concat(rows, ignore_index=True), x="depth", y="ratio", estimator="median", errorbar=("pi", 90),
        color=NETWORKS, ax=axis, label="networks: median, 5-95 % band", legend=False,
    )  # fmt: skip
    estimates = [_root_mean_square(samples, column, beta, depth) for depth in DEPTHS]
    middle, low, high = np.exp(np.array(estimates)).T
    # A one-sided interval has no upper end to draw.
    above = np.where(np.isfinite(high), high - middle, 0.0)
    axis.errorbar(
        DEPTHS, middle, yerr=[middle - low, above], fmt="o", ms=4, lw=1, capsize=2,
        color=NETWORKS, label="networks: root mean square, 99 % interval",
    )  # fmt: skip
    depth = np.arange(DEPTHS[0], DEPTHS[-1] + 1, dtype=np.float64)
    alpha = np.asarray(depth**-beta, np.float64)
    exact = np.asarray(theory.log_hidden_difference_second_moment(depth=depth, alpha=alpha))
    axis.plot(
        depth, np.exp(0.5 * exact), color=THEORY, lw=1.5, label="theory: root mean square, exact (I2, I3)"
    )
    axis.plot(
        depth, _large_depth_limit(beta, depth, alpha), color=THEORY, ls="--", lw=1.2,
        label="theory, large depth: median (I10), typical size (I11), root mean square (I8)",
    )  # fmt: skip


def _large_depth_limit(beta: float, depth: Array, alpha: Array) -> Array:
    """Return the dashed curve of the panel of β: a median, a typical size or a root mean square."""
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
