"""Figures are drawn beside sampling, in their order, and what drawing raises is not lost."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from largedepth._drawing import DrawingDesk


class Sampled:
    """A figure that is drawn once it may be."""

    def __init__(self, name: str, go: threading.Event | None = None) -> None:
        self.name, self.go = name, go

    def draw(self) -> Any:
        assert self.go is None or self.go.wait(20.0)
        if self.name == "bad":
            raise OSError("disk full")
        return SimpleNamespace(definition=SimpleNamespace(name=self.name), paths=[Path(f"{self.name}.pdf")])


def leave(desk: DrawingDesk, *figures: Any) -> None:
    for figure in figures:
        desk.draw(figure)


def test_figures_are_drawn_beside_the_caller_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    desk, go = DrawingDesk(), threading.Event()
    leave(desk, Sampled("1", go), Sampled("2"))  # the first one waits, the caller does not
    go.set()
    assert [drawn.definition.name for drawn in desk.drawn()] == ["1", "2"]
    assert capsys.readouterr().err.splitlines() == ["figure 1: 1.pdf", "figure 2: 2.pdf"]


def test_what_drawing_raises_is_raised_by_the_desk() -> None:
    desk = DrawingDesk()
    leave(desk, Sampled("bad"))
    with pytest.raises(OSError, match="disk full"):
        desk.drawn()
