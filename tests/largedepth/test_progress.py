"""Progress: what was reused and what was sampled, a word in silence, and one for the compiler."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numba import njit

from largedepth import _progress
from largedepth._progress import announced_compilation, progress_bar


def test_reused_and_sampled_rows_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(1500, what="simulate") as bar:
        bar.reuse(1000)
        bar.finish(300)
        bar.finish(200)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "simulate: 1,000 rows reused, 500 sampled of 1,500 networks in" in streams.err


def test_a_long_block_is_not_silent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_progress, "_FIRST_WORD_SECONDS", 0.05)
    with progress_bar(3, what="simulate", cost="a network takes roughly 9 s") as bar:
        time.sleep(0.5)
        bar.finish(1)
    lines = [line for line in capsys.readouterr().err.splitlines() if "at work" in line]
    # At 0.05, 0.15, 0.35 s: the intervals double.
    assert 1 <= len(lines) <= 4
    assert lines[0].endswith("0 of 3 networks are finished (a network takes roughly 9 s)")


def test_a_short_run_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(2, what="simulate") as bar:
        bar.finish(2)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_compilation_is_announced_once() -> None:
    @njit
    def double(x):
        return 2 * x

    said: list[str] = []
    with announced_compilation(said.append):
        double(1)
        double(np.float64(1.0))
        double(2)
    assert len(said) == 1
    assert "compiling" in said[0]
    with announced_compilation(said.append):
        double(3)
    assert len(said) == 1
