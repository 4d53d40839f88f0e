"""`TokenRun`: rows of `montecarlo.TokenSample`, one transformer each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from montecarlo.common._errors import InvalidFieldError, check_flag
from montecarlo.engines.tokens._engine import fill, prepare, seconds
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

    def __post_init__(self) -> None:
        for name in ("tangent", "attention", "per_token"):
            check_flag(name, getattr(self, name))

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
        """The engine's estimate."""
        return seconds(self.transformer, tangent=self.request.tangent)

    @property
    def family(self) -> tuple[str, ...]:
        """Words differ in cost."""
        net = self.transformer
        return (*super().family, net.attention, net.position, net.activation)

    def prepare(self) -> None:
        """Compile the kernel, once for all specifications."""
        prepare()

    def sample(self, first: int, count: int) -> Columns:
        """Return the rows of consecutive networks."""
        rows = {name: np.empty((count, *cell)) for name, cell in self.cells.items()}
        fill(self.transformer, self.seed, first, rows)
        return rows
