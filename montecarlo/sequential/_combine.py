"""One false alarm shared by several sequential tests.

Bonferroni: if test i refutes a right prediction with probability at most δ_i, any of them does so with
probability at most Σ δ_i, however they depend on each other. Averages: if all e-values are against one and
the same hypothesis, or each against one of several that are all claimed, their weighted average (weights
fixed beforehand) is an e-value of the joint claim under any dependence, at any stopping time (V. Vovk and R.
Wang, "E-values: calibration, combination and applications", Annals of Statistics 49 (2021) 1736-1754,
Proposition 3.1); it gains where the tests share evidence, Bonferroni where one of them has it all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from montecarlo.common._errors import InvalidFieldError
from montecarlo.sequential._result import Decision, SequentialResult
from montecarlo.sequential._rows import check_false_alarm


def share_false_alarm(total: float, weights: Mapping[str, float]) -> dict[str, float]:
    """Share a total false alarm over named tests in proportion to weights (Bonferroni).

    Parameters
    ----------
    total
        Probability, at most, that any test refutes a right prediction, at most 0.5.
    weights
        Positive weight of each test, fixed before sampling. A test of twice the weight needs hardly fewer
        rows: the share enters through its log.

    Returns
    -------
    dict
        The false alarm of each test; they add up to `total`.

    Raises
    ------
    InvalidFieldError
        If there is no test, or a weight is not positive and finite.

    Examples
    --------
    >>> share_false_alarm(1e-6, {"I2": 1.0, "I6": 3.0})
    {'I2': 2.5e-07, 'I6': 7.5e-07}
    """
    check_false_alarm(total)
    if not weights:
        raise InvalidFieldError(
            "weights", dict(weights), "must name at least one test", "give {'I2': 1.0}, say"
        )
    for name, weight in weights.items():
        if not 0.0 < weight < math.inf:
            raise InvalidFieldError(
                "weights", {name: weight}, "must be positive and finite", "give 1.0 to each test, say"
            )
    whole = math.fsum(weights.values())
    return {name: total * (weight / whole) for name, weight in weights.items()}


def average_log_e(log_e_values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Return the natural log of the weighted average of e-values, an e-value of the joint claim.

    Parameters
    ----------
    log_e_values
        Natural logs, shape (tests,); −inf is an e-value of 0.
    weights
        Non-negative weights fixed before sampling, shape (tests,); equal if None.

    Raises
    ------
    InvalidFieldError
        If there is none, one is NaN, or the weights do not fit.

    Examples
    --------
    >>> round(average_log_e(np.log([4.0, 2.0])), 6) == round(math.log(3.0), 6)
    True
    """
    logs = np.asarray(log_e_values, dtype=np.float64)
    shares = np.ones(logs.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    if logs.ndim != 1 or logs.size == 0 or np.isnan(logs).any():
        raise InvalidFieldError(
            "log_e_values", log_e_values, "must be a non-empty list without NaN", "leave unused tests out"
        )
    if shares.shape != logs.shape or not np.all(shares >= 0.0) or not 0.0 < shares.sum() < math.inf:
        raise InvalidFieldError(
            "weights", weights, "must be non-negative, not all 0, one a test", "give 1.0 to each, say"
        )
    return float(np.asarray(logsumexp(logs, b=shares / shares.sum())))


@dataclass(frozen=True, kw_only=True)
class Combined:
    """Where several tests of one joint claim stand.

    Parameters
    ----------
    results
        The tests' results.
    false_alarm
        Probability, at most, of ever refuting any right prediction: the sum over the tests.
    decision
        Refuted if any test is; resolved if all are; else undecided.

    Examples
    --------
    >>> combine([]).decision
    'resolved'
    """

    results: tuple[SequentialResult, ...]
    false_alarm: float
    decision: Decision

    @property
    def refuted(self) -> tuple[SequentialResult, ...]:
        """The results that are refuted."""
        return tuple(result for result in self.results if result.decision == "refuted")


def combine(results: Sequence[SequentialResult]) -> Combined:
    """Combine results of tests that share a false alarm into one decision (Bonferroni).

    Parameters
    ----------
    results : sequence of SequentialResult
        Of the tests.

    Returns
    -------
    Combined
        Refuted if one of them is; resolved if all are; the false alarms add up.

    Examples
    --------
    >>> from montecarlo.sequential import EventProbability
    >>> heads = EventProbability(false_alarm=5e-7).update([True, False] * 500)
    >>> both = combine([heads.result(p, resolution=0.1) for p in (0.5, 0.9)])
    >>> both.decision, both.false_alarm, len(both.refuted)
    ('refuted', 1e-06, 1)
    """
    decisions = [result.decision for result in results]
    decision: Decision = "undecided"
    if "refuted" in decisions:
        decision = "refuted"
    elif all(each == "resolved" for each in decisions):
        decision = "resolved"
    return Combined(
        results=tuple(results),
        false_alarm=math.fsum(result.false_alarm for result in results),
        decision=decision,
    )
