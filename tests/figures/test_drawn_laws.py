"""Figures 2, activations, small-width, convergence and strong-order as drawn, against formulas by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.text import Annotation
from pictures import bars, draw, level, line, lines, mass, panels, place, points, unnamed
from planted_samples import LEVELS, planted
from scipy import stats

import figures
import theory
from figures import activations, convergence, small_width, strong_order
from figures._style import NETWORKS, THEORY, bin_edges
from montecarlo import ResNet
from montecarlo.estimates import mean, probability

UNIFORM = ResNet(width=100, depth=1000, beta=0.5, weights="uniform")
GAUSSIAN = ResNet(width=100, depth=1000, beta=0.5)
RATIOS = {
    "log_hidden_ratio": r"$\Vert h_L\Vert \,/\, \Vert h_0\Vert$",
    "log_gradient_ratio": r"$\Vert p_0\Vert \,/\, \Vert p_L\Vert$",
    "log_hidden_difference": r"$\Vert h_L - h_0\Vert \,/\, \Vert h_0\Vert$",
    "log_gradient_difference": r"$\Vert p_0 - p_L\Vert \,/\, \Vert p_L\Vert$",
}


def test_histograms_of_figure_2_are_those_of_their_columns_and_weights() -> None:
    definition = figures.find_figure("2")
    samples = planted(definition, spread=0.1)
    canvas = draw(definition, samples)
    axes = panels(canvas)
    assert [axis.get_title() for axis in axes] == ["hidden states", "gradients", "", ""]
    for axis, (column, label) in zip(axes, RATIOS.items(), strict=True):
        assert (axis.get_xlabel(), axis.get_ylabel()) == (label, "density")
        for network, name in ((UNIFORM, "uniform"), (GAUSSIAN, "Gaussian")):
            edges, heights = bars(axis, f"40 networks, {name} weights")
            rows = np.exp(samples[network][column])
            np.testing.assert_allclose(heights, np.histogram(rows, edges, density=True)[0], atol=1e-9)
            assert float(heights @ np.diff(edges)) == pytest.approx(1.0)
    # Hidden states and gradients can be compared bar by bar.
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert bars(axes[2], "40 networks, uniform")[0][1] == bars(axes[3], "40 networks, uniform")[0][1]


def test_densities_of_figure_2_are_those_of_the_ratio() -> None:
    definition = figures.find_figure("2")
    norm, _, difference, _ = axes = panels(draw(definition, planted(definition)))
    limit = stats.lognorm(s=math.sqrt(0.5 / 100), scale=math.exp(0.25 * (1 - 2 / 100)))
    for axis in axes[:2]:
        x, exact = line(axis, "exact density, Gaussian (I6)")
        # It peaks where the caption says, and is near its limit: the difference is of order 1/L.
        assert x[exact.argmax()] == pytest.approx(1.28, abs=0.01)
        assert mass(x, exact) == pytest.approx(1.0, abs=1e-4)
        x, drawn = line(axis, r"limit density, $L \to \infty$ (I8, S2)")
        np.testing.assert_allclose(drawn, limit.pdf(x), rtol=1e-9)
        np.testing.assert_allclose(exact, drawn, atol=0.01 * drawn.max())
    for axis in axes[2:]:
        (root,) = lines(axis, "exact root mean square (I2, I3)")
        assert place(root) == pytest.approx(math.sqrt(math.expm1(1000 * math.log1p(0.5 / 1000))), rel=1e-9)
        x, drawn = line(axis, r"limit density, $L \to \infty$ (I8, S2)")
        assert mass(x, drawn) == pytest.approx(1.0, abs=1e-4)
        # E of the square in the limit is e^{1/2} − 1.
        assert mass(x, x**2 * drawn) == pytest.approx(math.expm1(0.5), rel=1e-3)
    assert [axis.get_xlim()[0] for axis in (norm, difference)] == [
        line(axis, "limit density")[0][0] for axis in (norm, difference)
    ]


def wide_growth(sigma, start: float, steps: int = 400) -> float:
    """Return log of S(1)/S(0) over 2, dS/dt = E σ(√S Z)², by Runge and Kutta with a fine sum over Z."""
    z = np.linspace(-9.0, 9.0, 4001)
    weight = stats.norm.pdf(z) * (z[1] - z[0])

    def slope(s: float) -> float:
        return float(weight @ sigma(math.sqrt(s) * z) ** 2)

    s, h = start, 1.0 / steps
    for _ in range(steps):
        middle = s + 0.5 * h * slope(s)
        s += h * slope(middle)
    return 0.5 * math.log(s / start)


SIGMAS = {
    "relu": lambda x: np.maximum(x, 0.0),
    "gelu": lambda x: x * stats.norm.cdf(x),
    "tanh": np.tanh,
    "sin": np.sin,
}


def test_activations_have_their_rows_laws_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_node(*, width: int, input_dim: int, input_scale: float, nodes: int) -> tuple:
        assert (width, input_dim, input_scale, nodes) == (40, 64, 3.0, 6)
        return np.array([3.0]), np.array([1.0])

    monkeypatch.setattr(activations, "initial_mean_square_rule", one_node)
    definition = figures.find_figure("activations")
    samples = planted(definition, spread=0.1)
    axes = panels(draw(definition, samples))
    assert [axis.get_title() for axis in axes] == ["ReLU", "GELU", "tanh", "sin"]
    assert [axis.get_ylabel() for axis in axes] == ["density", "", "density", ""]
    assert axes[2].get_xlabel() == axes[3].get_xlabel()
    assert axes[2].get_xlabel() == r"natural log of $\Vert h_L\Vert \,/\, \Vert h_0\Vert$"
    for axis, (name, sigma) in zip(axes, SIGMAS.items(), strict=True):
        (network,) = [net for net in samples if net.activation == name]
        rows = samples[network]["log_hidden_ratio"]
        edges, heights = bars(axis, "40 networks a panel")
        np.testing.assert_allclose(heights, np.histogram(rows, bin_edges(rows), density=True)[0], atol=1e-9)
        assert edges[0] == pytest.approx(rows.min())
        (limit,) = lines(axis, r"limit, then $d \to \infty$ (S4)")
        assert place(limit) == pytest.approx(wide_growth(sigma, 3.0), abs=1e-4)
        x, density = line(axis, r"limit law, $L \to \infty$ (S3)")
        law = theory.log_norm_diffusion_law(activation=name, width=40, initial_mean_square=3.0)
        np.testing.assert_allclose(density, law.pdf(x), atol=1e-6)
        assert mass(x, density) == pytest.approx(1.0, abs=0.02)
        assert len(lines(axis, "exact at this depth")) == (name == "relu")
    x, exact = line(axes[0], "exact at this depth (I6), ReLU only")
    normal = stats.norm(0.25 * (1 - 2 / 40), math.sqrt(0.5 / 40))
    np.testing.assert_allclose(exact, normal.pdf(x), atol=0.02 * exact.max())


@pytest.fixture(scope="module")
def narrow() -> tuple:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_width, "_NODES", (1_000, 3_000))
        patch.setattr(small_width, "_DEPTHS", (1_000, 3_000))
        patch.setattr(small_width, "_CURVE", np.array([1_000.0, 3_000.0]))
        definition = figures.find_figure("small-width")
        samples = planted(definition, spread=0.4)
        canvas = draw(definition, samples)
    return samples, canvas


def test_probabilities_of_narrow_networks(narrow: tuple) -> None:
    samples, canvas = narrow
    left = canvas.subfigs[0].axes[0]
    assert left.get_ylabel() == r"$P(\Vert h_L\Vert > \Vert h_0\Vert)$"
    curves = unnamed(left, left.containers[0].lines[0].get_color())
    assert len(curves) == 1
    for width, container in zip((1, 2, 3, 10), left.containers, strict=True):
        x, y, low, high = points(left, f"$d = {width}$")
        for k, depth in enumerate((1_000, 3_000)):
            rows = samples[ResNet(width=width, depth=depth, beta=0.25)]["log_hidden_ratio"]
            assert (x[k], y[k]) == (depth, np.mean(rows > 0.0))
            found = probability(rows > 0.0, confidence=0.99)
            assert (low[k], high[k]) == pytest.approx((found.lower, found.upper))
        (curve,) = unnamed(left, container.lines[0].get_color())
        for depth, drawn in zip(*curve, strict=True):
            law = theory.ExactNormLaw(width=width, depth=int(depth), alpha=depth**-0.25)
            assert drawn == pytest.approx(float(law.sf(0.0)), abs=1e-6)
    # The limits stand where their widths end (I11).
    texts = {t.get_text(): t.xy[1] for t in left.texts if isinstance(t, Annotation)}
    assert texts == {"limit 0 ($d = 1$)": 0.0, "limit 1/2 ($d = 2$)": 0.5, "limit 1 ($d > 2$)": 1.0}
    assert [level(drawn) for drawn in unnamed(left, THEORY, "--")] == [0.0, 0.5, 1.0]


def test_paths_of_narrow_networks(narrow: tuple) -> None:
    samples, canvas = narrow
    axes = panels(canvas)[1:]
    assert [axis.get_title() for axis in axes] == [f"$d = {width}$" for width in (1, 2, 3, 10)]
    assert any("log" in axis.get_ylabel() for axis in axes)
    for axis, width in zip(axes, (1, 2, 3, 10), strict=True):
        alpha = 2_000**-0.25
        paths = samples[ResNet(width=width, depth=2_000, beta=0.25)]["log_hidden_path"]
        drawn = [*lines(axis, "24 networks"), *unnamed(axis, NETWORKS)]
        assert len(drawn) == 24
        for (layers, path), row in zip(drawn, paths, strict=False):
            np.testing.assert_array_equal(path, row[layers.astype(int)])
        layers, root = line(axis, "log of the exact root mean square (I2)")
        np.testing.assert_allclose(root, 0.5 * layers * math.log1p(alpha**2 / 2), rtol=1e-12)
        layers, typical = line(axis, "exact mean of the log (I6)")
        a_layer = theory.explosion_log_mean(width=width, depth=1, alpha=alpha) / 2
        np.testing.assert_allclose(typical, layers * a_layer, rtol=1e-6, atol=1e-3)


def test_convergence_draws_distances_with_their_own_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(*, width: int, depths: tuple[int, ...]) -> theory.ConvergenceInLaw:
        L = np.array(depths, np.float64)
        first, second = width / L, 3.0 * width / L**0.75
        return theory.ConvergenceInLaw(
            width=width, depths=depths, kolmogorov=tuple(first), wasserstein=tuple(second)
        )

    monkeypatch.setattr(theory, "convergence_in_law", known)
    axes = panels(draw(figures.find_figure("convergence"), {}))
    assert [axis.get_title() for axis in axes] == list(convergence._DISTANCES.values())
    assert axes[0].get_ylabel() == "distance to the limit law"
    for axis, factor, order in zip(axes, (1.0, 3.0), (1.0, 0.75), strict=True):
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        for width in (1, 2, 10, 40, 100):
            L, distance = line(axis, f"$d = {width}$: order {order:.3f}")
            np.testing.assert_allclose(distance, factor * width / L**order, rtol=1e-12)
        L, dashes = line(axis, "order 1: $8/L$")
        np.testing.assert_allclose(dashes, 8.0 / L, rtol=1e-12)


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def test_errors_between_depths_have_their_slopes() -> None:
    definition = figures.find_figure("strong-order")
    samples = planted(definition)
    axes = panels(draw(definition, samples))
    predicted = ([-0.5], [-1.0], [-1.0], [-0.2, -0.4, -0.6, -0.8])
    for axis, (statement, title, curves, reference), slopes in zip(
        axes, strong_order._PANELS, predicted, strict=True
    ):
        assert axis.get_title() == f"{statement}: {title}"
        assert axis.get_xlabel() == "depth $L$ (of $L$ and $2L$)"
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        for curve in curves:
            sample = samples[curve.resnet]
            x, y, low, high = points(axis, f"{curve.label}: ")
            np.testing.assert_array_equal(x, sample.depths[:-1])
            if curve.observable:
                f = (
                    sample.cosine
                    if curve.observable == "cosine"
                    else np.exp(-np.exp(2 * sample.log_hidden_ratio))
                )
                differences = np.diff(f, axis=1)
                np.testing.assert_allclose(y, np.abs(differences.mean(axis=0)), rtol=1e-9)
                half = [mean(column, confidence=0.999).half_width for column in differences.T]
                np.testing.assert_allclose(high - y, half, rtol=1e-6)
            else:
                np.testing.assert_allclose(y, np.exp(sample.log_strong_error).mean(axis=0), rtol=1e-9)
            assert np.all((low < y) & (y < high))
        fits = [drawn for artist in axis.containers for drawn in unnamed(axis, artist.lines[0].get_color())]
        for container, (x, y) in zip(axis.containers, fits, strict=True):
            said = float(str(container.get_label()).rpartition(": ")[2].partition(" [")[0])
            assert _slope(x, y) == pytest.approx(-said, abs=6e-4)
            # A fit goes through its points.
            drawn_y = np.asarray(container.lines[0].get_ydata())
            assert abs(np.log(y / drawn_y)).max() < 0.3
        dashed = [*lines(axis, reference), *unnamed(axis, THEORY, "--")]
        assert sorted(_slope(x, y) for x, y in dashed) == pytest.approx(sorted(slopes))
    assert all(r"\Vert h^L_k - h^{2L}_{2k}\Vert" in axes[k].get_ylabel() for k in (0, 2))
    assert axes[1].get_ylabel() == r"$|\,\mathrm{E} f(h^{2L}) - \mathrm{E} f(h^L)\,|$"


def test_planted_columns_are_told_apart() -> None:
    assert len({round(value, 2) for value in LEVELS.values()}) == len(LEVELS)
