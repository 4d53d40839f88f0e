"""Figures: drawn from saved samples, deterministic bytes, numbers beside theory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exact_samples import exact_sample
from matplotlib.text import Annotation

import figures
import theory
from figures import small_width
from figures._depth_panels import DEPTHS, PAPER_DEPTHS
from figures._independent_panels import BETAS
from figures._initial_norm import initial_mean_square_rule
from figures._points import Report
from figures._style import bin_edges
from montecarlo import InvalidFieldError, Request, ResNet
from montecarlo.estimates import Estimate

FEW = (10, 120)
"""Depths in place of all, so that the figure is quick."""


@pytest.fixture(scope="module")
def few_depths() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("figures._depth_panels.DEPTHS", FEW)
        patch.setattr("figures._depth_panels.PAPER_DEPTHS", FEW)
        yield


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, few_depths: None) -> tuple[Path, figures.DrawnFigure]:
    folder = tmp_path_factory.mktemp("figures")
    return folder, figures.draw_figure("1", out=folder, seed=3)


def _checks(name: str, folder: Path) -> list[figures.Check]:
    """Return a figure's checks on the samples of a folder, without drawing it."""
    definition = figures.find_figure(name)
    samples = {
        point.resnet: point.saved(folder / "samples" / f"{point.stem}-seed-3.parquet", 3, None, Report())
        for point in definition.points("quick")
    }
    return definition.checks(samples)


def test_files_are_whole(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    _, figure = drawn
    pdf, png = figure.paths
    assert pdf.read_bytes().startswith(b"%PDF")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert figure.networks == 50 * len(BETAS) * len(FEW) + 20_000


def test_the_record_says_what_stands_behind_a_figure(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    _, figure = drawn
    record = figures.read_record(figure.record)
    assert record["command"] == "largedepth figures 1 --quick --seed 3"
    assert record["networks"] == record["networks_of_other_setting"] == figure.networks
    assert {sample["engine"] for sample in record["samples"]} == {"dense", "radial"}
    assert record["samples"][0]["specification"]["weights"] == "uniform"
    assert sum(sample["networks"] for sample in record["samples"]) == figure.networks
    for check, kept in zip(figure.checks, record["checks"], strict=True):
        assert (kept["quantity"], kept["verdict"]) == (check.quantity, check.verdict)
        # An end that is not there is None: JSON has no infinity.
        assert kept["interval"][1] == (check.estimate.upper if np.isfinite(check.estimate.upper) else None)
    figure_7 = figures.find_figure("7").points("quick")[0]
    assert figure_7.varied["beta"][-1] == 1.3


def test_second_drawing_simulates_nothing_and_has_the_same_bytes(
    drawn: tuple[Path, figures.DrawnFigure], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, figure = drawn
    before = [path.read_bytes() for path in figure.paths]

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("the samples were there")

    monkeypatch.setattr("montecarlo.samples._to_file.collect_rows", forbidden)
    again = figures.draw_figure("1", out=folder, seed=3)
    assert [path.read_bytes() for path in again.paths] == before
    # Figure 3 draws other columns of the same networks; the last point of either is for checks alone.
    first, third = (figures.find_figure(name).points("quick") for name in ("1", "3"))
    assert third[:-1] == first[:-1]


@pytest.mark.statistical
def test_checks_agree_with_theory(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    # Intervals at 99.9 %, seed fixed: 14 checks fail by chance for 1.4 % of the seeds.
    folder, figure = drawn
    checks = figure.checks + _checks("3", folder)
    assert len(checks) == 14
    assert all(check.agrees for check in checks), [str(check) for check in checks if not check.agrees]


def test_checks_notice_a_wrong_theory(
    drawn: tuple[Path, figures.DrawnFigure], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = drawn
    true = theory.log_hidden_difference_second_moment
    monkeypatch.setattr(
        theory,
        "log_hidden_difference_second_moment",
        lambda *, depth, alpha: true(depth=depth, alpha=1.3 * np.asarray(alpha)),
    )
    assert not _checks("1", folder)[0].agrees


def test_unknown_figure_names_the_known_ones() -> None:
    with pytest.raises(InvalidFieldError, match=", ".join(figures.FIGURES)):
        figures.find_figure("17")


@pytest.mark.parametrize("name", list(figures.FIGURES))
def test_every_figure_describes_itself(name: str) -> None:
    definition = figures.find_figure(name)
    assert definition.name == name
    assert len(definition.caption) > 150
    # What agrees with the paper and what differs, for each of its figures and for no other.
    assert bool(definition.paper) == name.isdigit()
    for setting in ("quick", "paper"):
        resnets = [point.resnet for point in definition.points(setting)]
        assert len(set(resnets)) == len(resnets)


def test_every_figure_is_read_back_from_its_axes() -> None:
    read = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_drawn_*.py"))
    missing = [name for name in figures.FIGURES | figures.TRAINED if f'"{name}"' not in read]
    assert missing == []


def test_paper_sizes() -> None:
    uniform, gaussian, _ = figures.find_figure("2").points("paper")
    assert (uniform.resnet.weights, uniform.replicas, uniform.engine) == ("uniform", 10_000, "auto")
    assert (uniform.resnet.width, uniform.resnet.depth) == (100, 1000)
    assert (gaussian.replicas, gaussian.engine) == (10_000, "gaussian")
    assert (gaussian.resnet.width, gaussian.resnet.depth) == (100, 1000)
    assert figures.find_figure("convergence").points("paper") == []


def test_two_points_of_one_specification_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = figures.Point(ResNet(width=3, depth=2, beta=0.5), 2)
    twice = replace(figures.find_figure("1"), points=lambda setting: [point, replace(point, engine="dense")])
    monkeypatch.setattr("figures._draw.find_figure", lambda name: twice)
    with pytest.raises(ValueError, match="two points"):
        figures.draw_figure("1", out=tmp_path)


def test_points_share_a_file_only_if_they_share_rows() -> None:
    net = ResNet(width=3, depth=2, beta=0.5)
    points = [
        figures.Point(net, 10),
        figures.Point(net, 10, engine="dense"),
        figures.Point(net, 10, request=Request(gradients=False)),
        figures.Point(net, 10, request=Request(gradients=False, trajectories=True)),
    ]
    assert len({point.stem for point in points}) == 4
    assert figures.Point(net, 20).stem == points[0].stem


def test_computed_numbers_have_a_tolerance() -> None:
    close = figures.Check("order", 1.0, figures.Computed(1.009, 0.01, "fit"))
    assert close.agrees
    assert "tolerance 0.01" in str(close.estimate)
    assert not replace(close, predicted=1.03).agrees
    assert not replace(close, predicted=float("nan")).agrees


def test_rule_of_the_first_state_has_its_moments() -> None:
    # Exact by hand: E S = c²/3; E S² = c⁴ (1/9 + 4/(45 n)) (1 + 2/d).
    rule: Callable[..., tuple[np.ndarray, np.ndarray]] = initial_mean_square_rule
    S, weight = rule(width=5, input_dim=7, input_scale=2.0, nodes=6)
    assert np.all(S > 0.0)
    assert weight.sum() == pytest.approx(1.0, abs=1e-12)
    assert weight @ S == pytest.approx(4 / 3, rel=1e-10)
    assert weight @ S**2 == pytest.approx(16 * (1 / 9 + 4 / (45 * 7)) * (1 + 2 / 5), rel=1e-10)


@pytest.mark.statistical
def test_rule_of_the_first_state_averages_like_draws() -> None:
    # A function without a closed form; five standard errors, false alarm 6e-7.
    rng = np.random.default_rng(11)
    n = 100_000
    S = (rng.random((n, 64)) ** 2).mean(axis=1) * rng.chisquare(40, n) / 40
    nodes, weight = initial_mean_square_rule(width=40, input_dim=64, input_scale=1.0, nodes=6)
    values = np.sqrt(S)
    assert abs(weight @ np.sqrt(nodes) - values.mean()) < 5 * values.std() / np.sqrt(n)


def test_resolution_is_what_a_check_would_notice() -> None:
    estimate = Estimate(value=1.0, lower=0.9, upper=1.2, confidence=0.999, n=10, method="t")
    check = figures.Check("x", 1.1, estimate)
    assert check.simulated
    assert check.verdict == "agrees"
    assert check.resolution == pytest.approx(0.2)
    for wrong in (1.1 + 0.21, 1.1 - 0.21):
        assert replace(check, predicted=wrong).verdict == "outside"
    one_sided = replace(check, estimate=replace(estimate, upper=float("inf")))
    assert one_sided.verdict == "undecided"


def test_curves_of_depth_panels_bend_where_theory_does() -> None:
    # The median is drawn by straight lines between depths: on the log axis of β = 1 none may leave the curve,
    # L^{-1/2}, by 3 %. The paper's ten depths alone do, between 10 and 120.
    def worst(depths: tuple[int, ...]) -> float:
        fine = np.arange(depths[0], depths[-1] + 1)
        chord = np.interp(fine, depths, -0.5 * np.log(depths))
        return float(np.abs(chord + 0.5 * np.log(fine)).max())

    assert worst(DEPTHS) < 0.03
    assert worst(PAPER_DEPTHS) > 0.3
    assert set(PAPER_DEPTHS) <= set(DEPTHS)


def test_probability_curve_is_the_exact_law_between_its_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_width, "_NODES", small_width._NODES[:4])
    monkeypatch.setattr(small_width, "_CURVE", np.array([10.0, 15.0, 70.0]))
    for width in (1, 3):
        exact = [small_width._probability_above(width, depth) for depth in (10, 15, 70)]
        np.testing.assert_allclose(small_width._probability_curve(width), exact, atol=1e-3)


@pytest.mark.usefixtures("few_depths")
def test_an_interval_without_upper_end_has_an_arrow() -> None:
    rng = np.random.default_rng(1)
    heavy = {0.25: 3.0, 0.5: 0.1, 1.0: 0.1}  # only the spread at β = 1/4 is too wide for 50 rows
    samples = {
        p.resnet: exact_sample(p, *(heavy[p.resnet.beta or 0.0] * rng.standard_normal((2, 50))))
        for p in figures.find_figure("1").points("quick")
    }
    canvas = figures.find_figure("1").draw(samples)
    arrows = [sum(isinstance(text, Annotation) for text in axis.texts) for axis in canvas.axes]
    assert arrows == [0, len(FEW), 0]
    labels = [text.get_text() for text in canvas.legends[0].get_texts()]
    assert "arrow: 99 % interval without upper end" in labels
    assert len([label for label in labels if label.startswith("limit at")]) == 3


def test_bins_are_equal_and_cover_every_sample() -> None:
    rng = np.random.default_rng(2)
    small, large = rng.normal(size=200), rng.normal(size=5000)
    edges = bin_edges(small, large)
    np.testing.assert_allclose(np.diff(edges), edges[1] - edges[0])
    assert edges[0] <= min(small.min(), large.min())
    assert edges[-1] >= max(small.max(), large.max())
    assert bin_edges(np.ones(3)).size >= 2
