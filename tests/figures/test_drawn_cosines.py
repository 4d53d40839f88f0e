"""Figure "cosines" at small sizes: saved samples, checks, and what they notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theory
from figures import cosines
from figures._points import Report
from figures._style import figure_style
from montecarlo import ResNet


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any], dict[ResNet, Any]]:
    """The figure's points with a few hundred networks, and their samples."""
    folder = tmp_path_factory.mktemp("cosines")
    points = [replace(point, replicas=64 if point.resnet.width == 100 else 300) for point in _quick()]
    return folder, points, _samples(folder, points, Report())


def _quick() -> list[Any]:
    return list(cosines.FIGURE.points("quick"))


def _samples(folder: Path, points: list[Any], report: Report) -> dict[ResNet, Any]:
    return {point.resnet: point.saved(folder / f"{point.stem}.parquet", 5, 1, report) for point in points}


@pytest.mark.statistical
def test_checks_agree_and_wrong_laws_are_outside(
    small: tuple[Path, list[Any], dict[ResNet, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Seven intervals at 99.9 %, seed fixed.
    _, _, samples = small
    checks = cosines.FIGURE.checks(samples)
    assert [check.verdict for check in checks] == ["agrees"] * 7

    def wide(width: int, time: float) -> theory.TabulatedLaw:
        return theory.cosine_diffusion_law(width=30 * width, cosine=-0.5, time=time, tolerance=1e-4)

    monkeypatch.setattr(cosines, "_law", wide)
    wrong = cosines.FIGURE.checks(samples)
    assert wrong[-1].verdict == "outside"  # the exponential end, which wide networks have not


def test_samples_are_used_again_and_longer_ones_begin_with_shorter_ones(
    small: tuple[Path, list[Any], dict[ResNet, Any]],
) -> None:
    folder, points, samples = small
    found: list[int] = []
    more = replace(points[0], replicas=320)
    longer = more.saved(folder / f"{more.stem}.parquet", 5, 1, Report(reused=found.append))
    assert found == [300]
    assert len(longer) == 320
    np.testing.assert_array_equal(longer.cosine[:300], samples[more.resnet].cosine)
    again = points[0].saved(folder / f"{more.stem}.parquet", 5, 1, Report(reused=found.append))
    assert found == [300, 300]
    np.testing.assert_array_equal(again.cosine, samples[more.resnet].cosine)
    other = points[0].saved(folder / f"{more.stem}.parquet", 6, 1, Report(reused=found.append))
    assert len(found) == 2
    assert (other.cosine[:, 1] != samples[more.resnet].cosine[:, 1]).any()


def test_what_is_drawn_is_what_networks_and_theory_say(
    small: tuple[Path, list[Any], dict[ResNet, Any]],
) -> None:
    _, _, samples = small
    with figure_style():
        canvas = cosines.FIGURE.draw(samples)
    axes = {axis.get_title(): axis for axis in canvas.axes}
    three = axes["width 3"]
    curve = next(line for line in three.lines if line.get_label() == "mean, exact limit (C1)")
    x, y = (np.asarray(values, float) for values in curve.get_data())
    law = theory.cosine_diffusion_law(width=3, cosine=-0.5, time=float(x[-1]))
    assert y[-1] == pytest.approx(law.mean(), abs=1e-4)
    assert (x[0], y[0]) == (0.0, -0.5)
    flow = next(line for line in three.lines if line.get_label() == "wide networks (S5)")
    assert np.asarray(flow.get_ydata(), float)[-1] == pytest.approx(
        float(theory.cosine_flow(cosine=-0.5, time=5.0))
    )
    end = next(axis for title, axis in axes.items() if title.startswith("the end"))
    dotted = next(line for line in end.lines if line.get_label() == "slope $-1/(2d)$ (C2)")
    t, log_angle = (np.asarray(values, float) for values in dotted.get_data())
    assert np.diff(log_angle) / np.diff(t) == pytest.approx(-1 / 6)


def test_angles_keep_their_logarithm() -> None:
    c = np.array([1.0, np.cos(1e-3), 0.0, -1.0])
    np.testing.assert_allclose(np.exp(cosines._log_angles(c)), [1e-8, 1e-3, np.pi / 2, np.pi], rtol=1e-7)
