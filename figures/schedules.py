"""Figure "schedules": growth and laws with scalings that change along depth, and with a smaller stream."""

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
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import CONFIDENCE, distance_check, mean_check
from figures._layer_points import log_layers
from figures._points import Point, Samples
from figures._style import LIMIT, NETWORKS, THEORY, bin_edges, width_colours, width_markers
from montecarlo import Request, ResNet
from montecarlo.estimates import log_mean_exp

Array = npt.NDArray[np.float64]

_WIDTH = 10
_HIDDEN_WIDTH = 40
_DEPTH = 300
_POINTS = 11
_PRESERVING = 0.15


@dataclass(frozen=True)
class _Rule:
    """A rule for a_k and b: its name, and the fields of the network."""

    label: str
    fields: dict[str, Any]
    preserving: bool = False

    @property
    def network(self) -> ResNet:
        """The network under this rule."""
        return ResNet(width=_WIDTH, hidden_width=_HIDDEN_WIDTH, depth=_DEPTH, **self.fields)

    @property
    def alphas(self) -> Array:
        """a_k, shape (depth,)."""
        factors = self.network.factors
        return self.network.scaling * (np.ones(_DEPTH) if factors is None else factors)

    @property
    def limit(self) -> Any:
        """The normal law with the Σ a_k² of the rule, right only where the largest a_k is small."""
        return theory.schedule_limit_law(
            width=_WIDTH, total=float(np.square(self.alphas).sum()), preserving=self.preserving
        )

    @property
    def exact(self) -> theory.ScheduleNormLaw:
        """The law at this depth."""
        return _exact(theory.ScheduleNormLaw, self.network)


_SLOW = _Rule(r"$a_k = k^{-1/2}$", {"alpha": 1.0, "schedule": "power:0.5"})
_CONSTANT = _Rule(r"$a_k = L^{-1/2}$", {"beta": 0.5})
_FAST = _Rule(r"$a_k = 1/k$", {"alpha": 1.0, "schedule": "power:1"})
_KEPT = _Rule(
    rf"$a_k = {_PRESERVING:g},\ b^2 = 1 - a_k^2/2$",
    {"alpha": _PRESERVING, "skip": (1 - _PRESERVING**2 / 2) ** 0.5},
    True,
)
_RULES = (_SLOW, _CONSTANT, _FAST, _KEPT)
_LAWS = (_CONSTANT, _FAST, _KEPT)


@cache
def _exact(law: Callable[..., theory.ScheduleNormLaw], network: ResNet) -> theory.ScheduleNormLaw:
    """Compute once for drawing and checks; the law is part of the key, for tests that replace it."""
    factors = network.factors
    alpha = network.scaling if factors is None else network.scaling * factors
    return law(
        width=network.width, depth=network.depth, alpha=alpha, hidden_width=network.hidden_width,
        skip=network.skip,
    )  # fmt: skip


def _points(setting: Setting) -> list[Point]:
    replicas = 20_000 if setting == "paper" else 4_000
    paths = Request(gradients=False, trajectories=True)
    return [Point(rule.network, replicas, "radial", paths) for rule in _RULES]


def _log_mean_square(rule: _Rule, layer: int) -> float:
    return theory.log_schedule_second_moment(depth=layer, alpha=rule.alphas[:layer], skip=rule.network.skip)


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(11.6, 5.6), layout="constrained")
    axes = canvas.subplot_mosaic(
        [["growth", "0"], ["growth", "1"], ["growth", "2"]], width_ratios=(1.25, 1.0)
    )
    _growth(axes["growth"], samples)
    for place, rule in enumerate(_LAWS):
        axis = axes[str(place)]
        _law(axis, samples, rule)
        axis.set(ylabel="density", xlim=(-2.2, 1.6))
    axes["2"].set_xlabel(r"natural log of $\Vert h_L\Vert \,/\, \Vert h_0\Vert$")
    handles, labels = axes["0"].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=3)
    return canvas


def _growth(axis: Axes, samples: Samples) -> None:
    layers, every = log_layers(_DEPTH, _POINTS), log_layers(_DEPTH, 90)
    styles = zip(_RULES, width_colours(len(_RULES)), width_markers(len(_RULES)), strict=True)
    for rule, colour, marker in styles:
        paths = samples[rule.network]["log_hidden_path"]
        found = [log_mean_exp(paths[:, k], power=2.0, confidence=0.99) for k in layers]
        middle, low, high = np.exp(0.5 * np.array([(e.value, e.lower, e.upper) for e in found]).T)
        # A tail too heavy for the sample has no upper end; the marker is then its own.
        above = np.where(np.isfinite(high), high - middle, 0.0)
        axis.errorbar(
            layers, middle, yerr=[middle - low, above], fmt=marker, ms=5, lw=1, capsize=2, color=colour,
            label=rule.label,
        )  # fmt: skip
        curve = [0.5 * _log_mean_square(rule, int(k)) for k in every]
        axis.plot(every, np.exp(curve), color=colour, lw=1.5)
    axis.set(
        xscale="log", yscale="log", xlabel="layer $k$",
        ylabel=r"root mean square of $\Vert h_k\Vert \,/\, \Vert h_0\Vert$",
        title="points: networks, 99 % intervals; curves: exact (G1)",
    )  # fmt: skip
    axis.yaxis.set_major_locator(FixedLocator([1, 1.5, 2, 3, 4, 5]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axis.legend(loc="upper left")


def _law(axis: Axes, samples: Samples, rule: _Rule) -> None:
    rows = samples[rule.network]["log_hidden_ratio"]
    sns.histplot(
        x=rows, stat="density", bins=bin_edges(rows), color=NETWORKS, alpha=0.45, element="step", linewidth=0,
        ax=axis, label=f"{len(rows):,} networks a panel",
    )  # fmt: skip
    x = np.linspace(-2.2, 1.6, 400)
    axis.plot(x, np.asarray(rule.exact.pdf(x)), color=THEORY, lw=1.6, label="exact (G1)")
    axis.plot(
        x, rule.limit.pdf(x), color=LIMIT, ls="--", lw=1.3,
        label=r"normal law of the same $\sum a_k^2$",
    )  # fmt: skip
    axis.set_title(rule.label)


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for rule in _RULES:
        rows = samples[rule.network]["log_hidden_ratio"]
        found = log_mean_exp(rows, power=2.0, confidence=CONFIDENCE)
        name = f"log E (‖h_L‖/‖h_0‖)², {_plain(rule)} (G1)"
        checks.append(Check(name, _log_mean_square(rule, _DEPTH), found))
    for rule in _LAWS:
        rows, law = samples[rule.network]["log_hidden_ratio"], rule.exact
        checks.append(mean_check(f"log ‖h_L‖/‖h_0‖, {_plain(rule)} (G1)", rows, law.mean()))
        checks.append(distance_check(f"‖h_L‖/‖h_0‖, {_plain(rule)} (G1)", rows, law.cdf))
    return checks


def _plain(rule: _Rule) -> str:
    """Return a rule in plain text."""
    if rule.preserving:
        return f"a = {_PRESERVING:g}, b² = 1 − a²/2"
    schedule = rule.network.schedule
    return "a = L^-0.5" if schedule == "constant" else f"a_k = k^-{str(schedule).partition(':')[2]}"


FIGURE = FigureDefinition(
    name="schedules",
    title="Scalings that change along depth, and a factor of the stream",
    caption=(
        "Res-3 networks of width 10 with 40 hidden units, depth 300, Gaussian weights, under four rules for "
        "the scaling a_k of the branch and the factor b of the stream. Left: root mean square of the norm "
        "along depth, with the exact curves √Π(b² + a_k²/2). With a_k = k^-1/2 it grows like a power of "
        "depth, k^1/4; with the constant L^-1/2 it stays of order one; with the summable 1/k it stops "
        "growing after a few layers; where b² + a²/2 = 1 it is 1 at every layer. Right: laws of the log of "
        "the norm at the last layer. The exact law (G1) holds for each. The normal law with the same Σ a_k² "
        "(dashed) is right only where every a_k is small: under 1/k the first layers alone decide, and the "
        "law is narrower and stays so at any depth. Under the last rule typical networks shrink, to 0.71 in "
        "the middle, although the mean square is kept: few networks carry it."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
