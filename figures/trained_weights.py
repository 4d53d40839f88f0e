"""Figure 8: weights along depth before and after training, from smooth and from independent layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from figures._figure import Check, Computed, FigureDefinition, Setting
from figures._points import Samples
from figures._style import LIMIT, width_colours
from figures._training_points import TrainedCell, TrainingPoint, training_network
from montecarlo.estimates import Estimate
from montecarlo.training import Measured

_CASES = (
    ("rbf:0.01", 1.0, "smooth layers, $\\beta = 1$"),
    ("gaussian", 1.0, "independent layers, $\\beta = 1$"),
    ("gaussian", 0.5, "independent layers, $\\beta = 1/2$"),
)
_INDEX = {"rbf:0.01": 1.0, "gaussian": 0.5}
_DEPTHS = {"quick": 200, "paper": 1000}
_ENTRIES = 3
_KEPT = 0.05
"""How far the index may move in training where regularity is kept: a tenth of what tells 1/2 from 1."""


def _points(setting: Setting) -> list[TrainingPoint]:
    return [
        TrainingPoint(
            training_network("digits", depth=_DEPTHS[setting], beta=beta, weights=weights), entries=_ENTRIES
        )
        for weights, beta, _ in _CASES
    ]


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(11, 6.0), layout="constrained")
    axes: Any = canvas.subplots(2, len(_CASES), sharex=True, sharey="col")
    cells: list[TrainedCell] = list(samples.values())
    for (top, bottom), cell, (_, _, title) in zip(axes.T, cells, _CASES, strict=True):
        best = cell.best
        if best is None or cell.paths is None or best.after is None:
            top.set_title(f"{title}: diverged at every rate")
            continue
        before, after = cell.paths
        _paths(top, before)
        _paths(bottom, after)
        top.set_title(f"{title}\n{_indices(best.before)}")
        score = f"{100 * (best.accuracy or 0.0):.1f} % right at rate {best.item.rate:g}"
        bottom.set_title(f"{score}\n{_indices(best.after)}")
        layers = np.arange(1, before.shape[1] + 1)
        for row, change in enumerate(after - before):
            added = f"added by training, index {_value(best.after.change_regularity):.2f}"
            bottom.plot(layers, change, color=LIMIT, lw=1.6, label=added if row == 0 else None)
        bottom.set(xlabel="layer $k$", xlim=(0, before.shape[1]))
        bottom.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False)
    axes[0, 0].set_ylabel(r"entries of $\sqrt{d}\,V_k$ before")
    axes[1, 0].set_ylabel(r"entries of $\sqrt{d}\,V_k$ after")
    return canvas


def _indices(measured: Measured) -> str:
    plain, blind = _value(measured.regularity), _value(measured.regularity_without_mean)
    return f"index {plain:.2f}, from differences {blind:.2f}"


def _paths(axis: Axes, paths: Any) -> None:
    layers = np.arange(1, paths.shape[1] + 1)
    for path, colour in zip(paths, width_colours(_ENTRIES), strict=True):
        axis.plot(layers, path, color=colour, lw=0.6)


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for network, cell in samples.items():
        best = cell.best
        of = f"{network.weights}, β = {network.beta:g}, L = {network.depth}"
        if best is None or best.after is None:
            continue
        start = _value(best.before.regularity)
        first = _INDEX[str(network.weights)]
        checks.append(
            Check(f"index of V_k before training, {of}", first, Computed(start, 0.02, "sums over lags"))
        )
        kept = _value(best.after.regularity_without_mean)
        checks.append(
            Check(
                f"index of V_k from differences, after training against before, {of}",
                _value(best.before.regularity_without_mean),
                Computed(kept, _KEPT, "differences of sums over lags"),
            )
        )
        added = _value(best.after.change_regularity)
        checks.append(
            Check(
                f"index of what training adds, {of}: 1 at least, as of continuous functions",
                1.0,
                Computed(added, 0.0, "differences of sums over lags"),
                "at least",
            )
        )
    return checks


def _value(estimate: Estimate | None) -> float:
    return estimate.value if estimate is not None else float("nan")


FIGURE = FigureDefinition(
    name="8",
    title="Weights along depth before and after training",
    caption=(
        "Three entries of the weights V_k along the layers k of res-1 networks of width 30, before (top) "
        "and after (bottom) ten epochs of Adam on scikit-learn's digits, at the learning rate with the best "
        "test accuracy of five. Left: smooth weights at the scaling of the ODE; middle: independent layers "
        "at that scaling; right: independent layers at the scaling of the SDE. Black: what training has "
        "added to each entry, which varies slowly along depth in all three cases, apart from a few jumps. So "
        "the weights keep the regularity that they started with, and a part that is smoother by about one "
        "order is laid over them. "
        "Titles give the index of regularity of the sums of the weights along depth, 1/2 for independent "
        "layers and 1 for smooth ones. From plain sums over a few layers it rises where the added part is "
        "large; from differences of neighbouring sums, which hardly see that part, it stays: 1/2 for "
        "independent layers, 2 for smooth ones, and between 1 and 2 for what is continuous but rough."
    ),
    paper=(
        "As in the paper: trained weights keep the regularity along depth that they started with. Different: "
        "other data, which need no download, five learning rates where the paper has one, and depth 200 in "
        "the quick setting. Added: the index of "
        "regularity in numbers, and what training itself has added, which is smoother."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
