"""Figures normalised, schedules and post-activation as drawn, and their checks, against formulas by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from pictures import bars, draw, mass, panels, points, unnamed
from pictures import line as named
from planted_samples import planted
from scipy import stats

import figures
import theory
from figures import normalised
from figures._layer_points import log_layers
from figures._style import bin_edges
from montecarlo import ResNet, Sample, simulate
from montecarlo.estimates import log_mean_exp

LABELS = {
    "none": "none (I4, I6)",
    "pre-rms": "pre-RMSNorm (N1, N5)",
    "pre-tanh:1": r"DyT, $\tanh(h)$ (N12)",
    "peri-rms": "peri-RMSNorm (N9)",
    "post-rms": "post-RMSNorm (N10)",
}
L, D = 200, 128


def _disagreeing(name: str, samples: dict[ResNet, Sample]) -> list[str]:
    return [check.quantity for check in figures.find_figure(name).checks(samples) if not check.agrees]


@pytest.fixture(scope="module")
def norms() -> tuple[dict[ResNet, Any], Canvas]:
    definition = figures.find_figure("normalised")
    samples = planted(definition)
    return samples, draw(definition, samples)


def test_layers_of_a_panel_are_apart_and_of_one_curve_each() -> None:
    turns = [log_layers(L, 7, turn=turn, turns=5) for turn in range(5)]
    assert min(layers[0] for layers in turns) == 1
    assert max(layers[-1] for layers in turns) == L
    late = np.concatenate([layers[layers > 20] for layers in turns])
    assert len(set(late.tolist())) == len(late) > 10


def _curve(axis: Any, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the line that has the colour of the points of a label."""
    (artist,) = [c for c in axis.containers if str(c.get_label()) == label]
    (drawn,) = unnamed(axis, artist.lines[0].get_color())
    return drawn


def test_points_of_normalised_networks_are_their_quantiles(norms: tuple[dict[ResNet, Any], Canvas]) -> None:
    samples, canvas = norms
    axes = panels(canvas)
    assert all((axis.get_xscale(), axis.get_yscale()) == ("log", "log") for axis in axes)
    columns = ("log_hidden_path", "log_hidden_path", "log_gradient_path", "log_gradient_path")
    for axis, column, beta in zip(axes, columns, (0.0, 0.5, 0.0, 0.5), strict=True):
        for turn, (norm, label) in enumerate(LABELS.items()):
            (network,) = [net for net in samples if (net.norm, net.beta) == (norm, beta)]
            x, y, low, high = points(axis, label)
            assert x.tolist() == log_layers(L, 7, turn=turn, turns=5).tolist()
            logs = samples[network][column][:, x.astype(int)]
            quantiles = np.exp(np.quantile(logs, (0.05, 0.5, 0.95), axis=0))
            np.testing.assert_allclose([low, y, high], quantiles, rtol=1e-9)


def test_curves_of_normalised_networks_are_theirs(norms: tuple[dict[ResNet, Any], Canvas]) -> None:
    _, canvas = norms
    axes = panels(canvas)
    for column, a2 in ((0, 1.0), (1, 1 / L)):
        hidden, gradient = axes[column], axes[column + 2]
        k, plain = _curve(hidden, LABELS["none"])
        np.testing.assert_array_equal(k, np.arange(1, L + 1))
        lyapunov = theory.explosion_log_mean(width=D, depth=1, alpha=math.sqrt(a2)) / 2
        np.testing.assert_allclose(np.log(plain), k * lyapunov, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(np.log(_curve(gradient, LABELS["none"])[1]), (L - k) * lyapunov, atol=1e-6)
        # ReLU: c = c' = 1/2, and gradients are those of the walk the other way round.
        pre = np.sqrt(1 + a2 * k / 2)
        np.testing.assert_allclose(_curve(hidden, LABELS["pre-rms"])[1], pre, rtol=1e-9)
        np.testing.assert_allclose(_curve(gradient, LABELS["pre-rms"])[1], pre[-1] / pre, rtol=1e-9)
        peri = np.sqrt(1 + a2 * k)
        np.testing.assert_allclose(_curve(hidden, LABELS["peri-rms"])[1], peri, rtol=1e-9)
        slope = theory.peri_slope(width=D, hidden_width=D)
        drawn = np.log(_curve(gradient, LABELS["peri-rms"])[1])
        np.testing.assert_allclose(drawn, slope * np.log(peri[-1] / peri), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(_curve(hidden, LABELS["post-rms"])[1], 1.0)
        drawn = np.log(_curve(gradient, LABELS["post-rms"])[1])
        read_out = 0.5 * theory.read_out_law(width=D).expect(np.log)
        assert drawn[-1] == 0.0
        steps = np.diff(drawn[:-1])
        np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
        assert drawn[-2] + steps[0] == pytest.approx(read_out, abs=1e-5)
        if a2 < 1:
            assert steps[0] == pytest.approx(a2 / (2 * D), rel=1e-6)
        S = np.square(_curve(hidden, LABELS["pre-tanh:1"])[1])
        path = theory.dyt_recursion(depth=L, alpha=math.sqrt(a2))
        np.testing.assert_allclose(S, path.mean_square[1:], rtol=1e-9)
        drawn = 2 * np.log(_curve(gradient, LABELS["pre-tanh:1"])[1])
        np.testing.assert_allclose(drawn, path.log_gradient[-1] - path.log_gradient[1:], atol=1e-9)
    # What leaves the panel is said: exp(39.9).
    assert [text.get_text() for text in axes[0].texts] == [r"none: $2\cdot 10^{17}$ at $k = L$"]


@pytest.mark.statistical
def test_checks_of_normalised_networks_agree_and_notice_wrong_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    # 14 intervals at 99.9 %, seed fixed.
    samples = {
        point.resnet: simulate(
            point.resnet, replicas=300, seed=4, engine=point.engine, gradients="joint", trajectories=True
        )
        for point in figures.find_figure("normalised").points("quick")
    }
    assert _disagreeing("normalised", samples) == []
    c = normalised._walk
    monkeypatch.setattr(normalised, "_walk", lambda beta: 1.0 + 1.1 * (c(beta) - 1.0))
    wrong = _disagreeing("normalised", samples)
    assert wrong == [f"log E (‖h_L‖/‖h_0‖)², pre-rms, β = {beta} (N1)" for beta in ("0", "0.5")]
    monkeypatch.undo()
    # The critical scaling of peri-RMSNorm with c_P's limit 1 and the time 10 % off.
    limit = theory.peri_gradient_limit
    monkeypatch.setattr(theory, "peri_gradient_limit", lambda **given: limit(**given | {"time": 1.1}))
    recursion = theory.dyt_recursion
    monkeypatch.setattr(
        theory, "dyt_recursion", lambda **given: recursion(**given | {"alpha": 1.06 * given["alpha"]})
    )
    wrong = _disagreeing("normalised", samples)
    assert "log E (‖p_0‖/‖p_L‖)², peri-rms, β = 0.5, limit (N9)" in wrong
    assert "log E (‖p_0‖/‖p_L‖)², DyT, β = 0.5 (N12)" in wrong
    assert "log E (‖h_L‖/‖h_0‖)², DyT, β = 0.5 (N12)" in wrong


def test_schedules_have_their_points_curves_and_laws() -> None:
    definition = figures.find_figure("schedules")
    samples = planted(definition, spread=0.1)
    axes = panels(draw(definition, samples))
    growth, laws = axes[0], axes[1:]
    assert (growth.get_xscale(), growth.get_yscale()) == ("log", "log")
    k = np.arange(1.0, 301.0)
    rules = {
        r"$a_k = k^{-1/2}$": k**-0.5,
        r"$a_k = L^{-1/2}$": np.full(300, 300**-0.5),
        r"$a_k = 1/k$": 1 / k,
        r"$a_k = 0.15,\ b^2 = 1 - a_k^2/2$": np.full(300, 0.15),
    }
    assert [str(c.get_label()) for c in growth.containers] == list(rules)
    for network, (label, a) in zip(samples, rules.items(), strict=True):
        keeps = 1 - a**2 / 2 if "b^2" in label else 1.0
        assert network.skip**2 == pytest.approx(np.min(keeps))
        x, y, low, high = points(growth, label)
        paths = samples[network]["log_hidden_path"]
        for layer, middle, bottom, top in zip(x.astype(int), y, low, high, strict=True):
            found = log_mean_exp(paths[:, layer], power=2.0, confidence=0.99)
            assert (middle, bottom) == pytest.approx((math.exp(found.value / 2), math.exp(found.lower / 2)))
            assert top == pytest.approx(math.exp(found.upper / 2) if math.isfinite(found.upper) else middle)
        x, y = _curve(growth, label)
        np.testing.assert_allclose(y, np.sqrt(np.cumprod(keeps + a**2 / 2))[x.astype(int) - 1], rtol=1e-9)
    titles = list(rules)[1:]
    assert [axis.get_title() for axis in laws] == titles
    for axis, network, title in zip(laws, list(samples)[1:], titles, strict=True):
        rows = samples[network]["log_hidden_ratio"]
        _, heights = bars(axis, "40 networks a panel")
        np.testing.assert_allclose(heights, np.histogram(rows, bin_edges(rows), density=True)[0], atol=1e-9)
        tau = float(np.sum(rules[title] ** 2))
        mean = -tau / 20 if "b^2" in title else 0.5 * tau * (0.5 - 0.1)
        x, drawn = named(axis, r"normal law of the same")
        np.testing.assert_allclose(drawn, stats.norm(mean, math.sqrt(tau / 20)).pdf(x), rtol=1e-6)
        x, exact = named(axis, "exact (G1)")
        assert mass(x, exact) == pytest.approx(1.0, abs=2e-3)
        # The mean square of the ratio is that of the curves.
        square = np.prod(1.0 if "b^2" in title else 1 + rules[title] ** 2 / 2)
        assert mass(x, np.exp(2 * x) * exact) == pytest.approx(square, rel=0.02)


@pytest.mark.statistical
def test_checks_of_schedules_agree_and_notice_a_wrong_law(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten intervals at 99.9 %, seed fixed.
    samples = {
        point.resnet: simulate(point.resnet, replicas=20_000, seed=6, engine=point.engine, gradients="none")
        for point in figures.find_figure("schedules").points("quick")
    }
    assert _disagreeing("schedules", samples) == []
    square = theory.log_schedule_second_moment
    monkeypatch.setattr(
        theory,
        "log_schedule_second_moment",
        lambda **given: square(**given | {"alpha": 1.05 * np.asarray(given["alpha"])}),
    )
    assert len(_disagreeing("schedules", samples)) == 4  # α² is 10 % too large
    monkeypatch.setattr(theory, "log_schedule_second_moment", square)
    law = theory.ScheduleNormLaw
    monkeypatch.setattr(
        theory, "ScheduleNormLaw", lambda **given: law(**given | {"alpha": 1.05 * np.asarray(given["alpha"])})
    )
    wrong = _disagreeing("schedules", samples)
    assert {f"E log ‖h_L‖/‖h_0‖, {rule} (G1)" for rule in ("a = L^-0.5", "a_k = k^-1.0")} <= set(wrong)


def test_post_activation_has_its_points_curves_and_laws() -> None:
    definition = figures.find_figure("post-activation")
    samples = planted(definition)
    growth, critical, below = panels(draw(definition, samples))
    assert (growth.get_xscale(), growth.get_yscale()) == ("log", "log")
    m = 1 / math.sqrt(2 * math.pi)
    for name, beta in (("1/2", 0.5), ("3/4", 0.75), ("1", 1.0)):
        label = rf"$\beta = {name}$"
        network = ResNet(width=10, depth=1000, beta=beta, block="post-activation")
        x, y, low, high = points(growth, label)
        quantiles = np.quantile(
            samples[network]["log_hidden_path"][:, x.astype(int)], (0.05, 0.5, 0.95), axis=0
        )
        np.testing.assert_allclose([low, y, high], np.exp(quantiles), rtol=1e-9)
        k, curve = _curve(growth, label)
        np.testing.assert_allclose(curve, np.cosh(m * 1000**-beta * k), rtol=1e-9)
    k, curve = _curve(growth, r"res-3, $\beta = 1/2$")
    lyapunov = theory.explosion_log_mean(width=10, depth=1, alpha=1000**-0.5) / 2
    np.testing.assert_allclose(np.log(curve), k * lyapunov, rtol=1e-6)
    rng = np.random.default_rng(3)
    g = rng.standard_normal((10, 200_000))
    sine, cosine = (
        np.sqrt(1 - g.mean(0) ** 2 / np.square(g).mean(0)),
        g.mean(0) / np.sqrt(np.square(g).mean(0)),
    )
    flow = np.log(sine * np.cosh(m + np.arcsinh(cosine / sine)))
    for axis, depth, beta, shift in (
        (critical, 1000, 1.0, 0.0), (below, 6400, 0.5, m * 80.0),
    ):  # fmt: skip
        rows = samples[ResNet(width=10, depth=depth, beta=beta, block="post-activation")]["log_hidden_ratio"]
        edges, heights = bars(axis, "40 networks")
        np.testing.assert_allclose(edges, bin_edges(rows - shift), atol=1e-9)
        # A shift moves bars and rows alike; by hand it differs in the last digit, which may move a row.
        expected = np.histogram(rows, bin_edges(rows), density=True)[0]
        np.testing.assert_allclose(heights, expected, atol=1e-9)
    x, density = named(critical, "limit law (P1)")
    assert mass(x, density) == pytest.approx(1.0, abs=1e-3)
    for power in (1, 2):
        assert mass(x, x**power * density) == pytest.approx(np.mean(flow**power), abs=2e-3)
    x, density = named(below, "limit law (P2)")
    assert mass(x, density) == pytest.approx(1.0, abs=5e-3)
    s2 = 0.5 - 0.5 / math.pi
    mean = np.mean(np.log(0.5 + 0.5 * cosine)) + s2 * 0.9 / 4 - m**2 / 2 - s2 / 20
    assert mass(x, x * density) == pytest.approx(mean, abs=0.01)


@pytest.mark.statistical
def test_checks_of_post_activation_agree_and_notice_wrong_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    # Five intervals at 99.9 %, seed fixed.
    samples = {
        point.resnet: simulate(point.resnet, replicas=2_000, seed=2, engine=point.engine, gradients="none")
        for point in figures.find_figure("post-activation").points("quick")
        if (point.resnet.beta, point.resnet.depth) in ((1.0, 1000), (0.5, 6400))
    }
    assert _disagreeing("post-activation", samples) == []
    flow, law = theory.post_activation_flow, theory.post_activation_law
    monkeypatch.setattr(theory, "post_activation_flow", lambda **given: flow(**given | {"time": 1.25}))
    monkeypatch.setattr(
        theory,
        "post_activation_law",
        lambda **given: stats.norm(law(**given).mean() + 0.05, law(**given).std()),
    )
    wrong = _disagreeing("post-activation", samples)
    assert "E log ‖h_L‖/‖h_0‖, β = 1, limit (P1)" in wrong
    assert "E log ‖h_L‖/‖h_0‖ − m√L, β = 1/2, limit (P2)" in wrong
