"""Verdicts with numbers worked out by hand, independent samples, and false alarms that add up."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest

from montecarlo import ResNet, Sample
from montecarlo.estimates import Estimate
from montecarlo.sequential import BoundedMean, SequentialResult
from montecarlo.verification import (
    LawExperiment,
    NumberExperiment,
    SameLawExperiment,
    Verdict,
    Verification,
    VerificationInterrupted,
    _catalogue,
    _verify,
    check_mean,
    chosen_experiments,
    run_experiments,
    run_mutants,
)
from montecarlo.verification import _experiment as experiment_module
from montecarlo.verification._experiment import EstimateExperiment
from montecarlo.verification.experiments import experiments_of
from montecarlo.verification.experiments._rows import above, below

NET = ResNet(width=2, depth=1, beta=0.5)
WIDE = ResNet(width=20, depth=2, beta=0.5)
DELTA = 1e-3


def result(claim="equal", interval=(1.9, 2.3), resolution=0.4, predicted=2.0, p_bound=1.0):
    return SequentialResult(
        kind="by hand", predicted=predicted, claim=claim, estimate=2.05, interval=interval,
        resolution=resolution, e_value=None, p_bound=p_bound, false_alarm=DELTA, n=10, n_nonfinite=3,
    )  # fmt: skip


class Scripted:
    """A sequence that says what it is told to, for a false alarm that it remembers."""

    def __init__(self, told: SequentialResult, false_alarm: float = DELTA) -> None:
        self._told, self._false_alarm = told, false_alarm

    def update(self, rows):
        return self

    def result(self, predicted, *, resolution, claim):
        fields = {"predicted": predicted, "resolution": resolution, "claim": claim}
        return replace(self._told, false_alarm=self._false_alarm, **fields)


def number(told: SequentialResult, **fields) -> NumberExperiment:
    return NumberExperiment(
        theorem="X", name="by hand", quantity="q", resnet=NET, observable=lambda s: np.zeros(len(s)),
        sequence=lambda delta: Scripted(told, delta), predicted=told.predicted, claim=told.claim,
        **({"resolution": told.resolution} | fields),
    )  # fmt: skip


# How far the interval reaches beyond 2 on the side, or sides, that break the claim.
REACH = {
    ("equal", (1.9, 2.3)): 0.3,
    ("equal", (1.5, 2.1)): 0.5,
    ("at most", (1.9, 2.3)): 0.3,
    ("at most", (1.5, 2.1)): 0.1,
    ("at least", (1.9, 2.3)): 0.1,
    ("at least", (1.5, 2.1)): 0.5,
}


@pytest.mark.parametrize(("claim", "interval"), REACH)
@pytest.mark.parametrize("unit", [1.0, 4.0, -4.0])
def test_resolutions_are_in_units_and_on_the_side_of_the_claim(claim, interval, unit):
    reach = REACH[claim, interval]
    for resolution, word in ((reach + 0.01, "consistent"), (reach - 0.01, "undecided")):
        told = result(claim, interval, resolution)
        found = Verdict.of(number(told, relative_to=unit), told, 77, 1.5)
        assert found.verdict == word
        assert found.resolution == pytest.approx(reach / abs(unit))
        assert found.resolution_asked == pytest.approx(resolution / abs(unit))
        assert (found.predicted, found.estimate, found.interval) == (2.0, 2.05, interval)
        assert (found.networks, found.seconds, found.rows_left_out) == (77, 1.5, 3)
        assert (found.false_alarm, found.claim, found.quantity) == (DELTA, claim, "q")


@pytest.mark.parametrize(
    ("claim", "interval", "word"),
    [
        ("equal", (2.1, 2.3), "refuted"),
        ("equal", (1.7, 1.9), "refuted"),
        ("equal", (2.0, 2.0), "consistent"),
        ("at most", (2.1, 2.3), "refuted"),
        ("at most", (1.7, 1.9), "consistent"),
        ("at least", (2.1, 2.3), "consistent"),
        ("at least", (1.7, 1.9), "refuted"),
    ],
)
def test_a_claim_is_refuted_from_its_own_side(claim, interval, word):
    told = result(claim, interval)
    found = Verdict.of(number(told), told, 1, 0.0)
    assert found.verdict == word
    assert found.resolution == max(0.0, found.resolution)


def test_evidence_refutes_at_the_false_alarm():
    assert result(p_bound=DELTA).decision == "refuted"
    assert result(p_bound=1.01 * DELTA).decision == "resolved"


@pytest.mark.parametrize(
    ("claim", "predicted", "word", "resolution"),
    [
        ("equal", 0.64, "consistent", 0.64 - 0.35),  # 0.65 is not refuted: the limit may be 0.05 away
        ("equal", 0.36, "consistent", 0.65 - 0.36),
        ("equal", 0.66, "refuted", 0.66 - 0.35),
        ("equal", 0.34, "refuted", 0.65 - 0.34),
        ("at most", 0.36, "consistent", 0.65 - 0.36),
        ("at most", 0.34, "refuted", 0.65 - 0.34),
        ("at least", 0.64, "consistent", 0.64 - 0.35),
        ("at least", 0.66, "refuted", 0.66 - 0.35),
    ],
)
def test_an_allowance_widens_what_is_not_refuted(claim, predicted, word, resolution):
    # Evidence against the exact number is none against the limit.
    told = result(claim, (0.4, 0.6), 0.4, predicted, p_bound=1e-9)
    session = number(told, allowance=0.05).open(DELTA, 0)
    found = session.result()
    assert found.interval == pytest.approx((0.35, 0.65))
    assert found.p_bound == 1.0
    verdict = Verdict.of(number(told, allowance=0.05), found, 1, 0.0)
    assert (verdict.verdict, verdict.resolution) == (word, pytest.approx(resolution))
    assert number(told).open(DELTA, 0).result().decision == "refuted"  # by evidence


def test_an_empty_interval_stays_empty_beside_an_allowance():
    told = result("equal", (0.5, 0.48), 0.4, 0.5)
    assert number(told, allowance=0.05).open(DELTA, 0).result().decision == "refuted"


def verification(*words: tuple[str, str]) -> Verification:
    """Return a run with experiments of (theorem, verdict)."""
    intervals = {"consistent": (1.9, 2.1), "undecided": (1.0, 3.0), "refuted": (2.1, 2.2)}
    verdicts = []
    for name, word in words:
        told = result(interval=intervals[word])
        verdicts.append(Verdict.of(replace(number(told), theorem=name), told, 1, 0.0))
        assert verdicts[-1].verdict == word
    return Verification(tuple(verdicts), 0, DELTA, 0.0)


def test_the_worst_experiment_is_the_theorem_s_verdict_in_any_order():
    words = ("consistent", "undecided", "refuted")
    for one, other in itertools.product(words, repeat=2):
        worst = max(one, other, key=words.index)
        run = verification(("A", one), ("B", "consistent"), ("A", other))
        assert run.theorems == {"A": worst, "B": "consistent"}
        assert run.verdict == worst
    assert verification().verdict == "consistent"


@pytest.mark.parametrize("predicted", [-2.0, 2.0])
def test_relative_resolutions_of_numbers_of_either_sign(predicted):
    def rows(seed, first, count):
        return predicted + np.random.default_rng([seed, first]).random(count) - 0.5

    found = check_mean(rows, predicted, low=-3.0, high=3.0, relative_resolution=0.2)
    assert found.verdict == "consistent"
    assert 0.0 < found.resolution <= found.resolution_asked == pytest.approx(0.2)


def test_means_are_verified_to_a_hundredth():
    for name in ("I1", "I2", "I2b", "I3"):
        for each in experiments_of(name):
            assert each.resolution / abs(each.relative_to) == pytest.approx(0.01), each.label


class Clock:
    """A clock that the experiments move."""

    now = 0.0

    def perf_counter(self):
        return self.now


def test_the_experiment_that_had_least_time_goes_on(monkeypatch):
    clock, turns = Clock(), []
    monkeypatch.setattr(_verify, "time", clock)
    told = result(interval=(1.0, 3.0))  # never decided

    class Taking(Scripted):
        def __init__(self, seconds):
            super().__init__(told)
            self._seconds = seconds

        def update(self, rows):
            clock.now += self._seconds

    def stop(current):
        turns.append(current.name)
        if len(turns) == 7:
            raise KeyboardInterrupt

    slow, quick = (
        replace(number(told), name=name, first_rows=10, sequence=lambda delta, s=seconds: Taking(s))
        for name, seconds in (("slow", 4.5), ("quick", 1.0))
    )
    with pytest.raises(VerificationInterrupted):
        run_experiments([slow, quick], seed=0, threads=1, on_turn=stop)
    # Five quick ones have had 5 seconds, more than the slow one's 4.5.
    assert turns == ["slow", "quick", "quick", "quick", "quick", "quick", "slow"]


def test_lost_networks_are_no_events():
    columns = {"x": np.array([-1.0, 1.0, np.nan, np.inf, -np.inf])}
    sample = Sample(NET, 0, "dense", 0, columns)
    np.testing.assert_array_equal(above("x", 0.0)(sample), [0.0, 1.0, np.nan, 1.0, 0.0])
    np.testing.assert_array_equal(below("x", 0.0)(sample), [1.0, 0.0, np.nan, 0.0, 1.0])


# --- independent samples ------------------------------------------------------------------------------------


@dataclass
class Asked:
    """One call of `network_rows`."""

    resnet: ResNet
    seed: int
    first: int
    count: int
    engine: str


@pytest.fixture
def asked(monkeypatch):
    """Return the list of what sessions ask for; rows are random numbers."""
    calls = []

    def rows(resnet, observable, *, seed, first, count, threads, engine="auto", request=None):
        calls.append(Asked(resnet, seed, first, count, engine))
        return np.random.default_rng([seed, first]).random(count)

    monkeypatch.setattr(experiment_module, "network_rows", rows)
    return calls


def test_two_samples_of_one_law_are_independent_and_go_on(asked):
    pairs = [e for e in experiments_of("I4") if isinstance(e, SameLawExperiment)]
    assert pairs
    for pair in pairs:
        asked.clear()
        session = pair.open(DELTA, 7)
        session.draw(10, 1)
        session.draw(5, 1)
        ours, theirs, *more = asked
        assert ours.seed == more[0].seed != theirs.seed == more[1].seed, pair.label
        assert [(call.first, call.count) for call in asked] == [(0, 10), (0, 10), (10, 5), (10, 5)]
        assert (ours.resnet, ours.engine) == (pair.resnet, pair.engine)
        assert (theirs.resnet, theirs.engine) == (pair.other, pair.other_engine)
        assert (session.rows, session.networks, session.result().n) == (15, 30, 15)


def test_a_network_is_held_against_other_networks():
    seen = []

    def ratio(sample):
        seen.append(sample["log_hidden_ratio"])
        return sample["log_hidden_ratio"]

    same = SameLawExperiment(
        theorem="X", name="same", quantity="q", resolution=0.5, resnet=WIDE, observable=ratio, other=WIDE,
        other_observable=ratio,
    )  # fmt: skip
    same.open(DELTA, 0).draw(6, 1)
    ours, theirs = seen
    assert not np.isin(ours, theirs).any()


def test_no_two_experiments_share_a_seed():
    # Of one sample or of two, whose seeds are neighbours.
    for seed in (0, 1, 2**128 - 1):
        own = [e.own_seed(seed) for e in chosen_experiments()]
        taken = Counter(own + [each + 1 for each in own])
        assert max(taken.values()) == 1
    first, second = ({e.own_seed(seed) for e in chosen_experiments()} for seed in (0, 1))
    assert not first & second


# --- false alarms -------------------------------------------------------------------------------------------


def test_the_shares_of_a_run_add_up_and_reach_the_tests():
    told = result()
    reached = []

    def sequence(delta):
        reached.append(delta)
        return Scripted(told, delta)

    experiments = [replace(number(told), name=str(i), sequence=sequence) for i in range(7)]
    run = run_experiments(experiments, false_alarm=DELTA, seed=0, threads=1)
    assert math.fsum(reached) <= DELTA * (1 + 1e-12)
    assert [verdict.false_alarm for verdict in run.verdicts] == reached
    assert run.false_alarm == DELTA


@pytest.mark.parametrize("quick", [False, True])
def test_every_experiment_of_the_catalogue_spends_its_share(quick):
    chosen = chosen_experiments(quick=quick)
    run = run_experiments(chosen, false_alarm=DELTA, budget=1e-9, seed=0)  # no time for a single look
    assert math.fsum(verdict.false_alarm for verdict in run.verdicts) <= DELTA * (1 + 1e-12)
    assert len({verdict.false_alarm for verdict in run.verdicts}) == 1


def test_mutants_have_the_share_of_their_experiments(monkeypatch):
    shares = []

    def run(experiments, *, false_alarm, **options):
        shares.append(false_alarm / len(experiments))
        return run_experiments(experiments, false_alarm=false_alarm, **options)

    monkeypatch.setattr(_catalogue, "run_experiments", run)
    run_mutants(["I2"], false_alarm=DELTA, budget=1e-9, seed=0)
    assert shares == [pytest.approx(DELTA / len(experiments_of("I2")))]


def test_intervals_of_fixed_size_share_the_false_alarm_over_all_looks():
    spent = []

    def measure(seed, rows, confidence, threads):
        spent.append(1.0 - confidence)
        return Estimate(value=0.5, lower=0.4, upper=0.6, confidence=confidence, n=rows, method="by hand")

    fixed = EstimateExperiment(
        theorem="X", name="order", quantity="q", resolution=0.01, predicted=0.5, networks=(NET,),
        measure=measure, networks_a_row=3,
    )  # fmt: skip
    session = fixed.open(DELTA, 0)
    for _ in range(25):
        session.draw(10, 1)
    assert math.fsum(spent) <= DELTA * (1 + 1e-9)
    assert spent[0] == pytest.approx(DELTA / 2)
    assert (session.rows, session.networks) == (250, 750)
    assert session.result().false_alarm == DELTA


def test_sequences_are_given_the_share_of_their_session():
    law = LawExperiment(
        theorem="X", name="law", quantity="q", resolution=0.1, resnet=NET,
        observable=lambda s: s["log_hidden_ratio"], cdf=lambda x: np.clip(x, 0.0, 1.0),
    )  # fmt: skip
    assert law.open(DELTA, 0).result().false_alarm == DELTA
    for each in chosen_experiments():
        assert each.open(DELTA, 0).result().false_alarm == DELTA, each.label


def test_a_session_has_the_interval_of_its_rows():
    mean = replace(
        number(result()), sequence=lambda delta: BoundedMean(low=0.0, high=9.0, false_alarm=delta),
        observable=lambda s: np.minimum(np.exp(s["log_hidden_ratio"]), 9.0), predicted=1.0,
    )  # fmt: skip
    session = mean.open(DELTA, 5)
    session.draw(30, 1)
    session.draw(40, 2)
    by_hand = BoundedMean(low=0.0, high=9.0, false_alarm=DELTA).aim(mean.resolution - mean.allowance)
    seed = mean.own_seed(5)
    by_hand.update(mean.rows(seed, 0, 30, 1)).update(mean.rows(seed, 30, 40, 1))
    assert session.result().interval == by_hand.interval
    assert session.result().n == 70


def test_every_experiment_says_which_networks_it_is_about() -> None:
    described = {
        experiment.label: json.loads(json.dumps(experiment_module.describe(experiment), allow_nan=False))
        for experiment in chosen_experiments(None)
    }
    assert [label for label, networks in described.items() if not networks] == []
    assert described["T1 softmax, one token"][0]["block"] == "explicit tokens"
    assert all("width" in network for networks in described.values() for network in networks)
