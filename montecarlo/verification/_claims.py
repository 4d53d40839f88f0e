"""Claims of users: predictions about networks of a specification or any simulator, tested as theorems are.

`check_mean`, `check_probability` and `check_law` return a `Verdict`; `require_consistent` turns one that is
not "consistent" into an exception. For other numbers, such as quantiles, `check_number` takes any sequence of
`montecarlo.sequential`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from montecarlo.common._errors import InvalidFieldError, check_real
from montecarlo.networks._specification import ResNet
from montecarlo.sequential import (
    BoundedMean,
    CdfBand,
    Claim,
    EventProbability,
    NonNegativeMean,
    SequentialResult,
    SubGaussianMean,
)
from montecarlo.verification._experiment import Cdf, Experiment, Session
from montecarlo.verification._explain import explain
from montecarlo.verification._number_test import NumberTest, aimed
from montecarlo.verification._row_source import CheckedRows, NetworkRows, RowSource
from montecarlo.verification._verdict import Verdict
from montecarlo.verification._verify import run_experiments


class ClaimError(AssertionError):
    """A claim that is not consistent with simulation.

    Parameters
    ----------
    verdict : Verdict
        The verdict; the message is its explanation.
    """

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(explain(verdict))
        self.verdict = verdict


class ClaimRefuted(ClaimError):  # noqa: N818
    """A claim that is wrong; of a right one, that happens with probability `false_alarm` at most."""


class ClaimUndecided(ClaimError):  # noqa: N818
    """A claim that could not be tested to the resolution asked for within the budget."""


def require_consistent(verdict: Verdict) -> Verdict:
    """Return the verdict, or raise `ClaimRefuted` or `ClaimUndecided` with its explanation."""
    __tracebackhide__ = True  # pytest then shows the line of the claim
    if verdict.verdict == "refuted":
        raise ClaimRefuted(verdict)
    if verdict.verdict == "undecided":
        raise ClaimUndecided(verdict)
    return verdict


@dataclass(frozen=True, kw_only=True)
class _ClaimExperiment(Experiment):
    """A test that takes rows in, and a source of rows."""

    source: RowSource
    start: Callable[[float], Any]
    conclude: Callable[[Any], SequentialResult]

    @property
    def specifications(self) -> tuple[ResNet, ...]:
        """The networks, none for a simulator of the user's."""
        return (self.source.resnet,) if isinstance(self.source, NetworkRows) else ()

    @property
    def label(self) -> str:
        """The name alone: a claim is no theorem of the catalogue."""
        return self.theorem

    def open(self, false_alarm: float, seed: int) -> Session:
        """Start a session."""
        return _ClaimSession(self, false_alarm, self.own_seed(seed))


class _ClaimSession(Session):
    looks_at_will = True  # `check_number` asks this of the sequences that it is given

    def __init__(self, experiment: _ClaimExperiment, false_alarm: float, seed: int) -> None:
        self._conclude, self._seed = experiment.conclude, seed
        self._rows = CheckedRows(experiment.source)
        self._test = aimed(experiment.start(false_alarm), experiment.resolution)

    def draw(self, rows: int, threads: int | None) -> None:
        self._test.update(self._rows(self._seed, self.rows, rows))
        self.rows += rows
        self.networks += rows

    def result(self) -> SequentialResult:
        return self._conclude(self._test)


def check_number(
    rows: RowSource,
    predicted: float,
    *,
    sequence: Callable[[float], NumberTest],
    resolution: float | None = None,
    relative_resolution: float | None = None,
    claim: Claim = "equal",
    name: str = "claim",
    quantity: str = "",
    false_alarm: float = 1e-6,
    budget: float | None = 60.0,
    seed: int = 0,
    first_rows: int = 1000,
) -> Verdict:
    """Test a prediction of a number by any sequence of `montecarlo.sequential`.

    Parameters
    ----------
    rows : callable
        ``rows_of(resnet, observable)``, or a function ``(seed, first, count)`` that returns the i.i.d. rows
        ``first ... first + count - 1`` of a simulator, shape (count,), such as one that begins with
        ``np.random.default_rng([seed, first])``.
    predicted : float
        By your theory.
    sequence : callable
        A false-alarm probability to a fresh sequence, such as
        ``lambda delta: QuantileSequence(0.5, false_alarm=delta)``. One of your own must be valid at times
        that depend on the rows, as all of `montecarlo.sequential` are.
    resolution, relative_resolution : float
        One of the two: the error of the prediction that must not pass, in the units of the rows or as a
        fraction of ``|predicted|``. The test ends when such an error could not have passed, or has refuted.
    claim : {"equal", "at most", "at least"}, default "equal"
        What you say of the number.
    name : str, default "claim"
        Names the claim in messages. Together with `seed` it determines the networks, hence claims of two
        names are independent, and those of one name share theirs.
    quantity : str, optional
        What is measured, in words.
    false_alarm : float, default 1e-6
        Probability, at most, that a right claim is refuted, whenever the test ends.
    budget : float, optional
        Seconds after which a claim that is not decided is "undecided"; None for no limit. Default 60.
    seed : int, default 0
        Any whole number from 0 to 2**128 - 1; the source is given one derived from it.
    first_rows : int, default 1000
        Rows at the first look; each further look has at most 1.5 times as many, when the test seems to need
        them.

    Returns
    -------
    Verdict

    Raises
    ------
    InvalidFieldError
        If an argument breaks its rule, a row breaks the hypothesis of the sequence, or batches of rows
        repeat each other.

    Examples
    --------
    >>> import numpy as np
    >>> from montecarlo.sequential import QuantileSequence
    >>> def rows(seed, first, count):
    ...     return np.random.default_rng([seed, first]).standard_cauchy(count)
    >>> median = lambda delta: QuantileSequence(0.5, false_alarm=delta)
    >>> check_number(rows, 0.0, sequence=median, resolution=0.05).verdict
    'consistent'
    """
    predicted = check_real("predicted", predicted, -1e300, 1e300, 1.0)
    resolution, relative_to = _resolution(resolution, relative_resolution, predicted)
    experiment = _ClaimExperiment(
        theorem=name, name="", quantity=quantity, resolution=resolution, relative_to=relative_to,
        first_rows=first_rows, source=rows, start=sequence,
        conclude=lambda test: test.result(predicted, resolution=resolution, claim=claim),
    )  # fmt: skip
    return _run(experiment, false_alarm, budget, seed)


def check_mean(
    rows: RowSource,
    predicted: float,
    *,
    low: float | None = None,
    high: float | None = None,
    second_moment_bound: float | None = None,
    variance_proxy: float | None = None,
    **options: Any,
) -> Verdict:
    """Test a prediction of a mean.

    A finite number of rows says nothing of a mean unless something is known of the tail; one of three must be
    given, known beforehand and not read off the rows.

    Parameters
    ----------
    rows, predicted
        As in `check_number`.
    low, high : float
        Bounds of the rows.
    second_moment_bound : float
        For non-negative rows: a number that is at least ``E X²``, such as one that theory gives.
    variance_proxy : float
        For sub-Gaussian rows: v of ``E exp(λ(X − m)) <= exp(λ²v/2)``; the variance, for Gaussian ones.
    **options
        The resolution and everything else, as in `check_number`.

    Returns
    -------
    Verdict

    Raises
    ------
    InvalidFieldError
        As in `check_number`, and unless exactly one kind of tail is given.

    Examples
    --------
    >>> import numpy as np
    >>> import theory
    >>> from montecarlo import ResNet
    >>> from montecarlo.verification import rows_of
    >>> net = ResNet(width=16, depth=8, alpha=0.5)
    >>> squares = rows_of(net, lambda s: np.exp(2 * s["log_hidden_ratio"]), gradients="none")
    >>> moment = np.exp(theory.log_hidden_second_moment(depth=8, alpha=0.5))
    >>> square = moment**2 * (1 + theory.relative_variance(width=16, depth=8, alpha=0.5))
    >>> check_mean(squares, moment, second_moment_bound=square, relative_resolution=0.02).verdict
    'consistent'
    >>> check_mean(squares, 1.03 * moment, second_moment_bound=square, relative_resolution=0.02).verdict
    'refuted'
    """
    bounded = low is not None and high is not None
    if bounded + (second_moment_bound is not None) + (variance_proxy is not None) != 1 or (
        (low is None) != (high is None)
    ):
        raise InvalidFieldError(
            "low", low, "must be given with high, or second_moment_bound or variance_proxy in their place",
            "give exactly one kind of tail",
        )  # fmt: skip

    def sequence(delta: float) -> NumberTest:
        if second_moment_bound is not None:
            return NonNegativeMean(second_moment_bound=second_moment_bound, false_alarm=delta)
        if variance_proxy is not None:
            return SubGaussianMean(variance_proxy=variance_proxy, false_alarm=delta)
        assert low is not None
        assert high is not None
        return BoundedMean(low=low, high=high, false_alarm=delta)

    return check_number(rows, predicted, sequence=sequence, **options)


def check_probability(rows: RowSource, predicted: float, **options: Any) -> Verdict:
    """Test a prediction of the probability of an event, or a bound of it (``claim="at most"``).

    Parameters
    ----------
    rows, predicted
        As in `check_number`; a row is True or False.
    **options
        The resolution and everything else, as in `check_number`.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> import numpy as np
    >>> def heads(seed, first, count):
    ...     return np.random.default_rng([seed, first]).random(count) < 0.5
    >>> check_probability(heads, 0.6, claim="at most", resolution=0.0).verdict
    'consistent'
    """
    return check_number(
        rows, predicted, sequence=lambda delta: EventProbability(false_alarm=delta), **options
    )


def check_law(
    rows: RowSource,
    cdf: Cdf,
    *,
    resolution: float = 0.02,
    name: str = "claim",
    quantity: str = "",
    false_alarm: float = 1e-6,
    budget: float | None = 60.0,
    seed: int = 0,
    first_rows: int = 1000,
) -> Verdict:
    """Test a prediction of a whole law.

    Parameters
    ----------
    rows
        As in `check_number`.
    cdf : callable
        The predicted distribution function, an array to an array.
    resolution : float, default 0.02
        Distance between two distribution functions that must not pass.
    name, quantity, false_alarm, budget, seed, first_rows
        As in `check_number`.

    Returns
    -------
    Verdict
        On the distance, 0 by the claim.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> def rows(seed, first, count):
    ...     return np.random.default_rng([seed, first]).standard_normal(count)
    >>> check_law(rows, stats.norm.cdf, resolution=0.03).verdict
    'consistent'
    """
    resolution, _ = _resolution(resolution, None, 0.0)
    experiment = _ClaimExperiment(
        theorem=name, name="", quantity=quantity or "distance of the law from the predicted one",
        resolution=resolution, first_rows=first_rows, source=rows,
        start=lambda delta: CdfBand(false_alarm=delta),
        conclude=partial(_conclude_law, cdf=cdf, resolution=resolution),
    )  # fmt: skip
    return _run(experiment, false_alarm, budget, seed)


def _conclude_law(band: CdfBand, *, cdf: Cdf, resolution: float) -> SequentialResult:
    return band.result(cdf, resolution=resolution)


def _resolution(absolute: float | None, relative: float | None, predicted: float) -> tuple[float, float]:
    """Return the resolution in the units of the rows, and what reports divide it by."""
    if (absolute is None) == (relative is None):
        rule = "one of resolution and relative_resolution must be given"
        raise InvalidFieldError("resolution", absolute, rule, "give relative_resolution=0.01, say")
    if absolute is not None:
        return check_real("resolution", absolute, 0.0, 1e300, 0.01), 1.0
    fraction = check_real("relative_resolution", relative, 0.0, 1e3, 0.01, open_low=True)
    if predicted == 0.0:
        rule = "has no meaning for a prediction of 0"
        raise InvalidFieldError("relative_resolution", relative, rule, "give resolution=0.01, say")
    return fraction * abs(predicted), abs(predicted)


def _run(experiment: Experiment, false_alarm: float, budget: float | None, seed: int) -> Verdict:
    run = run_experiments([experiment], false_alarm=false_alarm, budget=budget, seed=seed)
    return run.verdicts[0]
