"""Paths of many narrow networks at once are those of one network at a time, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fftpack

from montecarlo.common._jit import LANES, kernel
from montecarlo.processes import (
    LaneStream,
    WeightProcess,
    fill_lane_paths,
    find_process,
    normal_rows,
    sample_paths,
)
from montecarlo.processes._transform import Plan, radices_of, transform
from montecarlo.streams import ROLE_V, ROLE_W
from montecarlo.streams._blocks import WIDE

KEY = (20240607, 3)
NAMES = ["fbm:0.2", "fbm:0.5", "fbm:0.97", "rbf:0.01", "rbf:1e-5", "rbf-increments:0.01"]
NAMES += ["matern:0.5:0.1", "matern:2.5:1e6"]
PROCESSES = [
    *map(find_process, NAMES),
    WeightProcess.from_kernel("brownian", np.minimum),
    WeightProcess.from_kernel("zero", lambda s, t: 0.0),
    WeightProcess.from_lags("white", 3.0 * (np.arange(400) == 0)),
    # 31 layers are as many lags as there are: a transform of length 60, and 12 of length 22, which has a
    # prime factor above five.
    WeightProcess.from_lags("table", 0.8 ** np.arange(31)),
    WeightProcess.from_lags("short table", 0.8 ** np.arange(12)),
]


def assert_paths_of_one(process, depth, entries, replica, role, groups):
    paths = np.full((groups, depth, LANES * entries), np.nan, np.float32)
    fill_lane_paths(process, LaneStream.of(KEY, role, replica), paths)
    for group in range(groups):
        for lane in range(LANES):
            alone = sample_paths(process, depth, entries, KEY, role, replica + LANES * group + lane)
            assert np.array_equal(paths[group, :, lane::LANES].view(np.uint32), alone.view(np.uint32))


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
@pytest.mark.parametrize(("depth", "entries"), [(1, 1), (12, 9)])
def test_lanes_hold_the_paths_of_one_network(process, depth, entries):
    assert_paths_of_one(process, depth, entries, 2**40 + 1, ROLE_W, 2)


@pytest.mark.parametrize("name", ["fbm:0.3", "rbf:0.01", "matern:1.5:0.1"])
@pytest.mark.parametrize("entries", [255, 257, 1025, 2100])
def test_entries_that_share_their_counters(name, entries):
    assert_paths_of_one(find_process(name), 5, entries, 7, ROLE_V, 1)


@settings(max_examples=30)
@given(
    name=st.sampled_from(NAMES),
    depth=st.integers(1, 700),
    replica=st.integers(0, 2**64 - 1).filter(lambda r: r % 2**32 <= 2**32 - 16),
    role=st.sampled_from([ROLE_V, ROLE_W]),
)
def test_lanes_hold_the_paths_of_one_network_at_any_depth(name, depth, replica, role):
    assert_paths_of_one(find_process(name), depth, 2, replica, role, 2)


@kernel
def _transform(plan, room, first, second):
    return transform(plan, room, first, second)


LENGTHS = [n for n in range(2, 130, 2) if radices_of(n)] + [256, 400, 486, 1250, 2000, 2400, 4374, 65536]


@pytest.mark.parametrize("length", LENGTHS)
def test_transforms_have_the_bits_of_scipy(length):
    columns = np.random.default_rng(length).standard_normal((length, WIDE)).astype(np.float32)
    plan = Plan.of(length)
    assert plan is not None
    room = np.zeros((2, length, WIDE), np.float32)
    room[1] = columns
    n = np.uint64(length * WIDE)
    found = int(_transform(plan, room.reshape(-1), n, np.uint64(0))) // int(n)
    expected = fftpack.irfft(columns, axis=0)
    assert np.array_equal((room[found] * plan.scale).view(np.uint32), expected.view(np.uint32))
    for lane in range(0, WIDE, 3):  # scipy's own, a sequence at a time
        assert np.array_equal(fftpack.irfft(columns[:, lane]), expected[:, lane])


def test_lengths_with_larger_factors_have_no_plan():
    assert [n for n in range(1, 32) if radices_of(n) is None] == [
        n for n in range(1, 32) if any(n % prime == 0 for prime in (7, 11, 13, 17, 19, 23, 29, 31))
    ]
    assert Plan.of(22) is None


@pytest.mark.parametrize("entries", [1, 7, 8, 43])
@pytest.mark.parametrize("depth", [2, 30, 101])
def test_paths_are_those_of_scipy(depth, entries, monkeypatch):
    factor = find_process("fbm:0.2").factor(depth)
    fill = normal_rows(KEY, ROLE_V, 3)
    paths = factor.paths(fill, entries)
    monkeypatch.setattr(factor, "_plan", None)
    assert np.array_equal(factor.paths(fill, entries).view(np.uint32), paths.view(np.uint32))
