"""When a run looks again: soon before the end, never late, and not at all by what fixed sizes have seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from montecarlo import ResNet
from montecarlo.estimates import Estimate
from montecarlo.sequential import BoundedMean, Claim, SequentialResult
from montecarlo.verification import check_mean, check_number
from montecarlo.verification._experiment import EstimateExperiment, NumberExperiment, Session, aimed
from montecarlo.verification._next_look import GROWTH, next_look
from montecarlo.verification._verify import _Seen, _Turn, run_experiments

SEEN = SequentialResult(
    kind="BoundedMean", predicted=0.5, estimate=0.5, interval=(0.48, 0.52), resolution=0.01, e_value=0.1,
    p_bound=1.0, false_alarm=1e-6, n=1000,
)  # fmt: skip


@given(
    rows=st.integers(1, 10**9), low=st.floats(-1, 1), width=st.floats(0, 1), at=st.floats(0, 1),
    resolution=st.floats(0, 1), claim=st.sampled_from(["equal", "at most", "at least"]),
    allowance=st.floats(0, 1),
)  # fmt: skip
def test_the_next_look_has_more_rows_and_at_most_half_as_many_more(
    rows, low, width, at, resolution, claim, allowance
):
    seen = replace(
        SEEN, interval=(low, low + width), estimate=low + at * width, resolution=resolution, claim=claim
    )
    assert rows < next_look(rows, seen, allowance) <= max(rows + 1, GROWTH * rows)


@pytest.mark.parametrize("interval", [(-math.inf, math.inf), (math.inf, -math.inf), (0.0, math.inf)])
def test_what_says_nothing_asks_for_half_as_many_more(interval):
    assert next_look(1000, replace(SEEN, interval=interval)) == 1500
    assert next_look(1000, replace(SEEN, interval=interval, estimate=math.nan)) == 1500
    assert next_look(1000, SEEN) == 1500  # four times as many rows are needed
    assert next_look(1000, None) == 1500


def test_half_of_the_rows_are_not_drawn_for_a_fiftieth():
    near = replace(SEEN, interval=(0.4895, 0.5105))
    assert next_look(100_000, near) == 110_272  # 1.05² times as many, in whole lanes
    # of an interval wider by 0.009 at any number of rows, 0.0015 must become 0.001
    assert next_look(100_000, near, 0.009) == 150_000


def test_an_offset_that_stays_needs_more_rows_than_noise():
    noise = replace(SEEN, estimate=0.5005, interval=(0.4900, 0.5110))
    stays = replace(SEEN, estimate=0.5045, interval=(0.4982, 0.5108))
    assert next_look(100_000, noise) < 1.25 * 100_000
    assert next_look(100_000, stays) > 1.3 * 100_000


@pytest.mark.statistical
def test_a_run_ends_soon_after_the_resolution_is_reached():
    def rows(seed: int, first: int, count: int) -> np.ndarray:
        return np.random.default_rng([seed, first]).random(count)

    found = [check_mean(rows, 0.5, low=0.0, high=1.0, resolution=0.02, seed=seed) for seed in range(9)]
    assert {verdict.verdict for verdict in found} == {"consistent"}
    # looks half as many rows apart would end at 0.82 to 1
    assert 0.95 < np.median([verdict.resolution / 0.02 for verdict in found]) <= 1.0


def test_intervals_of_fixed_size_do_not_choose_their_size():
    sizes = []

    def measure(seed: int, rows: int, confidence: float, threads: int | None) -> Estimate:
        sizes.append(rows)
        half = 0.5 * rows**-0.5  # a sequence that saw this would look again soon
        return Estimate(value=0.0, lower=-half, upper=half, confidence=confidence, n=rows, method="fixed")

    order = EstimateExperiment(
        theorem="X",
        name="order",
        quantity="q",
        resolution=0.0142,
        predicted=0.0,
        networks=(),
        measure=measure,
    )
    assert run_experiments([order]).verdict == "consistent"
    assert sizes == [1000, 1500]
    assert not Session.looks_at_will  # whoever adds a session has to claim it


def test_the_time_of_a_look_is_that_of_the_rows_it_wants():
    """Looks come at other than 1.5 times the rows: their time goes with what they draw."""
    law = check_turn(0.0105)
    assert law.next_seconds == pytest.approx(1.25 * 10_272 / 2000)  # the look before drew a fiftieth
    assert law.seconds_left == pytest.approx(10_272 / 2000)  # 1.05² times as many
    assert check_turn(0.02).next_seconds == pytest.approx(1.25 * 50_000 / 2000)
    assert check_turn(0.02).seconds_left == pytest.approx(300_000 / 2000)


def check_turn(half: float) -> _Turn:
    """Return a turn after two looks, the last of 2000 rows in a second."""
    number = NumberExperiment(
        theorem="X", name="mean", quantity="q", resolution=0.01, predicted=0.5,
        resnet=ResNet(width=2, depth=1, alpha=1.0), observable=lambda s: s["log_hidden_ratio"],
        sequence=lambda d: BoundedMean(low=0, high=1, false_alarm=d),
    )  # fmt: skip
    turn = _Turn(number, 1e-6, 0)
    turn._session = number.open(1e-6, 0)
    for rows, drawn in ((98_000, 98_000), (100_000, 2000)):
        turn.keep(_Seen(replace(SEEN, interval=(0.5 - half, 0.5 + half)), rows, drawn, rows, 1.0))
    return turn


def test_a_sequence_with_rows_or_an_aim_or_of_others_is_left_as_it_is():
    def uniform(seed: int, first: int, count: int) -> np.ndarray:
        return np.random.default_rng([seed, first]).random(count)

    def mean(delta: float) -> BoundedMean:
        return BoundedMean(low=0.0, high=1.0, false_alarm=delta)

    for sequence in (
        lambda delta: mean(delta).update(np.random.default_rng(5).random(2000)),
        lambda delta: mean(delta).aim(0.3),
        _Foreign,
    ):
        assert check_number(uniform, 0.5, sequence=sequence, resolution=0.05).verdict == "consistent"
    assert aimed(mean(0.1).aim(0.3), 0.05).aims_at == 0.3
    assert aimed(mean(0.1), 0.05).aims_at == 0.05


class _Foreign:
    """A sequence of a user's, whose `aim` is something else."""

    def __init__(self, false_alarm: float) -> None:
        self._mean = BoundedMean(low=0.0, high=1.0, false_alarm=false_alarm)

    def aim(self, *args: object) -> None:
        raise AssertionError

    def update(self, rows: ArrayLike, /) -> None:
        self._mean.update(rows)

    def result(self, predicted: float, /, *, resolution: float, claim: Claim) -> SequentialResult:
        return self._mean.result(predicted, resolution=resolution, claim=claim)


def test_sequences_of_a_claim_aim_at_its_resolution(monkeypatch):
    aims = []
    monkeypatch.setattr(BoundedMean, "_aim", lambda self, resolution: aims.append(resolution))
    check_mean(
        lambda seed, first, count: np.random.default_rng([seed, first]).random(count),
        0.5, low=0.0, high=1.0, resolution=0.1,
    )  # fmt: skip
    assert aims == [0.1]
