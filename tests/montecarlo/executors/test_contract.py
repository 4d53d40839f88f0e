"""What every executor promises: `montecarlo.executors.Executor`."""

import threading
import traceback

import numpy as np
import pytest
import worker_functions as functions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from montecarlo import Activation, ResNet
from montecarlo.executors import ExecutorError, ThreadExecutor, _calls
from montecarlo.processes import WeightProcess

ITEMS = st.one_of(st.integers(), st.text(), st.tuples(st.integers(), st.binary()), st.none(), st.booleans())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.lists(ITEMS, max_size=30))
def test_every_item_comes_back_once_with_its_result(executor, items):
    answers = list(executor.run(functions.echo, iter(items)))
    assert all(item == result for item, result in answers)
    assert sorted(map(repr, (item for item, _ in answers))) == sorted(map(repr, items))


def test_two_items_run_at_the_same_time(executor):
    assert executor.workers == 2
    workers = {result for _, result in executor.run(functions.identity_of_worker, iter(range(8)))}
    assert len(workers) == (1 if isinstance(executor, ThreadExecutor) else 2)


def test_items_are_taken_here_and_no_sooner_than_needed(executor):
    taken = []

    def items():
        for number in range(40):
            taken.append(threading.get_ident())
            yield number

    run = executor.run(functions.square, items())
    assert not taken
    for answered, (item, result) in enumerate(run):
        assert result == item * item
        assert len(taken) - answered <= 3 * executor.workers
    assert set(taken) == {threading.get_ident()}
    assert len(taken) == 40


def test_errors_of_the_function_arrive_as_they_are(executor):
    with pytest.raises(functions.FamiliarError) as caught:
        list(executor.run(functions.fail_at_three, iter(range(10))))
    assert caught.value.args == ("three", 3)
    assert caught.value.where == 3
    trace = "".join(traceback.format_exception(caught.value))
    assert 'raise FamiliarError("three", number)' in trace  # also from where it was raised, far away
    assert sorted(executor.run(functions.square, iter([1, 2]))) == [(1, 1), (2, 4)]


def test_errors_that_no_pickle_brings_back_still_say_what_they_were(remote):
    with pytest.raises(Exception, match="here at 0"):
        list(remote.run(functions.fail_stubbornly, iter([0])))


def test_errors_of_the_items_arrive(executor):
    def items():
        yield 1
        raise functions.FamiliarError("items", 1)

    with pytest.raises(functions.FamiliarError):
        list(executor.run(functions.square, items()))
    assert list(executor.run(functions.square, iter([2]))) == [(2, 4)]


def test_closing_early_drops_what_is_in_hand(executor):
    run = executor.run(functions.slow_square, iter(range(10**9)))
    for _ in range(3):
        next(run)
    run.close()
    assert sorted(executor.run(functions.square, iter(range(5)))) == [(n, n * n) for n in range(5)]


def test_runs_may_be_interleaved(executor):
    first = executor.run(functions.square, iter(range(30)))
    second = executor.run(functions.echo, iter(range(30, 60)))
    answers = [pair for pairs in zip(first, second, strict=True) for pair in pairs]
    assert sorted(answers) == [(n, n * n) for n in range(30)] + [(n, n) for n in range(30, 60)]


def test_what_cannot_travel_is_said_in_a_line(remote):
    lock = threading.Lock()
    with pytest.raises(ExecutorError, match=r"must be picklable \(.*lock.*\): define") as caught:
        list(remote.run(lambda number: (number, lock), iter([1])))
    assert "\n" not in str(caught.value)


def test_other_streams_are_refused(remote, monkeypatch):
    monkeypatch.setattr(_calls, "STREAM_FORMAT", 99)
    with pytest.raises(ExecutorError, match="a worker has random streams of format 1, this process has 99"):
        list(remote.run(functions.square, iter([1])))


def test_lambdas_travel_where_cloudpickle_is(executor):
    offset = 7
    assert sorted(executor.run(lambda n: n + offset, iter([1, 2]))) == [(1, 8), (2, 9)]


def test_results_larger_than_any_pipe(executor):
    block = bytes(3 << 20)
    answers = executor.run(functions.echo, iter([block] * 8))
    assert [len(result) for _, result in answers] == [len(block)] * 8


NETWORKS = {
    "dense": ResNet(width=10, depth=30, beta=0.5, weights="uniform"),
    "gaussian": ResNet(width=10, depth=30, beta=0.5, block="res-2", activation="gelu"),
    "correlated": ResNet(width=10, depth=30, beta=0.5, weights="fbm:0.3"),
    "own activation": ResNet(
        width=10, depth=30, beta=0.5, block="res-1",
        activation=Activation("cubic", lambda x: x * x * x, lambda x: 3.0 * x * x),
    ),
    "own process": ResNet(
        width=10, depth=30, beta=0.5, weights=WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m)
    ),
}  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
def test_rows_do_not_depend_on_the_executor(remote, threads, network):
    function = functions.BlockOfNetworks(NETWORKS[network], seed=7, size=16)
    here = dict(threads.run(function, iter(range(0, 96, 16))))
    there = dict(remote.run(function, iter(range(0, 96, 16))))
    assert here.keys() == there.keys()
    for start, columns in here.items():
        assert columns.keys() == there[start].keys()
        for name, column in columns.items():
            np.testing.assert_array_equal(column, there[start][name])


def test_workers_are_not_oversubscribed(remote):
    for _, settings_there in remote.run(functions.thread_settings, iter(range(4))):
        assert settings_there["numba"] == 1
        assert settings_there["blas"] == [1] * len(settings_there["blas"])
        assert settings_there["environment"]["OMP_NUM_THREADS"] == "1"
        assert settings_there["environment"]["OPENBLAS_NUM_THREADS"] == "1"


def test_threads_of_all_runs_together_are_as_many_as_were_asked_for():
    executor = ThreadExecutor(2)
    running, most, lock = [], [0], threading.Lock()

    def count(number):
        with lock:
            running.append(number)
            most[0] = max(most[0], len(running))
        functions.slow_square(number)
        with lock:
            running.remove(number)

    runs = [threading.Thread(target=list, args=(executor.run(count, iter(range(8))),)) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert most == [2]


def test_a_closed_executor_ends_the_runs_of_its_threads():
    executor = ThreadExecutor(2)
    run = executor.run(functions.square, iter(range(10**9)))
    next(run)
    executor.close()
    with pytest.raises(ExecutorError, match="is closed"):
        list(run)
