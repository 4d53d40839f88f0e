"""C1 and C2: the diffusion of the angle, its law by another method, and how angles close in the end."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory
from theory.inputs._angle_diffusion import scale_exponent


def coefficients(width, c):
    """Drift and variance of C1's cosine as its statement has them."""
    kappa = np.asarray(theory.arc_cosine_kernel(c))
    drift = kappa * (width - 2 + c * c) / width - (width - 1) * c / (2 * width)
    return drift, (1 - c * c) * (1 - 2 * c * kappa) / width


@given(st.integers(2, 1000), st.floats(0.05, 3.09))
def test_the_angle_has_the_diffusion_of_the_cosine(width, angle):
    drift, variance = theory.angle_diffusion(width=width, angle=angle)
    mu, square = coefficients(width, math.cos(angle))
    # Itô for c = cos θ.
    assert -math.sin(angle) * drift - 0.5 * math.cos(angle) * variance == pytest.approx(mu, abs=1e-12)
    assert math.sin(angle) ** 2 * variance == pytest.approx(square, abs=1e-13)


@given(st.floats(1e-9, math.pi - 1e-9))
def test_the_drift_is_that_of_wide_networks_less_its_share(angle):
    wide = -(1 - angle / math.tan(angle)) / (2 * math.pi)
    drift, _ = theory.angle_diffusion(width=8, angle=angle)
    assert drift == pytest.approx((1 - 2 / 8) * wide, rel=1e-6, abs=1e-15)


def test_the_scale_function_is_the_integral_of_its_slope():
    theta = np.linspace(0.02, 3.12, 400)
    drift, variance = theory.angle_diffusion(width=3, angle=theta)
    numeric = np.gradient(scale_exponent(theta, math.pi - theta), theta)
    exact = 2 * np.asarray(drift) / np.asarray(variance)  # times d − 2 = 1
    np.testing.assert_allclose(numeric[2:-9], exact[2:-9], rtol=4e-3, atol=1e-4)


@pytest.mark.parametrize(("width", "start", "time"), [(2, -0.3, 0.5), (5, 0.3, 1.0), (40, 0.8, 2.0)])
def test_the_law_is_that_of_a_backward_equation(width, start, time):
    # Finite differences of the generator in θ, with its own boundary layers: another method and grid.
    n = 600
    theta = (np.arange(n) + 0.5) * math.pi / n
    drift, variance = (np.asarray(x) for x in theory.angle_diffusion(width=width, angle=theta))
    h = math.pi / n
    up, down = variance / (2 * h * h) + drift / (2 * h), variance / (2 * h * h) - drift / (2 * h)
    up, down = np.maximum(up, 0.0), np.maximum(down, 0.0)
    down[0] = up[-1] = 0.0
    generator = np.diag(up[:-1], 1) + np.diag(down[1:], -1) - np.diag(up + down)
    step = np.linalg.inv(np.eye(n) - 0.5 * time / 64 * generator) @ (np.eye(n) + 0.5 * time / 64 * generator)
    moments = np.stack([np.cos(theta), np.cos(theta) ** 2], axis=1)
    for _ in range(64):
        moments = step @ moments
    found = [np.interp(math.acos(start), theta, moments[:, j]) for j in (0, 1)]
    law = theory.cosine_diffusion_law(width=width, cosine=start, time=time)
    assert law.mean() == pytest.approx(found[0], abs=2e-3)
    assert law.expect(np.square) == pytest.approx(found[1], abs=3e-3)


def test_known_numbers():
    # Means and variances that were computed apart from this project, to their five digits.
    for width, time, start, mean, variance in (
        (3, 1.0, -0.5, -0.33211, 0.19052), (5, 1.0, 0.3, 0.33472, 0.11579), (10, 3.0, 0.8, 0.80254, 0.03357),
    ):  # fmt: skip
        law = theory.cosine_diffusion_law(width=width, cosine=start, time=time)
        assert law.mean() == pytest.approx(mean, abs=1e-5)
        assert law.var() == pytest.approx(variance, abs=1e-5)


@pytest.mark.parametrize("width", [2, 3, 20])
def test_a_finer_solution_is_within_the_stated_error(width):
    coarse = theory.cosine_diffusion_law(width=width, cosine=-0.2, time=0.7, tolerance=1e-4)
    fine = theory.cosine_diffusion_law(width=width, cosine=-0.2, time=0.7, tolerance=1e-9)
    c = np.linspace(-1, 1, 301)
    distance = np.abs(np.asarray(coarse.cdf(c)) - np.asarray(fine.cdf(c))).max()
    assert distance < 1e-4
    assert fine.error < 1e-9


def test_wide_networks_follow_the_flow():
    wide = theory.cosine_diffusion_law(width=5000, cosine=-0.4, time=1.5, tolerance=1e-4)
    assert wide.mean() == pytest.approx(float(theory.cosine_flow(cosine=-0.4, time=1.5)), abs=1e-4)
    assert wide.std() < 0.02


@pytest.mark.parametrize("cosine", [-1.0, -1 + 1e-12, -1 + 1e-8])
def test_opposite_inputs_are_the_limit_of_nearly_opposite_ones(cosine):
    law = theory.cosine_diffusion_law(width=3, cosine=cosine)
    assert law.mean() == pytest.approx(-0.71112, abs=2e-5)
    assert law.support()[0] == pytest.approx(-1.0)


def test_small_angles_have_the_terminal_law():
    law = theory.cosine_diffusion_law(width=4, cosine=math.cos(1e-4), time=2.0)
    log_angle = law.expect(lambda c: np.log(np.arccos(np.clip(c, -1, 1 - 1e-16)) / 1e-4))
    end = theory.terminal_angle_law(width=4, time=2.0)
    assert log_angle == pytest.approx(end.mean(), abs=2e-3)
    assert (end.mean(), end.var()) == pytest.approx((-0.25, 0.5))


def test_exponents_tend_to_the_limit_and_take_hidden_widths():
    assert theory.terminal_angle_exponent(width=7) == -1 / 14
    near = theory.terminal_angle_exponent(width=3, alpha=0.05, hidden_width=9)
    assert near == pytest.approx(-1 / 6, rel=0.01)
    # Numbers computed apart from this project.
    for alpha, known in ((0.1, -0.2551), (0.2, -0.2737), (0.4, -0.3355)):
        assert theory.terminal_angle_exponent(width=2, alpha=alpha) == pytest.approx(known, rel=4e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: theory.cosine_diffusion_law(width=1, cosine=0.0), "width=1"),
        (lambda: theory.cosine_diffusion_law(width=3, cosine=1.0), "cosine=1"),
        (lambda: theory.cosine_diffusion_law(width=3, cosine=0.0, time=0.0), "time=0"),
        (lambda: theory.cosine_diffusion_law(width=3, cosine=0.0, tolerance=1e-12), "tolerance=1e-12"),
        (lambda: theory.angle_diffusion(width=3, angle=0.0), "angle=0"),
        (lambda: theory.terminal_angle_exponent(width=3, hidden_width=4), "hidden_width=4"),
        (lambda: theory.terminal_angle_law(width=1, time=1.0), "width=1"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("width", [90, 300, 3000])
def test_windows_that_reach_the_reflection_of_wide_networks(width):
    law = theory.cosine_diffusion_law(width=width, cosine=-0.5, time=600.0 / width, tolerance=1e-4)
    flow = float(theory.cosine_flow(cosine=-0.5, time=600.0 / width))
    assert law.mean() == pytest.approx(flow, abs=0.03)
    assert law.var() < 0.05
