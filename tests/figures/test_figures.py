"""Figures: drawn from saved samples, deterministic bytes, numbers beside theory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import figures
from figures._depth_panels import BETAS, DEPTHS
from montecarlo import InvalidFieldError, Sample


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, figures.DrawnFigure]:
    folder = tmp_path_factory.mktemp("figures")
    return folder, figures.draw_figure("1", out=folder, seed=3)


def test_files_are_whole(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    _, figure = drawn
    pdf, png = figure.paths
    assert pdf.read_bytes().startswith(b"%PDF")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert figure.networks == 50 * len(BETAS) * len(DEPTHS)


def test_second_drawing_simulates_nothing_and_has_the_same_bytes(
    drawn: tuple[Path, figures.DrawnFigure], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, figure = drawn
    before = [path.read_bytes() for path in figure.paths]

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("the samples were there")

    monkeypatch.setattr("montecarlo._sample_file.iter_blocks", forbidden)
    again = figures.draw_figure("1", out=folder, seed=3)
    assert [path.read_bytes() for path in again.paths] == before
    # Figure 3 draws other columns of the same networks.
    assert figures.draw_figure("3", out=folder, seed=3).networks == figure.networks


@pytest.mark.statistical
def test_checks_agree_with_theory(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    # Intervals at 99.9 %, seed fixed: six checks fail by chance for 0.6 % of the seeds.
    folder, figure = drawn
    checks = figure.checks + figures.draw_figure("3", out=folder, seed=3).checks
    assert len(checks) == 6
    assert all(check.agrees for check in checks), [str(check) for check in checks if not check.agrees]


def test_checks_notice_a_wrong_theory(
    drawn: tuple[Path, figures.DrawnFigure], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = drawn
    import theory

    true = theory.log_hidden_difference_second_moment
    monkeypatch.setattr(
        theory,
        "log_hidden_difference_second_moment",
        lambda *, depth, alpha: true(depth=depth, alpha=1.3 * np.asarray(alpha)),
    )
    checks = figures.draw_figure("1", out=folder, seed=3).checks
    assert not checks[0].agrees


def test_unknown_figure_names_the_known_ones() -> None:
    with pytest.raises(InvalidFieldError, match="1, 2, 3"):
        figures.find_figure("7")


def test_histograms_draw_from_any_sample() -> None:
    definition = figures.find_figure("2")
    (point,) = definition.points("quick")
    (paper,) = definition.points("paper")
    assert paper.replicas == 10_000
    assert paper.resnet == point.resnet
    rng = np.random.default_rng(0)
    names = ("log_hidden_ratio", "log_hidden_difference", "log_gradient_ratio", "log_gradient_difference")
    columns = {name: 0.07 * rng.standard_normal(300) for name in names}
    sample = Sample(point.resnet, 0, "dense", 0, columns)
    canvas = definition.draw({point.resnet: sample})
    assert [len(axis.patches) > 0 for axis in canvas.axes] == [True] * 4
    assert len(definition.checks({point.resnet: sample})) == 4
