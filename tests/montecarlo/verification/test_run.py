"""Runs of verification: reproducible, with a shared false alarm, within the budget, and able to fail."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from montecarlo import InvalidFieldError, Request, ResNet
from montecarlo.runs import running
from montecarlo.sequential import BoundedMean, QuantileSequence
from montecarlo.store import Store
from montecarlo.verification import (
    ClaimRefuted,
    ClaimUndecided,
    LawExperiment,
    MutantsInterrupted,
    NumberExperiment,
    Verdict,
    VerificationInterrupted,
    check_law,
    check_mean,
    check_number,
    check_probability,
    chosen_experiments,
    chosen_mutants,
    explain,
    require_consistent,
    rows_of,
    run_experiments,
    run_mutants,
    verify,
)

NET = ResNet(width=4, depth=2, beta=0.5)


def shrinks(sample):
    return (sample["log_hidden_ratio"] < 0.0).astype(float)


def experiment(name: str, *, predicted: float = 0.5, resolution: float = 0.45, first_rows: int = 200):
    return NumberExperiment(
        theorem="X", name=name, quantity="P(‖h_L‖ < ‖h_0‖)", predicted=predicted, resolution=resolution,
        resnet=NET, observable=shrinks, request=Request(gradients=False), first_rows=first_rows,
        sequence=lambda delta: BoundedMean(low=0.0, high=1.0, false_alarm=delta),
    )  # fmt: skip


def endless() -> NumberExperiment:
    """Return an experiment that is right and never resolved."""
    return replace(experiment("endless", resolution=0.0), observable=lambda s: (s.replica % 2).astype(float))


def uniform(seed: int, first: int, count: int):
    return np.random.default_rng([seed, first]).random(count)


def facts(verdict: Verdict) -> dict[str, object]:
    return {key: value for key, value in verdict.record().items() if key != "seconds"}


def test_verdicts_are_the_same_for_any_threads_and_company() -> None:
    experiments = [experiment("a", resolution=0.1), experiment("b", resolution=0.1, predicted=0.9)]
    runs = [run_experiments(experiments, seed=7, threads=threads) for threads in (1, 2, 2)]
    first, *others = [[facts(verdict) for verdict in run.verdicts] for run in runs]
    assert others == [first, first]
    # Alone, with the share of the false alarm that it had in company.
    alone = run_experiments(experiments[:1], seed=7, false_alarm=0.5e-6, threads=1)
    assert facts(alone.verdicts[0]) == first[0]
    other_seed = run_experiments(experiments, seed=8, threads=1)
    assert other_seed.verdicts[0].estimate != first[0]["estimate"]


def test_the_false_alarm_is_shared() -> None:
    run = run_experiments([experiment(name) for name in "abcd"], false_alarm=1e-3, seed=0)
    assert [verdict.false_alarm for verdict in run.verdicts] == [2.5e-4] * 4


@pytest.mark.statistical
def test_right_and_wrong_and_late_are_told_apart() -> None:
    # 1e-6 for the right one; by symmetry of no law here: the truth is estimated first.
    rows = rows_of(NET, shrinks, gradients="none")(99, 0, 400_000)
    truth = float(rows.mean())  # to 0.0008, against a resolution of 0.03
    run = run_experiments(
        [
            experiment("right", predicted=truth, resolution=0.03),
            experiment("wrong", predicted=truth + 0.1, resolution=0.03),
            experiment("late", predicted=truth, resolution=0.0),
        ],
        seed=1,
        budget=2.0,
    )
    assert [verdict.verdict for verdict in run.verdicts] == ["consistent", "refuted", "undecided"]
    assert run.verdict == "refuted"
    assert run.theorems == {"X": "refuted"}
    right, wrong, late = run.verdicts
    assert 0.0 < right.resolution <= right.resolution_asked == 0.03
    lower, upper = wrong.interval
    assert not lower <= wrong.predicted <= upper
    assert "it was stopped at a resolution of" in explain(late)
    assert f"{late.networks:,} networks" in explain(late)


def test_a_look_that_the_budget_does_not_hold_is_not_begun() -> None:
    start = time.perf_counter()
    run = run_experiments([endless()], budget=1.5, seed=0)
    seconds = time.perf_counter() - start
    assert run.verdict == "undecided"
    # The last look that is begun was expected to end in time; loaded machines are slower.
    assert seconds < 6.0
    assert run.verdicts[0].networks > 0


def test_no_time_at_all_leaves_all_undecided() -> None:
    run = run_experiments([experiment("a"), experiment("b")], budget=1e-9, seed=0)
    assert [(verdict.verdict, verdict.networks) for verdict in run.verdicts] == [("undecided", 0)] * 2
    assert "stopped before its first networks" in explain(run.verdicts[0])


def test_interrupted_runs_keep_their_verdicts() -> None:
    looks = 0

    def stop(current) -> None:
        nonlocal looks
        looks += 1
        if looks == 4:
            raise KeyboardInterrupt

    waiting = [experiment("done"), endless()]
    with pytest.raises(VerificationInterrupted) as caught:
        run_experiments(waiting, seed=0, on_turn=stop, threads=1)  # one look after the other
    done, never = caught.value.verification.verdicts
    assert (done.verdict, never.verdict) == ("consistent", "undecided")
    assert never.networks == 300  # two looks of 200 and 300 rows in all, the third was broken off


def meeting(name: str, meet: threading.Barrier) -> NumberExperiment:
    """Return an experiment whose first look ends only when another one's has begun."""
    met = []

    def row(sample):
        if not met:
            met.append(meet.wait())
        return shrinks(sample)

    return replace(experiment(name, first_rows=8), observable=row)


def test_looks_of_several_experiments_go_on_at_the_same_time() -> None:
    meet = threading.Barrier(2, timeout=20.0)
    assert run_experiments([meeting("a", meet), meeting("b", meet)], seed=0, threads=2).verdict != "refuted"
    with pytest.raises(threading.BrokenBarrierError):  # one thread takes one look after the other
        run_experiments([meeting("a", threading.Barrier(2, timeout=0.01)), endless()], seed=0, threads=1)


def test_an_error_in_a_look_ends_the_run() -> None:
    def fail(sample):
        raise ArithmeticError("here")

    with pytest.raises(ArithmeticError, match="here"):
        run_experiments([endless(), replace(experiment("bad"), observable=fail)], seed=0, threads=2)


def test_experiments_draw_from_one_results_folder_at_the_same_time(tmp_path) -> None:
    experiments = [experiment(name, resolution=0.1) for name in "abc"]
    alone = run_experiments(experiments, seed=7, threads=1)
    for _ in range(2):
        with running(store=Store.open(tmp_path)) as inside:
            run = run_experiments(experiments, seed=7, threads=2)
        assert [facts(verdict) for verdict in run.verdicts] == [facts(verdict) for verdict in alone.verdicts]
    assert inside.networks_found == sum(verdict.networks for verdict in alone.verdicts)


def test_verdicts_and_turns_are_reported_as_they_come() -> None:
    fallen: list[str] = []
    turns: list[str] = []
    run = run_experiments(
        [experiment("slow", resolution=0.05), experiment("fast")], seed=0,
        on_verdict=lambda verdict: fallen.append(verdict.name),
        on_turn=lambda current: turns.append(current.name),
    )  # fmt: skip
    assert sorted(fallen) == ["fast", "slow"]
    assert [verdict.name for verdict in run.verdicts] == ["slow", "fast"]
    assert set(turns) == {"fast", "slow"}
    assert len(turns) > 2


def test_ids_are_found_by_name_and_only_once() -> None:
    labels = [each.label for each in chosen_experiments(["second-moment", "i2", "I2"])]
    assert labels == [each.label for each in chosen_experiments(["I2"])]
    assert len(set(labels)) == len(labels) > 0


def test_the_quick_half_leaves_limits_out() -> None:
    quick = chosen_experiments(quick=True)
    assert {"I2"} <= {each.theorem for each in quick}
    every = chosen_experiments()
    assert [each.label for each in every if each in quick] == [each.label for each in quick]


@pytest.mark.statistical
def test_mutants_of_i2_are_refuted_and_a_true_one_would_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_mutants(["I2"], seed=3)
    assert run.outcomes
    assert run.missed == ()
    assert {outcome.kind for outcome in run.outcomes} == {"theory", "simulator"}
    assert [outcome.mutant for outcome in run.outcomes] == [m.name for m in chosen_mutants(["I2"])]
    # A mutant without an error in it: the table must say that it was missed.
    from montecarlo.verification import _catalogue

    true = replace(chosen_mutants(["I2"])[0], experiment=chosen_experiments(["I2"])[0], name="none")
    monkeypatch.setattr(_catalogue, "mutants_of", lambda theorem: [true])
    survived = run_mutants(["I2"], seed=3)
    assert [outcome.mutant for outcome in survived.missed] == ["none"]


def test_interrupted_mutants_keep_their_outcomes() -> None:
    def stop(verdict) -> None:
        raise KeyboardInterrupt

    with pytest.raises(MutantsInterrupted) as caught:
        run_mutants(["I2"], seed=3, on_verdict=stop)
    assert sum(outcome.caught for outcome in caught.value.run.outcomes) == 1
    assert len(caught.value.run.outcomes) == len(chosen_mutants(["I2"]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: verify(["I22"]), "ID='I22': must be the id or the name of a theorem; did you mean I2"),
        (lambda: verify(["I2"], budget=0), "budget=0: must be a finite number above 0"),
        (lambda: verify(["I2"], false_alarm=1.0), "false_alarm=1.0: must be a finite number above 0 and at"),
        (lambda: run_mutants(["I2"], false_alarm=0.0), "false_alarm=0.0: must be a finite number above 0"),
        (lambda: verify(["I2"], seed=-1), "seed=-1: must be a whole number"),
        (lambda: run_experiments([experiment("a"), experiment("a")]), "must have a label of its own"),
    ],
)  # fmt: skip
def test_bad_runs_are_refused(call, words: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("check", "known", "right", "wrong"),
    [
        # Each 1e-6.
        (check_mean, {"low": 0.0, "high": 1.0}, 0.5, 0.515),
        (check_mean, {"second_moment_bound": 0.34}, 0.5, 0.515),
        (check_mean, {"variance_proxy": 0.25}, 0.5, 0.515),
        (check_number, {"sequence": lambda d: QuantileSequence(0.5, false_alarm=d)}, 0.5, 0.52),
        (check_law, {}, lambda x: np.clip(x, 0, 1), lambda x: np.clip(x, 0, 1) ** 1.1),
    ],
)  # fmt: skip
def test_claims_on_a_simulator(check, known, right, wrong) -> None:
    assert require_consistent(check(uniform, right, resolution=0.01, seed=5, **known)).specification == ()
    with pytest.raises(ClaimRefuted) as caught:
        require_consistent(check(uniform, wrong, resolution=0.01, seed=5, **known))
    assert caught.value.verdict.verdict == "refuted"


@pytest.mark.statistical
def test_claims_of_one_side_and_of_networks() -> None:
    rows = rows_of(NET, shrinks, gradients="none")
    assert check_probability(rows, 1.0, claim="at most", resolution=0.6).verdict == "consistent"
    verdict = check_probability(rows, 0.0, claim="at most", resolution=0.1)
    assert verdict.verdict == "refuted"
    assert [record["width"] for record in verdict.specification] == [4]
    with pytest.raises(ClaimUndecided, match="it was stopped"):
        require_consistent(check_probability(rows, 0.5, claim="at least", resolution=0.0, budget=1e-9))


def test_names_and_seeds_of_claims_give_rows_of_their_own() -> None:
    def estimate(**options) -> float:
        return check_mean(uniform, 0.5, low=0.0, high=1.0, resolution=0.1, **options).estimate

    assert estimate() == estimate()
    assert len({estimate(), estimate(name="other"), estimate(seed=1)}) == 3


def test_a_simulator_that_repeats_itself_is_refused() -> None:
    def same(seed: int, first: int, count: int):
        return np.random.default_rng(seed).random(count)

    with pytest.raises(InvalidFieldError, match="must not repeat the batch before"):
        check_mean(same, 0.5, low=0.0, high=1.0, resolution=0.001)

    def constant(seed: int, first: int, count: int):
        return np.full(count, 0.5)

    # Nothing is wrong with rows that never vary.
    assert check_mean(constant, 0.5, low=0.0, high=1.0, resolution=0.001).verdict == "consistent"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"low": 0.0, "resolution": 0.1}, "must be given with high"),
        ({"low": 0.0, "high": 1.0, "variance_proxy": 1.0, "resolution": 0.1}, "exactly one kind of tail"),
        ({"resolution": 0.1}, "exactly one kind of tail"),
        ({"low": 0.0, "high": 1.0}, "one of resolution and relative_resolution must be given"),
        ({"low": 0.0, "high": 0.3, "resolution": 0.1}, "must lie in [0, 0.3]"),
        ({"low": 0.0, "high": 1.0, "resolution": 0.1, "budget": 0}, "budget=0: must be"),
        ({"low": 0.0, "high": 1.0, "resolution": -1}, "resolution=-1: must be"),
    ],
)
def test_bad_claims_are_refused(options, words: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        check_mean(uniform, 0.2, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (lambda seed, first, count: np.zeros(3), "must have the shape (1000,)"),
        (lambda seed, first, count: ["a"] * count, "must hold numbers"),
    ],
)
def test_bad_rows_are_refused(rows, words: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        check_mean(rows, 0.5, low=0.0, high=1.0, resolution=0.1)
    assert words in str(caught.value)


def test_rows_that_are_not_finite_are_said() -> None:
    def rows(seed: int, first: int, count: int):
        values = uniform(seed, first, count)
        values[::10] = np.nan
        return values

    verdict = check_mean(rows, 0.5, low=0.0, high=1.0, resolution=0.2)
    assert verdict.rows_left_out == verdict.networks // 10
    assert "are not finite and left out" in explain(verdict)


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="log_hidden_ratio"):
        rows_of(NET, "log_hiden_ratio", gradients="none")(0, 0, 2)


@pytest.mark.statistical
def test_what_finite_depth_is_worth_is_no_error_but_counts() -> None:
    # The truth is 0.5: a prediction 0.04 away is refuted unless it may be, and one 0.08 away all the same.
    def halves(predicted: float, allowance: float, resolution: float = 0.1) -> Verdict:
        half = replace(
            experiment("half", predicted=predicted, resolution=resolution), allowance=allowance,
            observable=lambda sample: np.random.default_rng([9, sample.first_replica]).random(len(sample)),
        )  # fmt: skip
        return run_experiments([half], seed=2, threads=1).verdicts[0]

    assert halves(0.54, 0.0, 0.01).verdict == "refuted"
    allowed = halves(0.54, 0.05)
    assert allowed.verdict == "consistent"
    assert 0.04 + 0.05 < allowed.resolution <= 0.1  # the distance and the allowance, and an interval beside
    assert halves(0.58, 0.05, 0.01).verdict == "refuted"
    assert halves(0.42, 0.05, 0.01).verdict == "refuted"


@pytest.mark.statistical
def test_a_law_may_be_as_far_as_predicted() -> None:
    def law(shift: float, **fields) -> Verdict:
        near = LawExperiment(
            theorem="X", name="law", quantity="law of a uniform number", resolution=0.02, resnet=NET,
            observable=lambda sample: np.random.default_rng([9, sample.first_replica]).random(len(sample)),
            request=Request(gradients=False), **fields,
            cdf=lambda x: np.clip(np.asarray(x) + shift, 0.0, 1.0),
        )  # fmt: skip
        return run_experiments([near], seed=2, threads=1).verdicts[0]

    assert law(0.05).verdict == "refuted"
    assert law(0.05, distance=0.05).verdict == "consistent"
    assert law(0.05, distance=0.01).verdict == "refuted"
    assert law(0.05, distance=0.1).verdict == "consistent"
    assert law(0.05, distance=0.1, claim="equal").verdict == "refuted"


def test_rows_that_contradict_their_bound_are_told_from_a_wrong_prediction():
    def rows(seed, first, count):
        return np.random.default_rng([seed, first]).lognormal(0.9, 0.3, count)

    truth = math.exp(0.9 + 0.045)
    impossible = explain(check_mean(rows, truth, second_moment_bound=3.0, relative_resolution=0.02))
    assert "what is assumed of their tail (the bound) must be wrong" in impossible
    right = {"second_moment_bound": truth**2 * math.exp(0.09), "relative_resolution": 0.02}
    assert "the bound" not in explain(check_mean(rows, 1.05 * truth, **right))
