"""Figure "normalised": growth of hidden states and gradients along depth under five normalisations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.special import digamma

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._initial_norm import initial_mean_square_rule
from figures._laws import CONFIDENCE, mean_check
from figures._layer_points import draw_medians, log_layers
from figures._points import Point, Samples
from figures._style import width_colours, width_markers
from montecarlo import Request, ResNet
from montecarlo.estimates import log_mean_exp

Array = npt.NDArray[np.float64]

_WIDTH = 128
_DEPTH = 200
_BETAS = (0.0, 0.5)
_POINTS = 7
# E ‖h_0‖²/d = 1: where a norm would put it.
_INPUT_SCALE = 3.0**0.5
_NODES = 3


def _network(norm: str, beta: float) -> ResNet:
    return ResNet(width=_WIDTH, depth=_DEPTH, beta=beta, norm=norm, input_scale=_INPUT_SCALE)


def _points(setting: Setting) -> list[Point]:
    replicas = 2_000 if setting == "paper" else 300
    both = Request(trajectories=True)
    return [
        Point(_network(curve.norm, beta), replicas, "gaussian", both) for beta in _BETAS for curve in _CURVES
    ]


def _alpha(beta: float) -> float:
    return float(_DEPTH) ** -beta


def _plain(beta: float) -> float:
    """Return the exact mean of the log of a layer's growth without norms."""
    return theory.ExactNormLaw(width=_WIDTH, depth=_DEPTH, alpha=_alpha(beta)).lyapunov


def _plain_hidden(beta: float) -> Array:
    return np.arange(_DEPTH + 1.0) * _plain(beta)


def _plain_gradient(beta: float) -> Array:
    return _plain_hidden(beta)[::-1]


def _walk(beta: float, mean_square: float = 1.0) -> Array:
    """Return mean squares of coordinates behind a norm before the branch, layers 0 to L."""
    a_layer = theory.NormalisedWalk(width=_WIDTH, depth=1, alpha=_alpha(beta)).mean_energy
    return mean_square + a_layer * np.arange(_DEPTH + 1.0)


def _pre_hidden(beta: float) -> Array:
    return 0.5 * np.log(_walk(beta))


def _pre_gradient(beta: float) -> Array:
    squares = _walk(beta)
    growth = [
        theory.wide_prenorm_gradient(depth=_DEPTH - k, alpha=_alpha(beta), mean_square=float(squares[k]))
        for k in range(_DEPTH)
    ]
    return np.asarray(0.5 * np.log([*growth, 1.0]))


def _post_hidden(beta: float) -> Array:
    return 0.0 * _walk(beta)


def _post_gradient(beta: float) -> Array:
    """Return the mean of log ‖p_k‖/‖p_L‖, isotropic p_L: of its tangential part, and of the layers above."""
    read_out = 0.5 * float(digamma(0.5 * (_WIDTH - 1)) - digamma(0.5 * _WIDTH))
    above = np.arange(_DEPTH, -1.0, -1.0)
    values = read_out + above * _post_layer(theory.PostnormLaw, beta)
    return np.where(above > 0, values, np.zeros_like(values))


@cache
def _post_layer(law: Callable[..., Any], beta: float) -> float:
    """Compute once for drawing and checks; the law is part of the key, for tests that replace it."""
    if beta == 0.5:  # L is large enough for the limit, which takes no time
        return float(theory.postnorm_limit_law(width=_WIDTH, time=1.0).mean()) / _DEPTH
    return float(law(width=_WIDTH, depth=_DEPTH, alpha=_alpha(beta)).mean()) / _DEPTH


def _peri(beta: float) -> Array:
    a_layer = theory.peri_second_moment(
        width=_WIDTH, depth=1, alpha=_alpha(beta), initial_square=0.0, difference=True
    )
    return 1.0 + a_layer / _WIDTH * np.arange(_DEPTH + 1.0)


def _peri_hidden(beta: float) -> Array:
    return 0.5 * np.log(_peri(beta))


def _peri_gradient(beta: float) -> Array:
    squares = _peri(beta)
    slope = theory.peri_slope(width=_WIDTH, hidden_width=_WIDTH)
    return 0.5 * slope * np.log(squares[-1] / squares)


@cache
def _dyt(solve: Callable[..., theory.DytPath], beta: float, mean_square: float = 1.0) -> theory.DytPath:
    """Compute once; the function is part of the key, for tests that replace it."""
    return solve(depth=_DEPTH, alpha=_alpha(beta), mean_square=mean_square)


def _dyt_hidden(beta: float) -> Array:
    return 0.5 * np.log(_dyt(theory.dyt_recursion, beta).mean_square)


def _dyt_gradient(beta: float) -> Array:
    growth = _dyt(theory.dyt_recursion, beta).log_gradient
    return 0.5 * (growth[-1] - growth)


@dataclass(frozen=True)
class _Curve:
    """One normalisation: logs of ‖h_k‖/‖h_0‖ and ‖p_k‖/‖p_L‖ at layers 0 to L by theory, for a β."""

    norm: str
    label: str
    hidden: Callable[[float], Array]
    gradient: Callable[[float], Array]


_CURVES = (
    _Curve("none", "none (I4, I6)", _plain_hidden, _plain_gradient),
    _Curve("pre-rms", "pre-RMSNorm (N1, N5)", _pre_hidden, _pre_gradient),
    _Curve("pre-tanh:1", r"DyT, $\tanh(h)$ (N12)", _dyt_hidden, _dyt_gradient),
    _Curve("peri-rms", "peri-RMSNorm (N9)", _peri_hidden, _peri_gradient),
    _Curve("post-rms", "post-RMSNorm (N10)", _post_hidden, _post_gradient),
)


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(10.4, 7.6), layout="constrained")
    axes: Any = canvas.subplots(2, 2, sharex=True)
    for column, beta in enumerate(_BETAS):
        above, below = axes[:, column]
        _panel(above, samples, beta, "log_hidden_path")
        _panel(below, samples, beta, "log_gradient_path")
        above.set_title(r"$\beta = 0$: no scaling" if beta == 0 else r"$\beta = 1/2$: the critical scaling")
        below.set_xlabel("layer $k$")
    axes[0, 0].set_ylabel(r"$\Vert h_k\Vert \,/\, \Vert h_0\Vert$")
    axes[1, 0].set_ylabel(r"$\Vert p_k\Vert \,/\, \Vert p_L\Vert$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    canvas.legend(
        handles, labels, loc="outside lower center", ncols=5, columnspacing=1.4,
        title=f"networks of width {_WIDTH}, depth {_DEPTH}: median, bars hold 90 % of them; curves: theory",
    )  # fmt: skip
    return canvas


def _panel(axis: Axes, samples: Samples, beta: float, column: str) -> None:
    count, every = len(_CURVES), np.arange(1, _DEPTH + 1)
    styles = zip(_CURVES, width_colours(count), width_markers(count), strict=True)
    for turn, (curve, colour, marker) in enumerate(styles):
        layers = log_layers(_DEPTH, _POINTS, turn=turn, turns=count)
        paths = samples[_network(curve.norm, beta)][column]
        draw_medians(axis, layers, paths, colour=colour, marker=marker, label=curve.label)
        values = (curve.hidden if column == "log_hidden_path" else curve.gradient)(beta)
        axis.plot(every, np.exp(values[1:]), color=colour, lw=1.5)
    axis.set(xscale="log", yscale="log")
    if beta == 0.0:
        axis.set_ylim(0.08, 3e3)
        # What leaves the panel is said, where it leaves.
        growth = 10 ** (_DEPTH * _plain(beta) / np.log(10) % 1), int(_DEPTH * _plain(beta) / np.log(10))
        hidden = column == "log_hidden_path"
        axis.annotate(
            rf"none: ${growth[0]:.0f}\cdot 10^{{{growth[1]}}}$ at " + ("$k = L$" if hidden else "$k = 1$"),
            (0.03, 0.93), xycoords="axes fraction", va="top", fontsize="small",
        )  # fmt: skip
    else:
        axis.set_ylim(0.78, 1.75)
        axis.yaxis.set_major_locator(FixedLocator([0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))


def _log_mean(values: list[float], weights: Array) -> float:
    """Return the log of an average over ‖h_0‖²/d."""
    return float(np.log(weights @ np.array(values)))


def _mean_square_check(quantity: str, rows: Array, predicted: float) -> Check:
    return Check(f"log E {quantity}", predicted, log_mean_exp(rows, power=2.0, confidence=CONFIDENCE))


def _checks(samples: Samples) -> list[Check]:
    starts, weights = initial_mean_square_rule(
        width=_WIDTH, input_dim=64, input_scale=_INPUT_SCALE, nodes=_NODES
    )
    checks = []
    for beta in _BETAS:
        rows = {curve.norm: samples[_network(curve.norm, beta)] for curve in _CURVES}
        hidden = {norm: sample["log_hidden_ratio"] for norm, sample in rows.items()}
        checks.append(
            mean_check(f"log ‖h_L‖/‖h_0‖, none, β = {beta:g} (I6)", hidden["none"], _DEPTH * _plain(beta))
        )
        for norm, squares, source in (
            ("pre-rms", _walk(beta) - 1.0, "N1"),
            ("peri-rms", _peri(beta) - 1.0, "N9"),
        ):
            predicted = _log_mean([1.0 + squares[-1] / S for S in starts], weights)
            name = f"(‖h_L‖/‖h_0‖)², {norm}, β = {beta:g} ({source})"
            checks.append(_mean_square_check(name, hidden[norm], predicted))
        # From layer 1 on: the first norm divides by the norm of h_0, too.
        checks.append(
            mean_check(
                f"log ‖p_1‖/‖p_L‖, post-rms, β = {beta:g} (N10)", rows["post-rms"]["log_gradient_path"][:, 1],
                float(_post_gradient(beta)[1]),
            )
        )  # fmt: skip
        paths = [_dyt(theory.dyt_recursion, beta, float(S)) for S in starts]
        grown = [path.mean_square[-1] / path.mean_square[0] for path in paths]
        name = f"(‖h_L‖/‖h_0‖)², DyT, β = {beta:g} (N12)"
        checks.append(_mean_square_check(name, hidden["pre-tanh:1"], _log_mean(grown, weights)))
        correction = theory.dyt_width_correction(width=_WIDTH, depth=_DEPTH, alpha=_alpha(beta))
        grown = [float(np.exp(path.log_gradient[-1])) for path in paths]
        name = f"(‖p_0‖/‖p_L‖)², DyT, β = {beta:g} (N12)"
        gradients = rows["pre-tanh:1"]["log_gradient_ratio"]
        checks.append(_mean_square_check(name, gradients, _log_mean(grown, weights) + correction))
    for norm, limit, source in (("pre-rms", _pre_limit, "N6"), ("peri-rms", _peri_limit, "N9")):
        predicted = _log_mean([limit(float(S)) for S in starts], weights)
        name = f"(‖p_0‖/‖p_L‖)², {norm}, β = 0.5, limit ({source})"
        gradients = samples[_network(norm, 0.5)]["log_gradient_ratio"]
        checks.append(_mean_square_check(name, gradients, predicted))
    return checks


def _pre_limit(mean_square: float) -> float:
    return theory.prenorm_gradient_limit(width=_WIDTH, time=1.0, mean_square=mean_square)


def _peri_limit(mean_square: float) -> float:
    return theory.peri_gradient_limit(width=_WIDTH, hidden_width=_WIDTH, time=1.0, mean_square=mean_square)


FIGURE = FigureDefinition(
    name="normalised",
    title="Growth along depth with and without norms",
    caption=(
        "Norms of hidden states (top) and of gradients (bottom) along the layers of res-3 networks with "
        "Gaussian weights, width 128 and depth 200, on logarithmic axes, for five normalisations. Left, β = "
        "0: without a norm both grow exponentially and leave the panel. A norm before the branch (pre, "
        "peri) makes the network a random walk: hidden states grow like √k and gradients fall like 1/√k, "
        "powers of depth. DyT, tanh in the norm's place, has the same hidden states, but its gradients grow "
        "like exp(0.38 √L): faster than any power. After a norm on the stream (post) hidden states keep "
        "their length, so that the bars are those of ‖h_0‖, and gradients are random with a mean logarithm "
        "that falls slowly. Right, β = 1/2: all stay within a factor of 1.6. Curves: the mean of the log "
        "for none and post (exact, but for the limit of post at β = 1/2), the log of the root mean square "
        "for the others, for ‖h_0‖² = d; at this width median and root mean square differ by less than a "
        "marker."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
