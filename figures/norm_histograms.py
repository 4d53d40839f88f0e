"""Figure 2: laws of the ratios of hidden states and of gradients at the critical scaling."""

from __future__ import annotations

from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import (
    CONFIDENCE,
    bound_check,
    distance_check,
    mean_check,
    ratio_density,
    same_law_check,
    variance_check,
)
from figures._points import Point, Samples
from figures._style import NETWORKS, OUTLINE, THEORY, bin_edges
from montecarlo import ResNet
from montecarlo.estimates import log_mean_exp

_UNIFORM = ResNet(width=100, depth=1000, beta=0.5, weights="uniform")
_GAUSSIAN = ResNet(width=100, depth=1000, beta=0.5)
_LINEAR = ResNet(width=100, depth=1000, beta=0.5, block="res-1", activation="identity")
"""Not drawn: the block that attains the upper end of I9."""
_FAILURE = 0.1
_PANELS = (
    ("log_hidden_ratio", r"$\Vert h_L\Vert \,/\, \Vert h_0\Vert$", "‖h_L‖/‖h_0‖"),
    ("log_gradient_ratio", r"$\Vert p_0\Vert \,/\, \Vert p_L\Vert$", "‖p_0‖/‖p_L‖"),
    ("log_hidden_difference", r"$\Vert h_L - h_0\Vert \,/\, \Vert h_0\Vert$", "‖h_L−h_0‖/‖h_0‖"),
    ("log_gradient_difference", r"$\Vert p_0 - p_L\Vert \,/\, \Vert p_L\Vert$", "‖p_0−p_L‖/‖p_L‖"),
)


def _points(setting: Setting) -> list[Point]:
    # The paper has 10,000 uniform networks, which take nearly all of the time. The others are ours: as many
    # as a smooth outline needs, and checks that notice 2 % of α², 10 % of a variance, 4 % of a bound's end.
    uniform = 10_000 if setting == "paper" else 2_000
    return [
        Point(_UNIFORM, uniform),
        Point(_GAUSSIAN, 10_000, engine="gaussian"),
        Point(_LINEAR, 2_000, engine="gaussian"),
    ]


def _exact_law() -> theory.ExactNormLaw:
    return theory.ExactNormLaw(width=_GAUSSIAN.width, depth=_GAUSSIAN.depth, alpha=_GAUSSIAN.scaling)


def _log_root_mean_square() -> float:
    """Return the natural log of the root mean square of the differences, exact for both laws of weights."""
    square = theory.log_hidden_difference_second_moment(depth=_UNIFORM.depth, alpha=_UNIFORM.scaling)
    return 0.5 * float(square)


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(9.6, 7.4), layout="constrained")
    axes = canvas.subplots(2, 2, sharex="row", sharey="row")
    norm_limit = theory.critical_log_norm_law(width=_GAUSSIAN.width)
    difference_limit = theory.critical_log_difference_law(width=_GAUSSIAN.width)
    exact = _exact_law()
    for axis, (column, label, _) in zip(axes.flat, _PANELS, strict=True):
        _histograms(axis, samples, column)
        shown = exact if column.endswith("_ratio") else difference_limit
        low, high = np.asarray(shown.ppf([1e-6, 1 - 1e-6]))
        x = np.exp(np.linspace(low, high, 500))
        if column.endswith("_ratio"):
            axis.plot(
                x, ratio_density(exact, x), color=THEORY, lw=3.2, alpha=0.45,
                label="exact density, Gaussian (I6)",
            )  # fmt: skip
            limit = norm_limit
        else:
            axis.axvline(
                np.exp(_log_root_mean_square()), color=THEORY, lw=1.4,
                label="exact root mean square (I2, I3)",
            )  # fmt: skip
            limit = difference_limit
        axis.plot(
            x, ratio_density(limit, x), color=THEORY, ls="--", lw=1.4,
            label=r"limit density, $L \to \infty$ (I8, S2)",
        )  # fmt: skip
        axis.set(xlabel=label, ylabel="density")
        axis.set_xlim(x[0], x[-1])
    _legend(canvas, axes[:, 0])
    axes[0, 0].set_title("hidden states")
    axes[0, 1].set_title("gradients")
    return canvas


def _legend(canvas: Canvas, axes: Any) -> None:
    """Draw one legend below the panels, with what either row shows."""
    entries = {}
    for axis in axes:
        entries |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    # Matplotlib lists lines before bars; the networks come first here.
    order = ("uniform weights", "Gaussian weights")
    labels = sorted(
        entries, key=lambda label: next((i for i, end in enumerate(order) if label.endswith(end)), 2)
    )
    canvas.legend([entries[label] for label in labels], labels, loc="outside lower center", ncols=3)


def _histograms(axis: Axes, samples: Samples, column: str) -> None:
    """Draw the uniform networks filled, the Gaussian ones as an outline over them, in the same bins.

    Hidden states and gradients have the same bins, too: their panels stand side by side.
    """
    uniform, gaussian = samples[_UNIFORM], samples[_GAUSSIAN]
    kind = column.rpartition("_")[2]
    row = (f"log_hidden_{kind}", f"log_gradient_{kind}")
    edges = bin_edges(*(np.exp(sample[name]) for sample in (uniform, gaussian) for name in row))
    sns.histplot(
        x=np.exp(uniform[column]), stat="density", bins=edges, color=NETWORKS, alpha=0.45, element="step",
        linewidth=0, ax=axis, label=f"{len(uniform):,} networks, uniform weights",
    )  # fmt: skip
    sns.histplot(
        x=np.exp(gaussian[column]), stat="density", bins=edges, color=OUTLINE, element="step", fill=False,
        linewidth=0.9, ax=axis, label=f"{len(gaussian):,} networks, Gaussian weights",
    )  # fmt: skip


def _checks(samples: Samples) -> list[Check]:
    uniform, gaussian = samples[_UNIFORM], samples[_GAUSSIAN]
    limit, exact = theory.critical_log_norm_law(width=_UNIFORM.width), _exact_law()
    difference = theory.critical_log_difference_law(width=_GAUSSIAN.width)
    checks = []
    for column, _, text in _PANELS:
        if column.endswith("_difference"):
            estimate = log_mean_exp(uniform[column], power=2.0, confidence=0.999)
            checks.append(Check(f"log E ({text})², uniform", 2 * _log_root_mean_square(), estimate))
            estimate = log_mean_exp(gaussian[column], power=2.0, confidence=0.999)
            checks.append(Check(f"log E ({text})², Gaussian", 2 * _log_root_mean_square(), estimate))
            checks.append(distance_check(f"{text}, Gaussian, limit (S2)", gaussian[column], difference.cdf))
        else:
            checks.append(mean_check(f"log {text}, uniform, limit (I8)", uniform[column], limit.mean()))
            checks.append(mean_check(f"log {text}, Gaussian, exact (I6)", gaussian[column], exact.mean()))
            checks.append(variance_check(f"log {text}, Gaussian, exact (I6)", gaussian[column], exact.var()))
            checks.append(distance_check(f"{text}, Gaussian, exact (I6)", gaussian[column], exact.cdf))
    return [*checks, *_dualities(samples), *_moments_and_bounds(samples)]


def _dualities(samples: Samples) -> list[Check]:
    """Return the distances between hidden states and gradients (I4)."""
    checks = []
    for resnet, law in ((_UNIFORM, "uniform"), (_GAUSSIAN, "Gaussian")):
        sample = samples[resnet]
        # The two ratios of one network depend on each other: take them from different networks.
        half = len(sample) // 2
        for kind, text in (
            ("ratio", "‖h_L‖/‖h_0‖ and ‖p_0‖/‖p_L‖"),
            ("difference", "‖h_L−h_0‖/‖h_0‖ and ‖p_0−p_L‖/‖p_L‖"),
        ):
            hidden, gradient = sample[f"log_hidden_{kind}"][:half], sample[f"log_gradient_{kind}"][half:]
            checks.append(same_law_check(f"{text}, {law} (I4)", hidden, gradient))
    return checks


def _moments_and_bounds(samples: Samples) -> list[Check]:
    """Return the fourth moment (I7), both ends of the bounds of a mean, and the bounds of a net (I9)."""
    gaussian = samples[_GAUSSIAN]
    width, depth, alpha = _GAUSSIAN.width, _GAUSSIAN.depth, _GAUSSIAN.scaling
    checks = []
    fourth = float(theory.log_norm_moment(order=2, width=width, depth=depth, alpha=alpha))
    for column, text in (("log_hidden_ratio", "‖h_L‖/‖h_0‖"), ("log_gradient_ratio", "‖p_0‖/‖p_L‖")):
        estimate = log_mean_exp(gaussian[column], power=4.0, confidence=CONFIDENCE)
        checks.append(Check(f"log E ({text})⁴, Gaussian, exact (I7)", fourth, estimate))
    ends = theory.critical_gradient_bounds()
    for end, sample, name in (
        (ends[0], gaussian, "res-3, lower end"), (ends[1], samples[_LINEAR], "linear res-1, upper end"),
    ):  # fmt: skip
        estimate = log_mean_exp(sample["log_gradient_difference"], power=2.0, confidence=CONFIDENCE)
        checks.append(Check(f"log E (‖p_0−p_L‖/‖p_L‖)², Gaussian, {name} (I9)", float(np.log(end)), estimate))
    low, high = theory.critical_difference_bounds(width=width, failure_probability=_FAILURE)
    square = np.exp(2.0 * samples[_UNIFORM]["log_hidden_difference"])
    name = f"P(‖h_L−h_0‖²/‖h_0‖² outside its bounds), δ = {_FAILURE}, uniform (I9)"
    checks.append(bound_check(name, (square <= low) | (square >= high), _FAILURE))
    return checks


FIGURE = FigureDefinition(
    name="2",
    title="The critical scaling: laws of the ratios",
    caption=(
        "Ratios of the norms of hidden states (left) and gradients (right) of res-3 networks of width 100 "
        "and depth 1000 at β = 1/2: uniform weights as in the paper (filled), Gaussian weights (outline). "
        "Top: the ratio of the last to the first norm, with the exact density for Gaussian weights at this "
        "very depth (solid) and the log-normal density of the large-depth limit (dashed); they differ by "
        "less than the line is wide, and the networks follow them. Its median is near 1.28, nearly three "
        "quarters of the networks within 0.1 of it. Bottom: the relative distance, with the density of its "
        "limit (dashed), the norm of geometric Brownian motion turning on the sphere, and the exact root "
        "mean square (line) near 0.81. Left and right are alike: hidden states and gradients have one law "
        "(I4)."
    ),
    paper=(
        "As in the paper: width 100, depth 1000, uniform weights (10,000 networks in the paper setting), "
        "and an approximately log-normal norm. Added: Gaussian weights, the exact law at this depth, the "
        "limit laws, and gradients beside hidden states."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
