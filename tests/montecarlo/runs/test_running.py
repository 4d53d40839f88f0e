"""Rows are the same on any executor, from a results folder or drawn, for every sampler."""

import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from montecarlo import (
    ResNet,
    make_request,
    simulate,
    simulate_depths,
    simulate_inputs,
    simulate_shared,
)
from montecarlo.executors import ProcessExecutor, ThreadExecutor
from montecarlo.runs import Running, complement, current_running, iter_rows, running
from montecarlo.samples.depths._run import CoupledRun
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.samples.inputs._run import JointRun
from montecarlo.samples.shared._run import SharedRun
from montecarlo.store import Store

GAUSSIAN = ResNet(width=6, depth=8, beta=0.5)
FRACTIONAL = ResNet(width=6, depth=8, beta=1.0, weights="fbm:0.7")
SHALLOW = ResNet(width=6, depth=8, beta=0.5, block="res-1", activation="tanh")

SAMPLERS = {
    "networks": lambda n, first=0: simulate(GAUSSIAN, replicas=n, seed=3, first_replica=first).columns,
    "paths": lambda n, first=0: simulate(
        ResNet(width=6, depth=8, beta=0.5, weights="uniform"), replicas=n, seed=3, first_replica=first,
        trajectories=True, weight_gradients=True,
    ).columns,
    "shared": lambda n, first=0: simulate_shared(
        FRACTIONAL, replicas=n, seed=3, first_replica=first, betas=[0.5, 1], inputs=3
    ).columns,
    "depths": lambda n, first=0: {
        name: getattr(simulate_depths(SHALLOW, [2, 4, 8], replicas=n, seed=3, first_replica=first), name)
        for name in ("log_strong_error", "cosine")
    },
    "inputs": lambda n, first=0: {
        "cosine": simulate_inputs(
            GAUSSIAN, [[6, 1], [1, 6]], replicas=n, seed=3, first_replica=first, layers=[0, 8]
        ).cosine
    },
}  # fmt: skip

RUNS = [
    NetworkRun.find(GAUSSIAN, 3),
    NetworkRun.find(GAUSSIAN, 4),
    NetworkRun.find(GAUSSIAN, 3, engine="dense"),
    NetworkRun.find(GAUSSIAN, 3, request=make_request("none")),
    NetworkRun.find(GAUSSIAN, 3, request=make_request(trajectories=True)),
    NetworkRun.find(FRACTIONAL, 3),
    SharedRun.find(FRACTIONAL, 3, betas=None, inputs=3, gradients=True),
    SharedRun.find(FRACTIONAL, 3, betas=[0.5, 1], inputs=3, gradients=True),
    SharedRun.find(FRACTIONAL, 3, betas=[0.5, 0.9], inputs=3, gradients=True),
    SharedRun.find(FRACTIONAL, 3, betas=[0.5, 1], inputs=3, gradients=False),
    CoupledRun.find(SHALLOW, 3, [2, 4, 8]),
    CoupledRun.find(SHALLOW, 3, [4, 8]),
    JointRun.find(GAUSSIAN, 3, [[6, 1], [1, 6]], None, None),
    JointRun.find(GAUSSIAN, 3, [[6, 1], [1, 6]], [0], None),
    JointRun.find(GAUSSIAN, 3, [[6, 2], [2, 6]], None, None),
    JointRun.find(GAUSSIAN, 3, [[6, 1], [1, 6]], None, [0, 8]),
]


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column, err_msg=name)


def test_every_run_has_a_key_of_its_own():
    assert len({run.key for run in RUNS}) == len(RUNS)


def test_keys_outlive_versions():
    """Rows in folders of earlier versions are found only while keys stay; `STREAM_FORMAT` changes them."""
    assert RUNS[0].key.startswith("5015f9ec6d73208d"), RUNS[0].key
    assert RUNS[10].key.startswith("29d8544757ee3912"), RUNS[10].key


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.kind} {run.key[:6]}")
def test_runs_travel_and_draw_the_same_rows(run):
    run.prepare()
    assert isinstance(run.record, dict)  # a cached property, which stays behind
    there = pickle.loads(pickle.dumps(run))
    assert there == run
    assert there.key == run.key
    rows = run.sample(5, 3)
    assert {name: column.shape[1:] for name, column in rows.items()} == run.cells
    assert_same(there.sample(5, 3), rows)
    assert_same(run.sample(6, 1), {name: column[1:2] for name, column in rows.items()})


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())
def test_a_store_is_read_as_far_as_it_goes(sampler, tmp_path, monkeypatch):
    expected = sampler(40)
    store = Store.open(tmp_path / "store")
    with running(store=store):
        assert_same(sampler(7, 5), {name: column[5:12] for name, column in expected.items()})
    (key,) = store.runs()
    assert store.held(key) == [(5, 12)]
    with running(store=Store.open(tmp_path / "store")):
        assert_same(sampler(40), expected)
    again = Store.open(tmp_path / "store")
    assert again.held(key) == [(0, 40)]
    monkeypatch.setattr("montecarlo.runs._rows.draw_block", None)  # nothing is drawn a second time
    with running(store=again):
        assert_same(sampler(40), expected)


@pytest.fixture(scope="module")
def processes():
    with ProcessExecutor(2) as executor:
        yield executor


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())
def test_processes_draw_the_same_rows(sampler, processes):
    expected = sampler(40)
    with running(executor=processes):
        assert_same(sampler(40), expected)


def test_what_is_drawn_before_an_error_is_kept(tmp_path):
    store = Store.open(tmp_path)
    rows = None

    def draw_some():
        nonlocal rows
        rows = iter_rows(RUNS[0], replicas=1000, threads=1, block_size=16)
        with running(store=store):
            for position, _ in enumerate(iter_rows(RUNS[0], replicas=1000, threads=1, block_size=16)):
                if position == 3:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_some()
    assert current_running() is None
    assert sum(stop - start for start, stop in store.held(RUNS[0].key)) == 64
    rows.close()


def rows_in(folder, run):
    store = Store.open(folder, create=False)
    return sum(stop - start for start, stop in store.held(run.key))


def test_rows_of_an_iterator_that_outlives_the_block_are_kept(tmp_path):
    with running(store=Store.open(tmp_path)):
        rows = iter_rows(RUNS[0], replicas=100, threads=1, block_size=16)
        next(rows)
    for _ in rows:
        pass
    assert rows_in(tmp_path, RUNS[0]) == 100


def test_what_is_kept_is_not_what_the_caller_changes(tmp_path):
    expected = RUNS[0].sample(0, 40)
    with running(store=Store.open(tmp_path)):
        for _, columns in iter_rows(RUNS[0], replicas=40):
            for column in columns.values():
                column[:] = 7.0
    assert_same(Store.open(tmp_path).read(RUNS[0].key, 0, 40), expected)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_rows_do_not_wait_for_long(clock, tmp_path):
    run = RUNS[0]
    rows = run.sample(0, 16)
    store = Store.open(tmp_path)
    store.add_runs([run.record])
    inside = Running(store=store)
    # A second at the start, a hundredth of what has passed later on, ten seconds at most.
    first, written = 0, 0
    for start, wait in ((0.0, 1.0), (500.0, 5.0), (100_000.0, 10.0)):
        clock[0] = 1000.0 + start
        inside.keep(run, first, rows)
        inside.flush()
        first += 16
        written = first
        for passed, is_written in ((0.1, False), (0.8 * wait, False), (1.02 * wait, True)):
            clock[0] = 1000.0 + start + passed
            inside.keep(run, first, rows)
            first += 16
            written = first if is_written else written
            assert rows_in(tmp_path, run) == written


def test_rows_that_wait_are_bounded_in_memory(clock, tmp_path):
    run = NetworkRun.find(
        ResNet(width=2, depth=100_000, beta=1.0), 3, request=make_request(trajectories=True)
    )
    store = Store.open(tmp_path)
    store.add_runs([run.record])
    inside = Running(store=store)
    rows = {name: np.zeros((6, *cell)) for name, cell in run.cells.items()}  # 9.6 MB
    for block in range(8):
        inside.keep(run, 6 * block, rows)
    assert rows_in(tmp_path, run) == 48


@settings(max_examples=50)
@given(st.sets(st.integers(0, 30)), st.integers(0, 15), st.integers(0, 15))
def test_what_ranges_leave(held, start, length):
    stop = start + length
    ranges = [(i, i + 1) for i in sorted(held) if start <= i < stop]
    gaps = complement(ranges, start, stop)
    inside = [i for first, last in gaps for i in range(first, last)]
    assert inside == [i for i in range(start, stop) if i not in held]


def test_rows_that_wait_to_be_written_are_found(tmp_path, monkeypatch):
    with running(store=Store.open(tmp_path)) as inside:
        first = simulate(GAUSSIAN, replicas=20, seed=3)
        monkeypatch.setattr("montecarlo.runs._rows.draw_block", None)  # nothing is drawn a second time
        assert_same(simulate(GAUSSIAN, replicas=20, seed=3).columns, first.columns)
        assert inside.networks_found == 20


def test_threads_are_refused_before_anything_is_drawn():
    with pytest.raises(ValueError, match="threads=0"):
        simulate(GAUSSIAN, replicas=10, seed=1, threads=0)
    assert ThreadExecutor(3).workers == 3
