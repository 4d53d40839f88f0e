"""What a report says, as records that know nothing of HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from theory.catalogue import Claim

WORDS = ("refuted", "undecided", "consistent", "not tested")
"""Verdicts on a theorem, the gravest first."""


@dataclass(frozen=True)
class Verdict:
    """Where the test of one experiment ended: a record of `largedepth verify --json`.

    Parameters
    ----------
    id, name : str
        The theorem, and which of its experiments.
    verdict : str
        One of the first three of `WORDS`.
    quantity : str
        What was measured.
    claim : {"equal", "at most", "at least"}
        What the theorem says of it.
    predicted, estimate : float or None
        By theory and as measured; None for what is not finite.
    interval : tuple of float or None
        Numbers that are not refuted; None for an end that is not there.
    resolution, resolution_asked : float or None
        The error of the prediction that could not have passed, and what the catalogue asks for.
    networks : int
        Networks sampled.
    specification : tuple of mapping
        The networks.
    rows_left_out : int
        Rows that were not finite.
    """

    id: str
    name: str
    verdict: str
    quantity: str
    claim: str
    predicted: float | None
    estimate: float | None
    interval: tuple[float | None, float | None]
    resolution: float | None
    resolution_asked: float | None
    networks: int
    specification: tuple[Mapping[str, Any], ...]
    rows_left_out: int = 0


@dataclass(frozen=True)
class Statement:
    """A theorem of the catalogue with its verdicts.

    Parameters
    ----------
    id, title, statement, latex, source, proof, regime : str
        As in `theory.catalogue.Theorem`; empty but for the id where the catalogue does not have it.
    hypotheses : tuple of str
        In words.
    resolution_scale : str
        "relative", "absolute", "distribution" or "probability".
    verdicts : tuple of Verdict
        Its experiments; none if it was not tested.
    claims : tuple of theory.catalogue.Claim
        What publications say of the same thing.
    """

    id: str
    title: str
    statement: str
    latex: str
    source: str
    proof: str
    regime: str
    hypotheses: tuple[str, ...]
    resolution_scale: str
    verdicts: tuple[Verdict, ...]
    claims: tuple[Claim, ...] = ()

    @property
    def verdict(self) -> str:
        """The gravest of its verdicts, or "not tested"."""
        found = {verdict.verdict for verdict in self.verdicts}
        return next((word for word in WORDS if word in found), "not tested")

    @property
    def weakest(self) -> Verdict | None:
        """The experiment that says least for the theorem: of its gravest verdicts the coarsest.

        Coarse is measured against what the catalogue asks of the experiment.
        """
        gravest = [verdict for verdict in self.verdicts if verdict.verdict == self.verdict]
        return max(gravest, key=_coarseness, default=None)

    @property
    def networks(self) -> int:
        """Networks of all its experiments."""
        return sum(verdict.networks for verdict in self.verdicts)


def _coarseness(verdict: Verdict) -> float:
    if verdict.resolution is None:
        return float("inf")
    return verdict.resolution / (verdict.resolution_asked or 1.0)


@dataclass(frozen=True)
class Check:
    """A number of a figure beside theory; see `figures.Check`.

    Parameters
    ----------
    quantity : str
        In words.
    relation : {"equals", "at most", "at least"}
        What theory says of it.
    predicted, resolution : float or None
        By theory; the error of it that would have been noticed.
    shown : str
        The estimate with its interval or tolerance.
    simulated : bool
        Whether networks stand behind the estimate.
    verdict : {"agrees", "undecided", "outside"}
        Whether the prediction lies in the interval.
    """

    quantity: str
    relation: str
    predicted: float | None
    resolution: float | None
    shown: str
    simulated: bool
    verdict: str


@dataclass(frozen=True)
class Figure:
    """A figure with what stands behind it.

    Parameters
    ----------
    name, title, caption, paper : str
        As in `figures.FigureDefinition`.
    setting : {"quick", "paper"}
        Its sizes.
    seed, networks, networks_of_other_setting : int
        Seed and number of its networks.
    command : str
        What draws it again.
    image : bytes
        The PNG.
    samples : sequence of mapping
        ``specification``, ``networks`` and ``engine`` of each of its samples.
    checks : tuple of Check
        Its numbers beside theory.
    """

    name: str
    title: str
    caption: str
    paper: str
    setting: str
    seed: int
    networks: int
    networks_of_other_setting: int
    command: str
    image: bytes
    samples: Sequence[Mapping[str, Any]]
    checks: tuple[Check, ...]

    def count(self, verdict: str) -> int:
        """How many of its checks ended so."""
        return sum(check.verdict == verdict for check in self.checks)


@dataclass(frozen=True)
class Run:
    """When, where and how the verdicts came about.

    Parameters
    ----------
    command, started : str
        The command line, and the time it began (ISO 8601).
    seed : int
        The seed.
    seconds, verification_seconds : float
        Wall-clock time of all of it, and of the tests.
    false_alarm : float
        Probability, at most, that the run refutes anything if all theorems are true.
    interrupted : bool
        Whether the tests were stopped before their end.
    machine : mapping of str to str
        Versions and the machine, as `machine_facts` returns them.
    """

    command: str
    started: str
    seed: int
    seconds: float
    verification_seconds: float
    false_alarm: float
    interrupted: bool
    machine: Mapping[str, str]


@dataclass(frozen=True)
class Report:
    """All that the page shows.

    Parameters
    ----------
    statements : tuple of Statement
        In the order of the catalogue.
    figures : tuple of Figure
        In the order of `figures.FIGURES`.
    run : Run or None
        None where the folder has no record of a run.
    """

    statements: tuple[Statement, ...]
    figures: tuple[Figure, ...]
    run: Run | None

    def of(self, verdict: str) -> list[Statement]:
        """Return the theorems of a verdict."""
        return [statement for statement in self.statements if statement.verdict == verdict]

    @property
    def claims(self) -> list[tuple[Statement, Claim]]:
        """Every claim with the statement that it meets."""
        return [(statement, claim) for statement in self.statements for claim in statement.claims]

    @property
    def verdicts(self) -> list[Verdict]:
        """Every experiment."""
        return [verdict for statement in self.statements for verdict in statement.verdicts]

    @property
    def checks(self) -> list[Check]:
        """Every number of a figure beside theory."""
        return [check for figure in self.figures for check in figure.checks]
