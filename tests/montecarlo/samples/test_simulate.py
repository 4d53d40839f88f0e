"""`simulate` and `iter_blocks`: what they refuse, progress, blocks and engines."""

import threading
import time
import warnings

import numpy as np
import pytest

from montecarlo import InvalidFieldError, ResNet, iter_blocks, simulate
from montecarlo.engines._registry import ENGINES, Engine, find_engine
from montecarlo.engines._request import Request
from montecarlo.executors import available_threads
from montecarlo.networks._dictionary import PLAIN
from montecarlo.runs import suggest_block_size
from montecarlo.samples.independent._run import NetworkRun

pytestmark = pytest.mark.usefixtures("warm_kernels")

NET = ResNet(width=4, depth=3, beta=0.5, weights="uniform")  # dense is the only engine for these weights
GOOD = {"replicas": 3, "seed": 1}

INVALID = [
    *[("replicas", value) for value in (0, -1, 2.5, None, "many", True, float("nan"))],
    *[("seed", value) for value in (-1, 2**128, 0.5, None, "lucky", True)],
    *[("first_replica", value) for value in (-1, 0.5, None, "first", 2**64)],
    *[("threads", value) for value in (0, -2, 1.5, 5000, "all")],
    *[("block_size", value) for value in (0, -2, 1.5, "big")],
    *[("gradients", value) for value in (False, None, "all", "")],
    *[("engine", value) for value in ("fast", "", None, "Dense")],
]


@pytest.mark.parametrize(("field", "value"), INVALID)
def test_invalid_options_are_refused_in_one_line(field, value):
    with pytest.raises(InvalidFieldError) as caught:
        simulate(NET, **(GOOD | {field: value}))
    error = caught.value
    assert error.field == field
    assert error.rule
    assert error.fix
    assert "\n" not in str(error)
    assert str(error).startswith(f"{field}={value!r}: ")


def test_an_unknown_engine_lists_the_known_ones():
    with pytest.raises(InvalidFieldError, match=r"auto, .*dense"):
        simulate(NET, **GOOD, engine="nothing")


def test_an_engine_that_cannot_is_refused_with_its_reason(monkeypatch):
    picky = Engine("picky", PLAIN, lambda net, request: "samples nothing at all", None, None, None)
    monkeypatch.setitem(ENGINES, "picky", picky)
    with pytest.raises(InvalidFieldError, match="engine='picky': samples nothing at all; take engine='auto'"):
        simulate(NET, **GOOD, engine="picky")
    assert find_engine("auto", NET, Request()).name == "dense"


@pytest.mark.parametrize("whole", [7, 7.0, np.int64(7), np.uint8(7)])
@pytest.mark.parametrize("field", ["replicas", "seed", "first_replica", "threads", "block_size"])
def test_whole_numbers_of_any_type_are_the_same_number(field, whole):
    plain = simulate(NET, **(GOOD | {field: 7}))
    same = simulate(NET, **(GOOD | {field: whole}))
    assert np.array_equal(plain["log_hidden_ratio"], same["log_hidden_ratio"])


def test_last_replica_index_fits_its_column():
    # replica is an int64 column
    try:
        sample = simulate(NET, replicas=2, seed=1, first_replica=2**63 - 1)
    except InvalidFieldError:
        return
    assert sample.replica.dtype == np.int64


def test_progress_counts_every_network_in_the_calling_thread():
    calls = []
    simulate(
        NET, replicas=25, seed=1, threads=3, block_size=4,
        progress=lambda n: calls.append((n, threading.get_ident())),
    )  # fmt: skip
    assert sorted(n for n, _ in calls) == [1, 4, 4, 4, 4, 4, 4]
    assert {thread for _, thread in calls} == {threading.get_ident()}


def test_closing_the_iterator_drops_the_blocks_not_started():
    drawn = []
    blocks = iter_blocks(NET, replicas=10**9, seed=1, threads=2, block_size=10)
    for block in blocks:
        drawn.append(block)
        if len(drawn) == 3:
            break
    blocks.close()
    assert [len(block) for block in drawn] == [10, 10, 10]
    deadline = time.monotonic() + 10.0
    while any(thread.name.startswith("largedepth") for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "blocks go on after the iterator was closed"
        time.sleep(0.01)


def test_an_error_in_a_block_reaches_the_caller(monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError("in a worker")

    broken = Engine("broken", PLAIN, lambda *_: None, lambda *_: 1e-3, fail, lambda *_: None)
    monkeypatch.setitem(ENGINES, "broken", broken)
    with pytest.raises(ZeroDivisionError, match="in a worker"):
        simulate(NET, replicas=100, seed=1, engine="broken", threads=2)


def test_sample_carries_its_origin():
    sample = simulate(NET, replicas=5, seed=2**127, first_replica=3)
    assert (sample.resnet, sample.seed, sample.engine, sample.first_replica) == (NET, 2**127, "dense", 3)
    assert sample.replica.tolist() == [3, 4, 5, 6, 7]
    assert len(sample) == 5


@pytest.mark.parametrize("depth", [1, 1000, 10**6])
@pytest.mark.parametrize("width", [1, 40, 10_000])
def test_suggested_blocks(width, depth):
    net = ResNet(width=width, depth=depth, beta=0.5)
    engine = ENGINES["dense"]
    for request in (Request(), Request(trajectories=True, weight_gradients=True)):
        size = suggest_block_size(NetworkRun(net, 1, "dense", request), 10**6, 2)
        assert size >= 1
        assert size == 1 or size * engine.seconds(net, request) <= 0.25
        assert size <= 10**6 / 8 + 1
        rows = 4 + (4 * (depth + 1) if request.trajectories else 0)
        assert size == 1 or size * rows * 8 <= 64 << 20
        # Few rows are not cut into blocks that are over sooner than they have begun.
        short = suggest_block_size(NetworkRun(net, 1, "dense", request), 100, 2)
        assert min(size, int(0.02 / engine.seconds(net, request))) <= short <= size


def test_available_threads():
    assert available_threads() >= 1


def test_no_thread_touches_the_warning_filters(monkeypatch):
    # warnings.catch_warnings restores filters of the whole process: two threads inside it leave them changed
    entered = []
    true = warnings.catch_warnings.__enter__

    def enter(self):
        entered.append(threading.current_thread().name)
        return true(self)

    monkeypatch.setattr(warnings.catch_warnings, "__enter__", enter)
    with warnings.catch_warnings():
        pass
    assert entered, "the test must see them"
    del entered[:]
    net = ResNet(width=4, depth=3, beta=0.5)
    for engine, gradients in (("dense", "joint"), ("gaussian", "joint"), ("radial", "dual")):
        simulate(net, replicas=40, seed=1, threads=2, block_size=8, engine=engine, gradients=gradients)
    assert [name for name in entered if name.startswith("largedepth")] == []
