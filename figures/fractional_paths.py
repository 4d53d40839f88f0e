"""Figure 6: one entry of the weights against the layer, for Hurst indices 0.2, 0.5, 0.8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._laws import mean_check, variance_check
from figures._points import Report, Samples
from figures._style import THEORY, width_colours
from montecarlo import ResNet, weights

Array = npt.NDArray[np.float64]

_HURST = (0.2, 0.5, 0.8)
_DEPTH = 1000
_WIDTH = 64
_PATHS = 4


def _network(hurst: float) -> ResNet:
    return ResNet(width=_WIDTH, depth=_DEPTH, beta=max(hurst, 0.5), block="res-1", weights=f"fbm:{hurst:g}")


@dataclass(frozen=True)
class _WeightsPoint:
    """The weights of one network, drawn anew: that is as quick as reading them from a file."""

    resnet: ResNet
    networks: int = 1

    @property
    def stem(self) -> str:
        """Start of the name of a file that is never written."""
        return f"{self.resnet.digest[:16]}-weights"

    @property
    def engine(self) -> str:
        """How they are sampled, in words."""
        return "none, only the weights are drawn"

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> Array:
        """Return √d times the entries of V_1 ... V_L, shape (entries, L): i.i.d. paths."""
        del path, threads
        stacked = weights(self.resnet, replica=0, seed=seed).V
        report.sampled(self.networks)
        return np.ascontiguousarray(np.sqrt(_WIDTH) * stacked.reshape(_DEPTH, -1).T)


def _points(setting: Setting) -> list[_WeightsPoint]:
    del setting
    return [_WeightsPoint(_network(hurst)) for hurst in _HURST]


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(11, 5.6), layout="constrained")
    axes: Any = canvas.subplots(2, len(_HURST), sharex=True, height_ratios=(1.6, 1.0))
    for (top, bottom), hurst in zip(axes.T, _HURST, strict=True):
        _sums(top, samples[_network(hurst)], hurst)
        _entries(bottom, samples[_network(hurst)])
        correlation = theory.fractional_noise_covariance(1, hurst)
        sign = "antipersistent" if hurst < 0.5 else "independent" if hurst == 0.5 else "persistent"
        top.set_title(f"$H = {hurst:g}$: {sign} layers,\ncorrelation of neighbours ${correlation:.2f}$")
        bottom.set(xlabel="layer $k$", xlim=(0, _DEPTH), ylim=(-4.6, 4.6))
    axes[0, 0].set_ylabel(r"sum of $\sqrt{d}\,V_{ij}$ up to layer $k$")
    axes[1, 0].set_ylabel(r"entry $\sqrt{d}\,V_{ij}$ of layer $k$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=3)
    return canvas


def _sums(axis: Axes, increments: Array, hurst: float) -> None:
    layers = np.arange(_DEPTH + 1)
    paths = np.pad(np.cumsum(increments[:_PATHS], axis=1), ((0, 0), (1, 0)))
    lines = [
        axis.plot(layers, path, color=colour, lw=0.7) for path, colour in zip(paths, _colours(), strict=True)
    ]
    lines[0][0].set_label(f"{_PATHS} entries of one network; the first one below")
    envelope = 2.0 * layers**hurst
    axis.plot(layers, envelope, color=THEORY, ls="--", lw=1.4, label=r"two standard deviations, $\pm 2\,k^H$")
    axis.plot(layers, -envelope, color=THEORY, ls="--", lw=1.4)


def _entries(axis: Axes, increments: Array) -> None:
    axis.plot(np.arange(1, _DEPTH + 1), increments[0], color=_colours()[0], lw=0.5)
    for level in (-2.0, 2.0):
        axis.axhline(level, color=THEORY, ls="--", lw=1.2)


def _colours() -> list[tuple[float, float, float]]:
    return width_colours(_PATHS)


def _checks(samples: Samples) -> list[Check]:
    checks = []
    for hurst in _HURST:
        entries = samples[_network(hurst)]
        ends = entries.sum(axis=1)
        of = f"H = {hurst:g}"
        spread = _DEPTH + 2.0 * float(np.asarray(theory.fractional_noise_pair_sum(_DEPTH, hurst)))
        checks.append(variance_check(f"B_L, L = {_DEPTH}, {of}: 2H log L", ends, spread))
        neighbours = (entries[:, 1:] * entries[:, :-1]).mean(axis=1)
        correlation = float(np.asarray(theory.fractional_noise_covariance(1, hurst)))
        checks.append(mean_check(f"ξ_k ξ_(k+1), {of}: 2^(2H−1) − 1", neighbours, correlation))
        checks.append(mean_check(f"ξ_k², {of}", (entries**2).mean(axis=1), 1.0))
    return checks


FIGURE = FigureDefinition(
    name="6",
    title="Weights correlated along depth: fractional Gaussian noise",
    caption=(
        "One entry of the weights against the layer (bottom) and its sum over layers (top), a fractional "
        "Brownian motion, for Hurst indices 0.2, 0.5 and 0.8; the paths are weights of networks of depth "
        "1000. At H = 0.2 an entry tends to be cancelled by the next ones, and its sum stays within a few "
        "units; at H = 0.5 layers are independent and the sum is Brownian motion; at H = 0.8 an entry keeps "
        "its sign for long and the sum drifts away along a path that looks smooth. Vertical axes differ at "
        "the top. Dashed: two standard deviations to either side, 2 k^H for the sums and 2 for the entries, "
        "whose variance is 1 in all three."
    ),
    paper=(
        "As in the paper: one path for each of the Hurst indices 0.2, 0.5 and 0.8. Added: the increments, "
        "which are the weights, and bands of two standard deviations. The covariance is exact at every H "
        "(see Figure 7)."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
