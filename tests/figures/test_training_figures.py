"""Figures 8 and 9 in small: drawn from saved outcomes with equal bytes, checks that notice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax")
pytest.importorskip("optax")
pytest.importorskip("sklearn")

import figures
from figures import trained_accuracy
from figures._figure import Check, FigureDefinition
from figures._points import Report
from figures._training_points import TrainedCell
from montecarlo import ResNet
from montecarlo.runs import running
from montecarlo.store import Store
from montecarlo.training import RATES, TrainingPlan


def small(name: str) -> FigureDefinition:
    """Return a figure whose networks are shallow, trained at two rates for three epochs."""
    definition = figures.find_figure(name)

    def points(setting: object) -> list:
        del setting
        return [
            replace(
                point,
                resnet=ResNet(
                    width=8, depth=24, beta=point.resnet.beta, block="res-1", weights=point.resnet.weights,
                    input_dim=64,
                ),
                rates=(0.01, 0.1),
                plan=TrainingPlan(epochs=3),
            )
            for point in definition.points("quick")[:: 3 if name == "9" else 1]
        ]  # fmt: skip

    return replace(definition, points=points)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both figures: training is what takes time, so it is done once for all tests."""
    made = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("figures._draw.find_figure", small)
        for name in figures.TRAINED:
            drawn = figures.draw_figure(name, out=made, seed=1)
            assert drawn.networks == 2 * len(small(name).points("quick"))
    return made


@pytest.mark.parametrize("name", list(figures.TRAINED))
def test_a_second_drawing_trains_nothing(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("figures._draw.find_figure", small)
    before = [(folder / f"figure-{name}{suffix}").read_bytes() for suffix in (".pdf", ".png")]
    assert before[1].startswith(b"\x89PNG")

    def forbidden(*args: object) -> None:
        raise AssertionError("the outcomes were there")

    monkeypatch.setattr("montecarlo.training._fit.train_networks", forbidden)
    again = figures.draw_figure(name, out=folder, seed=1)
    assert [path.read_bytes() for path in again.paths] == before


def test_a_results_folder_in_use_keeps_the_outcomes(tmp_path: Path) -> None:
    points = [replace(point, entries=0, rates=(0.1,)) for point in small("8").points("quick")]
    for place, trained in (("first", 3), ("second", 0)):
        count: list[int] = []
        (tmp_path / place).mkdir()
        with running(store=Store.open(tmp_path / "store")):
            for point in points:
                point.saved(tmp_path / place / f"{point.stem}.parquet", 1, None, Report(count.append))
        assert sum(count) == trained
        assert list((tmp_path / place).iterdir()) == []


def test_torn_paths_are_made_again(tmp_path: Path, folder: Path) -> None:
    files = []
    for point in small("8").points("quick"):
        name = f"{point.stem}-seed-1.npz"
        shutil.copy(folder / "samples" / name, tmp_path / name)
        files.append(tmp_path / name)
    shutil.copytree(folder / "samples" / "trained", tmp_path / "trained")
    whole = [file.read_bytes() for file in files]
    files[0].write_bytes(b"")
    files[1].write_bytes(whole[1][:200])
    files[2].write_bytes(whole[2][:150] + bytes([whole[2][150] ^ 1]) + whole[2][151:])
    for point, file in zip(small("8").points("quick"), files, strict=True):
        point.saved(file.with_suffix(".parquet"), 1, None, Report())
    assert [file.read_bytes() for file in files] == whole


@pytest.mark.parametrize("name", list(figures.TRAINED))
def test_trained_figures_describe_themselves(name: str) -> None:
    definition = figures.find_figure(name)
    assert definition.name == name
    assert len(definition.caption) > 150
    for setting in ("quick", "paper"):
        points = definition.points(setting)
        assert len({point.resnet for point in points}) == len(points)
        assert all(point.networks == len(RATES) for point in points)


def test_settings_are_those_of_the_paper() -> None:
    quick, paper = (figures.find_figure("9").points(setting) for setting in ("quick", "paper"))
    assert (len(quick), {point.resnet.depth for point in quick}) == (25, {200})
    assert (len(paper), {point.resnet.depth for point in paper}) == (200, {1000})
    assert {point.resnet.width for point in [*quick, *paper]} == {30}


def _accuracy_checks(accuracy: Callable[[float, float], float]) -> list[Check]:
    """Return the checks of Figure 9 for accuracies given as a function of β − β_c and the growth."""
    samples = {}
    for point in figures.find_figure("9").points("quick"):
        hurst, beta = trained_accuracy._hurst(point.resnet), float(point.resnet.beta)
        distance = beta - max(hurst, 0.5)
        growth = -5.0 * distance
        samples[point.resnet] = _Cell(growth, accuracy(distance, growth))
    return figures.find_figure("9").checks(samples)


class _Cell:
    def __init__(self, growth: float, accuracy: float) -> None:
        self.growth = growth
        self.best = None if np.isnan(accuracy) else type("Best", (), {"accuracy": accuracy})()


def test_checks_of_accuracy_notice_another_boundary() -> None:
    def agrees(function: Callable[[float, float], float]) -> list[bool]:
        return [bool(check.agrees) for check in _accuracy_checks(function)]

    assert agrees(lambda distance, growth: 0.97 if distance >= 0 else 0.5 - growth / 20) == [True] * 3
    # A boundary that is 0.2 higher: cells above the line do not train.
    assert agrees(lambda distance, growth: 0.97 if distance >= 0.2 else np.nan)[0] is False
    # No boundary at all.
    assert agrees(lambda distance, growth: 0.97)[1] is False
    # Accuracy that rises with growth.
    assert agrees(lambda distance, growth: 0.1 if distance >= 0 else 0.5 + growth / 20)[2] is False


def test_checks_of_weights_notice_a_lost_regularity(folder: Path) -> None:
    definition = small("8")
    cells = {
        point.resnet: point.saved(folder / "samples" / f"{point.stem}-seed-1.parquet", 1, None, Report())
        for point in definition.points("quick")
    }
    quantities = [check.quantity for check in definition.checks(cells)]
    assert len(quantities) == 9
    rough = next(net for net in cells if net.weights == "gaussian")
    best = cells[rough].best
    assert best is not None
    assert best.after is not None
    kept = best.after.regularity_without_mean
    assert kept is not None
    smoothed = replace(best, after=replace(best.after, regularity_without_mean=replace(kept, value=1.9)))
    wrong = cells | {rough: TrainedCell([smoothed], 0.0)}
    checks = {check.quantity: check for check in definition.checks(wrong)}
    lost = [q for q, check in checks.items() if not check.agrees and "after training" in q]
    assert any("gaussian, β = 1," in quantity for quantity in lost)


@pytest.mark.parametrize("name", ["8", "9"])
def test_they_say_what_agrees_with_the_paper(name):
    definition = figures.find_figure(name)
    assert definition.paper.startswith("As in the paper: ")
    assert "Different: " in definition.paper
