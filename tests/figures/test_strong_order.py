"""Figure "strong-order" at small sizes: bytes, checks, and a mutant that they notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import figures
from figures import strong_order


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the figure take few networks."""
    panels = [
        (
            title,
            [replace(curve, replicas=min(curve.replicas, 20_000) // 4) for curve in curves[:1]],
            reference,
        )
        for title, curves, reference in strong_order._PANELS
    ]
    monkeypatch.setattr(strong_order, "_PANELS", panels)


@pytest.mark.usefixtures("small")
@pytest.mark.statistical
def test_checks_agree_and_drawings_are_reproducible(tmp_path: Path) -> None:
    # Three intervals at 99 %, seed fixed.
    first = figures.draw_figure("strong-order", out=tmp_path)
    before = [path.read_bytes() for path in first.paths]
    assert len(first.checks) == 3
    assert [check.verdict for check in first.checks] == ["agrees"] * 3
    strong_order._sample.cache_clear()
    again = figures.draw_figure("strong-order", out=tmp_path)
    assert [path.read_bytes() for path in again.paths] == before
    assert first.networks > 100_000
    assert first.seed == strong_order._SEED


@pytest.mark.usefixtures("small")
@pytest.mark.statistical
def test_a_wrong_scaling_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [
        (title, [replace(curve, beta=curve.beta + 0.2) for curve in curves], reference)
        for title, curves, reference in strong_order._PANELS
    ]
    monkeypatch.setattr(strong_order, "_PANELS", wrong)
    strong, weak, smooth = figures.find_figure("strong-order").checks({})
    assert strong.verdict == "outside"
    assert weak.verdict != "agrees"
    assert smooth.verdict == "outside"
