"""N9, N10 and N12: norms around the branch, on the stream, and tanh before it, against explicit matrices.

Bounds of false alarm 4e-8 a comparison.
"""

import math

import numpy as np
import pytest
from explicit_blocks import explicit_networks, isotropic, kolmogorov, standard_errors

import theory

# --- Peri-norm ---


@pytest.mark.statistical
@pytest.mark.parametrize(("activation", "dead"), [("relu", 2.0**-4), ("tanh", 0.0)])
def test_peri_norm_walks_by_steps_of_one_length(activation, dead):
    size = {"width": 6, "depth": 4, "alpha": np.array([0.5, 1.0, 0.3, 0.6])}
    sample = explicit_networks(
        np.random.default_rng(21),
        nets=20_000,
        kind="peri",
        activation=activation,
        hidden_width=30,  # a dead branch has probability 2^{-30}
        law=("rademacher", "gaussian"),
        **size,
    )
    moment = theory.peri_second_moment(initial_square=6.0, **size)
    difference = theory.peri_second_moment(initial_square=6.0, difference=True, **size)
    assert standard_errors(sample.hidden, moment) < 5.5
    assert standard_errors(sample.hidden, 1.03 * moment) > 5.5
    spread = (sample.difference - difference) ** 2
    assert standard_errors(spread, theory.peri_difference_variance(**size)) < 6
    assert standard_errors(spread, 12 * np.sum(size["alpha"] ** 2) ** 2) > 6  # a⁴L² for a⁴L(L − 1)
    assert theory.peri_second_moment(initial_square=6.0, dead=dead, **size) == pytest.approx(
        6 + (1 - dead) * difference
    )


@pytest.mark.statistical
def test_peri_slope_is_the_mean_that_it_says():
    z = np.random.default_rng(22).standard_normal((60_000, 8))
    s, t = np.tanh(z) ** 2, 1 / np.cosh(z) ** 4
    slope = (t.sum(1) - (s * t).sum(1) / s.sum(1)) / s.sum(1) * 23 / 22
    found = theory.peri_slope(width=24, hidden_width=8, activation="tanh")
    assert standard_errors(slope, found) < 6
    assert standard_errors(slope, 1.03 * found) > 6


def test_peri_slopes_tend_to_that_of_pre_norm():
    energy = theory.activation_energy("tanh")
    wide = theory.peri_slope(width=10**6, hidden_width=100_000, activation="tanh")
    assert wide == pytest.approx(energy.slope / energy.mean, rel=1e-4)
    assert theory.peri_slope(width=24, hidden_width=64) == pytest.approx(1.0810, abs=1e-4)
    limit = theory.peri_gradient_limit(width=24, hidden_width=64, time=1.0)
    assert limit == pytest.approx(2.1277, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: theory.peri_slope(width=24, hidden_width=24),
            "hidden_width=24: must be .* >= 64; .*infinite",
        ),
        (
            lambda: theory.peri_slope(width=24, hidden_width=2, activation="tanh"),
            "hidden_width=2: must be .* >= 3",
        ),
        (
            lambda: theory.peri_gradient_limit(width=8, hidden_width=64, time=1.0),
            "width=8: must be >= 13 for 'relu' with norm='peri-rms'",
        ),
        (lambda: theory.mean_cosine(width=4, depth=1, alpha=1.0, order=3), "order=3: must be"),
        (lambda: theory.ngpt_mean_cosine(width=4, depth=1, step=1.0), "step=1: must be"),
        (lambda: theory.PostnormLaw(width=1, depth=1, alpha=1.0), "width=1: must be .* >= 2"),
        (lambda: theory.dyt_recursion(depth=1, alpha=1.0, gain=0.0), "gain=0: must be"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


# --- Post-norm ---

CASES = [("relu", 8, 8, 3), ("tanh", 6, 4, 3), ("relu", 2, 3, 6)]


@pytest.mark.statistical
@pytest.mark.parametrize(("activation", "width", "hidden_width", "depth"), CASES)
def test_post_norm_tangents_and_gradients_follow_the_exact_law(activation, width, hidden_width, depth):
    size = {
        "width": width,
        "hidden_width": hidden_width,
        "depth": depth,
        "alpha": 0.7,
        "activation": activation,
    }
    sample = explicit_networks(
        np.random.default_rng([23, width]), nets=25_000, kind="post", tangent=np.eye(width)[1], **size
    )
    tangent, gradient = 0.5 * np.log(sample.tangent), 0.5 * np.log(sample.gradient)
    law, isotropic_law = (theory.PostnormLaw(isotropic=isotropic, **size) for isotropic in (False, True))
    assert kolmogorov(tangent, law) < 1
    assert kolmogorov(gradient, isotropic_law) < 1
    assert kolmogorov(gradient, law) > 1  # without the Beta factor
    shift = float(np.mean(np.log(0.5 * theory.read_out_law(width=width).rvs(4, random_state=0))))
    assert shift < 0
    for order, value in ((1, sample.cosine), (2, (width * sample.cosine**2 - 1) / (width - 1))):
        cosine = theory.mean_cosine(order=order, **size)
        assert standard_errors(value, cosine) < 5.5
    assert standard_errors(sample.cosine, 1.03 * theory.mean_cosine(**size)) > 5.5 or width == 2


def test_post_norm_law_tends_to_the_limit():
    for activation in ("relu", "tanh"):
        law = theory.PostnormLaw(width=8, depth=1000, alpha=1000**-0.5, activation=activation)
        limit = theory.postnorm_limit_law(width=8, time=1.0, activation=activation)
        assert law.mean() == pytest.approx(float(limit.mean()), abs=5e-4)
        assert law.var() == pytest.approx(float(limit.var()), rel=0.01)
        assert law.error < 1e-3


def test_the_read_out_takes_its_share():
    size = {"width": 8, "depth": 6, "alpha": 0.3}
    shift = theory.PostnormLaw(isotropic=True, **size).mean() - theory.PostnormLaw(**size).mean()
    assert shift == pytest.approx(-0.0765, abs=2e-4)
    assert shift == pytest.approx(0.5 * theory.read_out_law(width=8).expect(np.log), abs=2e-4)


@pytest.mark.statistical
def test_plain_res_3_turns_as_post_norm_does():
    sample = explicit_networks(np.random.default_rng(25), nets=25_000, width=4, depth=3, alpha=0.8)
    assert standard_errors(sample.cosine, theory.mean_cosine(width=4, depth=3, alpha=0.8)) < 5.5


def test_mean_cosines_have_their_limits():
    tau, d = 1.0, 10
    found = [theory.mean_cosine(width=d, depth=10_000, alpha=0.01, order=k) for k in (1, 2)]
    # Brownian motion on the sphere for the time τ/(2d): eigenvalues k(k + d − 2)/2.
    expected = [math.exp(-0.5 * k * (k + d - 2) * tau / (2 * d)) for k in (1, 2)]
    assert found == pytest.approx(expected, rel=3e-4)
    tanh = theory.mean_cosine(width=d, depth=1000, alpha=1000**-0.5, activation="tanh")
    c = theory.activation_energy("tanh").mean
    assert tanh == pytest.approx(math.exp(-(d - 1) * c / (2 * d)), rel=1e-3)
    assert theory.mean_cosine(width=d, depth=1, alpha=1e-6) == pytest.approx(1 - 9e-12 / 40, abs=1e-14)
    assert theory.mean_cosine(width=2, depth=1, alpha=1e8, hidden_width=50) == pytest.approx(0, abs=1e-6)


@pytest.mark.statistical
def test_ngpt_turns_by_isotropic_steps():
    rng = np.random.default_rng(26)
    h = np.tile([1.0, 0, 0, 0, 0], (40_000, 1))
    for _ in range(3):
        h = 0.7 * h + 0.3 * isotropic(rng, len(h), 5)
        h /= np.linalg.norm(h, axis=1, keepdims=True)
    exact = theory.ngpt_mean_cosine(width=5, depth=3, step=0.3)
    assert standard_errors(h[:, 0], exact) < 5.5
    assert standard_errors(h[:, 0], (0.7 / math.hypot(0.7, 0.3)) ** 3) > 5.5  # its wide limit


def test_wide_post_norm_gradients():
    assert theory.wide_postnorm_gradient(depth=10, alpha=0.5) == 1
    limit = theory.postnorm_limit_law(width=10**7, time=1.0, activation="gelu")
    wide = theory.wide_postnorm_gradient(depth=10_000, alpha=0.01, activation="gelu")
    assert math.log(wide) == pytest.approx(2 * float(limit.mean()), abs=1e-5)


# --- DyT ---


@pytest.mark.statistical
def test_one_layer_of_dyt_has_the_means_of_the_recursion():
    rng = np.random.default_rng(27)
    h0 = math.sqrt(2.0) * rng.standard_normal((30_000, 4))
    sample = explicit_networks(
        rng, nets=30_000, width=4, depth=1, alpha=1.0, hidden_width=6, kind="dyt", gain=0.7, h0=h0
    )
    path = theory.dyt_recursion(depth=1, alpha=1.0, gain=0.7, mean_square=2.0)
    growth = sample.difference / 4
    assert standard_errors(growth, path.mean_square[1] - 2) < 5.5
    assert standard_errors(growth, 1.05 * (path.mean_square[1] - 2)) > 5.5
    factor = math.exp(path.log_gradient[1])
    assert standard_errors(sample.gradient, factor) < 5.5
    assert standard_errors(sample.gradient, 1 + 1.3 * (factor - 1)) > 5.5


def test_the_recursion_has_the_expansion():
    path = theory.dyt_recursion(depth=6000, alpha=0.8, gain=1.5)
    rest = [
        path.log_gradient[L] - theory.dyt_expansion(depth=L, alpha=0.8, gain=1.5) for L in (1500, 3000, 6000)
    ]
    assert np.ptp(rest) < 0.01  # a constant is left
    shifted = theory.dyt_expansion(depth=6000, alpha=0.8 * 1.03, gain=1.5)
    assert abs(path.log_gradient[6000] - shifted - rest[0]) > 1
    mean_square = theory.dyt_mean_square_expansion(depth=6000, alpha=0.8, gain=1.5)
    assert path.mean_square[6000] == pytest.approx(mean_square, rel=2e-3)


def test_width_corrections():
    small = theory.dyt_width_correction(width=10_000, depth=100, alpha=1.0)
    assert small == pytest.approx(400 / 90_000 * (1 - 2 / math.pi), rel=0.01)
    # Linear in L, slope 4γ²a²/(9d), when the network is far deeper than wide.
    far = [theory.dyt_width_correction(width=4, depth=L, alpha=0.5, gain=2.0) for L in (10**6, 10**6 + 10**4)]
    assert (far[1] - far[0]) / 1e4 == pytest.approx(4 * 4 * 0.25 / 36, rel=0.02)
