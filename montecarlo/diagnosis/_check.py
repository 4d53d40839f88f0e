"""A short simulation beside the predictions: its intervals, and whether both agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common._json import finite
from montecarlo.diagnosis._prediction import Prediction
from montecarlo.engines._registry import ENGINES, find_engine
from montecarlo.engines._request import Request
from montecarlo.networks._specification import ResNet

if TYPE_CHECKING:
    from montecarlo.estimates import Estimate
    from montecarlo.samples.independent._sample import Sample

_LEVELS = (0.5, 0.025, 0.975)
_FEWEST, _MOST = 32, 4096
_PATIENCE = 20.0  # budgets that the fewest networks may take


@dataclass(frozen=True)
class RatioCheck:
    """One ratio of norms in the simulation.

    Parameters
    ----------
    median, low, high : Estimate
        Median, 2.5 % and 97.5 % quantiles of the natural logarithm, with 99 % intervals.
    agrees : bool or None
        Whether no test refutes the prediction; None where theory predicts nothing.
    sees : float
        The smallest error of the predicted median, in natural-log units, that the test would have caught.
    reason : str
        What is refuted, in words; empty if nothing is.
    """

    median: Estimate
    low: Estimate
    high: Estimate
    agrees: bool | None
    sees: float
    reason: str = ""

    def record(self) -> dict[str, Any]:
        """Return the check as JSON-serialisable values, in natural logarithms."""
        intervals = {
            f"log_{name}": {"value": finite(e.value), "interval": [finite(e.lower), finite(e.upper)]}
            for name, e in (("median", self.median), ("low", self.low), ("high", self.high))
        }
        return {**intervals, "agrees": self.agrees, "sees": finite(self.sees), "reason": self.reason}


@dataclass(frozen=True)
class Check:
    """The simulation of a diagnosis.

    Parameters
    ----------
    replicas : int
        Networks; 0 if one of them takes too long, and then `note` says so.
    engine : str
        The engine that drew them.
    seed : int
        The seed.
    false_alarm : float
        Probability, at most, that right predictions are refuted.
    hidden, gradient : RatioCheck or None
        The two ratios.
    n_nonfinite : int
        Networks that left the finite numbers.
    note : str
        What a reader should know.
    """

    replicas: int
    engine: str
    seed: int
    false_alarm: float
    hidden: RatioCheck | None = None
    gradient: RatioCheck | None = None
    n_nonfinite: int = 0
    note: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether nothing predicted is refuted; None if nothing could be tested."""
        words = [r.agrees for r in (self.hidden, self.gradient) if r is not None and r.agrees is not None]
        return all(words) if words else None

    def record(self) -> dict[str, Any]:
        """Return the check as JSON-serialisable values."""
        values = dict(vars(self))
        for name in ("hidden", "gradient"):
            values[name] = None if values[name] is None else values[name].record()
        return values | {"agrees": self.agrees}


def choose_replicas(resnet: ResNet, seconds: float) -> tuple[int, Request, str]:
    """Return (replicas, request, note) for seconds on one core, a function of the arguments alone.

    Gradients come from the same networks where a thousand of them fit the budget, else from networks of
    their own where an engine can do that (duality, I4).
    """
    joint, dual = Request(), Request(gradients=False, dual=True)
    request, cost = joint, math.inf
    try:
        cost = find_engine("auto", resnet, joint).seconds(resnet, joint)
    except InvalidFieldError as error:
        note = f"{error.rule}: not simulated"
    else:
        note = ""
    if seconds / cost < 1000 and ENGINES["radial"].refusal(resnet, dual) is None:
        request, cost, note = dual, ENGINES["radial"].seconds(resnet, dual), ""
    if _FEWEST * cost > _PATIENCE * seconds:
        longer = (
            ""
            if cost == math.inf
            else f"one network takes about {cost:.2g} s on one core: not simulated; give more seconds"
        )
        return 0, request, note or longer
    return max(_FEWEST, min(_MOST, int(seconds / cost) // 16 * 16)), request, note


def check_predictions(
    sample: Sample, hidden: Prediction, gradient: Prediction, *, false_alarm: float
) -> Check:
    """Return the check of predictions on a sample.

    Each of three quantiles of either ratio is tested against its distribution-free interval, which may
    miss the true quantile with a sixth of `false_alarm`; a prediction may be off by its own slack.
    """
    columns = list(sample.columns)
    backward = "log_gradient_ratio" if "log_gradient_ratio" in columns else "log_gradient_ratio_dual"
    checks = [
        check_ratio(rows, prediction, false_alarm=false_alarm / 2)
        for rows, prediction in ((sample["log_hidden_ratio"], hidden), (sample[backward], gradient))
    ]
    note = (
        ""
        if backward == "log_gradient_ratio"
        else "gradients are those of other networks of the same law (I4)"
    )
    return Check(
        len(sample), sample.engine, sample.seed, false_alarm, checks[0], checks[1], sample.n_nonfinite, note
    )


def check_ratio(rows: npt.NDArray[np.float64], prediction: Prediction, *, false_alarm: float) -> RatioCheck:
    """Return the check of one prediction on the natural logarithms of its ratio."""
    from montecarlo.estimates import probability, quantile

    shown = [quantile(rows, p) for p in _LEVELS]
    if prediction.kind == "nothing":
        return RatioCheck(*shown, agrees=None, sees=math.inf)
    if prediction.kind == "bounds":
        low, high = prediction.bounds
        inside = (rows >= low) & (rows <= high)
        held = probability(inside, confidence=1 - false_alarm).upper >= 0.95
        reason = "" if held else "fewer than 95 % of networks lie in the bounds"
        return RatioCheck(*shown, agrees=held, sees=math.inf, reason=reason)
    confidence = 1 - false_alarm / len(_LEVELS)
    wrong, sees = [], math.inf
    for p, name in zip(_LEVELS, ("median", "2.5 % quantile", "97.5 % quantile"), strict=True):
        found = quantile(rows, p, confidence=confidence)
        predicted = prediction.log_quantile(p)
        slack = prediction.slack if p == 0.5 else prediction.tail_slack
        if p == 0.5:
            sees = max(predicted - found.lower, found.upper - predicted) + slack
        if not found.lower - slack <= predicted <= found.upper + slack:
            wrong.append(f"the {name}")
    reason = f"refuted: {', '.join(wrong)}" if wrong else ""
    return RatioCheck(*shown, agrees=not wrong, sees=sees, reason=reason)
