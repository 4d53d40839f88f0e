"""Figure "spectrum": singular values of Jacobians beside Biane's law, and Lyapunov exponents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import CONFIDENCE, mean_check
from figures._points import JacobianPoint, Samples
from figures._style import NETWORKS, THEORY, width_colours, width_markers
from montecarlo import JacobianSample, ResNet
from montecarlo.estimates import log_mean_exp

Array = npt.NDArray[np.float64]

_WIDTHS = (10, 40, 200)
_ALPHA = 0.2
_DEPTH = 100  # t = α² L/2 = 2
_LONG = (_DEPTH, 1_000, 10_000)
_FEW = 10  # the width of the long networks
_QUICK = {10: 2_000, 40: 200, 200: 12}
_PAPER = {10: 20_000, 40: 2_000, 200: 100}
_BINS = 45
_SPREAD = 1.6  # of the panels, in units of the limit's


def _network(width: int, depth: int = _DEPTH) -> ResNet:
    return ResNet(width=width, depth=depth, alpha=_ALPHA)


def _time(depth: int) -> float:
    """Return t."""
    return 0.5 * _ALPHA**2 * depth


def _points(setting: Setting) -> list[JacobianPoint]:
    replicas = _PAPER if setting == "paper" else _QUICK
    points = [JacobianPoint(_network(width), replicas[width]) for width in _WIDTHS]
    few = 200 if setting == "paper" else 40
    return points + [JacobianPoint(_network(_FEW, depth), few) for depth in _LONG[1:]]


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(10.4, 7.4), layout="constrained")
    axes: Any = canvas.subplots(2, 2)
    law = theory.wide_singular_value_law(time=2.0 * _time(_DEPTH))
    for axis, width in zip((axes[0, 0], axes[0, 1], axes[1, 0]), _WIDTHS, strict=True):
        _histogram(axis, samples[_network(width)], law, width)
    low, high = law.support()
    for axis in (axes[0, 0], axes[0, 1], axes[1, 0]):
        axis.set(xlim=(_SPREAD * low, _SPREAD * high), ylim=(0.0, 0.37), xlabel=r"$\log \sigma$, natural log")
        axis.set_ylabel("density")
    axes[0, 0].legend(loc="upper left", fontsize="small")
    _exponents(axes[1, 1], samples)
    return canvas


def _histogram(axis: Axes, sample: JacobianSample, law: theory.TabulatedLaw, width: int) -> None:
    low, high = law.support()
    edges = np.linspace(_SPREAD * low, _SPREAD * high, _BINS + 1)
    values = sample["log_singular_value"].ravel()
    heights, _ = np.histogram(values, edges)
    axis.stairs(
        heights / len(values) / np.diff(edges), edges, fill=True, color=NETWORKS, alpha=0.45,
        label="singular values of networks",
    )  # fmt: skip
    x = np.linspace(low, high, 400)
    axis.plot(x, law.pdf(x), color=THEORY, lw=1.6, label=r"Biane's law, $d = \infty$")
    found = math.exp(_log_mean_square(sample)[0])
    exact = math.exp(theory.log_trace_moments(**_size(width)).log_square_trace)
    wide = math.exp(theory.log_trace_moments(**_size(10**6)).log_square_trace)
    axis.set_title(f"$d = {width}$: {len(sample):,} networks, depth {_DEPTH}, $t = {_time(_DEPTH):g}$")
    axis.annotate(
        "mean of $\\sigma^4$\n"
        f"networks  {found:.0f}\nexact (J3)  {exact:.0f}\ninfinite width  {wide:.0f}",
        (0.97, 0.95), xycoords="axes fraction", va="top", ha="right", fontsize="small",
    )  # fmt: skip


def _size(width: int) -> dict[str, Any]:
    return {"width": width, "depth": _DEPTH, "alpha": _ALPHA}


def _log_mean_square(sample: JacobianSample) -> tuple[float, float, float]:
    """Return log E tr (JᵀJ)²/d of the networks, and the ends of its interval."""
    found = log_mean_exp(sample["log_square_trace"], power=1.0, confidence=CONFIDENCE)
    shift = math.log(sample.resnet.width)
    return found.value - shift, found.lower - shift, found.upper - shift


def _exponents(axis: Axes, samples: Samples) -> None:
    """Draw log σ_i/t at growing depth, and log r_ii/t, against i/d."""
    axis.plot([0.0, 1.0], [0.5, -0.5], color=THEORY, lw=1.4, label=r"theory (J2): $\frac{1}{2} - i/d$")
    colours, markers = width_colours(len(_LONG)), width_markers(len(_LONG))
    for depth, colour, marker in zip(_LONG, colours, markers, strict=True):
        place, means = _mean_growth(samples[_network(_FEW, depth)], "log_singular_value")
        axis.plot(
            place, means, marker=marker, ms=5, ls=":", lw=1, color=colour,
            label=rf"$\log\sigma_i / t$, $d = {_FEW}$, $t = {_time(depth):g}$",
        )  # fmt: skip
    place, means = _mean_growth(samples[_network(_FEW)], "log_qr_diagonal")
    label = rf"$\log r_{{ii}} / t$, $d = {_FEW}$, $t = {_time(_DEPTH):g}$"
    axis.plot(place, means, marker="o", ms=10, mfc="none", ls="", color=NETWORKS, label=label)
    place, means = _mean_growth(samples[_network(40)], "log_qr_diagonal")
    label = rf"the same, $d = {len(place)}$"
    axis.plot(place, means, marker="+", ms=6, ls="", color=NETWORKS, label=label)
    axis.set(
        xlabel="$i / d$", ylabel="growth in a unit of $t$", ylim=(-1.25, 1.25),
        title="Lyapunov exponents",
    )  # fmt: skip
    axis.legend(loc="upper right", fontsize="small")


def _mean_growth(sample: JacobianSample, column: str) -> tuple[Array, Array]:
    """Return i/d and the means of a column over networks, divided by t."""
    place = np.arange(1, sample.resnet.width + 1) / sample.resnet.width
    return place, sample[column].mean(axis=0) / _time(sample.resnet.depth)


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for width in _WIDTHS:
        sample = samples[_network(width)]
        moments = theory.log_trace_moments(**_size(width))
        shift = math.log(width)
        for name, column, predicted in (
            ("tr JᵀJ/d", "log_trace", moments.log_trace),
            ("tr (JᵀJ)²/d", "log_square_trace", moments.log_square_trace),
        ):
            found = log_mean_exp(sample[column] - shift, power=1.0, confidence=CONFIDENCE)
            checks.append(Check(f"log E {name}, d = {width} (J3)", predicted, found))
    for width, depth in ((40, _DEPTH), *((_FEW, depth) for depth in _LONG)):
        length = theory.ExactNormLaw(width=width, depth=depth, alpha=_ALPHA).lyapunov * depth
        rows = samples[_network(width, depth)]["log_qr_diagonal"][:, 0]
        checks.append(mean_check(f"log r_11, d = {width}, L = {depth} (J2, I6)", rows, length))
    return checks


FIGURE = FigureDefinition(
    name="spectrum",
    title="Singular values of Jacobians and their Lyapunov exponents",
    caption=(
        "Jacobians ∂h_L/∂h_0 of res-3 networks with Gaussian weights, depth 100 and α = 0.2, so that t = "
        "α²L/2 = 2. Histograms: logarithms of all singular values at widths 10, 40 and 200 beside Biane's "
        "law, the limit of infinite depth and width, symmetric about 0. At width 10 values spread beyond "
        "its ends, further below than above; at width 200 they fill it. The mean fourth power, which the "
        "largest singular values carry, is known exactly at every width (J3): at width 10 it is a third "
        "more than at infinite width and this depth. Bottom right: means of the logs of the QR diagonal, "
        "divided by t, lie on the line 1/2 − i/d at every width (J2). Those of sorted singular values start "
        "steeper and come down to it with depth (t = 2, 20, 200, at width 10): in the end half of all "
        "directions contract."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
