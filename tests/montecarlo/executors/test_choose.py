"""The executor that a caller or a command line asks for."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from montecarlo import InvalidFieldError
from montecarlo.executors import (
    DaskExecutor,
    ProcessExecutor,
    ThreadExecutor,
    available_threads,
    executor_from,
)


def test_threads_on_all_processors_unless_asked_otherwise():
    assert isinstance(executor_from(), ThreadExecutor)
    assert executor_from().workers == available_threads()
    assert executor_from(threads=3).workers == 3
    assert isinstance(executor_from(processes=2), ProcessExecutor)


def test_dask_by_the_address_of_a_scheduler(dask):
    with executor_from(dask=dask._client.scheduler.address) as executor:
        assert isinstance(executor, DaskExecutor)
        assert executor.workers == dask.workers
        assert list(executor.run(abs, iter([-3]))) == [(-3, 3)]


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ({"threads": 2, "processes": 3}, r"processes=3: must not be given together with threads=2"),
        ({"threads": 2, "dask": "local:2"}, r"dask='local:2': must not be given together with threads=2"),
        ({"processes": 2, "dask": "local:2"}, r"must not be given together with processes=2"),
        ({"threads": 0}, "threads=0"),
        ({"processes": -1}, "processes=-1"),
    ],
)
def test_at_most_one_choice_and_a_good_one(choice, line):
    with pytest.raises(InvalidFieldError, match=line):
        executor_from(**choice)


def test_without_the_extra_its_name_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidFieldError, match=r"pip install 'largedepth\[cluster\]'") as caught:
        executor_from(dask="local:2")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 2),
        ("0::/", {"cpu.max": "max 100000"}, None),
        ("0::/", {"cpu.max": "1000 100000"}, 1),
        ("0::/job/step", {"job/step/cpu.max": "max 100000", "job/cpu.max": "100000 100000"}, 1),
        (
            "4:cpu,cpuacct:/job",
            {"cpu/job/cpu.cfs_quota_us": "50000", "cpu/job/cpu.cfs_period_us": "100000"},
            1,
        ),
        ("4:cpu,cpuacct:/job", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("0::/", {"cpu.max": "torn"}, None),
        ("torn", {}, None),
    ],
)
def test_a_quota_of_the_processor_is_respected(
    groups: str, files: dict[str, str], quota: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 64, raising=False)
    there = {"proc/self/cgroup": groups} | {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in there.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert available_threads(tmp_path) == (64 if quota is None else quota)


def test_who_counts_processors_in_python_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 3, raising=False)
    assert available_threads(tmp_path) == 3


def test_an_interrupted_script_waits_for_no_block():
    # A block of a large network is native code that nothing stops; sleep stands for it.
    code = (
        "import os, time\nfrom montecarlo.executors import ThreadExecutor\n"
        "def block(item):\n    os.write(1, f'{item}\\n'.encode())\n    time.sleep(600)\n"  # a line in one go
        "for _ in ThreadExecutor(2).run(block, iter(range(4))): pass\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert {process.stdout.readline().strip(), process.stdout.readline().strip()} == {"0", "1"}
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors.strip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
