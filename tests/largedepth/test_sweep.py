"""``largedepth sweep`` as its users run it: killed, interrupted, in two processes at once, on a cluster."""

import functools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from command import command

from montecarlo import ResNet, simulate
from montecarlo.store import Store

FILE = """
seed = 7
replicas = 1500
[network]
width = 40
weights = "uniform"
[grid]
depth = [100, 400]
beta = [0.5, 1]
"""
NETWORKS = 6000
SHORT = FILE.replace("1500", "150")  # where nothing has to last


@pytest.fixture
def sweep_file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def short_file(tmp_path):
    path = tmp_path / "short.toml"
    path.write_text(SHORT)
    return path


def line(*arguments):
    return [sys.executable, "-m", "largedepth", "sweep", *map(str, arguments)]


def run(*arguments):
    return command("sweep", *arguments)


def networks_in(folder):
    store = Store.open(folder, create=False)
    return sum(stop - start for key in store.runs() for start, stop in store.held(key))


def shards_in(folder):
    return len(list((folder / "shards").glob("*.parquet")))


def wait_for_shards(folder, process, number=1):
    while process.poll() is None and shards_in(folder) < number:
        time.sleep(0.01)


@functools.cache
def expected(depth, beta):
    return simulate(ResNet(width=40, depth=depth, beta=beta, weights="uniform"), replicas=1500, seed=7)


def assert_complete(folder):
    store = Store.open(folder, create=False)
    assert networks_in(folder) == NETWORKS
    for depth in (100, 400):
        for beta in (0.5, 1.0):
            table = store.to_pandas(depth=depth, beta=beta)
            for name, column in expected(depth, beta).columns.items():
                np.testing.assert_array_equal(table[name].to_numpy(), column)


def test_killed_at_any_moment_it_continues_to_the_same_table(sweep_file, tmp_path):
    folder = tmp_path / "out"
    rng = np.random.default_rng(1)
    kills = held = 0
    for attempt in range(30):
        # Twice wherever it is, also before there is anything; then some time after it has left something.
        before = shards_in(folder)
        process = subprocess.Popen(
            line(sweep_file, "--out", folder, "--threads", "1"), stderr=subprocess.DEVNULL
        )
        if attempt > 1:
            wait_for_shards(folder, process, before + 1)
        try:
            process.wait(timeout=rng.uniform(0.0, 1.5 if attempt < 2 else 0.5) if kills < 5 else 300.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            assert process.returncode == 0
            break
        if (folder / "largedepth.json").exists():
            now = networks_in(folder)
            assert now >= held
            held = now
    assert kills >= 3
    assert_complete(folder)
    result = run(sweep_file, "--out", folder)
    assert result.returncode == 0
    assert f"{NETWORKS:,} rows reused, 0 sampled" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupts_flush_and_say_how_to_continue(sweep_file, tmp_path, number):
    folder = tmp_path / "out"
    sweep_file.write_text(FILE.replace("1500", "1_000_000"))  # not at its end by then on any machine
    process = subprocess.Popen(
        line(sweep_file, "--out", folder, "--threads", "1"), stderr=subprocess.PIPE, text=True
    )
    wait_for_shards(folder, process)
    process.send_signal(number)
    start = time.monotonic()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert time.monotonic() - start < 20.0
    assert f"finished rows are in {folder}, and the same command continues" in error
    assert "Traceback" not in error
    assert 0 < networks_in(folder) < 4_000_000


def test_two_at_once_do_not_hinder_each_other(sweep_file, tmp_path):
    folder = tmp_path / "out"
    both = [
        subprocess.Popen(line(sweep_file, "--out", folder, "--threads", "1"), stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        _, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
    assert_complete(folder)


def test_a_dry_run_says_what_there_is_to_do_and_does_nothing(short_file, tmp_path):
    folder = tmp_path / "out"
    result = run(short_file, "--out", folder, "--dry-run", "--threads", "2")
    assert result.returncode == 0
    assert "4 specifications, 600 networks" in result.stdout
    assert "on 2 workers" in result.stdout
    assert "size: roughly" in result.stdout
    assert not folder.exists()
    folder.mkdir()
    assert run(short_file, "--out", folder, "--dry-run", "--threads", "2").stdout == result.stdout
    assert not os.listdir(folder)
    assert run(short_file, "--out", folder).returncode == 0
    short_file.write_text(SHORT.replace("150", "200"))
    result = run(short_file, "--out", folder, "--dry-run")
    assert "4 specifications, 800 networks" in result.stdout
    assert "600 of them are in" in result.stdout
    assert "200 are to be sampled" in result.stdout


def test_shards_are_plain_parquet_and_the_manifest_is_readable(short_file, tmp_path):
    folder = tmp_path / "out"
    assert run(short_file, "--out", folder).returncode == 0
    names = pq.read_table(folder / "shards").column_names
    assert names[:2] == ["run", "replica"]
    (manifest,) = (folder / "manifest").glob("*.json")
    assert "uniform" in json.dumps(json.loads(manifest.read_text()))


def test_simulate_takes_the_rows_of_a_sweep_and_says_so(short_file, tmp_path):
    folder = tmp_path / "out"
    assert run(short_file, "--out", folder).returncode == 0
    fields = [
        "--width",
        "40",
        "--depth",
        "100",
        "--beta",
        "0.5",
        "--weights",
        "uniform",
        "--seed",
        "7",
        "--replicas",
        "200",
    ]
    done = command("simulate", *fields, "--store", folder, "--out", tmp_path / "s.csv")
    assert "150 rows reused, 50 sampled of 200 networks" in done.stderr
    assert networks_in(folder) == 650


def test_codes(short_file, tmp_path):
    folder = tmp_path / "out"
    short_file.write_text("max_seconds = 1e-6\n" + SHORT)
    result = run(short_file, "--out", folder)
    assert result.returncode == 3
    assert "max_seconds passed with 600 networks to go" in result.stderr
    short_file.write_text(FILE.replace("1500", "30") + "[precision]\nhalf_width = 1e-6")
    result = run(short_file, "--out", folder)
    assert result.returncode == 3
    assert "4 of 4 specifications have all their networks" in result.stderr
    short_file.write_text(SHORT.replace("width = 40", "width = 0"))
    result = run(short_file, "--out", folder)
    assert result.returncode == 2
    assert result.stderr.startswith(f"largedepth: {short_file}: network.width = 0: must be")
    assert result.stderr.count("\n") == 1
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    short_file.write_text(SHORT)
    result = run(short_file, "--out", tmp_path / "full")
    assert result.returncode == 2
    assert str(tmp_path / "full") in result.stderr
    assert result.stderr.count("\n") == 1


def test_workers_of_a_cluster_may_die_and_join(sweep_file, tmp_path):
    distributed = pytest.importorskip("distributed")
    folder = tmp_path / "out"
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, host="127.0.0.1", scheduler_port=0, dashboard_address=None,
        local_directory=str(tmp_path), silence_logs=50,
    ) as cluster:  # fmt: skip
        process = subprocess.Popen(
            line(sweep_file, "--out", folder, "--dask", cluster.scheduler_address), stderr=subprocess.PIPE
        )
        wait_for_shards(folder, process)
        victim = next(iter(cluster.workers.values()))
        os.kill(victim.pid, signal.SIGKILL)
        cluster.scale(4)
        _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert_complete(folder)
