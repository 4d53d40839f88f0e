"""Figure 2: histograms of the ratios of hidden states and of gradients at the critical scaling."""

from __future__ import annotations

from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure as Canvas
from scipy import stats

import theory
from figures._figure import Check, FigureDefinition, Point, Samples, Setting
from figures._style import NETWORKS, THEORY
from montecarlo import ResNet
from montecarlo.estimates import log_mean_exp, mean

_NETWORK = ResNet(width=100, depth=1000, beta=0.5, weights="uniform")
_PANELS = (
    ("log_hidden_ratio", r"$\Vert h_L\Vert \,/\, \Vert h_0\Vert$"),
    ("log_gradient_ratio", r"$\Vert p_0\Vert \,/\, \Vert p_L\Vert$"),
    ("log_hidden_difference", r"$\Vert h_L - h_0\Vert \,/\, \Vert h_0\Vert$"),
    ("log_gradient_difference", r"$\Vert p_0 - p_L\Vert \,/\, \Vert p_L\Vert$"),
)


def _points(setting: Setting) -> list[Point]:
    return [Point(_NETWORK, 10_000 if setting == "paper" else 2_000)]


def _norm_limit() -> Any:
    """Return the limit law of ‖h_L‖/‖h_0‖ (I8): half of N(1/2 - 1/d, 2/d), exponentiated."""
    d = _NETWORK.width
    return stats.lognorm(s=np.sqrt(0.5 / d), scale=np.exp(0.25 - 0.5 / d))


def _draw(samples: Samples) -> Canvas:
    sample = samples[_NETWORK]
    canvas = Canvas(figsize=(9, 6.4), layout="constrained")
    axes = canvas.subplots(2, 2, sharex="row", sharey="row")
    for index, (axis, (column, label)) in enumerate(zip(axes.flat, _PANELS, strict=True)):
        sns.histplot(
            x=np.exp(sample[column]), stat="density", bins=50, color=NETWORKS, alpha=0.55, edgecolor=None,
            ax=axis, label=f"{len(sample):,} networks",
        )  # fmt: skip
        if index < 2:
            x = np.linspace(*axis.get_xlim(), num=500)
            axis.plot(x, _norm_limit().pdf(x), color=THEORY, lw=1.6, label=r"limit law, $L \to \infty$ (I8)")
        else:
            exact = theory.log_hidden_difference_second_moment(depth=_NETWORK.depth, alpha=_NETWORK.scaling)
            axis.axvline(np.exp(0.5 * exact), color=THEORY, lw=1.6, label="root mean square, exact (I2, I3)")
        axis.set(xlabel=label, ylabel="density")
        axis.legend(loc="upper right")
        top = axis.get_ylim()[1]
        axis.set_ylim(0, top * 1.3)
    axes[0, 0].set_title("hidden states")
    axes[0, 1].set_title("gradients")
    return canvas


def _checks(samples: Samples) -> list[Check]:
    sample = samples[_NETWORK]
    predicted = theory.log_hidden_difference_second_moment(depth=_NETWORK.depth, alpha=_NETWORK.scaling)
    checks = []
    for column, text in (
        ("log_hidden_difference", "‖h_L−h_0‖²/‖h_0‖²"),
        ("log_gradient_difference", "‖p_0−p_L‖²/‖p_L‖²"),
    ):
        estimate = log_mean_exp(sample[column], power=2.0, confidence=0.999)
        checks.append(Check(f"log E {text}", float(predicted), estimate))
    centre = 0.25 - 0.5 / _NETWORK.width
    for column, text in (("log_hidden_ratio", "‖h_L‖/‖h_0‖"), ("log_gradient_ratio", "‖p_0‖/‖p_L‖")):
        checks.append(Check(f"E log {text}, limit", centre, mean(sample[column], confidence=0.999)))
    return checks


FIGURE = FigureDefinition(
    name="2",
    title="The critical scaling: laws of the ratios",
    caption=(
        "Ratios of the norms of hidden states (left) and gradients (right) of res-3 networks of width 100 "
        "and depth 1000 at β = 1/2, uniform weights. Top: the ratio of the last to the first norm with the "
        "log-normal density of the large-depth limit. Bottom: the relative distance, with its exact root "
        "mean square. Hidden states and gradients have one law."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
