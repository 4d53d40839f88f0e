"""Figure "transformers": random transformers along depth, and where their tokens become one."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from figures._figure import Check, FigureDefinition, Setting
from figures._laws import CONFIDENCE, mean_check
from figures._points import Samples
from figures._style import width_colours, width_markers
from figures._transformer_points import TransformerPoint
from montecarlo import TokenRequest, TokenSample, Transformer, predict_tokens
from montecarlo.estimates import log_mean_exp
from theory import WideTokens

Array = npt.NDArray[np.float64]
Quantity = Literal["rms", "cosine", "tangent", "entropy"]

_DEPTH = 24
_SIZES: dict[str, Any] = {"width": 256, "depth": _DEPTH, "heads": 8, "tokens": 16}
_PRESETS = {
    "gpt2": "GPT-2 (pre, residual deviations $0.02/\\sqrt{2L}$)",
    "llama": "LLaMA (pre, gated, rotary)",
    "bert": "BERT (post)",
    "post-ln": "transformer of 2017 (post)",
}
_BETAS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.75)
_DEVIATIONS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_OBSERVED = TokenRequest(tangent=True, attention=True)
_EVERY = 4


def _preset(name: str) -> Transformer:
    return Transformer.preset(name, **_SIZES)


def _cell(beta: float, deviation: float) -> Transformer:
    """Return pre-norm networks whose branches add a² to a mean square, of a logit deviation."""
    d = 128
    return Transformer(
        width=d, depth=_DEPTH, heads=4, tokens=8, hidden_width=d, norm="layer", placement="pre",
        attention="full", position="none", activation="relu", query_std=deviation * d**-0.5,
        key_std=d**-0.5, value_std=d**-0.5, output_std=d**-0.5, up_std=(2.0 / d) ** 0.5, down_std=d**-0.5,
        token_std=1.0, beta=beta,
    )  # fmt: skip


def _points(setting: Setting) -> list[TransformerPoint]:
    curves, cells = (120, 60) if setting == "paper" else (60, 12)
    found = [TransformerPoint(_preset(name), curves, _OBSERVED) for name in _PRESETS]
    return found + [TransformerPoint(_cell(b, s), cells) for b in _BETAS for s in _DEVIATIONS]


@cache
def _theory(transformer: Transformer) -> WideTokens:
    """Compute once for drawing and checks."""
    return predict_tokens(transformer)


def _equal_weights(transformer: Transformer) -> float:
    """Return the mean entropy of equal weights."""
    n = transformer.tokens
    seen = np.arange(1, n + 1) if transformer.attention == "causal" else np.full(n, n)
    return float(np.log(seen).mean())


def _predicted(transformer: Transformer, quantity: Quantity) -> Array:
    path = _theory(transformer)
    if quantity == "entropy":
        return np.asarray(path.entropy.mean(1) / _equal_weights(transformer))
    if quantity == "rms":
        return np.asarray(path.log_rms)
    return np.asarray(path.cosine if quantity == "cosine" else path.log_tangent)


def _sampled(sample: TokenSample, transformer: Transformer, quantity: Quantity) -> Array:
    """Return paths, a row a network."""
    if quantity == "entropy":
        return np.asarray(sample["attention_entropy"].mean(2) / _equal_weights(transformer))
    columns = {"rms": "log_rms_path", "cosine": "cosine_path", "tangent": "log_tangent_path"}
    return np.asarray(sample[columns[quantity]])


_TITLES: dict[Quantity, str] = {
    "rms": "root mean square of the stream",
    "cosine": "cosine of two tokens",
    "tangent": "growth of tangents, and of gradients",
    "entropy": "entropy of attention\nover that of equal weights",
}


def _draw(samples: Samples) -> Canvas:
    canvas = Canvas(figsize=(12.4, 7.4), layout="constrained")
    grid = canvas.add_gridspec(2, 3, width_ratios=(1.0, 1.0, 1.15))
    for place, quantity in enumerate(_TITLES):
        axis = canvas.add_subplot(grid[place // 2, place % 2])
        _panel(axis, samples, quantity)
        if place // 2:
            axis.set_xlabel("layer $k$")
    handles, labels = canvas.axes[0].get_legend_handles_labels()
    _heat_map(canvas, canvas.add_subplot(grid[:, 2]), samples)
    canvas.legend(
        handles, labels, loc="outside lower left", ncols=2,
        title="width 256, depth 24, 16 tokens: means, bars hold 90 % of networks; curves: theory (T4b)",
    )  # fmt: skip
    return canvas


def _panel(axis: Axes, samples: Samples, quantity: Quantity) -> None:
    count = len(_PRESETS)
    styles = zip(_PRESETS.items(), width_colours(count), width_markers(count), strict=True)
    logs = quantity in ("rms", "tangent")
    for turn, ((name, label), colour, marker) in enumerate(styles):
        net = _preset(name)
        predicted = _predicted(net, quantity)
        first = 1 if quantity == "entropy" else 0
        paths = _sampled(samples[net], net, quantity)  # type: ignore[index]
        at = np.arange(turn % _EVERY, len(predicted), _EVERY)
        low, middle, high = np.quantile(paths[:, at], (0.05, 0.5, 0.95), axis=0)
        middle = paths[:, at].mean(0)
        values = [np.exp(v) if logs else v for v in (low, middle, high, predicted)]
        bars = [np.maximum(values[1] - values[0], 0), np.maximum(values[2] - values[1], 0)]
        axis.errorbar(
            at + first, values[1], yerr=bars, fmt=marker, color=colour, ms=4.5, lw=1.0, label=label,
        )  # fmt: skip
        axis.plot(np.arange(len(predicted)) + first, values[3], color=colour, lw=1.5)
    if logs:
        axis.set_yscale("log")
    axis.set_title(_TITLES[quantity], fontsize="medium")


def _heat_map(canvas: Canvas, axis: Axes, samples: Samples) -> None:
    cosines = np.array(
        [[samples[_cell(b, s)]["cosine_path"][:, -1].mean() for b in _BETAS] for s in _DEVIATIONS]  # type: ignore[index]
    )
    image = axis.imshow(cosines, origin="lower", aspect="auto", vmin=0.0, vmax=1.0, cmap="viridis")
    predicted = np.array([[_theory(_cell(b, s)).cosine[-1] for b in _BETAS] for s in _DEVIATIONS])
    axis.grid(visible=False)
    lines = axis.contour(predicted, levels=[0.2, 0.4, 0.6, 0.8, 0.9], colors="white", linewidths=1.2)
    axis.clabel(lines, fmt="%g", fontsize="small")
    axis.set_xticks(range(len(_BETAS)), [f"{b:g}" for b in _BETAS])
    axis.set_yticks(range(len(_DEVIATIONS)), [f"{s:g}" for s in _DEVIATIONS])
    axis.set(xlabel=r"exponent $\beta$ of $\alpha = L^{-\beta}$", ylabel="deviation of the logits")
    axis.set_title(
        "cosine at the last layer, pre-norm\n(colours: networks, lines: theory)", fontsize="medium"
    )
    canvas.colorbar(image, ax=axis, shrink=0.8)


def _checks(samples: Samples) -> list[Check]:
    found = []
    for name in _PRESETS:
        net = _preset(name)
        for quantity in ("rms", "cosine", "tangent"):
            if quantity == "rms" and net.placement == "post":
                continue
            rows = _sampled(samples[net], net, quantity)[:, -1]  # type: ignore[index]
            value = float(_predicted(net, quantity)[-1])
            if quantity == "cosine":
                found.append(mean_check(f"cosine, {name} (T4b)", rows, value))
                continue
            what = {"rms": "mean square of the stream", "tangent": "(‖Jt‖/‖t‖)²"}[quantity]
            estimate = log_mean_exp(rows, power=2.0, confidence=CONFIDENCE)
            found.append(Check(f"log E {what}, {name} (T4b)", 2.0 * value, estimate))
    return found


FIGURE = FigureDefinition(
    name="transformers",
    title="Random transformers along depth",
    caption=(
        "Four transformers with the initialisation of their reference implementations, width 256, depth "
        "24 and 16 tokens: root mean square of the residual stream, mean cosine of pairs of tokens, "
        "growth of an isotropic tangent of all tokens (which has the law of the growth of gradients), "
        "and entropy of attention over that of equal weights, with the theory of wide networks over "
        "them. Behind pre-norms the stream grows, LLaMA's more than GPT-2's, whose residual deviations "
        "are divided by √(2L), and tokens approach each other like powers of depth; in the transformer "
        "of 2017 they become one exponentially; BERT's deviation of 0.02 is so small at this width that "
        "its blocks hardly matter. Attention is nearly uniform in all but the last of them. Right: mean "
        "cosine at the last layer of pre-norm networks over the exponent of the scaling and the "
        "deviation of the logits, width 128, depth 24, 8 tokens that start orthogonal: β = 1/2 keeps "
        "tokens apart, and sharp logits slow the collapse."
    ),
    points=_points,
    draw=_draw,
    checks=_checks,
)
