"""Checks of figures that show laws agree with right samples and notice wrong theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact_samples import exact_sample

import figures
import theory
from figures import convergence
from montecarlo import ResNet, Sample, simulate


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
        samples[point.resnet] = exact_sample(point, rows, difference.rvs(size=n, random_state=rng))
    samples[linear.resnet] = simulate(linear.resnet, replicas=linear.replicas, seed=8, engine="gaussian")
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
    monkeypatch.setattr(theory, "critical_log_difference_law", limit)
    low, high = theory.critical_gradient_bounds()
    monkeypatch.setattr(theory, "critical_gradient_bounds", lambda: (1.04 * low, 1.04 * high))
    assert [quantity[-4:] for quantity in _disagreeing("2", histogram_samples)] == ["(I9)"] * 2


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
