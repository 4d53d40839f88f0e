"""T3: mean squares of the tokens of pre-norm and post-norm blocks.

What attention adds is known network by network: from the cosines of the engine's networks behind RMS norms
and uniform attention, from the weights themselves in explicit ones. A token's mean square minus that is
tested. Rows are cut off where no network of a run lies: their deviation is below 1, the bounds at 15 and
more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import TokenSample, Transformer
from montecarlo.sequential import Claim
from montecarlo.verification._experiment import Array, Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import bounded, non_negative
from montecarlo.verification.experiments.tokens._explicit import (
    Columns,
    ExplicitTokenNumber,
    ExplicitTokens,
)
from montecarlo.verification.experiments.tokens._rows import TransformerNumber, changed

_LOW, _HIGH = -15.0, 30.0
_GRAMS = {"per_token": True}
_QUANTITY = "1 + E (‖x_{i,L}‖² − ‖x_{i,0}‖² − Σ_k a_1² ‖Σ_j A_ij n(x_j)‖²)/d"
Shares = Callable[[Any], Array]


def _clipped(values: Array) -> Array:
    return np.clip(values, _LOW, _HIGH)


# T3, explicit: the weights are there


def _share(columns: Columns) -> Array:
    return columns["share"]


def _token(
    name: str, networks: ExplicitTokens, share: Shares = _share, activation: str = "relu"
) -> ExplicitTokenNumber:
    shares = np.zeros(networks.depth)
    predicted = 1.0 + theory.prenorm_token_second_moment(
        width=1, attention_shares=shares, alpha=networks.alpha, mlp_alpha=networks.mlp_alpha,
        activation=activation,
    )  # fmt: skip

    def row(columns: Columns) -> Array:
        grown = np.mean(columns["end"] ** 2 - columns["start"] ** 2, axis=2)
        return _clipped((1.0 + grown - networks.alpha**2 * share(columns)).mean(1))

    return ExplicitTokenNumber(
        theorem="T3", name=name, predicted=predicted, resolution=0.015 * predicted, relative_to=predicted,
        quantity=_QUANTITY, first_rows=10_000,
        networks=networks, read=row, sequence=bounded(_LOW, _HIGH),
    )  # fmt: skip


_SIZE: dict[str, Any] = {"tokens": 3, "width": 12, "depth": 3, "hidden_width": 16}
_RMS = ExplicitTokens(**_SIZE, alpha=0.7, mlp_alpha=1.0, norm="pre-rms", relu=True, sharpness=2.0)
_LAYER = ExplicitTokens(
    **_SIZE, alpha=1.0, mlp_alpha=0.8, norm="pre-layer", relu=True, attention="causal", law="rademacher"
)


# T3, the engine: behind RMS norms the shares of uniform attention are mean cosines


def _transformer(**words: Any) -> Transformer:
    given: dict[str, Any] = {
        "width": 24, "tokens": 4, "depth": 3, "heads": 1, "hidden_width": 32, "norm": "rms",
        "placement": "pre", "attention": "uniform", "position": "none", "activation": "relu",
        "query_std": 24**-0.5, "key_std": 24**-0.5, "value_std": 0.9 * 24**-0.5, "output_std": None,
        "up_std": 24**-0.5, "down_std": 32**-0.5, "token_std": 1.0,
    }  # fmt: skip
    return Transformer(**{**given, **words})


def _of_engine(name: str, factor: float = 1.0) -> TransformerNumber:
    transformer = _transformer()
    a_1 = 0.9
    predicted = 1.0 + theory.prenorm_token_second_moment(
        width=1, attention_shares=np.zeros(3), alpha=a_1, mlp_alpha=1.0
    )

    def row(sample: TokenSample) -> Array:
        n = transformer.tokens
        shares = (n + 2.0 * sample["token_cosine_path"][:, :-1].sum(2)) / n**2
        square = np.exp(2.0 * sample["log_rms_path"])
        return _clipped(1.0 + square[:, -1] - square[:, 0] - factor * a_1**2 * shares.sum(1))

    return TransformerNumber(
        theorem="T3", name=name, predicted=predicted, resolution=0.015 * predicted, relative_to=predicted,
        quantity=_QUANTITY, first_rows=3000,
        transformer=transformer, read=row, asked=_GRAMS, sequence=bounded(_LOW, _HIGH),
    )  # fmt: skip


# T3b: whatever the attention, in the engine


def _bound(name: str, claim: Claim, transformer: Transformer, predicted: float) -> TransformerNumber:
    def row(sample: TokenSample) -> Array:
        square = np.exp(2.0 * sample["log_rms_path"])
        return np.clip(square[:, -1] - square[:, 0], -5.0, 30.0)

    return TransformerNumber(
        theorem="T3b", name=name, predicted=predicted, resolution=0.05 * predicted, relative_to=predicted,
        quantity="E (‖x_{i,L}‖² − ‖x_{i,0}‖²)/d", first_rows=500, transformer=transformer, read=row,
        sequence=bounded(-5.0, 30.0), claim=claim,
    )  # fmt: skip


def _bound_experiments() -> list[TransformerNumber]:
    low, high = theory.prenorm_token_bounds(width=1, depth=3)
    softmax: dict[str, Any] = {"norm": "layer", "value_std": 24**-0.5, "query_std": 0.5}
    return [
        _bound("lower, causal softmax", "at least", _transformer(attention="causal", **softmax), low),
        _bound("upper, causal softmax", "at most", _transformer(attention="causal", **softmax), high),
        _bound("upper, one token", "at most", _transformer(value_std=24**-0.5, tokens=1), high),
    ]  # fmt: skip


# T3c: post-norm, explicit: the stream before a norm is in no column


def _before_norm(name: str, networks: ExplicitTokens) -> ExplicitTokenNumber:
    predicted = theory.postnorm_token_second_moment(width=1, mlp_alpha=networks.mlp_alpha)
    d, M, a = networks.width, networks.hidden_width, networks.mlp_alpha
    # I7 of one layer with M units: exact for Gaussian weights, a bound for laws of kurtosis below 3.
    bound = 1.0 + a**2 * (1.0 + 2.0 / d) + a**4 * (d + 2.0) * (M + 5.0) / (4.0 * d * M)

    def row(columns: Columns) -> Array:
        return np.mean(columns["added"][:, 0] ** 2, axis=1)

    return ExplicitTokenNumber(
        theorem="T3c", name=name, quantity="E ‖x + a_2 W_2 σ(W_1 x)‖²/d", predicted=predicted,
        resolution=0.015 * predicted, relative_to=predicted, first_rows=10_000, networks=networks, read=row,
        sequence=non_negative(bound),
    )  # fmt: skip


_POST = ExplicitTokens(**_SIZE, alpha=1.0, mlp_alpha=1.0, norm="post-rms", relu=True)
_POST_LAYER = replace(_POST, norm="post-layer", law="rademacher", mlp_alpha=0.7)


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        _token("softmax, pre-RMSNorm", _RMS),
        _token("causal softmax, pre-LayerNorm, Rademacher", _LAYER),
        _of_engine("uniform attention, pre-RMSNorm"),
        *_bound_experiments(),
        _before_norm("post-RMSNorm", _POST),
        _before_norm("post-LayerNorm, Rademacher", _POST_LAYER),
    ]


def mutants() -> list[Mutant]:
    """Return wrong variants."""

    def uniform(columns: Columns) -> Array:
        """Return the shares that uniform attention would have in the first layer, in all of them."""
        x = columns["start"]
        x = x / np.sqrt(np.mean(x * x, axis=2, keepdims=True))
        return np.broadcast_to(3.0 * np.mean(x.mean(1) ** 2, axis=1)[:, None], columns["share"].shape)

    def linear(columns: Columns) -> Array:
        return columns["share"] / _RMS.alpha

    rms, layer, engine = _token("softmax", _RMS), _token("causal", _LAYER), _of_engine("uniform")
    low, high, single = _bound_experiments()
    post, narrow = _before_norm("RMS", _POST), _before_norm("LayerNorm", _POST_LAYER)
    return [
        Mutant("shares of uniform attention", "theory", _token(rms.name, _RMS, uniform)),
        Mutant("a_1 for a_1²", "theory", _token(rms.name, _RMS, linear)),
        Mutant("E σ(Z)² = 1", "theory", replace(layer, predicted=2.0 * layer.predicted - 1.0)),
        Mutant("attention adds a_1² d", "theory", _of_engine(engine.name, 2.0)),
        Mutant("W_V not centred", "simulator", replace(rms, networks=replace(_RMS, mean=0.5))),
        Mutant("a_2 3 % too large", "simulator",
               changed(engine, down_std=1.03 * engine.transformer.down_std)),
        Mutant("attention adds all of a_1² d", "theory", replace(low, predicted=high.predicted)),
        Mutant("the upper bound without the MLP", "theory", replace(single, predicted=3.0)),
        Mutant("no norm", "simulator", changed(high, norm="none", value_std=2.0 * 24**-0.5)),
        Mutant("E σ(Z)² = 0.53", "theory", replace(post, predicted=1.53)),
        Mutant("a_2 for a_2²", "theory", replace(narrow, predicted=1.0 + 0.5 * _POST_LAYER.mlp_alpha)),
        Mutant("no norm before the MLP", "simulator", replace(post, networks=replace(_POST, norm="pre-rms"))),
    ]  # fmt: skip
