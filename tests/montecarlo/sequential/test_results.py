"""Decisions, claims of one side, shared false alarms, and what is refused."""

import math

import numpy as np
import pytest

from montecarlo import InvalidFieldError
from montecarlo.sequential import (
    BoundedMean,
    CdfBand,
    EmpiricalBernstein,
    EventProbability,
    NonNegativeMean,
    QuantileSequence,
    SequentialResult,
    SubGaussianMean,
    TwoSampleCdf,
    average_log_e,
    combine,
    share_false_alarm,
)


def result(interval, claim="equal", resolution=0.1, p_bound=1.0):
    return SequentialResult(
        kind="test", predicted=1.0, claim=claim, estimate=1.0, interval=interval, resolution=resolution,
        e_value=1.0, p_bound=p_bound, false_alarm=1e-6, n=10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "claim", "decision"),
    [
        ((0.95, 1.05), "equal", "resolved"),
        ((0.85, 1.05), "equal", "undecided"),
        ((0.95, 1.15), "equal", "undecided"),
        ((1.01, 1.05), "equal", "refuted"),
        ((0.9, 0.99), "equal", "refuted"),
        ((0.5, 0.6), "at most", "resolved"),
        ((0.5, 1.05), "at most", "resolved"),
        ((0.5, 1.2), "at most", "undecided"),
        ((1.01, 1.2), "at most", "refuted"),
        ((1.4, 1.5), "at least", "resolved"),
        ((0.8, 1.5), "at least", "undecided"),
        ((0.8, 0.9), "at least", "refuted"),
        ((math.inf, 0.5), "at least", "refuted"),
        ((-math.inf, math.inf), "equal", "undecided"),
    ],
)
def test_decision(interval, claim, decision):
    assert result(interval, claim).decision == decision


def test_a_p_value_refutes_as_well():
    assert result((0.95, 1.05), p_bound=1e-7).decision == "refuted"


def test_claims_of_one_side():
    events = EventProbability(false_alarm=1e-6).update(np.arange(10_000) % 10 == 0)
    assert events.result(0.2, claim="at most", resolution=0.0).decision == "resolved"
    assert events.result(0.05, claim="at most", resolution=0.0).decision == "refuted"
    assert events.result(0.05, claim="at least", resolution=0.0).decision == "resolved"
    assert events.result(0.2, claim="at least", resolution=0.0).decision == "refuted"
    assert events.result(0.2, resolution=0.0).decision == "refuted"
    assert events.result(0.2, claim="at most", resolution=0.0).e_value < 1.0
    assert events.e_value(0.2) > 1e6
    with pytest.raises(InvalidFieldError, match="claim='below'"):
        events.log_e_value(0.2, claim="below")


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_events(p):
    events = EventProbability(false_alarm=1e-6).update(np.full(1000, p))
    assert not events.refutes(p)
    assert events.refutes(1.0 - p)
    assert events.half_width < 0.02


def test_bound_of_the_second_moment_that_cannot_hold_refutes_every_mean():
    rows = np.full(200, 2.0)
    sequence = NonNegativeMean(second_moment_bound=1.0, false_alarm=1e-6).update(rows)
    assert all(sequence.refutes(m) for m in (0.0, 0.5, 1.0))
    assert sequence.result(1.0, resolution=10.0).decision == "refuted"
    assert sequence.half_width == 0.0
    assert sequence.update(rows).refutes(1.0)


def test_enormous_rows_are_taken():
    rows = np.array([1e308, 0.0, 5.0] * 10)
    sequence = NonNegativeMean(second_moment_bound=4.0, false_alarm=0.05).update(rows)
    assert sequence.refutes(0.1)
    wide = BoundedMean(low=-1e300, high=1e300, false_alarm=0.05).update([1e300, -1e300])
    assert -1e300 <= wide.interval[0] < -9e299
    assert 9e299 < wide.interval[1] <= 1e300


def test_fresh_sequences_know_nothing():
    for sequence in (
        BoundedMean(low=-1.0, high=2.0),
        EmpiricalBernstein(low=-1.0, high=2.0),
        EventProbability(),
        NonNegativeMean(second_moment_bound=4.0),
        SubGaussianMean(variance_proxy=1.0),
        QuantileSequence(0.5),
    ):
        sequence.update([])
        assert sequence.n == 0
        assert math.isnan(sequence.estimate)
        assert not sequence.refutes(0.5)
        assert sequence.result(0.5, resolution=1e-9).decision == "undecided"
    assert CdfBand().half_width == TwoSampleCdf().half_width == 1.0
    assert CdfBand().result(lambda t: t, resolution=0.5).decision == "undecided"
    assert TwoSampleCdf().result(resolution=0.5).decision == "undecided"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BoundedMean(low=1.0, high=1.0), "low=1.0: must be below high=1.0"),
        (lambda: BoundedMean(low=math.nan, high=1.0), "low=nan: must be a finite number"),
        (lambda: BoundedMean(low=0.0, high=1.0, false_alarm=1.0), "false_alarm=1.0: must be above 0"),
        (lambda: CdfBand(false_alarm=0.0), "false_alarm=0.0: must be above 0"),
        (lambda: TwoSampleCdf(false_alarm="x"), "false_alarm='x': must be above 0"),
        (lambda: NonNegativeMean(second_moment_bound=0.0), "second_moment_bound=0.0: must be"),
        (lambda: SubGaussianMean(variance_proxy=-1.0), "variance_proxy=-1.0: must be"),
        (lambda: SubGaussianMean(variance_proxy=1.0, tuned_rows=0), "tuned_rows=0: must be"),
        (lambda: QuantileSequence(1.0), "p=1.0: must lie strictly between 0 and 1"),
        (lambda: share_false_alarm(1e-6, {}), "must name at least one test"),
        (lambda: share_false_alarm(1e-6, {"I2": 0.0}), "must be positive and finite"),
        (lambda: average_log_e([]), "must be a non-empty list"),
        (lambda: average_log_e([0.0, 1.0], [1.0]), "one a test"),
        (lambda: EventProbability().e_value(1.5), "predicted=1.5: must lie in"),
        (lambda: CdfBand().update(np.zeros((2, 2))), "must be one-dimensional"),
        (lambda: TwoSampleCdf().update([0.0], ["x"]), "y=.*must be an array of numbers"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(InvalidFieldError, match=message):
        make()


@pytest.mark.parametrize(
    ("sequence", "row"),
    [
        (BoundedMean(low=0.0, high=1.0), 1.5),
        (EmpiricalBernstein(low=0.0, high=1.0), -0.5),
        (EventProbability(), 0.5),
        (NonNegativeMean(second_moment_bound=1.0), -1e-9),
    ],
)
def test_a_refused_batch_changes_nothing(sequence, row):
    sequence.update(np.ones(30))
    before = sequence.n, sequence.n_nonfinite, sequence.interval, sequence.log_e_value(0.5)
    with pytest.raises(InvalidFieldError, match="rows="):
        sequence.update([1.0, math.nan, row])
    assert (sequence.n, sequence.n_nonfinite, sequence.interval, sequence.log_e_value(0.5)) == before


def test_shares_add_up_and_averages_are_averages():
    shares = share_false_alarm(1e-6, {str(i): 1.0 + i for i in range(7)})
    assert math.isclose(math.fsum(shares.values()), 1e-6, rel_tol=1e-12)
    assert math.isclose(shares["6"] / shares["0"], 7.0)
    assert math.isclose(average_log_e([0.0, math.log(9.0)], [1.0, 3.0]), math.log(7.0))
    assert average_log_e([-math.inf, 2000.0]) == pytest.approx(2000.0 - math.log(2.0))


def test_combined_decisions():
    resolved, undecided, refuted = result((0.95, 1.05)), result((0.0, 2.0)), result((1.5, 2.0))
    assert combine([resolved, resolved]).decision == "resolved"
    assert combine([resolved, undecided]).decision == "undecided"
    combined = combine([refuted, undecided])
    assert combined.decision == "refuted"
    assert combined.refuted == (refuted,)
    assert combined.false_alarm == 2e-6


def test_a_mean_that_the_second_moment_forbids_is_refuted_and_no_error():
    mean = NonNegativeMean(second_moment_bound=1.0).update(np.full(10, 0.5))
    for claim, decision in (("equal", "refuted"), ("at least", "refuted"), ("at most", "resolved")):
        result = mean.result(1.03, resolution=0.1, claim=claim)
        assert result.decision == decision
        assert result.p_bound == (0.0 if decision == "refuted" else 1.0)
    for wrong in (-0.1, math.inf, math.nan):
        with pytest.raises(InvalidFieldError, match="must be a finite number, at least 0"):
            mean.result(wrong, resolution=0.1)
