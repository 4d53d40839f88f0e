"""Points of random transformers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from figures._points import Report
from montecarlo import TokenRequest, TokenSample, Transformer, tokens_to_file
from montecarlo.samples.tokens._run import TokenRun


@dataclass(frozen=True)
class TransformerPoint:
    """Random transformers of one specification.

    Parameters
    ----------
    transformer : Transformer
        The specification.
    replicas : int
        Networks.
    request : TokenRequest, optional
        What to observe.
    """

    transformer: Transformer
    replicas: int
    request: TokenRequest = field(default_factory=TokenRequest)

    @property
    def resnet(self) -> Any:
        """The specification, by which samples are known."""
        return self.transformer

    @property
    def stem(self) -> str:
        """Start of the name of its samples' file: equal for points that can share their rows."""
        flags = (self.request.tangent, self.request.attention, self.request.per_token)
        return f"{self.transformer.digest[:16]}-tokens-{''.join(str(int(flag)) for flag in flags)}"

    @property
    def engine(self) -> str:
        """How they are sampled."""
        return "tokens"

    @property
    def networks(self) -> int:
        """Networks."""
        return self.replicas

    @property
    def run(self) -> TokenRun:
        """What its rows are of, whatever the seed."""
        return TokenRun.find(self.transformer, 0, self.request)

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> TokenSample:
        """Return the sample, its rows from a file as far as that has them."""
        return tokens_to_file(
            self.transformer, path, replicas=self.replicas, seed=seed, request=self.request, threads=threads,
            overwrite=True, progress=report.sampled,
            on_found=lambda networks: report.reused(min(networks, self.networks)),
        )  # fmt: skip
