"""Kernels that are missing on disk are compiled by two processes, none of them twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from montecarlo.common import _jit
from montecarlo.executors import ProcessExecutor, _processes
from montecarlo.runs import compiled_beside, kernel_modules

pytestmark = pytest.mark.skipif(_jit.JIT_OFF, reason="nothing is compiled")

KERNELS = """
from montecarlo.common._jit import kernel

@kernel(signature="float64(float64)")
def add_one(x):
    for _ in range(3):
        x = x + 1.0
    return x
"""
IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from montecarlo.common._jit import told_of_missing_kernels
missed = []
def miss():
    missed.append(1)
    time.sleep(2.0)  # a compilation that takes its time
print("ready", flush=True)
input()
with told_of_missing_kernels(miss):
    import slow_kernels
print(len(missed))
"""


def test_of_two_processes_one_compiles_and_the_other_one_waits(tmp_path: Path) -> None:
    (tmp_path / "slow_kernels.py").write_text(KERNELS, encoding="utf-8")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", IMPORT, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    missed = []
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        out, _ = process.communicate(timeout=120.0)
        missed.append(int(out))
    assert sorted(missed) == [0, 1]


def test_a_lock_that_is_never_given_back_holds_nobody_up_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(_jit, "_LONGEST_COMPILATION", 0.2)
    (tmp_path / "cache").mkdir()
    compiled = SimpleNamespace(
        _cache=SimpleNamespace(cache_path=str(tmp_path / "cache")), py_func=SimpleNamespace(__module__="m")
    )
    with (tmp_path / "cache" / "m.lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        start = time.monotonic()
        with _jit._one_process_at_a_time(compiled):
            assert 0.2 <= time.monotonic() - start < 10.0


def test_a_process_begins_when_a_kernel_is_missing_and_goes_through_the_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # the process beside has the same path
    (tmp_path / "leave_note.py").write_text(
        f"import os, pathlib; pathlib.Path({str(tmp_path / 'note')!r}).write_text(str(os.getpid()))",
        encoding="utf-8",
    )

    def wait_for(note: Path) -> str:
        for _ in range(6000):
            if note.exists() and note.read_text():
                return note.read_text()
            time.sleep(0.01)
        raise AssertionError("no note")

    with compiled_beside(["there_is_no_such_module", "leave_note"], 2):
        assert not (tmp_path / "note").exists()
        for tell in [*_jit._told]:
            tell()
            tell()  # once is enough
        assert wait_for(tmp_path / "note") != str(os.getpid())
    assert not _jit._told


def test_without_a_missing_kernel_there_is_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr("montecarlo.executors._processes._start_worker", lambda: started.append(1))
    with compiled_beside(kernel_modules(), 2):
        pass
    assert not started


def test_one_thread_gets_no_process_beside_it() -> None:
    with compiled_beside(kernel_modules(), 1):
        assert not _jit._told
    with compiled_beside(kernel_modules(), 2):
        assert _jit._told


def test_workers_that_start_at_the_same_time_leave_the_environment_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in _processes._SINGLE_THREADED:
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    executors = [ProcessExecutor(1) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda executor=executor: [*executor.run(abs, iter([-1]))])
        for executor in executors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    for executor in executors:
        executor.close()
    assert dict(os.environ) == before
