"""`Findings`: what a check found, its verdict, and theory beside it; the words are those of `DepthCheck`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from montecarlo.networks._specification import ResNet
from montecarlo.networks._transformer import Transformer
from montecarlo.practice._classes import Growth
from montecarlo.practice._fault import Fault
from montecarlo.practice._seeds import Measured
from montecarlo.practice._structure import Structure
from montecarlo.practice._unlike_branches import Resolution

_AGAINST = (
    "overflow",
    "copy",
    "norm",
    "zero",
    "skip",
    "mean",
    "factor",
    "schedule",
    "stream",
    "cosine",
    "gradient",
)


@dataclass(frozen=True)
class Theory:
    """What theory says at one depth, in natural logs; NaN where it says nothing.

    Parameters
    ----------
    stream, gradient : float
        Predicted log growth of the stream and of gradients.
    source : str
        Statement ids.
    kind : str
        "exact law", "wide-network law" and so on of the promised network, or "from the measured branches".
    """

    stream: float
    gradient: float
    source: str
    kind: str


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """What was found; the fields are described at `DepthCheck`."""

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    found: str
    expect: str | None
    branches: Growth
    stream: Growth
    gradient: Growth | None
    structure: Structure
    faults: tuple[Fault, ...]
    measured: tuple[tuple[Measured, ...], ...]
    false_alarm: float
    notes: tuple[str, ...] = ()
    promise: tuple[ResNet | Transformer, ...] = field(default=())
    resolution: Resolution | None = None

    @property
    def decided(self) -> bool:
        """Whether the class is known."""
        return self.found != "undecided"

    @property
    def settled(self) -> bool:
        """Whether more seeds could not make the class worse: stream and gradient are not left open."""
        growths = [growth for growth in (self.stream, self.gradient) if growth is not None]
        still = self.found == "identity" and self.branches.found != "identity"  # moves next to nothing
        return self.decided and (
            self.found == "exponential" or still or all(growth.found != "undecided" for growth in growths)
        )

    @property
    def refuted(self) -> tuple[Fault, ...]:
        """The faults that contradict a promise, and an overflow, which no model is meant to have.

        Copies refute a promise, whose blocks have weights of their own; without one they may be on purpose.
        """
        return tuple(
            fault
            for fault in self.faults
            if fault.kind in _AGAINST and (fault.kind != "copy" or self.promise)
        )

    @property
    def verdict(self) -> str:
        """What came out: "refuted", "undecided" or "consistent".

        Refuted: the class is another than the one claimed, the promise is broken, or the model leaves its
        number format. Undecided: the claimed class, or any, is not decided.
        """
        if self.refuted or (self.expect is not None and self.decided and self.found != self.expect):
            return "refuted"
        return "consistent" if self.decided else "undecided"

    @property
    def theory(self) -> tuple[Theory, ...]:
        """Theory beside each depth: of the promised network, else from the measured branches."""
        if self.promise:
            return tuple(map(_promised, self.promise))
        return tuple(self._from_branches(j) for j in range(len(self.depths)))

    def _from_branches(self, j: int) -> Theory:
        rows = [row[j] for row in self.measured]
        kind = "from the measured branches"
        with np.errstate(over="ignore", invalid="ignore"):
            if self.structure.norm == "none":
                gains = [np.exp(2 * (r.log_branch - r.log_hidden[:-1])) for r in rows]
                growth = float(np.mean([0.5 * np.sum(np.log1p(g)) for g in gains]))
                return Theory(growth, growth, "I1, I4", kind)
            if self.structure.norm == "before":
                growth = float(np.mean([0.5 * np.log1p(np.exp(r.log_energy)) for r in rows]))
                return Theory(growth, growth, "N1, N5", kind)
        if self.structure.norm == "after":
            return Theory(
                float(np.mean([r.log_hidden[1] - r.log_hidden[0] for r in rows])), math.nan, "N10", kind
            )
        return Theory(math.nan, math.nan, "", "no theory")

    def curves(self, j: int) -> dict[str, Any]:
        """Return means over seeds along depth of log rms of states, branches and gradients, at depth j."""
        rows = [row[j] for row in self.measured]
        return {
            name: np.mean([getattr(row, name) for row in rows], axis=0)
            for name in ("log_hidden", "log_branch", "log_gradient")
        }


def _promised(resnet: ResNet | Transformer) -> Theory:
    if isinstance(resnet, Transformer):
        from montecarlo.networks._wide_transformer import predict_tokens

        try:
            path = predict_tokens(resnet)
        except ValueError:  # out of the range of the recursion
            return Theory(math.nan, math.nan, "", "no theory")
        grown, back = float(path.log_rms[-1] - path.log_rms[0]), float(path.log_tangent[-1])
        return Theory(grown, back, "T4b, J0", "wide limit")
    from montecarlo.diagnosis._predict import predict

    hidden, gradient = predict(resnet)
    source = hidden.source if hidden.source == gradient.source else f"{hidden.source}; {gradient.source}"
    return Theory(hidden.log_median, gradient.log_median, source, hidden.kind)
