"""Figure "strong-order": errors between neighbouring depths on one path of weights, against depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator

from figures._figure import Check, FigureDefinition, Relation, Setting
from figures._points import DepthsPoint, Samples
from figures._style import THEORY, width_colours, width_markers
from montecarlo import CoupledSample, ResNet
from montecarlo.estimates import Estimate, log_mean_exp, mean

_CONFIDENCE = 0.999
_DEPTHS = (16, 32, 64, 128, 256, 512, 1024)
_WEAK_DEPTHS = (4, 8, 16, 32, 64, 128)
_PAPER_FACTOR = 10  # more networks than in the quick setting; the paper has no such figure
_FUNCTIONS = {"cosine": "cos ∠(h_0, h_L)", "decay": "exp(−‖h_L‖²/‖h_0‖²)"}


@dataclass(frozen=True)
class _Curve:
    """One family of networks: what is simulated, and the order that theory gives it."""

    label: str
    resnet: ResNet
    predicted: float
    replicas: int
    depths: tuple[int, ...] = _DEPTHS
    relation: Relation = "equals"
    correction: float = 0.5
    observable: str = ""

    def order(self, samples: Samples) -> Estimate:
        """Return the order with its interval."""
        sample: CoupledSample = samples[self.resnet]
        if self.observable:
            return sample.weak_order(self.observable, confidence=_CONFIDENCE)  # type: ignore[arg-type]
        return sample.strong_order(confidence=_CONFIDENCE, correction=self.correction)

    @property
    def quantity(self) -> str:
        """What its order is of, in words."""
        net = self.resnet
        kind = f"weak order of {_FUNCTIONS[self.observable]}" if self.observable else "strong order"
        return f"{kind}, {net.block}, {net.activation}, {net.weights}, d = {net.width}, β = {net.beta:g}"

    def errors(self, samples: Samples) -> npt.NDArray[np.float64]:
        """Return mean errors with their intervals, shape (3, depths): value, lower end, upper end."""
        sample: CoupledSample = samples[self.resnet]
        if self.observable:
            differences = np.diff(getattr(sample, self.observable), axis=1)
            found = [mean(column, confidence=_CONFIDENCE) for column in differences.T]
            size, half = np.array([(abs(e.value), e.half_width) for e in found]).T
            # On logarithmic axes an interval that reaches zero has no lower end.
            return np.array([size, np.maximum(size - half, 1e-300), size + half])
        found = [
            log_mean_exp(column, power=1.0, confidence=_CONFIDENCE) for column in sample.log_strong_error.T
        ]
        return np.exp([[e.value for e in found], [e.lower for e in found], [e.upper for e in found]])


def _network(width: int, beta: float, depth: int = _DEPTHS[-1], **others: Any) -> ResNet:
    return ResNet(**{"width": width, "depth": depth, "beta": beta, "block": "res-1"} | others)


def _smooth(law: str, label: str, block: str) -> _Curve:
    network = _network(8, 1.0, block=block, weights=law)
    return _Curve(label, network, 1.0, 100, depths=_DEPTHS[2:], correction=1.0)


_BROWNIAN = [
    _Curve("$d = 8$, relu", _network(8, 0.5), 0.5, 2000),
    _Curve("$d = 40$, relu", _network(40, 0.5), 0.5, 1000),
    _Curve("$d = 16$, tanh", _network(16, 0.5, activation="tanh"), 0.5, 1000),
]
_WEAK = [
    _Curve(label, _network(40, 0.5, _WEAK_DEPTHS[-1]), 1.0, 50_000, _WEAK_DEPTHS, observable=observable)
    for label, observable in (
        (r"$\cos\angle(h_0, h_L)$", "cosine"),
        (r"$\exp(-\Vert h_L\Vert^2/\Vert h_0\Vert^2)$", "decay"),
    )
]
_SMOOTH = [
    _smooth("rbf:0.01", "rbf, res-1", "res-1"),
    _smooth("rbf:0.01", "rbf, res-3", "res-3"),
    _smooth("matern:1.5:0.2", r"Matérn 3/2, res-3", "res-3"),
]
_FRACTIONAL = [
    _Curve(
        f"$H = {H}$", _network(8, H, activation="tanh", weights=f"fbm:{H}"), 2.0 * H - 1.0, 160,
        relation="at least",
    )
    for H in (0.6, 0.7, 0.8, 0.9)
]  # fmt: skip
_ERROR = r"mean of $\max_k\,\Vert h^L_k - h^{2L}_{2k}\Vert\,/\,\Vert h_0\Vert$"
_PANELS = [
    ("S1", r"Brownian, $\beta = 1/2$, strong", _BROWNIAN, "order 1/2 (S1)"),
    ("S1", r"Brownian, $\beta = 1/2$, weak, $d = 40$", _WEAK, "order 1 (S1)"),
    ("O1", r"smooth weights, $\beta = 1$, strong, $d = 8$", _SMOOTH, "order 1 (O1)"),
    ("F4", r"fractional, $\beta = H$, strong, $d = 8$", _FRACTIONAL, "lowest order, $2H - 1$ (F4)"),
]
"""Statement, title, curves and what the dashed lines are."""


def _points(setting: Setting) -> list[DepthsPoint]:
    factor = _PAPER_FACTOR if setting == "paper" else 1
    curves = [curve for _, _, curves, _ in _PANELS for curve in curves]
    points = [DepthsPoint(curve.resnet, curve.depths, factor * curve.replicas) for curve in curves]
    return list(dict.fromkeys(points))  # curves of several functions of one sample


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(10.4, 8.6), layout="constrained")
    axes: Any = canvas.subplots(2, 2)
    for axis, (statement, title, curves, reference) in zip(axes.flat, _PANELS, strict=True):
        _panel(axis, samples, curves, reference)
        axis.set(title=f"{statement}: {title}", xlabel="depth $L$ (of $L$ and $2L$)")
        axis.set_xticks(curves[0].depths[:-1], [str(depth) for depth in curves[0].depths[:-1]])
        axis.minorticks_off()
    axes[0, 0].set_ylabel(_ERROR)
    axes[1, 0].set_ylabel(_ERROR)
    axes[0, 1].set_ylabel(r"$|\,\mathrm{E} f(h^{2L}) - \mathrm{E} f(h^L)\,|$")
    return canvas


def _panel(axis: Axes, samples: Samples, curves: list[_Curve], reference: str) -> None:
    depths = np.array(curves[0].depths[:-1], np.float64)
    floor, ceiling = np.inf, 0.0
    starts: dict[float, float] = {}
    for curve, colour, marker in zip(
        curves, width_colours(len(curves)), width_markers(len(curves)), strict=True
    ):
        middle, low, high = curve.errors(samples)
        order = curve.order(samples)
        found = f"{order.value:.3f} [{order.lower:.3f}, {order.upper:.3f}]"
        if np.isnan(order.value):
            found = "undecided"
        axis.errorbar(
            depths, middle, yerr=[middle - low, high - middle], fmt=marker, ms=5, lw=1, capsize=2,
            color=colour, label=f"{curve.label}: {found}",
        )  # fmt: skip
        centre = np.exp(np.log(depths[1:]).mean())
        height = np.exp(np.log(middle[1:]).mean())
        axis.plot(depths, height * (depths / centre) ** -order.value, color=colour, lw=1.1)
        floor, ceiling = min(floor, middle.min()), max(ceiling, middle.max())
        starts[curve.predicted] = min(starts.get(curve.predicted, np.inf), middle[0])
    for predicted, start in starts.items():
        # From just below its lowest curve: a slope to compare, not a constant.
        dashes = 0.75 * start * (depths / depths[0]) ** -predicted
        label = reference if predicted == curves[-1].predicted else None
        axis.plot(depths, dashes, color=THEORY, ls="--", lw=1.1, label=label)
    axis.set_ylim(0.35 * floor, 1.6 * ceiling)
    axis.set(xscale="log", yscale="log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axis.legend(loc="lower left", fontsize="small")


def _checks(samples: Samples) -> list[Check]:
    return [
        Check(f"{curve.quantity} ({statement})", curve.predicted, curve.order(samples), curve.relation)
        for statement, _, curves, _ in _PANELS
        for curve in curves
    ]


FIGURE = FigureDefinition(
    name="strong-order",
    title="How fast hidden states approach the limit at large depth",
    caption=(
        "Networks of depth L and 2L on one path of weights, Euler schemes of one equation: mean errors "
        "against L on logarithmic axes, with fitted slopes and the 99.9 % intervals of the order at "
        "infinite depth (in the legends); dashed lines have the slope of theory. Top left: independent "
        "Gaussian layers at β = 1/2, whose limit is a stochastic differential equation: hidden states "
        "converge like L^-1/2. Top right: the same networks in law: two bounded smooth functions of h_L "
        "converge like 1/L, where the difference exceeds noise. Bottom left: smooth weights at β = 1, a "
        "differential equation with random coefficients: order 1. Bottom right: fractional Gaussian noise "
        "at β = H > 1/2: never slower than L^-(2H-1), and faster at the depths that one sees, since the "
        "slowest term is one of d; at d = 1 the order is 2H-1."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
