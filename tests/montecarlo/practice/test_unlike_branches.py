"""Branches that are unlike those around them: named wherever they stand, and no others."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo.practice._unlike_branches import branch_faults, contrasts

SEEDS, NOISE = 8, 0.042  # of the log of a branch of width 64 on 32 rows
FALSE_ALARM = 1e-3


def _rows(depth: int, power: float = 0.0, noise: float = NOISE, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, depth])
    return rng.normal(0.0, noise, (SEEDS, depth)) - power * np.log(np.arange(1, depth + 1))


def _found(rows: np.ndarray, false_alarm: float = FALSE_ALARM) -> list[tuple[int, float]]:
    faults, _ = branch_faults(rows, [f"h.{k}" for k in range(rows.shape[1])], false_alarm)
    return [(fault.blocks[0], fault.found) for fault in faults]


@pytest.mark.statistical
@pytest.mark.parametrize("depth", [12, 48])
@pytest.mark.parametrize("power", [0.0, 0.5])
def test_a_larger_block_is_named_wherever_it_stands(depth: int, power: float) -> None:
    # First blocks of a schedule are held to the trend as well as to those that follow, of which one hides it.
    for block in (1, 2, 3, depth // 2, depth - 1, depth)[3 if power else 0 :]:
        rows = _rows(depth, power)
        rows[:, block - 1] += math.log(1.66)
        ((named, factor),) = _found(rows)
        assert named == block
        assert factor == pytest.approx(1.66, rel=0.15 if power else 0.1)


@pytest.mark.statistical
def test_neighbours_of_a_much_larger_block_and_a_second_one_are_told_apart() -> None:
    rows = _rows(24)
    rows[:, 1] += math.log(10.0)
    rows[:, 4] -= math.log(2.0)
    named = _found(rows)
    assert [block for block, _ in named] == [2, 5]
    assert [factor for _, factor in named] == pytest.approx([10.0, 0.5], rel=0.1)


@pytest.mark.statistical
@pytest.mark.parametrize("depth", [6, 12, 48])
def test_right_models_are_named_no_more_often_than_stated(depth: int) -> None:
    # Noise far above what any block needs to be away, so that the quantiles alone decide.
    alarms = sum(bool(_found(_rows(depth, noise=2.0, seed=seed), 0.01)) for seed in range(100))
    assert alarms <= 9  # Binomial(100, 0.01) passes 9 with probability below 1e-6
    assert not any(_found(_rows(depth, power, seed=seed)) for seed in range(20) for power in (0.0, 1.0))


@pytest.mark.statistical
def test_the_resolution_is_what_is_seen() -> None:
    _, resolution = branch_faults(_rows(24), [""] * 24, FALSE_ALARM)
    assert resolution is not None
    seen = {"inside": [], "ends": []}
    for seed in range(40):
        for place, block in (("inside", 12), ("ends", 1)):
            rows = _rows(24, seed=100 + seed)
            rows[:, block - 1] += math.log(getattr(resolution, place))
            seen[place].append(bool(_found(rows)))
    assert all(sum(found) >= 27 for found in seen.values())  # Binomial(40, 0.95) is below: < 1e-6


@pytest.mark.statistical
def test_a_block_of_wider_spread_is_tested_by_its_own() -> None:
    rows = _rows(24)
    rows[:, 11] = np.random.default_rng(1).normal(0.6, 1.0, SEEDS)  # away by chance: 1.7 standard errors
    assert not _found(rows)


@given(st.integers(7, 30), st.floats(-2.0, 2.0), st.floats(-3.0, 3.0))
def test_contrasts_hold_constants_lines_and_powers(depth: int, slope: float, power: float) -> None:
    places = np.arange(depth)
    first, second = contrasts(places)
    assert np.abs(first.sum(axis=1)).max() < 1e-9
    inner, ends = slice(2, depth - 2), [0, 1, depth - 2, depth - 1]
    assert np.abs((first @ (slope * places))[inner]).max() < 1e-9
    assert np.abs((second @ (slope * places))[inner]).max() < 1e-9
    assert np.abs((second @ (slope * places + power * np.log(places + 1.0)))[ends]).max() < 1e-6
