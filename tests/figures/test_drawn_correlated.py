"""Figures 6, 7, growth and contraction as drawn, against formulas by hand, from planted numbers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import SymLogNorm
from matplotlib.contour import QuadContourSet
from pictures import band, draw, level, line, lines, mesh, panels, points, unnamed
from planted_samples import distinct, planted

import figures
from figures import antipersistent_contraction, fractional_growth, fractional_paths
from figures._style import LIMIT, NETWORKS, THEORY
from montecarlo import ResNet


def noise_covariance(H: float, depth: int) -> np.ndarray:
    """Return the covariance of fractional Gaussian noise, lag by lag."""
    k = np.arange(depth)
    return 0.5 * ((k + 1.0) ** (2 * H) - 2.0 * k ** (2 * H) + np.abs(k - 1.0) ** (2 * H))


def test_paths_are_sums_of_the_entries_below_them() -> None:
    rng = np.random.default_rng(2)
    definition = figures.find_figure("6")
    # Planted, so that no two indices could be taken for each other.
    samples = {point.resnet: rng.standard_normal((6, 1000)) for point in definition.points("quick")}
    axes = panels(draw(definition, samples))
    words = ("antipersistent", "independent", "persistent")
    assert axes[0].get_ylabel() == r"sum of $\sqrt{d}\,V_{ij}$ up to layer $k$"
    assert axes[3].get_ylabel() == r"entry $\sqrt{d}\,V_{ij}$ of layer $k$"
    for place, (H, word) in enumerate(zip((0.2, 0.5, 0.8), words, strict=True)):
        top, bottom = axes[place], axes[place + 3]
        neighbours = 2 ** (2 * H - 1) - 1
        assert top.get_title() == f"$H = {H:g}$: {word} layers,\ncorrelation of neighbours ${neighbours:.2f}$"
        entries = samples[fractional_paths._network(H)]
        drawn = [*lines(top, "4 entries of one network"), *unnamed_paths(top)]
        assert len(drawn) == 4
        for (k, path), row in zip(drawn, entries, strict=False):
            np.testing.assert_array_equal(k, np.arange(1001))
            np.testing.assert_allclose(path, [0.0, *np.cumsum(row)], atol=1e-9)
        k, upper = line(top, r"two standard deviations, $\pm 2\,k^H$")
        np.testing.assert_allclose(upper, 2.0 * k**H, rtol=1e-12)
        ((_, lower),) = unnamed(top, THEORY, "--")
        np.testing.assert_allclose(lower, -upper)
        assert bottom.get_xlabel() == "layer $k$"
        k, first = next(drawn_line for drawn_line in unnamed_paths(bottom))
        np.testing.assert_array_equal(k, np.arange(1, 1001))
        np.testing.assert_array_equal(first, entries[0])
        assert [level(found) for found in unnamed(bottom, THEORY, "--")] == [-2.0, 2.0]


def unnamed_paths(axis) -> list:
    """Return the solid lines that no legend names."""
    colours = {str(artist.get_color()) for artist in axis.lines} - {THEORY}
    solid = [artist for artist in axis.lines if artist.get_linestyle() == "-"]
    assert colours
    return [
        (np.asarray(artist.get_xdata(), float), np.asarray(artist.get_ydata(), float))
        for artist in solid
        if str(artist.get_label()).startswith("_")
    ]


def test_maps_have_the_columns_boundaries_and_units_that_they_name() -> None:
    definition = figures.find_figure("7")
    samples = planted(definition)
    canvas = draw(definition, samples)
    axes = panels(canvas)
    titles = {
        "log_hidden_difference": r"hidden states: $\Vert h_L - h_0\Vert\,/\,\Vert h_0\Vert$",
        "log_gradient_difference": r"gradients: $\Vert p_0 - p_L\Vert\,/\,\Vert p_L\Vert$",
    }
    assert axes[0].get_ylabel() == r"scaling exponent $\beta$ ($\alpha = L^{-\beta}$)"
    norms = []
    for axis, (column, title) in zip(axes, titles.items(), strict=True):
        assert (axis.get_title(), axis.get_xlabel()) == (
            title, "Hurst index $H$ of the weights along depth",
        )  # fmt: skip
        H, beta, values, drawn = mesh(axis)
        np.testing.assert_allclose(H, np.linspace(0.05, 0.97, 13), atol=1e-6)
        np.testing.assert_allclose(beta, np.linspace(0.0, 1.3, 27), atol=1e-9)
        expected = np.empty((27, 13))
        for network, sample in samples.items():
            hurst = float(str(network.weights).partition(":")[2])
            decades = sample[column] * 0.4342944819
            expected[:, np.abs(H - hurst).argmin()] = np.mean(decades, axis=(0, 2))
        np.testing.assert_allclose(values, expected, rtol=1e-8)
        assert distinct(values)
        norms.append(drawn.norm)
        contours = [c for c in axis.collections if isinstance(c, QuadContourSet)]
        assert [list(c.levels) for c in contours] == [[-1.0, 0.0, 1.0]]
        x, critical = line(axis, r"critical scaling $\max(H, 1/2)$ (F1)")
        np.testing.assert_allclose(critical, np.maximum(x, 0.5), rtol=1e-12)
        assert (x[0], x[-1]) == pytest.approx((0.05, 0.97))
    x, boundary = line(axes[1], r"$\max(2H - 1, 1/2)$: first order, $d \to \infty$")
    np.testing.assert_allclose(boundary, np.maximum(2.0 * x - 1.0, 0.5), rtol=1e-12)
    assert lines(axes[0], r"$\max(2H") == []
    # One scale for both maps, symmetric, linear within a decade: as the bar says.
    assert norms[0] is norms[1]
    assert isinstance(norms[0], SymLogNorm)
    assert norms[0].linthresh == 1.0
    assert norms[0].vmax == -norms[0].vmin > 0.0
    (bar,) = [axis for axis in canvas.axes if axis not in axes]
    assert bar.get_ylabel() == r"mean of $\log_{10}$ of the ratio (linear in $[-1, 1]$)"


def relu_overlap(c: np.ndarray) -> np.ndarray:
    """Return E relu(X) relu(Y) of standard normals of correlation c."""
    angle = np.arccos(np.clip(c, -1.0, 1.0))
    return (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2.0 * np.pi)


def first_order(H: float, depths: tuple[int, ...], *, gradients: bool) -> float:
    """Return the least-squares slope in log L of the log of the first order, without its scaling."""
    logs = []
    for L in depths:
        c = noise_covariance(H, L)
        both_active = 0.5 - np.arccos(np.clip(c, -1.0, 1.0)) / (2.0 * np.pi)
        overlap = 15 / 16 * c * both_active + relu_overlap(c) / 16 if gradients else relu_overlap(c)
        terms = c * overlap
        logs.append(np.log(L * terms[0] + 2.0 * np.sum((L - np.arange(1, L)) * terms[1:])))
    return float(np.polyfit(np.log(depths), logs, 1)[0])


def test_growth_draws_exponents_of_both_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    hursts, depths = (0.25, 0.5, 0.85), (20, 30, 60)
    monkeypatch.setattr(fractional_growth, "_HURST", hursts)
    monkeypatch.setattr(fractional_growth, "_CURVE", np.array([0.2, 0.4, 0.6, 0.9]))
    monkeypatch.setattr(fractional_growth, "_depths", lambda hurst: depths)
    definition = figures.find_figure("growth")
    samples = planted(definition)
    axes = panels(draw(definition, samples))
    assert axes[0].get_ylabel() == r"growth exponent in $L$, plus $2\beta$"
    words = ("hidden states: $\\mathrm{E}\\Vert h_L", "gradients: $\\mathrm{E}\\Vert p_0")
    columns = ("log_hidden_difference", "log_gradient_difference")
    for axis, column, word in zip(axes, columns, words, strict=True):
        assert axis.get_title().startswith(word)
        assert axis.get_xlabel() == "Hurst index $H$"
        H, exponents, low, high = points(axis, "networks, $d = 16$: fit, 99 % interval")
        np.testing.assert_allclose(H, hursts)
        for k, hurst in enumerate(hursts):
            beta = max(hurst, 0.5) + 0.3
            squares = [
                np.mean(
                    np.exp(
                        2.0 * samples[ResNet(width=16, depth=L, beta=beta, weights=f"fbm:{hurst}")][column]
                    )
                )
                for L in depths
            ]
            slope = np.polyfit(np.log(depths), np.log(squares), 1)[0]
            assert exponents[k] == pytest.approx(slope + 2.0 * beta, abs=1e-9)
        assert np.all((low < exponents) & (exponents < high))
        gradients = column == "log_gradient_difference"
        drawn = [*lines(axis, "first order, the same fit"), *unnamed(axis, THEORY)]
        x, y = np.concatenate([np.array(part) for part in drawn], axis=1)
        np.testing.assert_allclose(x, [0.2, 0.4, 0.6, 0.9])
        np.testing.assert_allclose(y, [first_order(h, depths, gradients=gradients) for h in x], rtol=1e-7)
    x, limit = line(axes[0], r"$L \to \infty$: $\max(2H, 1)$ (F2)")
    np.testing.assert_allclose(limit, np.maximum(2.0 * x, 1.0))
    x, limit = line(axes[1], r"$L \to \infty$ at fixed $d$: $\max(2H, 1)$")
    np.testing.assert_allclose(limit, np.maximum(2.0 * x, 1.0))
    x, limit = line(axes[1], r"$L \to \infty$ after $d \to \infty$: $\max(4H-2, 1)$")
    np.testing.assert_allclose(limit, np.maximum(4.0 * x - 2.0, 1.0))


def test_contraction_draws_rescaled_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    depths = (30, 60)
    monkeypatch.setattr(antipersistent_contraction, "_DEPTHS", depths)
    monkeypatch.setattr(antipersistent_contraction, "_CURVE", depths)
    definition = figures.find_figure("contraction")
    samples = planted(definition)
    axes = panels(draw(definition, samples))
    panel_of = ((0.1, 0.5), (0.1, 0.4), (0.25, 0.5), (0.25, 0.4))
    L, d = np.array(depths, float), 4
    for axis, (H, beta) in zip(axes, panel_of, strict=True):
        assert axis.get_title() == rf"$H = {H:g}$, $\beta = {beta:g}$"
        assert axis.get_xscale() == "log"
        rows = np.array([
            depth ** (2 * beta - 1)
            * samples[antipersistent_contraction._network(H, beta, depth)]["log_hidden_ratio"]
            for depth in depths
        ])  # fmt: skip
        x, y, low, high = points(axis, "networks: mean, 99 % interval")
        np.testing.assert_array_equal(x, depths)
        np.testing.assert_allclose(y, rows.mean(axis=1), rtol=1e-12)
        assert np.all((low < y) & (y < high))
        ends = np.array([band(axis)[depth] for depth in depths])
        np.testing.assert_allclose(ends, np.quantile(rows, [0.05, 0.95], axis=1).T, rtol=1e-9)
        # ((d − 1) L^{2H} − L) a²/(2d) over a² L, and L^{2H} a²/d for the variance, to first order.
        _, centre = line(axis, "mean at depth $L$ (F3)")
        np.testing.assert_allclose(centre, ((d - 1) * L ** (2 * H - 1) - 1) / (2 * d), rtol=1e-9)
        _, lower = line(axis, "5 % and 95 % at depth $L$, to second order")
        ((_, upper),) = unnamed(axis, THEORY, "-.")
        np.testing.assert_allclose(upper - centre, centre - lower, rtol=1e-9)
        laws = [antipersistent_contraction._law(H, beta, depth) for depth in depths]
        np.testing.assert_allclose(upper - centre, 1.645 * np.array([law.deviation for law in laws]))
        least = 1.645 * np.sqrt(L ** (2 * H) / d) * L ** (beta - 1)
        assert np.all(upper - centre > least)
        assert np.all(upper - centre < 3.0 * least)
        assert level(line(axis, r"limit $-1/(2d)$, $L \to \infty$ (F3)")) == -1 / 8
    assert all(axes[k].get_ylabel().startswith(r"$L^{2\beta - 1}\,\log") for k in (0, 2))
    assert {NETWORKS, LIMIT} == {"#4477aa", "#111111"}
