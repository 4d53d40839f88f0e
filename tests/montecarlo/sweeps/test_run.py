"""A sweep's rows are those of `simulate`, however it got to its end."""

from dataclasses import replace

import numpy as np
import pytest

from montecarlo import ResNet, simulate
from montecarlo.executors import ThreadExecutor
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.sequential import QuantileSequence
from montecarlo.store import Store
from montecarlo.sweeps import Precision, Sweep, SweepPoint, SweepWatch, run_sweep

NETS = [
    ResNet(width=6, depth=depth, beta=beta, weights=weights)
    for depth in (4, 20)
    for beta in (0.5, 1.0)
    for weights in ("gaussian", "uniform", "fbm:0.7")
]


def sweep_of(replicas, **options):
    return Sweep(tuple(SweepPoint(NetworkRun.find(net, 7), replicas) for net in NETS), **options)


def assert_rows_of_simulate(store, replicas):
    for net in NETS:
        run = NetworkRun.find(net, 7)
        expected = simulate(net, replicas=replicas, seed=7).columns
        found = store.read(run.key, 0, replicas)
        for name, column in expected.items():
            np.testing.assert_array_equal(found[name], column)


class Recorder(SweepWatch):
    """Remembers what it is told, and stops after a number of blocks."""

    def __init__(self, stop_after=10**9):
        self.blocks, self.there, self.drawn, self.left = 0, 0, 0, []
        self._stop_after = stop_after

    def found(self, networks):
        self.there += networks

    def finished(self, run, networks, seconds_left):
        self.drawn += networks
        self.blocks += 1
        self.left.append(seconds_left)
        if self.blocks >= self._stop_after:
            raise KeyboardInterrupt


def test_rows_are_those_of_simulate_and_more_replicas_extend(tmp_path):
    store, executor = Store.open(tmp_path), ThreadExecutor(2)
    watch = Recorder()
    result = run_sweep(sweep_of(30), store, executor, watch=watch)
    assert (result.reused, result.sampled, result.complete) == (0, 30 * len(NETS), True)
    assert watch.drawn == result.sampled
    assert watch.left[-1] == pytest.approx(0.0, abs=1e-9)
    result = run_sweep(sweep_of(50), Store.open(tmp_path), executor)
    assert (result.reused, result.sampled) == (30 * len(NETS), 20 * len(NETS))
    again = Store.open(tmp_path)
    assert run_sweep(sweep_of(50), again, executor).sampled == 0
    assert_rows_of_simulate(again, 50)
    assert set(again.runs()) == {NetworkRun.find(net, 7).key for net in NETS}


@pytest.mark.parametrize("blocks", [1, 2, 5, 9])
def test_interruptions_leave_whole_rows_and_the_end_is_the_same(tmp_path, blocks):
    for _ in range(100):
        watch = Recorder(blocks)
        store = Store.open(tmp_path)
        before = sum(b - a for key in store.runs() for a, b in store.held(key))
        try:
            run_sweep(sweep_of(40), store, ThreadExecutor(2), watch=watch)
        except KeyboardInterrupt:
            after = Store.open(tmp_path)
            # Nothing of what was told as finished is lost.
            assert sum(b - a for key in after.runs() for a, b in after.held(key)) == before + watch.drawn
        else:
            break
    assert_rows_of_simulate(Store.open(tmp_path), 40)


class Stubborn(ThreadExecutor):
    """Cannot end as it should, like a cluster that was lost."""

    def run(self, function, items):
        try:
            for item in items:
                yield item, function(item)
        finally:
            raise ConnectionError("lost")


def test_rows_are_kept_where_workers_are_lost(tmp_path):
    watch = Recorder(3)
    with pytest.raises(ConnectionError):
        run_sweep(sweep_of(40), Store.open(tmp_path), Stubborn(1), watch=watch)
    store = Store.open(tmp_path)
    assert sum(b - a for key in store.runs() for a, b in store.held(key)) == watch.drawn > 0


def test_no_block_begins_after_max_seconds(tmp_path):
    executor = ThreadExecutor(1)
    result = run_sweep(sweep_of(40, max_seconds=1e-9), Store.open(tmp_path), executor)
    assert (result.sampled, result.missing, result.complete) == (0, 40 * len(NETS), False)
    store = Store.open(tmp_path)
    result = run_sweep(sweep_of(40, max_seconds=1e6), store, executor)
    assert (result.sampled, result.missing, result.complete) == (40 * len(NETS), 0, True)
    assert_rows_of_simulate(store, 40)


def expected_end(net, precision, limit):
    """Return where a sweep must stop, from whole samples and one sequence."""
    column = simulate(net, replicas=limit, seed=7)[precision.column]
    sequence = QuantileSequence(precision.quantile, false_alarm=precision.false_alarm)
    seen = 0
    for look in SweepPoint(NetworkRun.find(net, 7), limit).looks():
        sequence.update(column[seen:look])
        seen = look
        if sequence.half_width <= precision.half_width:
            break
    return seen


def test_precision_stops_where_the_interval_is_short_whatever_happened(tmp_path):
    precision = Precision(0.06, quantile=0.5)
    limit = 2000
    ends = [expected_end(net, precision, limit) for net in NETS]
    assert min(ends) < limit
    assert max(ends) == limit
    imprecise = 0
    for net in NETS:
        sequence = QuantileSequence(0.5, false_alarm=1e-6)
        sequence.update(simulate(net, replicas=limit, seed=7)["log_hidden_ratio"])
        imprecise += sequence.half_width > 0.06
    for stop_after in (3, 7, 10**9):
        store = Store.open(tmp_path)
        try:
            result = run_sweep(
                sweep_of(limit, precision=precision), store, ThreadExecutor(2), watch=Recorder(stop_after)
            )
        except KeyboardInterrupt:
            continue
    held = [Store.open(tmp_path).held(NetworkRun.find(net, 7).key) for net in NETS]
    assert held == [[(0, end)] for end in ends]
    assert result.imprecise == imprecise > 0
    assert not result.complete
    # A finer precision goes on from there; one that is reached draws nothing.
    again = run_sweep(sweep_of(limit, precision=precision), Store.open(tmp_path), ThreadExecutor(2))
    assert (again.sampled, again.reused) == (0, sum(ends))


def test_a_precision_that_the_last_look_reaches_is_reached(tmp_path):
    point = SweepPoint(NetworkRun.find(NETS[0], 7), 864)
    column = simulate(NETS[0], replicas=864, seed=7)["log_hidden_ratio"]
    sequence, seen, widths = QuantileSequence(0.5, false_alarm=1e-6), 0, {}
    for look in point.looks():
        sequence.update(column[seen:look])
        seen, widths[look] = look, sequence.half_width
    assert list(widths) == [256, 384, 576, 864]
    for before, last in ((384, 576), (576, 864)):
        assert widths[last] < widths[before]
        # As wide as the last look leaves it, and a little narrower than that.
        for name, aim, imprecise in (("at", widths[last], 0), ("below", np.nextafter(widths[last], 0), 1)):
            asked = Sweep((SweepPoint(point.run, last),), precision=Precision(aim, quantile=0.5))
            store = Store.open(tmp_path / f"{name} {last}")
            result = run_sweep(asked, store, ThreadExecutor(1))
            assert (result.sampled, result.imprecise, result.complete) == (last, imprecise, not imprecise)
            again = run_sweep(asked, store, ThreadExecutor(1))
            assert (again.reused, again.imprecise, again.complete) == (last, imprecise, not imprecise)


@pytest.mark.parametrize("precision", [
    Precision(0.5, quantile=0.1), Precision(0.5, quantile=0.9, false_alarm=0.1),
    Precision(0.5, quantile=0.5, false_alarm=1e-12), Precision(0.5, column="log_hidden_difference"),
])  # fmt: skip
def test_the_interval_is_that_of_the_precision(tmp_path, precision):
    point = SweepPoint(NetworkRun.find(NETS[0], 7), 256)
    sequence = QuantileSequence(precision.quantile, false_alarm=precision.false_alarm)
    width = sequence.update(simulate(NETS[0], replicas=256, seed=7)[precision.column]).half_width
    for aim, imprecise in ((width, 0), (np.nextafter(width, 0), 1)):
        asked = Sweep((point,), precision=replace(precision, half_width=aim))
        assert run_sweep(asked, Store.open(tmp_path), ThreadExecutor(1)).imprecise == imprecise


def test_one_imprecise_specification_is_one(tmp_path):
    # Deep networks at β = 1/2 spread more than shallow ones at β = 1: some end early, some never.
    points = tuple(SweepPoint(NetworkRun.find(net, 7), 300) for net in NETS[:2] + NETS[3:5])
    widths = []
    for point in points:
        columns = simulate(point.run.resnet, replicas=300, seed=7)["log_hidden_ratio"]
        sequence = QuantileSequence(0.5, false_alarm=1e-6).update(columns[:256]).update(columns[256:])
        widths.append(sequence.half_width)
    for aim in sorted(widths):
        result = run_sweep(
            Sweep(points, precision=Precision(aim, quantile=0.5)), Store.open(tmp_path), ThreadExecutor(2)
        )
        assert result.imprecise == sum(width > aim for width in widths)


def test_looks_end_at_the_number_of_replicas():
    run = NetworkRun.find(NETS[0], 7)
    assert list(SweepPoint(run, 100).looks()) == [100]
    assert list(SweepPoint(run, 256).looks()) == [256]
    assert list(SweepPoint(run, 700).looks()) == [256, 384, 576, 700]


def test_what_is_missing_is_estimated(tmp_path):
    store = Store.open(tmp_path)
    asked = sweep_of(40)
    assert asked.missing(store).networks == asked.networks == 40 * len(NETS)
    run_sweep(sweep_of(30), store, ThreadExecutor(2))
    left = asked.missing(Store.open(tmp_path))
    assert left.networks == 10 * len(NETS)
    assert left.seconds == pytest.approx(asked.seconds / 4)
    assert left.bytes == pytest.approx(asked.bytes / 4)
