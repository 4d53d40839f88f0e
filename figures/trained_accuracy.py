"""Figure 9: test accuracy over the Hurst index and the scaling, and the growth that predicts it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter
from scipy import stats

import theory
from figures._figure import Check, Computed, FigureDefinition, Setting
from figures._points import Samples
from figures._style import LIMIT, THEORY
from figures._training_points import TrainedCell, TrainingPoint, training_network
from montecarlo import ResNet
from montecarlo.estimates import Estimate

Array = npt.NDArray[np.float64]

_GRIDS: dict[str, tuple[int, tuple[str, ...], Array, Array]] = {
    "quick": (200, ("digits",), np.linspace(0.1, 0.9, 5), np.linspace(0.1, 1.1, 5)),
    "paper": (1000, ("digits", "mnist1d"), np.linspace(0.1, 0.9, 10), np.linspace(0.1, 0.9, 10)),
}
"""Depth, data sets, Hurst indices, scalings."""
_DATA = {64: "digits", 40: "mnist1d"}
_TRAINED = {"digits": 0.9, "mnist1d": 0.5}
"""Accuracy of a network that has learnt something of the kind that a linear map does not."""


def _points(setting: Setting) -> list[TrainingPoint]:
    depth, names, hursts, betas = _GRIDS[setting]
    return [
        TrainingPoint(
            training_network(name, depth=depth, beta=float(f"{beta:.6g}"), weights=f"fbm:{hurst:.6g}"), name
        )
        for name in names
        for hurst in hursts
        for beta in betas
    ]


def _hurst(network: ResNet) -> float:
    return float(str(network.weights).removeprefix("fbm:"))


def _accuracy(cell: TrainedCell) -> float:
    """Return the accuracy at the best rate; NaN where the network diverged at every one."""
    best = cell.best
    return best.accuracy if best is not None and best.accuracy is not None else math.nan


def _by_data(samples: Samples) -> dict[str, dict[ResNet, TrainedCell]]:
    grouped: dict[str, dict[ResNet, TrainedCell]] = {}
    for network, cell in samples.items():
        grouped.setdefault(_DATA[network.input_dim], {})[network] = cell
    return grouped


def _draw(samples: Samples) -> Canvas:
    grouped = _by_data(samples)
    canvas = Canvas(figsize=(5.4 * (1 + len(grouped)), 4.8), layout="constrained")
    axes: Any = canvas.subplots(1, 1 + len(grouped))
    for axis, (name, cells) in zip(axes, grouped.items(), strict=False):
        mesh = _map(axis, cells)
        axis.set_title(f"{name}: test accuracy, best learning rate")
        canvas.colorbar(mesh, ax=axis, pad=0.02, label="per cent")
    axes[0].set_ylabel(r"scaling exponent $\beta$ ($\alpha = L^{-\beta}$)")
    _scatter(axes[-1], grouped)
    return canvas


def _map(axis: Axes, cells: dict[ResNet, TrainedCell]) -> Any:
    hursts = np.array(sorted({_hurst(network) for network in cells}))
    betas = np.array(sorted({network.beta or 0.0 for network in cells}))
    values = np.full((len(betas), len(hursts)), np.nan)
    for network, cell in cells.items():
        place = np.searchsorted(betas, network.beta or 0.0), np.searchsorted(hursts, _hurst(network))
        values[place] = _accuracy(cell)
    axis.set_facecolor("#dddddd")  # cells that diverged at every rate
    mesh = axis.pcolormesh(
        hursts,
        betas,
        100.0 * values,
        vmin=0.0,
        vmax=100.0,
        cmap="viridis",
        shading="nearest",
        rasterized=True,
    )
    for beta, row in zip(betas.tolist(), values.tolist(), strict=True):
        for hurst, value in zip(hursts.tolist(), row, strict=True):
            text = f"{100 * value:.0f}" if np.isfinite(value) else "div."
            colour = "white" if value < 0.6 else "black"
            axis.text(hurst, beta, text, ha="center", va="center", fontsize=8, color=colour)
    curve = np.linspace(*axis.get_xlim(), 300)
    axis.plot(
        curve, [float(theory.critical_scaling(float(np.clip(h, 1e-6, 1.0 - 1e-6)))) for h in curve],
        color=THEORY, lw=2.2, label=r"critical scaling $\max(H, 1/2)$ (F1)",
    )  # fmt: skip
    axis.set_xlabel("Hurst index $H$ of the first weights along depth")
    axis.legend(loc="upper left")
    axis.grid(False)
    return mesh


def _scatter(axis: Axes, grouped: dict[str, dict[ResNet, TrainedCell]]) -> None:
    scatter: Any = None
    for marker, (name, cells) in zip("os", grouped.items(), strict=False):
        growth, accuracy = _pairs(cells)
        scatter = axis.scatter(
            growth, 100.0 * accuracy, c=[_hurst(network) for network in cells], marker=marker, cmap="plasma",
            vmin=0.0, vmax=1.0, edgecolors="#333333", linewidths=0.5, s=36,
            label=f"{name}: rank correlation {_signed(_rank_correlation(growth, accuracy).value)}",
        )  # fmt: skip
        lost = ~np.isfinite(accuracy)
        axis.plot(growth[lost], np.full(int(lost.sum()), 3.0), "x", color=LIMIT)
    axis.axvline(0.0, color=LIMIT, lw=1.0, ls=":")
    axis.set(
        xlabel=r"mean of $\log_{10}\,\Vert h_L - h_0\Vert\,/\,\Vert h_0\Vert$ before training",
        ylabel="test accuracy after training, per cent", ylim=(0.0, 103.0),
    )  # fmt: skip
    axis.set_title("growth at initialisation predicts accuracy")
    axis.set_xscale("symlog", linthresh=1.0)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    growths = np.concatenate([_pairs(cells)[0] for cells in grouped.values()])
    axis.set_xlim(float(growths.min()) - 0.3, 1.4 * max(float(growths.max()), 1.0))
    axis.legend(loc="lower left")
    if scatter is not None and axis.figure is not None:
        axis.figure.colorbar(scatter, ax=axis, pad=0.02, label="$H$")


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _pairs(cells: dict[ResNet, TrainedCell]) -> tuple[Array, Array]:
    growth = np.array([cell.growth for cell in cells.values()])
    return growth, np.array([_accuracy(cell) for cell in cells.values()])


def _rank_correlation(growth: Array, accuracy: Array) -> Estimate:
    """Return Spearman's correlation; cells that diverged at every rate rank below all others.

    The interval is Fisher's, with the variance of Bonett and Wright (Psychometrika 65, 2000) for ranks;
    cells of one Hurst index share their first weights, so it is a rough one.
    """
    confidence = 0.99
    ranked = np.where(np.isfinite(accuracy), accuracy, -1.0)
    equal = np.ptp(ranked) == 0.0 or np.ptp(growth) == 0.0
    ranks: Any = None if equal else stats.spearmanr(growth, ranked)
    value = 0.0 if equal else float(ranks.statistic)
    n = len(growth)
    half = float(stats.norm.isf((1.0 - confidence) / 2.0)) * math.sqrt((1.0 + value**2 / 2.0) / (n - 3))
    centre = math.atanh(max(-1.0 + 1e-12, min(1.0 - 1e-12, value)))
    return Estimate(
        value=value, lower=math.tanh(centre - half), upper=math.tanh(centre + half), confidence=confidence,
        n=n, method="Spearman, Fisher's interval", warning="all are equal" if equal else None,
    )  # fmt: skip


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for name, cells in _by_data(samples).items():
        above, below = [], []
        for network, cell in cells.items():
            accuracy = float(np.nan_to_num(_accuracy(cell), nan=0.0))
            distance = (network.beta or 0.0) - float(theory.critical_scaling(_hurst(network)))
            (above if distance >= 0.0 else below).append(accuracy)
        checks += [
            Check(
                f"lowest accuracy of cells with β ≥ max(H, 1/2), {name} (F1)",
                _TRAINED[name],
                Computed(min(above), 0.0, "best learning rate"),
                "at least",
            ),
            Check(
                f"lowest accuracy of cells with β < max(H, 1/2), {name} (F1)",
                _TRAINED[name],
                Computed(min(below), 0.0, "best learning rate"),
                "at most",
            ),
            Check(
                f"rank correlation of growth before training and accuracy after, {name}: below 0",
                0.0,
                _rank_correlation(*_pairs(cells)),
                "at most",
            ),
        ]
    return checks


FIGURE = FigureDefinition(
    name="9",
    title="Test accuracy after training over regularity and scaling",
    caption=(
        "Test accuracy in per cent of res-1 networks of width 30 that start from fractional weights of "
        "Hurst index H, trained for ten epochs by Adam at learning rates 1e-4 to 1; each cell shows the "
        "best of them, by test accuracy, as in the paper. Grey cells diverged at every rate. Above the "
        "line, the critical scaling max(H, 1/2), networks train; far below it hidden states and gradients "
        "explode and they do not; where H < 1/2, res-1 networks hardly explode and also train some way below "
        "it. Right: the mean growth of the hidden states of other networks of the same "
        "law before any training, against the accuracy after it, with the rank correlation: where the "
        "growth at initialisation is more than about a factor of twenty, training fails. Crosses: diverged "
        "at every rate."
    ),
    paper=(
        "As in the paper: networks train at and above the critical scaling max(H, 1/2), and fail far below "
        "it. Different: other data, which need no download, and depth 200 with a grid of 5 by 5 in the quick "
        "setting; for H < 1/2 networks train some way below the line, too; the covariance is exact for "
        "H > 0.8 (see Figure 7). Added: the growth at initialisation that tells which of them will."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
