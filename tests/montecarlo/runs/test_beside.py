"""Kernels that are missing on disk are compiled by two processes, none of them twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from montecarlo.common._jit import JIT_OFF, told_of_missing_kernels
from montecarlo.runs import _beside, compiled_beside, kernel_modules

pytestmark = pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")

KERNELS = """
import time
from montecarlo.common._jit import kernel

@kernel(signature="float64(float64)")
def {name}(x):
    return x + 1.0
"""
IMPORT = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from montecarlo.common._jit import told_of_missing_kernels
missed = []
with told_of_missing_kernels(lambda: missed.append(1)):
    input()
    import slow_kernels
print(len(missed))
"""


def test_of_two_processes_one_compiles_and_the_other_one_waits(tmp_path: Path) -> None:
    (tmp_path / "slow_kernels.py").write_text(KERNELS.format(name="add_one"), encoding="utf-8")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", IMPORT, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for _ in range(2)
    ]  # fmt: skip
    missed = []
    for process in starts:  # both have imported numba when the first one begins
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in starts:
        out, _ = process.communicate(timeout=120.0)
        missed.append(int(out))
    assert sorted(missed) == [0, 1]


def test_a_process_begins_when_a_kernel_is_missing_and_goes_through_the_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_beside, "available_threads", lambda: 2)
    monkeypatch.syspath_prepend(tmp_path)  # the process beside has the same path
    (tmp_path / "leave_note.py").write_text(
        f"import os, pathlib; pathlib.Path({str(tmp_path / 'note')!r}).write_text(str(os.getpid()))",
        encoding="utf-8",
    )
    done = threading.Event()

    def wait_for(note: Path) -> str:
        for _ in range(6000):
            if note.exists() and note.read_text():
                return note.read_text()
            done.wait(0.01)
        raise AssertionError("no note")

    with compiled_beside(["there_is_no_such_module", "leave_note"]):
        assert not (tmp_path / "note").exists()
        for tell in [*_told()]:
            tell()
            tell()  # once is enough
        assert wait_for(tmp_path / "note") != str(os.getpid())
    assert not _told()


def test_without_a_missing_kernel_there_is_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr("montecarlo.executors._processes._start_worker", lambda: started.append(1))
    with compiled_beside(kernel_modules()), told_of_missing_kernels(lambda: started.append(2)):
        import montecarlo.engines.gaussian._plain  # noqa: F401
    assert not started


def _told() -> list[object]:
    from montecarlo.common import _jit

    return _jit._told  # type: ignore[return-value]
