"""Figure "post-activation": blocks h + aσ(Vh) have the critical scaling 1/L, and explode below it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from scipy import stats

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import distance_check, mean_check, variance_check
from figures._layer_points import draw_medians, log_layers
from figures._points import Point, Samples
from figures._style import NETWORKS, OTHER, THEORY, bin_edges, width_colours, width_markers
from montecarlo import Request, ResNet

Array = npt.NDArray[np.float64]

_WIDTH = 10
_DEPTH = 1000
# P2 approaches its limit like L^{-1/2}: its law is drawn for deeper networks.
_DEEP = 6_400
_BETAS = {0.5: "1/2", 0.75: "3/4", 1.0: "1"}
_POINTS = 13
_NODES = 64


def _network(beta: float, block: str = "post-activation", depth: int = _DEPTH) -> ResNet:
    return ResNet(width=_WIDTH, depth=depth, beta=beta, block=block)


def _points(setting: Setting) -> list[Point]:
    replicas = 6_000 if setting == "paper" else 2_000
    paths, ends = Request(gradients=False, trajectories=True), Request(gradients=False)
    return [
        *(Point(_network(beta), replicas, "gaussian", paths) for beta in _BETAS),
        Point(_network(0.5, "res-3"), 200, "gaussian", paths),
        Point(_network(0.5, depth=_DEEP), replicas, "gaussian", ends),
    ]


def _log_flow(cosine: Array, time: float) -> Array:
    """Return log ‖h‖/‖h_0‖ of the flow at a·k, for ‖h_0‖²/d = 1 and an angle with (1, …, 1)."""
    states = [
        theory.post_activation_flow(mean=float(c), variance=1.0 - float(c) ** 2, time=time) for c in cosine
    ]
    return 0.5 * np.log([state.mean_square for state in states])


def _cosines() -> Array:
    """Return equally likely cosines of h_0 with (1, …, 1): h_0 is isotropic."""
    u = (np.arange(_NODES) + 0.5) / _NODES
    return 2.0 * stats.beta.ppf(u, 0.5 * (_WIDTH - 1), 0.5 * (_WIDTH - 1)) - 1.0


class _FlowLaw:
    """Law of log ‖h_L‖/‖h_0‖ at β = 1: the flow of P1 from an isotropic h_0; monotone in its angle."""

    def __init__(self) -> None:
        # Equal steps of the angle: the density of the cosine vanishes at both ends.
        angle = np.linspace(np.pi, 0.0, 2001)[1:-1]
        self._values = _log_flow(np.cos(angle), 1.0)
        half = 0.5 * (_WIDTH - 1)
        self._cdf = stats.beta.cdf(0.5 + 0.5 * np.cos(angle), half, half)

    def cdf(self, x: Array) -> Array:
        """Return the distribution function."""
        return np.interp(x, self._values, self._cdf)

    def density(self) -> tuple[Array, Array]:
        """Return points and the density there."""
        return self._values, np.gradient(self._cdf, self._values)

    def mean(self) -> float:
        """Return the mean."""
        return float(0.5 * ((self._values[1:] + self._values[:-1]) @ np.diff(self._cdf)))


def _centred_laws() -> list[Any]:
    """Return the limit laws of log ‖h_L‖/‖h_0‖ − maL at β = 1/2, given equally likely angles of h_0."""
    return [theory.post_activation_law(width=_WIDTH, cosine=float(c)) for c in _cosines()]


def _centred(samples: Samples) -> Array:
    network = _network(0.5, depth=_DEEP)
    rate = theory.post_activation_rate(beta=0.5)
    return samples[network]["log_hidden_ratio"] - rate * network.scaling * _DEEP


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(11.6, 5.2), layout="constrained")
    axes = canvas.subplot_mosaic([["growth", "critical"], ["growth", "below"]], width_ratios=(1.2, 1.0))
    _growth(axes["growth"], samples)
    rows = samples[_network(1.0)]["log_hidden_ratio"]
    x, density = _FlowLaw().density()
    _histogram(axes["critical"], rows)
    axes["critical"].plot(x, density, color=THEORY, ls="--", lw=1.6, label="limit law (P1)")
    axes["critical"].set(
        title=rf"$\beta = 1$, $L = {_DEPTH}$",
        xlabel=r"natural log of $\Vert h_L\Vert \,/\, \Vert h_0\Vert$",
        xlim=(-0.4, 0.45),
    )
    rows, laws = _centred(samples), _centred_laws()
    _histogram(axes["below"], rows)
    x = np.linspace(-3.0, 0.4, 400)
    axes["below"].plot(
        x, np.mean([law.pdf(x) for law in laws], axis=0), color=THEORY, ls="--", lw=1.6,
        label="limit law (P2)",
    )  # fmt: skip
    axes["below"].set(
        title=rf"$\beta = 1/2$, $L = {_DEEP}$",
        xlabel=r"natural log of $\Vert h_L\Vert \,/\, \Vert h_0\Vert$, less $m\sqrt{L}$",
        xlim=(-3.0, 0.4),
    )  # fmt: skip
    for name in ("critical", "below"):
        axes[name].set_ylabel("density")
        axes[name].legend(loc="upper left")
    return canvas


def _histogram(axis: Axes, rows: Array) -> None:
    sns.histplot(
        x=rows, stat="density", bins=bin_edges(rows), color=NETWORKS, alpha=0.45, element="step", linewidth=0,
        ax=axis, label=f"{len(rows):,} networks",
    )  # fmt: skip


def _growth(axis: Axes, samples: Samples) -> None:
    layers, every = log_layers(_DEPTH, _POINTS), log_layers(_DEPTH, 60)
    count = len(_BETAS)
    styles = zip(_BETAS.items(), width_colours(count), width_markers(count), strict=True)
    for (beta, name), colour, marker in styles:
        network = _network(beta)
        paths = samples[network]["log_hidden_path"]
        draw_medians(axis, layers, paths, colour=colour, marker=marker, label=rf"$\beta = {name}$")
        curve = [float(_log_flow(np.zeros(1), network.scaling * k)[0]) for k in every]
        axis.plot(every, np.exp(curve), color=colour, lw=1.5)
    plain = _network(0.5, "res-3")
    draw_medians(
        axis,
        layers,
        samples[plain]["log_hidden_path"],
        colour=OTHER,
        marker="^",
        label=r"res-3, $\beta = 1/2$",
    )
    lyapunov = theory.ExactNormLaw(width=_WIDTH, depth=_DEPTH, alpha=plain.scaling).lyapunov
    axis.plot(every, np.exp(every * lyapunov), color=OTHER, lw=1.5)
    axis.set(
        xscale="log", yscale="log", xlabel="layer $k$", ylabel=r"$\Vert h_k\Vert \,/\, \Vert h_0\Vert$",
        title="points: median, bars hold 90 %; curves: flow (P1), exact (I6)",
    )  # fmt: skip
    axis.legend(loc="upper left")


def _checks(samples: Samples) -> list[Check]:
    critical, law = samples[_network(1.0)]["log_hidden_ratio"], _FlowLaw()
    centred, laws = _centred(samples), _centred_laws()
    means = np.array([law.mean() for law in laws])
    spread = float(np.mean([law.var() for law in laws]) + means.var())

    def below(x: Array) -> Array:
        return np.mean([law.cdf(x) for law in laws], axis=0)

    return [
        mean_check("log ‖h_L‖/‖h_0‖, β = 1, limit (P1)", critical, law.mean()),
        distance_check("‖h_L‖/‖h_0‖, β = 1, limit (P1)", critical, law.cdf),
        mean_check("log ‖h_L‖/‖h_0‖ − m√L, β = 1/2, limit (P2)", centred, float(means.mean())),
        variance_check("log ‖h_L‖/‖h_0‖, β = 1/2, limit (P2)", centred, spread),
        distance_check("‖h_L‖/‖h_0‖, β = 1/2, limit (P2)", centred, below),
    ]


FIGURE = FigureDefinition(
    name="post-activation",
    title="An activation outside the last matrix: the critical scaling is 1/L",
    caption=(
        "Post-activation blocks h + a ReLU(Vh), width 10, depth 1000 (6400 at the lower right), Gaussian "
        "weights. The branch is positive, so that it pushes every state towards (1, …, 1): layers add up "
        "instead of averaging out. Left: the norm along depth on logarithmic axes, with the flow of P1 from "
        "a state at a right angle to (1, …, 1), cosh(mak), m = 1/√(2π). At β = 1/2, where res-3 (grey) "
        "grows by a fifth, hidden states grow 10⁵-fold; at β = 1 they stay of order one. Right: at β = 1 "
        "the law of the norm is that of the angle of h_0 alone (dashed, P1), at any width; at β = 1/2 the "
        "log of the norm, less m√L, has a normal limit given that angle (P2), here averaged over it."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
