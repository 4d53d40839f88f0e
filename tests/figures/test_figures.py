"""Figures: drawn from saved samples, deterministic bytes, numbers beside theory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Annotation

import figures
import theory
from figures import convergence, small_width
from figures._depth_panels import DEPTHS, PAPER_DEPTHS
from figures._figure import FigureDefinition, Setting
from figures._independent_panels import BETAS
from figures._initial_norm import initial_mean_square_rule
from figures._style import bin_edges
from montecarlo import InvalidFieldError, Request, ResNet, Sample, simulate
from montecarlo.estimates import Estimate

NEW = ("2", "small-width", "activations", "convergence")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, figures.DrawnFigure]:
    folder = tmp_path_factory.mktemp("figures")
    return folder, figures.draw_figure("1", out=folder, seed=3)


def test_files_are_whole(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    _, figure = drawn
    pdf, png = figure.paths
    assert pdf.read_bytes().startswith(b"%PDF")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert figure.networks == 50 * len(BETAS) * len(DEPTHS) + 20_000


def test_the_record_says_what_stands_behind_a_figure(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    _, figure = drawn
    record = figures.read_record(figure.record)
    assert record["command"] == "largedepth figures 1 --quick --seed 3"
    assert (record["networks"], record["networks_of_other_setting"]) == (figure.networks, 102_400)
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

    monkeypatch.setattr("montecarlo._sample_file.iter_blocks", forbidden)
    again = figures.draw_figure("1", out=folder, seed=3)
    assert [path.read_bytes() for path in again.paths] == before
    # Figure 3 draws other columns of the same networks; the last point of either is for checks alone.
    first, third = (figures.find_figure(name).points("quick") for name in ("1", "3"))
    assert third[:-1] == first[:-1]


@pytest.mark.statistical
def test_checks_agree_with_theory(drawn: tuple[Path, figures.DrawnFigure]) -> None:
    # Intervals at 99.9 %, seed fixed: 14 checks fail by chance for 1.4 % of the seeds.
    folder, figure = drawn
    checks = figure.checks + figures.draw_figure("3", out=folder, seed=3).checks
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
    checks = figures.draw_figure("1", out=folder, seed=3).checks
    assert not checks[0].agrees


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


def test_paper_sizes() -> None:
    uniform, gaussian, _ = figures.find_figure("2").points("paper")
    assert (uniform.replicas, gaussian.replicas) == (10_000, 100_000)
    assert (gaussian.resnet.width, gaussian.resnet.depth) == (100, 1000)
    assert gaussian.engine == "gaussian"
    assert figures.find_figure("convergence").points("paper") == []


def _small(name: str, replicas: int) -> FigureDefinition:
    """Return a figure that takes few networks."""
    definition = figures.find_figure(name)

    def points(setting: Setting) -> list[figures.Point]:
        return [replace(p, replicas=min(p.replicas, replicas)) for p in definition.points(setting)]

    return replace(definition, points=points)


@pytest.mark.parametrize("name", NEW)
def test_new_figures_draw_from_small_samples_with_the_same_bytes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("figures._draw.find_figure", lambda name: _small(name, 24))
    monkeypatch.setattr("figures.small_width._NODES", (1_000, 3_000))
    monkeypatch.setattr("figures.small_width._DEPTHS", (1_000, 3_000))
    monkeypatch.setattr("figures.convergence._WIDTHS", (10, 40))
    first = figures.draw_figure(name, out=tmp_path, seed=1)
    before = [path.read_bytes() for path in first.paths]
    assert before[0].startswith(b"%PDF")
    assert before[1].startswith(b"\x89PNG")

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("the samples were there")

    monkeypatch.setattr("montecarlo._sample_file.iter_blocks", forbidden)
    again = figures.draw_figure(name, out=tmp_path, seed=1)
    assert [path.read_bytes() for path in again.paths] == before
    assert again.networks == first.networks == sum(p.replicas for p in _small(name, 24).points("quick"))


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


# Laws of small samples: exact draws in place of networks, so that sizes are free.


def _exact_sample(point: figures.Point, log_ratio: np.ndarray, log_difference: np.ndarray) -> Sample:
    columns = {
        "log_hidden_ratio": log_ratio, "log_hidden_difference": log_difference,
        "log_gradient_ratio": log_ratio, "log_gradient_difference": log_difference,
    }  # fmt: skip
    return Sample(point.resnet, 0, "gaussian", 0, columns)


@pytest.fixture(scope="module")
def histogram_samples() -> dict[ResNet, Sample]:
    rng = np.random.default_rng(8)
    uniform, gaussian, linear = figures.find_figure("2").points("quick")
    difference = theory.critical_log_difference_law(width=100)
    samples = {}
    for point in (uniform, gaussian):
        n = point.replicas
        exact = theory.ExactNormLaw(width=100, depth=1000, alpha=1000**-0.5)
        rows = np.asarray(exact.ppf(rng.random(n)))
        samples[point.resnet] = _exact_sample(point, rows, difference.rvs(size=n, random_state=rng))
    samples[linear.resnet] = simulate(linear.resnet, replicas=500, seed=8, engine="gaussian")
    return samples


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("log_gradient_ratio", ("between the laws of ‖h_L‖/‖h_0‖ and", "(I7)")),
        ("log_gradient_difference", ("between the laws of ‖h_L−h_0‖/‖h_0‖ and", "res-3, lower end (I9)")),
    ],
)
def test_gradients_of_another_law_than_hidden_states_are_noticed(
    column: str, words: tuple[str, ...], histogram_samples: dict[ResNet, Sample]
) -> None:
    samples = {
        resnet: replace(sample, columns=sample.columns | {column: sample[column] + 0.05})
        for resnet, sample in histogram_samples.items()
    }
    wrong = _disagreeing("2", samples)
    for word in words:
        assert any(word in quantity for quantity in wrong), (word, wrong)


def _disagreeing(name: str, samples: dict[ResNet, Sample]) -> list[str]:
    return [check.quantity for check in figures.find_figure(name).checks(samples) if not check.agrees]


@pytest.mark.statistical
def test_histogram_checks_agree_and_notice_a_wrong_law(
    histogram_samples: dict[ResNet, Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    # 23 intervals at 99.9 %, seed fixed.
    assert _disagreeing("2", histogram_samples) == []
    true = theory.ExactNormLaw
    monkeypatch.setattr(theory, "ExactNormLaw", lambda **given: true(**given | {"alpha": 0.03239}))
    wrong = _disagreeing("2", histogram_samples)  # α² is 5 % too large
    assert "E log ‖h_L‖/‖h_0‖, Gaussian, exact (I6)" in wrong
    assert "Kolmogorov distance to the law of ‖p_0‖/‖p_L‖, Gaussian, exact (I6)" in wrong
    monkeypatch.setattr(theory, "ExactNormLaw", true)
    limit = theory.critical_log_difference_law
    monkeypatch.setattr(theory, "critical_log_difference_law", lambda *, width: limit(width=width, time=1.05))
    wrong = _disagreeing("2", histogram_samples)
    assert wrong == [
        "Kolmogorov distance to the law of ‖h_L−h_0‖/‖h_0‖, Gaussian, limit (S2)",
        "Kolmogorov distance to the law of ‖p_0−p_L‖/‖p_L‖, Gaussian, limit (S2)",
    ]


@pytest.mark.statistical
def test_small_width_checks_agree_and_notice_a_wrong_law(monkeypatch: pytest.MonkeyPatch) -> None:
    # Twelve intervals at 99.9 %, seed fixed; the networks themselves at depth 1000, few at 100,000.
    samples = {
        point.resnet: simulate(
            point.resnet,
            replicas=point.replicas if point.resnet.depth == 1000 else 50,
            seed=5,
            engine=point.engine,
            gradients="none",
        )
        for point in figures.find_figure("small-width").points("quick")
        if point.resnet.depth in (1000, 100_000)
    }
    assert _disagreeing("small-width", samples) == []
    true = theory.ExactNormLaw
    monkeypatch.setattr(
        theory, "ExactNormLaw", lambda **given: true(**given | {"alpha": 1.025 * given["alpha"]})
    )
    wrong = _disagreeing("small-width", samples)  # α² is 5 % too large
    assert "E log ‖h_L‖/‖h_0‖, d = 1, L = 1000" in wrong
    assert "E log ‖h_L‖/‖h_0‖, d = 10, L = 1000" in wrong


@pytest.mark.statistical
def test_activation_checks_agree_and_notice_a_wrong_law(monkeypatch: pytest.MonkeyPatch) -> None:
    # ReLU and tanh as networks would be, from S3 itself given a first state drawn as in `ResNet`.
    rng = np.random.default_rng(3)
    n = 20_000
    samples = {}
    for point in figures.find_figure("activations").points("quick"):
        resnet = point.resnet
        x = resnet.input_scale * rng.random((n, resnet.input_dim))
        start = (x**2).mean(axis=1) * rng.chisquare(resnet.width, n) / resnet.width
        rows = _draw_norms(str(resnet.activation), resnet.width, start, rng.random(n))
        samples[resnet] = Sample(resnet, 0, "gaussian", 0, {"log_hidden_ratio": rows})
    assert _disagreeing("activations", samples) == []
    true = theory.log_norm_diffusion_law
    monkeypatch.setattr(theory, "log_norm_diffusion_law", lambda **given: true(**given, time=1.04))
    wrong = _disagreeing("activations", samples)
    for activation in ("relu", "gelu", "tanh", "sin"):
        assert f"E log ‖h_L‖/‖h_0‖, {activation}, limit (S3)" in wrong


def _draw_norms(activation: str, width: int, start: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return S3 draws by inversion, interpolated between first states on a grid."""
    grid = np.linspace(start.min(), start.max(), 12)
    levels = np.concatenate([[1e-7, 1e-4], np.linspace(1e-3, 1 - 1e-3, 100), [1 - 1e-4, 1 - 1e-7]])
    table = np.array([
        theory.log_norm_diffusion_law(
            activation=activation, width=width, initial_mean_square=float(s)
        ).ppf(levels)
        for s in grid
    ])  # fmt: skip
    place = (start - grid[0]) / (grid[1] - grid[0])
    below = np.minimum(place.astype(int), grid.size - 2)
    share = place - below
    low = np.array([np.interp(u, levels, table[i]) for u, i in zip(uniform, below, strict=True)])
    high = np.array([np.interp(u, levels, table[i + 1]) for u, i in zip(uniform, below, strict=True)])
    return (1 - share) * low + share * high


def test_convergence_checks_notice_a_wrong_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convergence, "_WIDTHS", (1, 10, 40))
    assert _disagreeing("convergence", {}) == []
    true = theory.convergence_in_law
    known = {width: convergence._result(true, width) for width in (1, 10, 40)}

    def wrong_limit(*, width: int, depths: tuple[int, ...]) -> theory.ConvergenceInLaw:
        # A limit off by 3 % of its spread: distances level off at 0.012 instead of vanishing.
        return replace(
            known[width],
            depths=depths,
            kolmogorov=tuple(k + 0.012 for k in known[width].kolmogorov),
            wasserstein=tuple(w + 0.03 / np.sqrt(2 * width) for w in known[width].wasserstein),
        )

    monkeypatch.setattr(theory, "convergence_in_law", wrong_limit)
    assert len(_disagreeing("convergence", {})) == 6


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
    monkeypatch.setattr(small_width, "_NODES", small_width._NODES[:5])
    monkeypatch.setattr(small_width, "_CURVE", np.array([10.0, 15.0, 70.0, 150.0]))
    for width in (1, 3):
        exact = [small_width._probability_above(width, depth) for depth in (10, 15, 70, 150)]
        np.testing.assert_allclose(small_width._probability_curve(width), exact, atol=1e-3)


def test_an_interval_without_upper_end_has_an_arrow() -> None:
    rng = np.random.default_rng(1)
    heavy = {0.25: 3.0, 0.5: 0.1, 1.0: 0.1}  # only the spread at β = 1/4 is too wide for 50 rows
    samples = {
        p.resnet: _exact_sample(p, *(heavy[p.resnet.beta or 0.0] * rng.standard_normal((2, 50))))
        for p in figures.find_figure("1").points("quick")
    }
    canvas = figures.find_figure("1").draw(samples)
    arrows = [sum(isinstance(text, Annotation) for text in axis.texts) for axis in canvas.axes]
    assert arrows == [0, len(PAPER_DEPTHS), 0]
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
