"""`TokenRun`: rows of `montecarlo.TokenSample`, one transformer each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.networks._transformer import Transformer
from montecarlo.runs import Columns, Run


@dataclass(frozen=True)
class TokenRequest:
    """What is observed beside the paths that every sample has.

    Parameters
    ----------
    tangent, attention, per_token : bool, default False
        As in `montecarlo.simulate_tokens`.
    """

    tangent: bool = False
    attention: bool = False
    per_token: bool = False

    def cells(self, transformer: Transformer) -> dict[str, tuple[int, ...]]:
        """Return the columns with the shape of a network's cell."""
        layers, n = transformer.depth + 1, transformer.tokens
        cells: dict[str, tuple[int, ...]] = dict.fromkeys(
            ("log_rms_path", "cosine_path", "effective_rank_path"), (layers,)
        )
        if self.tangent:
            cells["log_tangent_path"] = (layers,)
        if self.attention:
            heads = (transformer.depth, transformer.heads)
            cells |= {"attention_entropy": heads, "logit_deviation": heads}
        if self.per_token:
            cells |= {"token_log_rms_path": (layers, n), "token_cosine_path": (layers, n * (n - 1) // 2)}
        return cells


@dataclass(frozen=True)
class TokenRun(Run):
    """Random transformers of one specification.

    Parameters
    ----------
    transformer : Transformer
        The specification.
    seed : int
        As in `montecarlo.runs.Run`.
    request : TokenRequest
        What is observed.
    """

    transformer: Transformer
    seed: int
    request: TokenRequest = TokenRequest()

    @classmethod
    def find(cls, transformer: Transformer, seed: int, request: TokenRequest) -> TokenRun:
        """Return the run, its arguments checked.

        Raises
        ------
        InvalidFieldError
            A ValueError whose one line names the field, the value, the rule and the fix.
        """
        if not isinstance(transformer, Transformer):
            fix = "give Transformer.preset('gpt2'), say"
            raise InvalidFieldError("transformer", transformer, "must be a Transformer", fix)
        if request.attention and transformer.attention == "none":
            raise InvalidFieldError(
                "attention", True, "cannot be observed where attention='none'", "leave it out"
            )
        return cls(transformer, seed, request)

    @property
    def specification(self) -> Transformer:
        """The transformers."""
        return self.transformer

    @property
    def kind(self) -> str:
        """Rows of `TokenSample`."""
        return "tokens"

    @property
    def cells(self) -> dict[str, tuple[int, ...]]:
        """Paths along depth."""
        return self.request.cells(self.transformer)

    @property
    def seconds(self) -> float:
        """Rough time of one network."""
        return 0.1

    def prepare(self) -> None:
        """Compile."""

    def sample(self, first: int, count: int) -> Columns:
        """Return the rows of consecutive networks."""
        from montecarlo.samples.tokens._explicit import observe

        net, rows = self.transformer, {name: np.empty((count, *cell)) for name, cell in self.cells.items()}
        i, j = np.triu_indices(net.tokens, 1)
        for row in range(count):
            rng = np.random.default_rng([self.seed, first + row])
            seen = observe(net, rng, tangent=self.request.tangent)
            gram = np.array([x @ x.T for x in seen.streams]) / net.width
            square = np.einsum("kii->ki", gram)
            cosine = gram[:, i, j] / np.sqrt(square[:, i] * square[:, j])
            rows["log_rms_path"][row] = 0.5 * np.log(square.mean(axis=1))
            rows["cosine_path"][row] = cosine.mean(axis=1) if len(i) else np.nan
            rows["effective_rank_path"][row] = square.sum(1) ** 2 / (gram**2).sum((1, 2))
            if self.request.tangent:
                rows["log_tangent_path"][row] = np.log(seen.tangent_norms)
            if self.request.attention:
                a, logits = np.array(seen.attentions), np.array(seen.logits)
                with np.errstate(all="ignore"):
                    rows["attention_entropy"][row] = -np.where(a > 0, a * np.log(a), 0).sum(3).mean(2)
                allowed = np.ones((net.tokens, net.tokens), bool)
                if net.attention == "causal":
                    allowed = np.tril(allowed)
                mean = np.where(allowed, logits, 0).sum(3, keepdims=True) / allowed.sum(1)[:, None]
                spread = np.where(allowed, logits - mean, 0) ** 2
                rows["logit_deviation"][row] = np.sqrt(spread.sum((2, 3)) / allowed.sum())
            if self.request.per_token:
                rows["token_log_rms_path"][row] = 0.5 * np.log(square)
                rows["token_cosine_path"][row] = cosine
        return rows
