"""`NearLawExperiment`: the distance of a law to another one, where theory knows or bounds it.

For limits: networks have finite depth, so that their distance to the limit is part of the prediction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from montecarlo.sequential import CdfBand, Claim, SequentialResult
from montecarlo.verification._experiment import LawExperiment, Session


@dataclass(frozen=True, kw_only=True)
class NearLawExperiment(LawExperiment):
    """The distance of the law of rows to `cdf`, against a predicted one.

    Parameters
    ----------
    distance : float
        Predicted ``sup |F_rows − F|``.
    claim : {"equal", "at most"}, default "at most"
        What theory says of it.
    """

    distance: float
    claim: Claim = "at most"

    def open(self, false_alarm: float, seed: int) -> Session:
        """Start a session."""
        return _NearLawSession(self, false_alarm, self.own_seed(seed))


class _NearLawSession(Session):
    def __init__(self, experiment: NearLawExperiment, false_alarm: float, seed: int) -> None:
        self._experiment, self._seed = experiment, seed
        self._band = CdfBand(false_alarm=false_alarm)

    def draw(self, rows: int, threads: int | None) -> None:
        self._band.update(self._experiment.rows(self._seed, self.rows, rows, threads))
        self.rows += rows
        self.networks += rows

    def result(self) -> SequentialResult:
        # The band holds the true law at all times but with probability false_alarm, and then the true
        # distance is within its half-width of the measured one; the evidence against distance 0 says
        # nothing here.
        experiment = self._experiment
        found = self._band.result(experiment.cdf, resolution=experiment.resolution)
        return replace(found, predicted=experiment.distance, claim=experiment.claim, p_bound=1.0)
