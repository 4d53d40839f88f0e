"""T4: tokens of wide networks: cosines, the recursion of any transformer, and rates of rank collapse.

Networks are wide, not infinitely wide: what their width is worth, O(1/d) of the mean, was measured with many
more networks than a run draws and is part of the claim (`allowance`) or below a sixth of the resolution. Rows
are clipped to an interval about the prediction that ends at least five standard deviations away, or at 1 for
cosines: the limit in width, which does not vary, is the same, and a test of a mean pays for what rows might
be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import TokenSample, Transformer
from montecarlo.networks._wide_transformer import predict_tokens
from montecarlo.verification._experiment import Array, Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import bounded, clipped_to
from montecarlo.verification.experiments.tokens._rows import TransformerNumber, changed, plain_attention

_REACH = {"log_rms_path": 0.5, "cosine_path": 0.3, "log_tangent_path": 0.5}
"""How far from the prediction rows are clipped."""


def _ends(column: str, predicted: float) -> tuple[float, float]:
    """Return the ends of the interval that rows of a column are clipped to."""
    high = predicted + _REACH[column]
    return predicted - _REACH[column], min(high, 1.0) if column == "cosine_path" else high


# T4: uniform attention and ReLU


def _cosine(depth: int, beta: float) -> TransformerNumber:
    alpha = depth**-beta
    transformer = plain_attention(
        width=512, tokens=4, depth=depth, alpha=alpha, mlp_alpha=alpha, hidden_width=512, activation="relu"
    )
    path = theory.token_cosine_recursion(cosine=0.0, tokens=4, depth=depth, alpha=alpha, mlp_alpha=alpha)
    predicted = float(path[-1])
    low, high = _ends("cosine_path", predicted)
    return TransformerNumber(
        theorem="T4", name=f"d = 512, L = {depth}, β = {beta:g}",
        quantity=f"mean cosine {clipped_to(low, high)}", predicted=predicted,
        resolution=0.02 * predicted, relative_to=predicted, allowance=2.0 / 512, first_rows=50,
        transformer=transformer, read=lambda sample: np.clip(sample["cosine_path"][:, -1], low, high),
        sequence=bounded(low, high),
    )  # fmt: skip


# T4b: any transformer


def _wide(placement: str, column: str, **words: Any) -> TransformerNumber:
    """Return the experiment on a column of networks of every word at one placement."""
    d = 512
    transformer = Transformer(
        **{
            "width": d, "tokens": 6, "depth": 4, "heads": 16, "head_width": 128, "hidden_width": 512,
            "norm": "layer",
            "placement": placement, "norm_eps": 0.1, "attention": "full", "position": "none",
            "activation": "gelu", "query_std": d**-0.5, "key_std": 1.5 * d**-0.5, "value_std": d**-0.5,
            "output_std": (16 * 128) ** -0.5, "up_std": 1.2 * d**-0.5, "down_std": d**-0.5, "token_std": 1.0,
            **words,
        }
    )  # fmt: skip
    path = predict_tokens(transformer)
    name, values = {
        "log_rms_path": ("log rms", path.log_rms),
        "cosine_path": ("mean cosine", path.cosine),
        "log_tangent_path": ("log growth of tangents", path.log_tangent),
    }[column]
    predicted = float(values[-1])
    log = column != "cosine_path"
    low, high = _ends(column, predicted)
    return TransformerNumber(
        theorem="T4b", name=f"{placement}, {name}", predicted=predicted,
        quantity=f"mean of {name} {clipped_to(low, high)}",
        resolution=0.03 if log else 0.03 * predicted,
        relative_to=1.0 if log else predicted, allowance=_WIDTH[column] / d,
        first_rows=50, transformer=transformer,
        read=lambda sample: np.clip(sample[column][:, -1], low, high),
        asked={"tangent": True} if column == "log_tangent_path" else {}, sequence=bounded(low, high),
    )  # fmt: skip


_WIDTH = {"log_rms_path": 1.2, "cosine_path": 2.5, "log_tangent_path": 3.5}
"""What a width is worth at most, times d."""


# T4c: rates near collapse


def _near(norm: str, placement: str) -> tuple[Transformer, theory.TokenExponents]:
    """Return networks whose tokens differ by a hundredth, and their rates."""
    d, a_1, a_2 = 256, 0.6, 0.8
    transformer = Transformer(
        width=d, tokens=4, depth=12, heads=1, hidden_width=256, norm=norm, placement=placement,
        attention="uniform", position="none", activation="tanh", query_std=1.0, key_std=1.0,
        value_std=a_1 * d**-0.5, output_std=None, up_std=d**-0.5, down_std=a_2 * 256**-0.5, token_std=0.01,
        segment_std=1.0,
    )  # fmt: skip
    energy = theory.activation_energy("tanh").mean
    r_1, r_2 = (1.0, 1.0) if placement == "peri" else (a_1**2, a_2**2 * energy)
    slope = theory.mlp_slope("tanh")
    rates = theory.token_exponents(norm=placement, attention=r_1, mlp=r_2, slope=slope)  # type: ignore[arg-type]
    return transformer, rates


def _collapse(placement: str, clock: Callable[[TokenSample], Array] | None = None) -> TransformerNumber:
    transformer, rates = _near("rms", placement)
    start = 2 if placement == "pre" else 1  # first layers are far from the limit of many small steps

    def steps(sample: TokenSample) -> Array:
        if rates.clock == "layers":
            return np.full(len(sample), transformer.depth - start)
        rms = sample["log_rms_path"]
        return 2.0 * (rms[:, -1] - rms[:, start])

    low, high = rates.collapse - 0.5, rates.collapse + 0.5

    def row(sample: TokenSample) -> Array:
        gap = 1.0 - sample["cosine_path"]
        return np.clip(-np.log(gap[:, -1] / gap[:, start]) / (clock or steps)(sample), low, high)

    return TransformerNumber(
        theorem="T4c", name=placement,
        quantity=f"−log(1 − cosine) over {rates.clock} {clipped_to(low, high)}",
        predicted=rates.collapse, resolution=0.05, allowance=0.025, first_rows=50, transformer=transformer,
        read=row, sequence=bounded(low, high),
    )  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    columns = ("log_rms_path", "cosine_path", "log_tangent_path")
    pre = [_wide("pre", column) for column in columns]
    post = [_wide("post", column) for column in columns[1:]]
    peri = [_wide("peri", column, activation="silu", gated=True) for column in columns]
    return [_cosine(8, 0.0), _cosine(24, 0.5), *pre, *post, *peri, _collapse("pre"), _collapse("post")]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    cosine, scale = _cosine(24, 0.5), 24**-0.5
    words: dict[str, Any] = {"cosine": 0.0, "depth": 24, "mlp_alpha": scale}
    still = theory.token_cosine_recursion(tokens=4, alpha=0.0, **words)
    three = theory.token_cosine_recursion(tokens=3, alpha=scale, **words)
    wider = 1.1 * cosine.transformer.down_std
    rms, near, tangent = (_wide("pre", c) for c in ("log_rms_path", "cosine_path", "log_tangent_path"))
    flat = predict_tokens(replace(near.transformer, query_std=0.0))
    pre, post = _collapse("pre"), _collapse("post")
    return [
        Mutant("no attention", "theory", replace(cosine, predicted=float(still[-1]))),
        Mutant("one token fewer", "theory", replace(cosine, predicted=float(three[-1]))),
        Mutant("a_2 10 % too large", "simulator", changed(cosine, down_std=wider)),
        Mutant("uniform weights for softmax", "theory",
               replace(near, predicted=float(flat.cosine[-1]))),
        Mutant("tangents that do not move the weights", "theory",
               replace(tangent, predicted=float(flat.log_tangent[-1]))),
        Mutant("a norm without ε", "simulator", changed(rms, norm_eps=0.0)),
        Mutant("the MLP keeps differences", "theory",
               replace(pre, predicted=1.0)),
        Mutant("post-norm collapses with the log of depth", "theory",
               replace(post, predicted=post.predicted / 3.0)),
        Mutant("no attention, pre", "simulator", changed(pre, value_std=0.0)),
    ]  # fmt: skip
