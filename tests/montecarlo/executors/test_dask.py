"""A Dask cluster loses and gains workers, its scheduler, or draws other rows."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dask as dask_package
import numpy as np
import pytest
import worker_functions as functions
from distributed import Client, LocalCluster

from montecarlo import InvalidFieldError, ResNet
from montecarlo.executors import DaskExecutor, ExecutorError, ThreadExecutor, _dask


@pytest.fixture
def cluster(tmp_path):
    with LocalCluster(
        n_workers=3,
        threads_per_worker=1,
        host="127.0.0.1",
        scheduler_port=0,
        dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path),
        silence_logs=50,
    ) as cluster:
        yield cluster


def test_workers_come_and_go_and_rows_stay(cluster, monkeypatch):
    monkeypatch.setattr(_dask, "_LOOK_SECONDS", 0.1)
    net = ResNet(width=10, depth=20, beta=0.5, weights="uniform")
    size = 8
    there, pids = {}, []

    def starts():
        # On until a worker has died, and both the nanny's new one and the added one have taken part.
        for block in range(10_000):
            if len(set(pids)) >= 5 and block >= 40:
                return
            yield block * size

    with Client(cluster, set_as_default=False) as client, DaskExecutor(client) as executor:
        assert executor.workers == 3
        for start, (pid, columns) in executor.run(functions.BlockWithWorker(net, 7, size), starts()):
            there[start] = columns
            pids.append(pid)
            if len(pids) == 8:
                os.kill(pid, signal.SIGKILL)
                cluster.scale(4)
        assert len(set(pids)) >= 5
        cluster.scale(1)
        for _ in range(600):
            if executor.workers == 1:
                break
            time.sleep(0.05)
        assert executor.workers == 1
        assert executor.dashboard is None or executor.dashboard.startswith("http")
    assert client.status == "closed"
    with ThreadExecutor(1) as threads:
        here = dict(threads.run(functions.BlockOfNetworks(net, 7, size), iter(sorted(there))))
    assert len(here) >= 40
    for start, columns in here.items():
        for name, column in columns.items():
            np.testing.assert_array_equal(column, there[start][name])


def test_items_of_a_dead_worker_run_again(dask, tmp_path):
    items = [(number, str(tmp_path), number == 7) for number in range(12)]
    answers = list(dask.run(functions.die_once, iter(items)))
    assert sorted(result for _, result in answers) == [number**2 for number in range(12)]


def test_an_item_that_keeps_killing_workers_is_given_up():
    with dask_package.config.set({"distributed.scheduler.allowed-failures": 0}):
        executor = DaskExecutor("local:1")
    with (
        executor,
        pytest.raises(ExecutorError, match=r"'killer' was in hand of 1 workers that died .*memory"),
    ):
        list(executor.run(functions.die_always, iter(["killer"])))


def test_blocks_in_hand_of_a_closed_run_are_forgotten(dask):
    run = dask.run(functions.slow_square, iter(range(100)))
    next(run)
    run.close()
    for _ in range(200):
        if not dask._client.futures:
            break
        time.sleep(0.05)
    assert not dask._client.futures


def test_a_client_of_the_caller_stays_open(dask):
    with DaskExecutor(dask._client) as executor:
        list(executor.run(functions.square, iter([1])))
    assert dask._client.status == "running"


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidFieldError, match=r"pip install 'largedepth\[cluster\]'"):
        DaskExecutor("local:2")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "must be a scheduler's address"),
        (7, "must be a scheduler's address"),
        ("local", "must be local:N"),
        ("local:0", "must be local:N"),
        ("local:two", "must be local:N"),
        ("nowhere", "missing port"),
        ("carrier-pigeon://host:1", "unknown address scheme"),
        ("tls://127.0.0.1:1", "perhaps check your TLS configuration"),
        ("127.0.0.1:1", "must be the address of a scheduler that answers"),
    ],
)
def test_bad_addresses(value, words, monkeypatch):
    monkeypatch.setattr(_dask, "CONNECT_SECONDS", 0.2)
    with pytest.raises(InvalidFieldError, match=words) as caught:
        DaskExecutor(value)
    assert caught.value.field == "dask"
    assert "\n" not in str(caught.value)


def _start(arguments, **options):
    null = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, *arguments], stdout=null, stderr=null, **options)


BARE_SCHEDULER = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("largedepth", "montecarlo"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden())
from distributed.cli.dask_scheduler import main
main(["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", sys.argv[1]])
"""


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler of its own, without this package: its process and its address."""
    file = tmp_path / "scheduler.json"
    process = _start(["-c", BARE_SCHEDULER, str(file)])
    try:
        for _ in range(600):
            if file.exists() and file.read_text().endswith("}"):
                break
            time.sleep(0.05)
        yield process, json.loads(file.read_text())["address"]
    finally:
        process.kill()
        process.wait()


def test_a_scheduler_that_ends_is_said_in_a_line(scheduler, monkeypatch):
    process, address = scheduler
    monkeypatch.setattr(_dask, "CONNECT_SECONDS", 1.0)
    threading.Timer(0.5, process.kill).start()
    with (
        DaskExecutor(address) as executor,
        pytest.raises(ExecutorError, match="connection to Dask's scheduler was lost"),
    ):
        list(executor.run(functions.square, iter(range(10))))


def test_only_workers_need_the_package(scheduler, tmp_path):
    _, address = scheduler
    tests = Path(functions.__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    with DaskExecutor(address) as executor:
        run = executor.run(functions.square, iter(range(10)))  # before there is any worker
        options = ["--nthreads", "2", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)]
        worker = _start(["-m", "dask", "worker", address, *options], env=environment)
        try:
            assert sorted(run) == [(number, number**2) for number in range(10)]
        finally:
            worker.terminate()
            worker.wait()
