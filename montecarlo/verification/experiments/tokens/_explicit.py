"""Tokens under explicit matrices of any law, by numpy: attention weights and what a sample does not hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from montecarlo.verification._experiment import Array, NumberExperiment
from montecarlo.verification.experiments._row_sources import no_observable

Law = Literal["gaussian", "rademacher", "uniform"]
Columns = dict[str, Array]
_BLOCK = 1024  # networks drawn from one generator: rows do not depend on how they are cut


@dataclass(frozen=True, kw_only=True)
class ExplicitTokens:
    """Attention X + a_1 A X W_V and an MLP X + a_2 σ(X W_1) W_2, from independent normal tokens.

    Parameters
    ----------
    tokens, width, depth : int
        n, d and L.
    alpha, mlp_alpha : float
        a_1 and a_2.
    hidden_width : int, default 0
        M, 0 without MLP.
    law : {"gaussian", "rademacher", "uniform"}
        Of the entries of W_V, W_1 and W_2.
    attention : {"softmax", "causal"} or tuple of tuple of float
        Softmax of Gaussian queries and keys, all tokens or those so far; or one matrix in all layers.
    sharpness : float, default 1
        Deviation of the logits of tokens of mean square 1.
    norm : {"none", "pre-rms", "pre-layer", "post-rms", "post-layer"}
        Where norms stand.
    relu : bool, default False
        Whether σ is ReLU, and not the identity.
    mean : float, default 0
        Mean of the entries of √d W_V: not zero is a fault.
    """

    tokens: int
    width: int
    depth: int
    alpha: float
    mlp_alpha: float = 0.0
    hidden_width: int = 0
    law: Law = "gaussian"
    attention: Literal["softmax", "causal"] | tuple[tuple[float, ...], ...] = "softmax"
    sharpness: float = 1.0
    norm: Literal["none", "pre-rms", "pre-layer", "post-rms", "post-layer"] = "none"
    relu: bool = False
    mean: float = 0.0

    def brief(self) -> dict[str, Any]:
        """Return what is not at its default, as JSON-serialisable values, with the block's name.

        Examples
        --------
        >>> ExplicitTokens(tokens=2, width=8, depth=1, alpha=0.5).brief()
        {'block': 'explicit tokens', 'tokens': 2, 'width': 8, 'depth': 1, 'alpha': 0.5}
        """
        shown = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        if not isinstance(self.attention, str):
            shown["attention"] = [list(row) for row in self.attention]
        return {"block": "explicit tokens", **shown}

    def columns(self, *, seed: int, first: int, count: int) -> Columns:
        """Return what is seen of networks; row i is a function of (seed, i).

        Returns
        -------
        dict of ndarray
            start, end: X_0 and X_L, (networks, n, d); weights: A of the last layer, (networks, n, n); before:
            the stream in front of the last attention; share: Σ_k ‖Σ_j A_ij n(x_j)‖²/d, (networks, n); added:
            the stream after the last MLP, before a norm.
        """
        blocks = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        parts = [self._block(np.random.default_rng([seed, block])) for block in blocks]
        cut = slice(first - blocks[0] * _BLOCK, first - blocks[0] * _BLOCK + count)
        return {name: np.concatenate([part[name] for part in parts])[cut] for name in parts[0]}

    def _block(self, rng: np.random.Generator) -> Columns:
        n, d, M = self.tokens, self.width, self.hidden_width
        x = rng.standard_normal((_BLOCK, n, d))
        x = self._post(x)
        columns = {"start": x, "share": np.zeros((_BLOCK, n))}
        for _ in range(self.depth):
            columns["before"], inside = x, self._pre(x)
            columns["weights"] = A = self._weights(rng, inside)
            mixed = A @ inside
            columns["share"] = columns["share"] + np.mean(mixed * mixed, axis=2)
            values = (self._matrices(rng, (_BLOCK, d, d)) + self.mean) / math.sqrt(d)
            x = self._post(x + self.alpha * mixed @ values)
            columns["added"] = x
            if M:
                z = self._pre(x) @ (self._matrices(rng, (_BLOCK, d, M)) / math.sqrt(d))
                z = np.maximum(z, 0.0) if self.relu else z
                outer = self._matrices(rng, (_BLOCK, M, d)) / math.sqrt(M)
                columns["added"] = x + self.mlp_alpha * z @ outer
                x = self._post(columns["added"])
        return {**columns, "end": x}

    def _weights(self, rng: np.random.Generator, x: Array) -> Array:
        n, d = self.tokens, self.width
        if not isinstance(self.attention, str):
            return np.broadcast_to(np.asarray(self.attention, np.float64), (len(x), n, n))
        keys, queries = (x @ rng.standard_normal((len(x), d, d)) / math.sqrt(d) for _ in range(2))
        logits = self.sharpness * queries @ np.swapaxes(keys, 1, 2) / math.sqrt(d)
        if self.attention == "causal":
            logits = np.where(np.tril(np.ones((n, n))) > 0, logits, -np.inf)
        e = np.exp(logits - logits.max(axis=2, keepdims=True))
        return e / e.sum(axis=2, keepdims=True)

    def _pre(self, x: Array) -> Array:
        return self._normalised(x) if self.norm.startswith("pre") else x

    def _post(self, x: Array) -> Array:
        return self._normalised(x) if self.norm.startswith("post") else x

    def _normalised(self, x: Array) -> Array:
        if self.norm.endswith("layer"):
            x = x - x.mean(axis=2, keepdims=True)
        return x / np.sqrt(np.mean(x * x, axis=2, keepdims=True))

    def _matrices(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if self.law == "gaussian":
            return rng.standard_normal(shape)
        if self.law == "uniform":
            return rng.uniform(-math.sqrt(3.0), math.sqrt(3.0), shape)
        return np.asarray(2.0 * rng.integers(0, 2, shape) - 1.0, np.float64)


@dataclass(frozen=True, kw_only=True)
class ExplicitTokenNumber(NumberExperiment):
    """A `NumberExperiment` on explicit tokens.

    Parameters
    ----------
    networks : ExplicitTokens
        How they are drawn.
    read : callable
        Columns to rows.
    """

    networks: ExplicitTokens
    read: Callable[[Columns], Array]
    resnet: Any = None
    observable: Callable[[Any], Array] = no_observable

    @property
    def specifications(self) -> tuple[ExplicitTokens]:
        """The networks, which `simulate_tokens` does not know."""
        return (self.networks,)

    def rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows of the networks ``first ... first + count - 1``; threads are not used."""
        del threads
        return np.asarray(self.read(self.networks.columns(seed=seed, first=first, count=count)), np.float64)
