"""Figure "activations": the law of the norm at the critical scaling for four activations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

import theory
from figures._figure import Check, Computed, FigureDefinition, Setting
from figures._initial_norm import initial_mean_square_rule
from figures._laws import distance_check, mean_check
from figures._points import Point, Samples
from figures._style import NETWORKS, THEORY, bin_edges
from montecarlo import Request, ResNet

Array = npt.NDArray[np.float64]

_ACTIVATIONS = ("relu", "gelu", "tanh", "sin")
_TITLES = {"relu": "ReLU", "gelu": "GELU"}
_WIDTH = 40
_DEPTH = 1000
# ‖h_0‖²/d is about 3: large enough for tanh and sin to be far from linear.
_INPUT_SCALE = 3.0
_NODES = 6
_RULE_TOLERANCE = 1e-4


def _network(activation: str) -> ResNet:
    return ResNet(
        width=_WIDTH, depth=_DEPTH, beta=0.5, block="res-2", activation=activation, input_scale=_INPUT_SCALE
    )


def _points(setting: Setting) -> list[Point]:
    replicas = 10_000 if setting == "paper" else 4_000
    return [
        Point(_network(activation), replicas, "gaussian", Request(gradients=False))
        for activation in _ACTIVATIONS
    ]


@dataclass(frozen=True)
class _Mixture:
    """S3 averaged over the random ‖h_0‖²/d of a net: laws given its nodes, and their weights."""

    laws: list[theory.TabulatedLaw]
    weights: Array

    @classmethod
    def of(cls, activation: str, nodes: int = _NODES) -> _Mixture:
        """Return the limit law of log ‖h_L‖/‖h_0‖ of a net with random first state."""
        network = _network(activation)
        starts, weights = initial_mean_square_rule(
            width=network.width, input_dim=network.input_dim, input_scale=network.input_scale, nodes=nodes
        )
        solve = theory.log_norm_diffusion_law
        return cls([_diffusion_law(solve, activation, network.width, float(S)) for S in starts], weights)

    def _average(self, value: Callable[[theory.TabulatedLaw], Any]) -> Any:
        return sum(weight * value(law) for weight, law in zip(self.weights, self.laws, strict=True))

    def pdf(self, x: Array) -> Array:
        """Return the density."""
        return np.asarray(self._average(lambda law: law.pdf(x)))

    def cdf(self, x: Array) -> Array:
        """Return the distribution function."""
        return np.asarray(self._average(lambda law: law.cdf(x)))

    def mean(self) -> float:
        """Return the mean."""
        return float(self._average(lambda law: law.mean()))


@cache
def _diffusion_law(
    solve: Callable[..., theory.TabulatedLaw], activation: str, width: int, start: float
) -> theory.TabulatedLaw:
    """Solve once for drawing and checks; the function is part of the key, for tests that replace it."""
    return solve(activation=activation, width=width, initial_mean_square=start)


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(9.6, 6.6), layout="constrained")
    axes: Any = canvas.subplots(2, 2, sharex=True)
    for axis, activation in zip(axes.flat, _ACTIVATIONS, strict=True):
        _panel(axis, samples, activation)
    for axis in axes[1]:
        axis.set_xlabel(r"natural log of $\Vert h_L\Vert \,/\, \Vert h_0\Vert$")
    for axis in axes[:, 0]:
        axis.set_ylabel("density")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=2)
    return canvas


def _panel(axis: Axes, samples: Samples, activation: str) -> None:
    rows = samples[_network(activation)]["log_hidden_ratio"]
    sns.histplot(
        x=rows, stat="density", bins=bin_edges(rows), color=NETWORKS, alpha=0.45, element="step", linewidth=0,
        ax=axis, label=f"{len(rows):,} networks a panel",
    )  # fmt: skip
    x = np.linspace(-0.2, 0.7, 500)
    if activation == "relu":
        # Res-2 without bias is res-3 here, and has its exact law.
        exact = theory.ExactNormLaw(width=_WIDTH, depth=_DEPTH, alpha=_network(activation).scaling)
        axis.plot(
            x,
            np.asarray(exact.pdf(x)),
            color=THEORY,
            lw=3.2,
            alpha=0.45,
            label="exact at this depth (I6), ReLU only",
        )
    axis.plot(
        x, _Mixture.of(activation).pdf(x), color=THEORY, ls="--", lw=1.5,
        label=r"limit law, $L \to \infty$ (S3)",
    )  # fmt: skip
    axis.axvline(
        _wide_limit(activation), color=THEORY, ls=":", lw=1.6, label=r"limit, then $d \to \infty$ (S4)"
    )
    axis.set(title=_TITLES.get(activation, activation), xlim=(-0.2, 0.7), ylabel="")


def _wide_limit(activation: str) -> float:
    """Return the limit of log ‖h_L‖/‖h_0‖ of wide nets with the mean of ‖h_0‖²/d, c²/3."""
    start = _INPUT_SCALE**2 / 3.0
    end = theory.mean_square_flow(activation=activation, initial_mean_square=start)
    return 0.5 * float(np.log(np.asarray(end) / start))


def _checks(samples: Samples) -> list[Check]:
    checks = []
    x = np.linspace(-0.3, 0.9, 1201)
    for activation in _ACTIVATIONS:
        rows, law = samples[_network(activation)]["log_hidden_ratio"], _Mixture.of(activation)
        checks.append(mean_check(f"log ‖h_L‖/‖h_0‖, {activation}, limit (S3)", rows, law.mean()))
        checks.append(distance_check(f"‖h_L‖/‖h_0‖, {activation}, limit (S3)", rows, law.cdf))
        finer = _Mixture.of(activation, _NODES + 3)
        change = float(np.abs(finer.cdf(x) - law.cdf(x)).max())
        method = f"change of the limit law, {_NODES} to {_NODES + 3} nodes"
        name = f"error of averaging over ‖h_0‖, {activation}"
        checks.append(Check(name, 0.0, Computed(change, _RULE_TOLERANCE, method)))
    return checks


FIGURE = FigureDefinition(
    name="activations",
    title="The critical scaling with other activations",
    caption=(
        "Histograms of the natural log of ‖h_L‖/‖h_0‖ of res-2 networks without bias of width 40 and depth "
        "1000 at β = 1/2, Gaussian weights, with the law of the limiting diffusion of the norm (dashed, S3). "
        "That law depends on ‖h_0‖, which is random: the curve is averaged over its law (input scale 3, "
        "‖h_0‖²/d near 3). The networks follow the curve for every activation; panels share their random "
        "numbers. ReLU, which "
        "is homogeneous, has its centre at "
        "0.24 and is normal; its exact law at this depth (solid) lies on the limit. GELU is close to it. "
        "Bounded activations, tanh (0.09) and sin (0.08), make the norm grow less and spread less. Dotted: "
        "where all networks end at infinite width."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
