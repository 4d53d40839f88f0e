"""Figures are drawn beside sampling, in their order; errors, warnings and a dead process are not lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from largedepth._drawing import DrawingDesk
from montecarlo.executors import ExecutorError, ProcessExecutor, _processes

HERE = os.getpid()


class Sampled:
    """A figure that is drawn once a file is there; its path says by which process."""

    def __init__(self, name: str, go: Path | None = None) -> None:
        self.name, self.go = name, go

    def draw(self) -> Any:
        end = time.monotonic() + 20.0
        while self.go is not None and not self.go.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        if self.name == "bad":
            raise OSError("disk full")
        if self.name == "warns":
            warnings.warn("too few networks", stacklevel=1)
        if self.name == "kills" and os.getpid() != self.parent():
            os._exit(9)
        return SimpleNamespace(definition=SimpleNamespace(name=self.name), paths=[Path(str(os.getpid()))])

    @staticmethod
    def parent() -> int:
        return int(os.environ["DRAWING_TEST_PARENT"])


def processes(figures: list[Any]) -> list[int]:
    return [int(str(figure.paths[0])) for figure in figures]


def drawn(*figures: Any, threads: int = 2, between: Callable[[], None] | None = None) -> list[Any]:
    with DrawingDesk(threads) as desk:
        for figure in figures:
            desk.draw(figure)
        if between is not None:
            between()
        return desk.drawn()


@pytest.mark.parametrize("threads", [1, 2])
def test_figures_are_drawn_beside_the_caller_and_in_order(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, threads: int
) -> None:
    go = tmp_path / "go"
    figures = drawn(Sampled("1", go), Sampled("2"), threads=threads, between=go.touch)  # the first one waits
    assert [figure.definition.name for figure in figures] == ["1", "2"]
    first, second = processes(figures)
    assert first == second
    assert (first == HERE) is (threads == 1)  # one thread gets no process beside it
    assert capsys.readouterr().err.splitlines() == [f"figure 1: {first}", f"figure 2: {first}"]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_drawing_raises_is_raised_by_the_desk(threads: int) -> None:
    with pytest.raises(OSError, match="disk full"):
        drawn(Sampled("bad"), threads=threads)


def test_warnings_of_the_process_are_the_callers() -> None:
    with pytest.warns(UserWarning, match="too few networks"):
        drawn(Sampled("warns"))


@pytest.mark.parametrize("error", [ExecutorError("no process"), RuntimeError("out of handles")])
def test_where_no_process_can_start_a_thread_draws(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse() -> Any:
        raise error

    monkeypatch.setattr(_processes, "_start_worker", refuse)
    assert processes(drawn(Sampled("1"), Sampled("2"))) == [HERE, HERE]


def test_where_the_process_dies_a_thread_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAWING_TEST_PARENT", str(HERE))
    assert processes(drawn(Sampled("kills"), Sampled("2"))) == [HERE, HERE]


def test_the_process_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ProcessExecutor] = []
    start = ProcessExecutor.__init__

    def remember(self: ProcessExecutor, *given: Any) -> None:
        start(self, *given)
        made.append(self)

    monkeypatch.setattr(ProcessExecutor, "__init__", remember)

    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drawn(Sampled("1"), between=fail)
    (executor,) = made
    assert all(not worker.process.is_alive() for worker in executor._started)
    with pytest.raises(ExecutorError, match="closed"):
        next(executor.run(abs, iter([1])))


def test_a_script_without_a_guard_draws_alone(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    out = tmp_path / "out"
    script.write_text(
        f"from largedepth.__main__ import main\nmain(['figures', '6', '--out', {str(out)!r}])\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120.0, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("figure 6: 0 rows reused") == 1
    assert (out / "figure-6.png").exists()
