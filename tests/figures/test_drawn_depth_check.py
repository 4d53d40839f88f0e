"""The picture of a depth check shows its numbers: curves along depth, growth across it, and theory's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import stream_models as models
from matplotlib.figure import Figure as Canvas

from figures import _depth_check as drawing
from figures import draw_depth_check
from montecarlo import InvalidFieldError
from montecarlo.practice import DepthCheck, Fault, depth_check

DEPTHS = (4, 8, 16)


@pytest.fixture(scope="module")
def check() -> DepthCheck:
    return depth_check(models.exponential, DEPTHS, 4)


def test_the_panels_hold_what_was_measured(
    check: DepthCheck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Canvas] = []
    monkeypatch.setattr(drawing, "save_drawing", lambda canvas, path: kept.append(canvas) or path)
    draw_depth_check(check, tmp_path / "c.png")
    along, back, across = kept[0].axes
    for axis, name in ((along, "log_hidden"), (back, "log_gradient")):
        for j, line in enumerate(axis.get_lines()):
            assert line.get_label() == f"L = {DEPTHS[j]}"
            np.testing.assert_allclose(line.get_ydata(), np.exp(check.curves(j)[name]))
    drawn = {line.get_label(): line.get_ydata() for line in across.get_lines()}
    np.testing.assert_allclose(drawn["stream"], np.exp(check.stream.levels))
    np.testing.assert_allclose(drawn["gradient"], np.exp(check.gradient.levels))
    np.testing.assert_allclose(drawn["theory, stream"], [np.exp(t.stream) for t in check.theory])
    assert check.found in kept[0].get_suptitle()


def test_ticks_are_plain_numbers_below_a_decade_and_layers_are_whole(
    check: DepthCheck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Canvas] = []
    monkeypatch.setattr(drawing, "save_drawing", lambda canvas, path: kept.append(canvas) or path)
    monkeypatch.setattr(type(check), "curves", lambda self, j: dict.fromkeys(
        ("log_hidden", "log_gradient"), np.linspace(0.0, 0.4, DEPTHS[j] + 1)
    ))  # fmt: skip
    draw_depth_check(check, tmp_path / "c.png")
    kept[0].draw_without_rendering()
    for axis in kept[0].axes[:2]:
        low, high = axis.get_ylim()
        shown = [
            tick.label1.get_text() for tick in axis.yaxis.get_major_ticks() if low <= tick.get_loc() <= high
        ]
        assert len(shown) >= 3
        assert all(0.9 < float(text) < 1.6 for text in shown)
        assert not [text for text in axis.yaxis.get_minorticklabels() if text.get_text()]
        assert all(float(place).is_integer() for place in axis.get_xticks())


def test_a_long_title_has_lines_that_fit(
    check: DepthCheck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Canvas] = []
    monkeypatch.setattr(drawing, "save_drawing", lambda canvas, path: kept.append(canvas) or path)
    words = "1.546 times after the last block; up to there branches add 2.27 times what is promised"
    fault = Fault("stream", (1,), 1.273, 1.0, 16, 40.0, "transformer.h.0", words)
    draw_depth_check(dataclasses.replace(check, faults=(fault,)), tmp_path / "c.png")
    canvas = kept[0]
    canvas.draw_without_rendering()
    box = canvas._suptitle.get_window_extent()  # type: ignore[attr-defined]
    assert 0.0 < box.x0 < box.x1 < canvas.bbox.x1
    assert canvas.get_suptitle().replace("\n", " ").endswith(f"{words} (L = 16)")


def test_a_model_without_gradients_is_drawn_and_other_endings_are_refused(tmp_path: Path) -> None:
    def factory(depth: int, seed: int) -> object:
        model, inputs = models.critical(depth, seed)
        return lambda: model(*inputs)["hidden"]

    bare = depth_check(factory, DEPTHS, 4)
    assert draw_depth_check(bare, tmp_path / "c.pdf").stat().st_size > 1000
    with pytest.raises(InvalidFieldError, match=r"plot='.*c.svg': must end in .png or .pdf"):
        draw_depth_check(bare, tmp_path / "c.svg")
