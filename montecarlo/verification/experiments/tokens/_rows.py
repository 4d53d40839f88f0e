"""Experiments on rows of `simulate_tokens`, and what the columns of a sample are worth in Gram matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from montecarlo import TokenSample, Transformer, simulate_tokens
from montecarlo.verification._experiment import Array, LawExperiment, NetworkExperiment, NumberExperiment
from montecarlo.verification.experiments._row_sources import no_observable

TokenObservable = Callable[[TokenSample], Array]


@dataclass(frozen=True, kw_only=True)
class _OfTransformers(NetworkExperiment):
    """An experiment on the rows of a transformer's samples.

    Parameters
    ----------
    transformer : Transformer
        The networks.
    read : callable
        A `TokenSample` to one row a network.
    asked : dict
        What `simulate_tokens` is asked for beside the paths that every sample has.
    """

    transformer: Transformer
    read: TokenObservable
    asked: dict[str, Any] = field(default_factory=dict)
    resnet: Any = None
    observable: Callable[[Any], Array] = no_observable

    @property
    def specifications(self) -> tuple[Transformer, ...]:
        """The networks."""
        return (self.transformer,)

    def rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows of the networks ``first ... first + count - 1``."""
        sample = simulate_tokens(
            self.transformer, replicas=count, seed=seed, first_replica=first, threads=threads, **self.asked
        )
        return np.asarray(self.read(sample), np.float64)


@dataclass(frozen=True, kw_only=True)
class TransformerNumber(_OfTransformers, NumberExperiment):
    """A `NumberExperiment` on transformers."""


@dataclass(frozen=True, kw_only=True)
class TransformerLaw(_OfTransformers, LawExperiment):
    """A `LawExperiment` on transformers."""


def changed(experiment: Any, **fields: Any) -> Any:
    """Return the experiment with other fields of its transformer."""
    return replace(experiment, transformer=replace(experiment.transformer, **fields))


def grams(sample: TokenSample) -> Array:
    """Return x_i · x_j/d at layers 0 and L, (networks, 2, tokens, tokens); asks for `per_token`."""
    ends = [0, -1]
    size = np.exp(sample["token_log_rms_path"][:, ends])
    n = size.shape[-1]
    gram = np.einsum("rki,rkj->rkij", size, size)
    i, j = np.triu_indices(n, 1)
    gram[..., i, j] *= sample["token_cosine_path"][:, ends]
    gram[..., j, i] = gram[..., i, j]
    return gram


def plain_attention(
    *, width: int, tokens: int, depth: int, alpha: float, mlp_alpha: float = 0.0, hidden_width: int = 0,
    **words: Any,
) -> Transformer:  # fmt: skip
    """Return uniform attention X + a_1 A X W_V, then a_2 σ(X W_1) W_2, without norms; words change it."""
    hidden = max(hidden_width, 1)
    given: dict[str, Any] = {
        "width": width, "tokens": tokens, "depth": depth, "heads": 1, "hidden_width": hidden_width,
        "norm": "none", "placement": "pre", "attention": "uniform", "position": "none",
        "activation": "identity", "query_std": width**-0.5, "key_std": width**-0.5,
        "value_std": alpha * width**-0.5, "output_std": None, "up_std": width**-0.5,
        "down_std": mlp_alpha * hidden**-0.5, "token_std": 1.0,
    }  # fmt: skip
    return Transformer(**{**given, **words})
