"""`TokenFindings`: everything that is known of one transformer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from montecarlo.common._json import finite
from montecarlo.diagnosis.tokens._critical import TokenRegime
from montecarlo.estimates import Estimate
from montecarlo.networks._transformer import Transformer

if TYPE_CHECKING:
    from montecarlo.samples.tokens._sample import TokenSample


@dataclass(frozen=True)
class TokenRow:
    """One quantity at the last layer.

    Parameters
    ----------
    quantity : str
        In words.
    log : bool
        Whether the numbers are natural logarithms.
    start, predicted : float
        At layer 0 and, by the wide recursion (T4b), at layer L; NaN without theory.
    simulated : Estimate or None
        Mean over networks with its 99 % interval.
    agrees : bool or None
        Whether the simulation does not refute the prediction; None without one.
    """

    quantity: str
    log: bool
    start: float
    predicted: float
    simulated: Estimate | None
    agrees: bool | None


@dataclass(frozen=True)
class TokenRange:
    """How far typical largest entries are from the ends of a float format.

    Parameters
    ----------
    format, direction : str
        The format; "forward", the stream, or "backward", gradients of all tokens.
    log_largest : float
        Natural log of the largest typical entry at any layer over the format's largest number: above 0 it
        overflows.
    log_smallest : float
        The same of the smallest root mean square over the smallest normal number: below 0 digits are lost.
    """

    format: str
    direction: str
    log_largest: float
    log_smallest: float


@dataclass(frozen=True, eq=False, repr=False)
class TokenFindings:
    """What `diagnose_tokens` found; see `TokenDiagnosis`.

    Parameters
    ----------
    transformer : Transformer
        The network.
    regime : TokenRegime
        How much branches add, and the residual deviation to take.
    rows : tuple of TokenRow
        Size of the stream, cosine of tokens, growth of gradients, entropy of attention.
    ranges : tuple of TokenRange
        Float formats.
    replicas, seed : int
        Of the simulation.
    false_alarm : float
        Probability, at most, that a right prediction is refuted.
    sample : TokenSample or None
        The networks.
    no_theory : str
        Why theory does not reach this network; empty where it does.
    asked : bool
        Whether a simulation was asked for.
    """

    transformer: Transformer
    regime: TokenRegime
    rows: tuple[TokenRow, ...]
    ranges: tuple[TokenRange, ...]
    replicas: int
    seed: int
    false_alarm: float
    sample: TokenSample | None
    no_theory: str = ""
    asked: bool = True

    @property
    def agrees(self) -> bool | None:
        """Whether the simulation refutes nothing; None without one."""
        known = [row.agrees for row in self.rows if row.agrees is not None]
        return all(known) if known else None

    @property
    def n_left_out(self) -> int:
        """How many of the networks left the finite numbers: the simulated means are those of the others."""
        return 0 if self.sample is None else self.sample.n_nonfinite

    def record(self) -> dict[str, Any]:
        """Return the diagnosis as JSON-serialisable values; natural logarithms where `log` says so."""
        return {
            "specification": json.loads(json.dumps(self.transformer.canonical())),
            "regime": self.regime.record(),
            "rows": [
                {
                    "quantity": row.quantity, "log": row.log, "start": finite(row.start),
                    "predicted": finite(row.predicted), "agrees": row.agrees,
                    "simulated": None if row.simulated is None else finite(row.simulated.value),
                }
                for row in self.rows
            ],
            "no_theory": self.no_theory,
            "ranges": [vars(r) for r in self.ranges],
            "replicas": self.replicas,
            "left_out": self.n_left_out,
            "seed": self.seed,
            "false_alarm": self.false_alarm,
        }  # fmt: skip
