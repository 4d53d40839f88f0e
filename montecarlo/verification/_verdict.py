"""`Verdict`: what verification says of one experiment, and of all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from montecarlo.common import _html
from montecarlo.sequential import SequentialResult
from montecarlo.verification._experiment import Experiment, describe

Word = Literal["consistent", "refuted", "undecided"]

_HEAD = (
    "theorem", "quantity", "predicted", "estimate", "not refuted", "resolution", "networks", "verdict",
)  # fmt: skip
_WORDS: dict[str, Word] = {"resolved": "consistent", "refuted": "refuted", "undecided": "undecided"}


@dataclass(frozen=True)
class Verdict:
    """Where the test of one experiment ended.

    Parameters
    ----------
    id, name : str
        The theorem, and which of its experiments.
    verdict : {"consistent", "refuted", "undecided"}
        Consistent to within the resolution asked for; refuted, which happens to a true theorem with
        probability `false_alarm` at most; undecided within the budget.
    quantity : str
        What was measured, in words.
    claim : {"equal", "at most", "at least"}
        What the theorem says of it.
    predicted, estimate : float
        The number by theory, and as measured.
    interval : tuple of float
        Numbers that are not refuted.
    resolution : float
        The error of the prediction that could not have passed: were it off by this much or more, a run would
        call it consistent with probability at most the false alarm. Relative; absolute for slopes,
        probabilities and distances between laws.
    false_alarm : float
        This test's share of the run's probability of a false refutation.
    networks : int
        Networks sampled.
    seconds : float
        Wall-clock time, in which other experiments may go on, too.
    specification : tuple of mapping
        The networks.
    resolution_asked : float
        The resolution at which a test ends, in the units of `resolution`.
    rows_left_out : int
        Rows that were not finite (for laws and quantiles: NaN or +inf); the verdict is on the others.
    """

    id: str
    name: str
    verdict: Word
    quantity: str
    claim: str
    predicted: float
    estimate: float
    interval: tuple[float, float]
    resolution: float
    false_alarm: float
    networks: int
    seconds: float
    specification: tuple[Mapping[str, Any], ...]
    resolution_asked: float
    rows_left_out: int = 0

    @classmethod
    def of(cls, experiment: Experiment, result: SequentialResult, networks: int, seconds: float) -> Verdict:
        """Return the verdict of a result."""
        unit = abs(experiment.relative_to)
        resolution = max(result.reach, 0.0) / unit
        return cls(
            experiment.theorem, experiment.name, _WORDS[result.decision], experiment.quantity, result.claim,
            result.predicted, result.estimate, result.interval, resolution, result.false_alarm,
            networks, seconds, tuple(describe(experiment)), experiment.resolution / unit, result.n_nonfinite,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return _html.table(f"{self.id} {self.name}".strip(), [_HEAD[1:], self._html_row()[1:]])

    def _html_row(self) -> list[object]:
        claim = "" if self.claim == "equal" else f"{self.claim} "
        return [
            f"{self.id} {self.name}".strip(), self.quantity, f"{claim}{self.predicted:.5g}", self.estimate,
            _html.interval(self.interval), f"{self.resolution:.2g}", self.networks, self.verdict,
        ]  # fmt: skip

    def record(self) -> dict[str, Any]:
        """Return the verdict as JSON-serialisable values; what is not finite becomes None."""
        values = dict(vars(self))
        values["interval"] = list(self.interval)
        values["specification"] = list(self.specification)
        return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True)
class Verification:
    """The verdicts of a run, in the order of the catalogue.

    Parameters
    ----------
    verdicts : tuple of Verdict
        One an experiment.
    seed : int
        The seed.
    false_alarm : float
        Probability, at most, that the run refutes anything if all theorems are true.
    seconds : float
        Wall-clock time.
    """

    verdicts: tuple[Verdict, ...]
    seed: int
    false_alarm: float
    seconds: float

    def _repr_html_(self) -> str:
        title = f"{self.verdict}; seed {self.seed}, false alarm {self.false_alarm:.2g}, {self.seconds:.1f} s"
        return _html.table(title, [_HEAD, *(verdict._html_row() for verdict in self.verdicts)])

    @property
    def theorems(self) -> dict[str, Word]:
        """The worst verdict of each theorem: refuted before undecided before consistent."""
        worst: dict[str, Word] = {}
        for word in ("consistent", "undecided", "refuted"):
            worst |= {verdict.id: word for verdict in self.verdicts if verdict.verdict == word}
        return {verdict.id: worst[verdict.id] for verdict in self.verdicts}

    @property
    def verdict(self) -> Word:
        """The worst of all."""
        words = set(self.theorems.values())
        for word in ("refuted", "undecided"):
            if word in words:
                return word
        return "consistent"
