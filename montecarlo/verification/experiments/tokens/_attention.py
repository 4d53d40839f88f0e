"""T1, T2: mean Gram matrices under attention, exactly, and the mean token of uniform attention.

A contrast w of tokens turns attention into ‖u + a W_Vᵀ v‖², u = Xᵀ w and v = Xᵀ Aᵀ w. Gaussian W_V have
second moment (p + q)² + (4pq + 2q²)/d <= (1 + 2/d)(p + q)² of it, p = ‖u‖² and q = a²‖v‖², and laws of
kurtosis below 3 less: quotients by the predicted mean have the second moment 1 + 2/d at most. An eigenvector
w of A has v ∝ u and the second moment of one layer of linear res-1 (I7); a linear MLP the same with
E(χ²_M/M)² beside a⁴.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import TokenSample
from montecarlo.verification._experiment import Array, Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import non_negative, probability
from montecarlo.verification.experiments.tokens._explicit import (
    Columns,
    ExplicitTokenNumber,
    ExplicitTokens,
)
from montecarlo.verification.experiments.tokens._rows import (
    TransformerLaw,
    TransformerNumber,
    changed,
    grams,
    plain_attention,
)

_GRAMS = {"per_token": True}
_RESOLUTION = 0.01


def _mlp_second(width: int, hidden_width: int, alpha: float) -> float:
    """Return E R² of a linear MLP on one direction."""
    d, M = width, max(hidden_width, 1)
    return 1.0 + alpha**2 * (2.0 + 4.0 / d) + alpha**4 * (1.0 + 2.0 / M) * (1.0 + 2.0 / d)


def _attention_second(width: int, alpha: float) -> float:
    """Return E R² of attention on an eigenvector of A, a λ for `alpha`."""
    return theory.radial_moment(order=2, width=width, alpha=alpha, activation="identity")  # type: ignore[return-value]


# T1: one layer, given the tokens and the weights

Expected = Callable[[ExplicitTokens, Columns], Array]


def _gram_after(networks: ExplicitTokens, columns: Columns) -> Array:
    """Return E[X' X'ᵀ | X, A] of the last layer, per network."""
    S = columns["before"] @ np.swapaxes(columns["before"], 1, 2)
    A = columns["weights"]
    added = S + networks.alpha**2 * A @ S @ np.swapaxes(A, 1, 2)
    return added * (1.0 + networks.mlp_alpha**2)


def _quotient(
    name: str, contrast: tuple[float, ...], networks: ExplicitTokens, expected: Expected = _gram_after
) -> ExplicitTokenNumber:
    w = np.asarray(contrast)

    def row(columns: Columns) -> Array:
        found = np.sum(np.einsum("i,rid->rd", w, columns["end"]) ** 2, axis=1)
        return found / np.einsum("i,rij,j->r", w, expected(networks, columns), w)

    bound = 1.0 + 2.0 / networks.width
    if networks.hidden_width:
        scale = (1.0 + networks.mlp_alpha**2) ** 2
        bound *= _mlp_second(networks.width, networks.hidden_width, networks.mlp_alpha) / scale
    return ExplicitTokenNumber(
        theorem="T1", name=name, quantity="E of ‖Σ_i w_i x_i‖² over its mean given X and A", predicted=1.0,
        resolution=_RESOLUTION, first_rows=20_000, networks=networks, read=row, sequence=non_negative(bound),
    )  # fmt: skip


_SIZE: dict[str, Any] = {"tokens": 3, "width": 8, "alpha": 0.8}
_SOFTMAX = ExplicitTokens(**_SIZE, depth=1, attention="softmax", sharpness=2.0)
_CAUSAL = ExplicitTokens(
    **_SIZE, depth=2, attention="causal", law="rademacher", mlp_alpha=0.6, hidden_width=5
)
_FIRST, _PAIR = (1.0, 0.0, 0.0), (1.0, -1.0, 0.0)


def _gram_experiments() -> list[ExplicitTokenNumber]:
    return [
        _quotient("softmax, one token", _FIRST, _SOFTMAX),
        _quotient("causal softmax, Rademacher, two layers, linear MLP", (1.0, 1.0, 1.0), _CAUSAL),
        _quotient("softmax, uniform law, a difference", _PAIR, replace(_SOFTMAX, law="uniform")),
    ]


def _gram_mutants() -> list[Mutant]:
    def uniform(networks: ExplicitTokens, columns: Columns) -> Array:
        flat = np.full_like(columns["weights"], 1.0 / networks.tokens)
        return _gram_after(networks, {**columns, "weights": flat})

    def unmixed(networks: ExplicitTokens, columns: Columns) -> Array:
        own = np.broadcast_to(np.eye(networks.tokens), columns["weights"].shape)
        return _gram_after(networks, {**columns, "weights": own})

    def linear(networks: ExplicitTokens, columns: Columns) -> Array:
        return _gram_after(replace(networks, alpha=math.sqrt(networks.alpha)), columns)

    token, causal, _ = _gram_experiments()
    return [
        Mutant("uniform weights for softmax", "theory", _quotient(token.name, _FIRST, _SOFTMAX, uniform)),
        Mutant("Σ for A Σ Aᵀ", "theory", _quotient(token.name, _FIRST, _SOFTMAX, unmixed)),
        Mutant("a for a²", "theory", _quotient(token.name, _FIRST, _SOFTMAX, linear)),
        Mutant("a_1 3 % too large", "theory", _quotient(
            causal.name, (1.0, 1.0, 1.0), _CAUSAL,
            lambda networks, columns: _gram_after(replace(networks, alpha=1.03 * networks.alpha), columns))),
        Mutant("W_V not centred", "simulator", replace(causal, networks=replace(_CAUSAL, mean=0.3))),
    ]  # fmt: skip


# T1b: uniform attention, all layers

_UNIFORM: dict[str, Any] = {
    "width": 32, "tokens": 3, "depth": 3, "alpha": 0.5, "mlp_alpha": 0.4, "hidden_width": 20,
}  # fmt: skip
_A_1, _A_2 = 0.5, 0.4


def _mean_growth(sample: TokenSample) -> Array:
    """Return C_L/C_0."""
    C = grams(sample).mean((2, 3))
    return C[:, 1] / C[:, 0]


def _apart_growth(sample: TokenSample) -> Array:
    """Return (D_L − C_L)/(D_0 − C_0)."""
    gram = grams(sample)
    apart = np.einsum("rkii->rk", gram) / gram.shape[2] - gram.mean((2, 3))
    return apart[:, 1] / apart[:, 0]


def _pair_growth(sample: TokenSample) -> Array:
    """Return the growth of the mean of the pairs, which leaves the diagonal out: no T1b."""
    gram = grams(sample)
    n = gram.shape[2]
    pairs = gram.sum((2, 3)) - np.einsum("rkii->rk", gram)
    return np.maximum(pairs[:, 1] / np.maximum(pairs[:, 0], 1e-3 * n), 0.0)


def _uniform(
    name: str, quantity: str, read: Callable[[TokenSample], Array], bound: float
) -> TransformerNumber:
    start = theory.GramMeans(1.0, 2.0)
    end = theory.uniform_attention_means(means=start, depth=3, alpha=_A_1, mlp_alpha=_A_2)
    predicted = end.all if read is not _apart_growth else end.diagonal - end.all
    return TransformerNumber(
        theorem="T1b", name=name, quantity=quantity, predicted=predicted, resolution=_RESOLUTION * predicted,
        relative_to=predicted, first_rows=10_000, transformer=plain_attention(**_UNIFORM, segment_std=1.0),
        read=read, asked=_GRAMS, sequence=non_negative(bound),
    )  # fmt: skip


def _uniform_experiments() -> list[Experiment]:
    d, M = 32, 20
    mlp = _mlp_second(d, M, _A_2)
    both = (_attention_second(d, _A_1) * mlp) ** 3
    # Several differences in one Frobenius norm: by Minkowski at most what one direction has.
    rademacher = ExplicitTokens(
        tokens=3, width=8, depth=3, alpha=_A_1, law="rademacher", attention=_flat(3), mlp_alpha=_A_2,
        hidden_width=5,
    )  # fmt: skip
    bound = (_attention_second(8, _A_1) * _mlp_second(8, 5, _A_2)) ** 3
    return [
        _uniform("mean of all entries", "E C_L/C_0", _mean_growth, both),
        _uniform("differences", "E (D_L − C_L)/(D_0 − C_0)", _apart_growth, mlp**3),
        _mode("T1b", "mean of all entries, Rademacher", (1.0, 1.0, 1.0), rademacher, bound),
    ]  # fmt: skip


def _flat(n: int) -> tuple[tuple[float, ...], ...]:
    return ((1.0 / n,) * n,) * n


def _uniform_mutants() -> list[Mutant]:
    mean, apart, _ = _uniform_experiments()
    assert isinstance(mean, TransformerNumber)
    assert isinstance(apart, TransformerNumber)
    return [
        Mutant("pairs for all entries", "theory", replace(mean, read=_pair_growth)),
        Mutant("differences grow like the mean", "theory", replace(apart, predicted=mean.predicted)),
        Mutant("no MLP", "theory", replace(apart, predicted=1.0)),
        Mutant("a_1 3 % too large", "simulator", changed(mean, value_std=1.03 * mean.transformer.value_std)),
        Mutant("softmax of sharp logits", "simulator", changed(apart, attention="full", query_std=2.0)),
    ]  # fmt: skip


# T1c: a constant symmetric matrix

_SYMMETRIC = ((0.6, 0.3, 0.1), (0.3, 0.4, 0.3), (0.1, 0.3, 0.6))
_MODE, _EIGENVALUE = (1.0, 0.0, -1.0), 0.5


def _mode(
    theorem: str,
    name: str,
    contrast: tuple[float, ...],
    networks: ExplicitTokens,
    bound: float,
) -> ExplicitTokenNumber:
    """Return the experiment on the growth of qᵀ Σ q, q an eigenvector."""
    q = np.asarray(contrast)
    gram = theory.constant_attention_gram(
        np.outer(q, q), attention=networks.attention, depth=networks.depth, alpha=networks.alpha,  # type: ignore[arg-type]
        mlp_alpha=networks.mlp_alpha,
    )  # fmt: skip
    predicted = float(q @ gram @ q / (q @ q) ** 2)

    def row(columns: Columns) -> Array:
        sizes = [np.sum(np.einsum("i,rid->rd", q, columns[end]) ** 2, axis=1) for end in ("end", "start")]
        return sizes[0] / sizes[1]

    return ExplicitTokenNumber(
        theorem=theorem, name=name, quantity="E ‖Σ_i q_i x_{i,L}‖²/‖Σ_i q_i x_{i,0}‖²", predicted=predicted,
        resolution=_RESOLUTION * predicted, relative_to=predicted, first_rows=20_000, networks=networks,
        read=row, sequence=non_negative(bound),
    )  # fmt: skip


def _constant_experiments() -> list[ExplicitTokenNumber]:
    size: dict[str, Any] = {"tokens": 3, "width": 16, "depth": 3, "alpha": 0.8, "attention": _SYMMETRIC}
    plain = _attention_second(16, 0.8 * _EIGENVALUE) ** 3
    mlp = (_attention_second(16, 0.8) * _mlp_second(16, 6, 0.3)) ** 3
    linear = ExplicitTokens(**size, law="uniform", mlp_alpha=0.3, hidden_width=6)
    return [
        _mode("T1c", "λ = ½, Gaussian", _MODE, ExplicitTokens(**size), plain),
        _mode("T1c", "λ = 1, uniform law, linear MLP", (1.0, 1.0, 1.0), linear, mlp),
    ]


def _constant_mutants() -> list[Mutant]:
    half, _ = _constant_experiments()
    a = half.networks.alpha
    skewed = replace(half.networks, attention=((0.9, 0.0, 0.1), *_SYMMETRIC[1:]))
    return [
        Mutant("λ for λ²", "theory", replace(half, predicted=(1.0 + a**2 * _EIGENVALUE) ** 3)),
        Mutant("modes without λ", "theory", replace(half, predicted=(1.0 + a**2) ** 3)),
        Mutant("another matrix, not symmetric", "simulator", replace(half, networks=skewed)),
    ]  # fmt: skip


# T2: the mean token

_TOKEN: dict[str, Any] = {"width": 6, "tokens": 3, "depth": 8}
_ALPHA = 0.35


def _log_mean_growth(sample: TokenSample) -> Array:
    return 0.5 * np.log(_mean_growth(sample))


def _moved(sample: TokenSample) -> Array:
    """Return whether the centred tokens changed by more than rounding."""
    return (np.abs(_apart_growth(sample) - 1.0) > 1e-4).astype(np.float64)


def _mean_token(depth: int, alpha: float) -> TransformerLaw:
    law = theory.mean_token_law(width=_TOKEN["width"], depth=depth, alpha=alpha)
    size = {**_TOKEN, "depth": depth}
    return TransformerLaw(
        theorem="T2", name=f"mean token, L = {depth}", quantity="distance of the law of log(‖m_L‖/‖m_0‖)",
        resolution=0.02, first_rows=10_000, transformer=plain_attention(**size, alpha=alpha),
        read=_log_mean_growth, asked=_GRAMS, cdf=law.cdf,
    )  # fmt: skip


def _token_experiments() -> list[Experiment]:
    still = TransformerNumber(
        theorem="T2", name="centred tokens", quantity="P(the centred tokens move)", predicted=0.0,
        resolution=0.01, first_rows=2000, transformer=plain_attention(**_TOKEN, alpha=_ALPHA), read=_moved,
        asked=_GRAMS, sequence=probability, claim="at most",
    )  # fmt: skip
    return [_mean_token(8, _ALPHA), _mean_token(1, 0.9), still]


def _token_mutants() -> list[Mutant]:
    law, single, still = _token_experiments()
    assert isinstance(law, TransformerLaw)
    limit = theory.mean_token_limit_law(width=_TOKEN["width"], total=8 * _ALPHA**2)
    half = theory.mean_token_law(width=_TOKEN["width"], depth=8, alpha=_ALPHA / math.sqrt(2.0))
    return [
        Mutant("the branch's energy ½, as behind ReLU", "theory", replace(law, cdf=half.cdf)),
        Mutant("τ for (1 − 2/d) τ in the limit", "theory",
               replace(law, cdf=lambda x: limit.cdf(np.asarray(x) - 8 * _ALPHA**2 / _TOKEN["width"]))),
        Mutant("a 10 % too large", "simulator", changed(single, value_std=0.9 * 6**-0.5 * 1.1)),
        Mutant("softmax of sharp logits", "simulator", changed(still, attention="full", query_std=2.0)),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        *_gram_experiments(), *_uniform_experiments(), *_constant_experiments(), *_token_experiments(),
    ]  # fmt: skip


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_gram_mutants(), *_uniform_mutants(), *_constant_mutants(), *_token_mutants()]
