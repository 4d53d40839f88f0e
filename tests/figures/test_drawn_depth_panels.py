"""Figures 1, 3, 4 and 5 as drawn, against formulas by hand, from samples of planted numbers."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import band, draw, line, lines, panels, points
from planted_samples import LEVELS, planted
from scipy import integrate, stats

import figures
import theory
from figures._depth_panels import DEPTHS, PAPER_DEPTHS
from montecarlo import ResNet
from montecarlo.estimates import log_mean_exp

d = 40
COLUMNS = {
    "1": "log_hidden_difference", "3": "log_gradient_difference",
    "4": "log_hidden_difference", "5": "log_gradient_difference",
}  # fmt: skip
LABELS = {
    "log_hidden_difference": r"$\Vert h_L - h_0\Vert \,/\, \Vert h_0\Vert$",
    "log_gradient_difference": r"$\Vert p_0 - p_L\Vert \,/\, \Vert p_L\Vert$",
}
# The regimes from left to right, and the scale of the vertical axis.
PANELS = {
    "1": ((1.0, "identity", "log"), (0.25, "explosion", "log"), (0.5, "critical", "linear")),
    "3": ((1.0, "identity", "log"), (0.25, "explosion", "log"), (0.5, "critical", "linear")),
    "4": ((2.0, "identity", "log"), (0.5, "explosion", "log"), (1.0, "critical", "linear")),
    "5": ((2.0, "identity", "log"), (0.5, "explosion", "log"), (1.0, "critical", "linear")),
}
WEIGHTS = {"1": "uniform", "3": "uniform", "4": "rbf:0.01", "5": "rbf:0.01"}


@pytest.fixture(scope="module")
def pictures() -> dict:
    found = {}
    for name in COLUMNS:
        definition = figures.find_figure(name)
        samples = planted(definition)
        found[name] = samples, panels(draw(definition, samples))
    return found


@pytest.mark.parametrize("name", COLUMNS)
def test_networks_are_those_of_the_column_that_the_axis_names(name: str, pictures: dict) -> None:
    samples, axes = pictures[name]
    assert axes[0].get_ylabel() == LABELS[COLUMNS[name]]
    assert [axis.get_ylabel() for axis in axes[1:]] == ["", ""]
    for axis, (beta, regime, scale) in zip(axes, PANELS[name], strict=True):
        assert axis.get_title() == rf"$\beta = {beta:g}$ ({regime})"
        assert (axis.get_xlabel(), axis.get_xscale(), axis.get_yscale()) == ("depth $L$", "linear", scale)
        networks = [ResNet(width=d, depth=L, beta=beta, weights=WEIGHTS[name]) for L in DEPTHS]
        rows = np.array([samples[network][COLUMNS[name]] for network in networks])
        x, y = line(axis, "networks: median, 5-95 % band")
        np.testing.assert_array_equal(x, DEPTHS)
        np.testing.assert_allclose(y, np.median(np.exp(rows), axis=1), rtol=1e-12)
        low, high = np.array([band(axis)[L] for L in DEPTHS]).T
        np.testing.assert_allclose(low, np.quantile(np.exp(rows), 0.05, axis=1), rtol=1e-12)
        np.testing.assert_allclose(high, np.quantile(np.exp(rows), 0.95, axis=1), rtol=1e-12)
        # No other column would pass for this one.
        for other in set(LEVELS) - {COLUMNS[name]}:
            others = np.median([samples[network][other] for network in networks], axis=1)
            assert np.abs(np.exp(others) - y).min() > 0.01


@pytest.mark.parametrize("name", COLUMNS)
def test_points_are_root_mean_squares_with_their_intervals(name: str, pictures: dict) -> None:
    samples, axes = pictures[name]
    for axis, (beta, _, _) in zip(axes, PANELS[name], strict=True):
        x, y, low, high = points(axis, "networks: root mean square, 99 % interval")
        np.testing.assert_array_equal(x, PAPER_DEPTHS)
        for k, depth in enumerate(PAPER_DEPTHS):
            rows = samples[ResNet(width=d, depth=depth, beta=beta, weights=WEIGHTS[name])][COLUMNS[name]]
            assert y[k] == pytest.approx(np.sqrt(np.mean(np.exp(2.0 * rows))), rel=1e-12)
            found = log_mean_exp(rows, confidence=0.99)
            assert low[k] == pytest.approx(np.exp(0.5 * found.lower), rel=1e-9)
            assert high[k] == pytest.approx(np.exp(0.5 * found.upper), rel=1e-9)


@pytest.mark.parametrize("name", ["1", "3"])
def test_independent_layers_have_their_curves(name: str, pictures: dict) -> None:
    _, axes = pictures[name]
    for axis, (beta, _, _) in zip(axes, PANELS[name], strict=True):
        L, exact = line(axis, "exact root mean square")
        assert (L[0], L[-1]) == (10, 1000)
        # E‖h_L − h_0‖² = ((1 + α²/2)^L − 1) ‖h_0‖², and gradients alike.
        np.testing.assert_allclose(exact, np.sqrt(np.expm1(L * np.log1p(L ** (-2 * beta) / 2))), rtol=1e-12)
    identity, explosion, critical = axes
    L, median = line(identity, r"limit at $\beta = 1$: median")
    # L ‖h_L − h_0‖²/‖h_0‖² tends to χ²_d/(2d).
    np.testing.assert_allclose(median, np.sqrt(stats.chi2.median(d) / (2 * d) / L), rtol=1e-9)
    L, typical = line(explosion, r"limit at $\beta = 0.25$: typical size")
    # log ‖h_L‖² grows by (α²/2)(1 − 2/d) a layer.
    np.testing.assert_allclose(typical, np.exp(0.25 * (1 - 2 / d) * np.sqrt(L)), rtol=1e-9)
    L, limit = line(critical, r"limit at $\beta = 0.5$: root mean square")
    np.testing.assert_allclose(limit, 0.805430, rtol=1e-5)


def covariance(depth: int) -> np.ndarray:
    """Return the correlation of a squared-exponential process, lag by lag."""
    return np.exp(-((np.arange(depth) / depth) ** 2) / 0.02)


def increments(depth: int) -> np.ndarray:
    """Return the correlation of normalised increments of a squared-exponential process, lag by lag."""
    lag = np.arange(depth + 1) / depth
    rho = np.exp(-(lag**2) / 0.02)
    second = 2.0 * rho[:-1] - np.concatenate([[rho[1]], rho[:-2]]) - rho[1:]
    return second / second[0]


def relu_overlap(c: np.ndarray) -> np.ndarray:
    """Return E relu(X) relu(Y) of standard normals of correlation c."""
    angle = np.arccos(np.clip(c, -1.0, 1.0))
    return (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2.0 * np.pi)


def forward(c: np.ndarray) -> np.ndarray:
    return c * relu_overlap(c)


def backward(c: np.ndarray) -> np.ndarray:
    both_active = 0.5 - np.arccos(np.clip(c, -1.0, 1.0)) / (2.0 * np.pi)
    return c * ((1 - 1 / d) * c * both_active + relu_overlap(c) / d)


def pair_sum(terms: np.ndarray) -> float:
    """Return the sum over all pairs of layers of a function of their lag."""
    L = len(terms)
    return float(L * terms[0] + 2.0 * np.sum((L - np.arange(1, L)) * terms[1:]))


def double_integral(function) -> float:
    def of_lag(u: float) -> float:
        return (1 - u) * float(function(np.array(np.exp(-(u**2) / 0.02))))

    return 2.0 * integrate.quad(of_lag, 0.0, 1.0, limit=200)[0]


@pytest.mark.parametrize(("name", "law"), [("4", forward), ("5", backward)])
def test_smooth_layers_have_their_curves(name: str, law, pictures: dict) -> None:
    _, axes = pictures[name]
    limit = double_integral(law)
    for axis, (beta, regime, _) in zip(axes, PANELS[name], strict=True):
        first = lines(axis, "root mean square, first order")
        # Hidden states have wide networks where the first order is too little; gradients have nothing there.
        assert len(first) == (beta == 2 or (name == "5" and beta == 1))
        for L, y in first:
            expected = [L_ ** (-2 * beta) * pair_sum(law(covariance(int(L_)))) for L_ in L]
            np.testing.assert_allclose(y, np.sqrt(expected), rtol=1e-9)
        for L, y in lines(axis, "the same, normalised increments") if first else ():
            expected = [L_ ** (-2 * beta) * pair_sum(law(increments(int(L_)))) for L_ in L]
            np.testing.assert_allclose(y, np.sqrt(expected), rtol=1e-9)
        limits = lines(axis, r"first order, limit $L \to \infty$")
        assert len(limits) == (regime != "explosion")
        for L, y in limits:
            np.testing.assert_allclose(y, np.sqrt(limit) * L ** (1 - beta), rtol=1e-4)


def test_wide_networks_have_their_curves(pictures: dict) -> None:
    for axis, (beta, _, _) in zip(pictures["4"][1], PANELS["4"], strict=True):
        wide = lines(axis, r"root mean square, wide networks ($d \to \infty$)")
        assert len(wide) == (beta < 2)
        for L, y in wide:
            for k in (0, 5):
                gamma = covariance(int(L[k]))
                square = theory.correlated_mean_square(
                    depth=int(L[k]), alpha=L[k] ** -beta, gamma_v=gamma, gamma_w=gamma
                )
                assert y[k] == pytest.approx(np.sqrt(square[-1]), rel=1e-9)
