"""Figures are drawn beside sampling, in their order, and what drawing raises is not lost."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from largedepth import _drawing
from largedepth._drawing import DrawingDesk


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
        return SimpleNamespace(definition=SimpleNamespace(name=self.name), paths=[Path(str(os.getpid()))])


def leave(desk: DrawingDesk, *figures: Any) -> None:
    for figure in figures:
        desk.draw(figure)


@pytest.mark.parametrize("threads", [1, 2])
def test_figures_are_drawn_beside_the_caller_and_in_order(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, threads: int
) -> None:
    desk, go = DrawingDesk(threads), tmp_path / "go"
    leave(desk, Sampled("1", go), Sampled("2"))  # the first one waits, the caller does not
    go.touch()
    drawn = desk.drawn()
    assert [figure.definition.name for figure in drawn] == ["1", "2"]
    (process,) = {str(figure.paths[0]) for figure in drawn}
    assert (process == str(os.getpid())) is (threads == 1)  # one thread gets no process beside it
    assert capsys.readouterr().err.splitlines() == [f"figure 1: {process}", f"figure 2: {process}"]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_drawing_raises_is_raised_by_the_desk(threads: int) -> None:
    desk = DrawingDesk(threads)
    leave(desk, Sampled("bad"))
    with pytest.raises(OSError, match="disk full"):
        desk.drawn()


def test_where_no_process_can_start_a_thread_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    from montecarlo.executors import ExecutorError, _processes

    def refuse() -> Any:
        raise ExecutorError("a worker process cannot start")

    monkeypatch.setattr(_processes, "_start_worker", refuse)
    desk = DrawingDesk(2)
    leave(desk, Sampled("1"))
    (figure,) = desk.drawn()
    assert figure.paths == [Path(str(os.getpid()))]


def test_the_process_ends_with_the_desk() -> None:
    process = _drawing._executor(True)
    (worker,) = process._started  # type: ignore[attr-defined]
    process.close()
    assert not worker.process.is_alive()
