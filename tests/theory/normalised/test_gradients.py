"""N5 to N8: gradients of pre-norm networks, in the limit and at finite depth.

Deep networks are drawn by a chain of three numbers a layer (norm, tangent, angle), which shares nothing with
the formulas: they integrate a Bessel process or a backward equation. 5.5 standard errors have false alarm
4e-8.
"""

import math

import mpmath
import numpy as np
import pytest
from explicit_blocks import explicit_networks, standard_errors
from hypothesis import given
from hypothesis import strategies as st

import theory
from theory.normalised._gradient_process import log_bessel_moment, square_rates


def tangents(rng, *, nets, width, hidden_width, depth, alpha, layer=False):
    """ReLU, mean square 1: squares of h_L, of the image of an isotropic tangent, of its part across h_L."""
    d, M, f = width - layer, hidden_width, alpha / math.sqrt(hidden_width)
    R = np.full(nets, float(d))
    g = rng.standard_normal((nets, 2))
    rest = 2 * rng.standard_gamma(0.5 * (d - 1), nets)
    size = g[:, 0] ** 2 + rest + layer * g[:, 1] ** 2
    x, w, mean = (g[:, 0] ** 2 + rest) / size, np.sqrt(R / size) * g[:, 0], layer * g[:, 1] / np.sqrt(size)
    for _ in range(depth):
        N = rng.binomial(M, 0.5, nets)
        A = 2 * rng.standard_gamma(0.5 * N)
        C = 2 * rng.standard_gamma(0.5 * np.maximum(N - 1, 0))
        zeta, g1, g2, g3, g4, g5, g6, g7 = rng.standard_normal((8, nets))
        Q1, Q2 = (2 * rng.standard_gamma(0.5 * (d - k), nets) for k in (2, 3))
        b = np.maximum(x - w * w / R, 0)
        s = f * np.sqrt(b / R)
        h = np.stack([np.sqrt(R) + f * np.sqrt(A) * g1, f * np.sqrt(A) * g2, f * np.sqrt(A * Q1), 0 * R])
        T = np.stack(
            [
                w / np.sqrt(R) + s * (zeta * g1 + np.sqrt(C) * g3),
                np.sqrt(b) + s * (zeta * g2 + np.sqrt(C) * g4),
                s * (zeta * np.sqrt(Q1) + np.sqrt(C) * g5),
                s * np.sqrt(C * Q2),
            ]
        )
        mean = mean + layer * s * (zeta * g6 + np.sqrt(C) * g7)
        R, x, w = (h * h).sum(0), (T * T).sum(0), (h * T).sum(0)
    return R, x + mean**2, x - w * w / R


@pytest.fixture(scope="module")
def deep():
    return tangents(
        np.random.default_rng(11), nets=25_000, width=32, hidden_width=24, depth=80, alpha=80**-0.5
    )


@pytest.mark.statistical
def test_deep_networks_have_the_limit(deep):
    R, square, across = deep
    mean = theory.prenorm_gradient_limit(width=32, time=1.0)
    exact = theory.prenorm_gradient_chain(width=32, hidden_width=24, depth=80, alpha=80**-0.5).gradient
    assert exact == pytest.approx(mean, rel=1e-3)
    assert standard_errors(square, exact) < 5.5
    assert standard_errors(square, 1.03 * exact) > 5.5
    # O(1/L) of the other limits: below 0.3 %, half their standard error.
    fourth = theory.prenorm_gradient_fourth_moment(width=32, time=1.0)
    assert standard_errors(square**2, fourth) < 6
    assert standard_errors(square**2, mean**2) > 6
    final = theory.prenorm_gradient_limit(width=32, time=1.0, final_norm=True)
    assert standard_errors(32 * across / R, final) < 6
    assert standard_errors(32 * across / R, final / (1 - 1 / 32)) > 6


@pytest.mark.statistical
def test_layer_norm_loses_a_dimension():
    _, square, _ = tangents(
        np.random.default_rng(12),
        nets=40_000,
        width=16,
        hidden_width=24,
        depth=80,
        alpha=40**-0.5,
        layer=True,
    )
    limit = theory.prenorm_gradient_limit(width=16, time=2.0, norm="layer")
    assert standard_errors(square, limit) < 5.5
    assert standard_errors(square, 0.97 * limit) > 5.5
    assert theory.prenorm_gradient_limit(
        width=16, time=2.0, norm="layer", mean_square=16 / 15
    ) == pytest.approx(1.9509, abs=1e-4)


@pytest.mark.statistical
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_chain_is_exact_at_small_depth(activation):
    size = {"width": 16, "depth": 2, "alpha": 0.8, "hidden_width": 5}
    sample = explicit_networks(
        np.random.default_rng(13), nets=30_000, kind="pre", activation=activation, **size
    )
    chain = theory.prenorm_gradient_chain(activation=activation, **size)
    for square in (sample.gradient, sample.tangent):
        assert standard_errors(square, chain.gradient) < 5.5
        assert standard_errors(square, 1.03 * chain.gradient) > 5.5
    for k in range(2):
        assert standard_errors(sample.value[:, k], chain.value_gradients[k]) < 5.5
        assert standard_errors(sample.value[:, k], 1.05 * chain.value_gradients[k]) > 5.5
    # The last layer is exact at every depth.
    last = {
        "width": 16,
        "hidden_width": 5,
        "alpha": 0.8,
        "time": 1.28,
        "start": 1.28,
        "activation": activation,
    }
    value, weight = (theory.prenorm_weight_gradient_limit(matrix=matrix, **last) for matrix in ("V", "W"))
    assert value == pytest.approx(chain.value_gradients[-1], rel=1e-4)
    assert standard_errors(sample.weight[:, -1], weight) < 5.5
    assert standard_errors(sample.weight[:, -1], value) > 5.5  # a²Mc for a²dc'


VALUES = {
    (1.0, "relu"): (1.48965, 1.49465, 1.49729),
    (1.0, "tanh"): (1.46522, 1.47213, 1.47564),
    (1.0, "gelu"): (1.44977, 1.45583, 1.45893),
    (2.0, "relu"): (2.01739, 2.00658, 2.00286),
    (2.0, "tanh"): (1.98804, 1.98424, 1.98352),
    (2.0, "gelu"): (1.94160, 1.93646, 1.93508),
}


@pytest.mark.parametrize(("time", "activation"), VALUES)
def test_values_of_the_closed_form(time, activation):
    found = [theory.prenorm_gradient_limit(width=d, time=time, activation=activation) for d in (16, 32, 64)]
    assert found == pytest.approx(VALUES[time, activation], abs=6e-6)


@given(st.floats(0.5, 40), st.floats(0, 1), st.floats(0.01, 300), st.floats(-0.9, 3))
def test_bessel_moments_are_those_of_the_hypergeometric_function(index, share, x, power):
    rate = share * 0.5 * index**2
    mu = mpmath.sqrt(index**2 - 2 * rate)
    q = (index - mu) / 2 + power
    expected = -q * mpmath.log(x) + mpmath.loggamma(mu + 1 + q) - mpmath.loggamma(mu + 1)
    expected += mpmath.log(mpmath.hyp1f1(-q, mu + 1, -x))
    found = log_bessel_moment(index=index, rate=rate, start=2 * x, time=1.0, power=power)
    assert found == pytest.approx(float(mpmath.re(expected)), rel=1e-8, abs=1e-9)


def test_far_from_the_origin_the_moment_is_an_expansion():
    near, far = (
        log_bessel_moment(index=7.0, rate=5.0, start=start, time=1.0) * start for start in (1.99e4, 2.01e4)
    )
    assert near == pytest.approx(far, rel=1e-5)
    assert log_bessel_moment(index=7.0, rate=5.0, start=1e15, time=1.0) > 0


@pytest.mark.parametrize(
    ("activation", "mean", "variance"), [("relu", 11, 21), ("gelu", 12, 22), ("tanh", 13, 24)]
)
def test_least_widths(activation, mean, variance):
    finite = [theory.gradient_mean_is_finite(width=d, activation=activation) for d in range(2, 40)]
    assert finite == [d >= mean for d in range(2, 40)]
    finite = [
        theory.gradient_mean_is_finite(width=d, activation=activation, norm="layer") for d in range(2, 40)
    ]
    assert finite == [d >= mean + 1 for d in range(2, 40)]
    finite = [theory.gradient_variance_is_finite(width=d, activation=activation) for d in range(2, 40)]
    assert finite == [d >= variance for d in range(2, 40)]
    with pytest.raises(ValueError, match=f"width={mean - 1}: must be >= {mean} for '{activation}'") as caught:
        theory.prenorm_gradient_limit(width=mean - 1, time=1.0, activation=activation)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=f"width={variance - 1}: too small for a variance"):
        theory.prenorm_gradient_fourth_moment(width=variance - 1, time=1.0, activation=activation)


@given(st.integers(3, 200), st.floats(0.2, 5))
def test_rates_of_the_square_start_as_they_must(width, ratio):
    rates, weights = square_rates(width, ratio)
    assert weights.sum() == pytest.approx(1, abs=1e-8)
    # d E‖T‖⁴ at the start: (2d + 4) q E[‖T‖²(‖T‖² − (T·ĥ)²)], T isotropic.
    assert weights @ rates == pytest.approx((2 * width + 4) * ratio * (1 - 1 / width), rel=1e-7)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_finite_depths_approach_the_limit_like_one_over_the_depth(activation):
    limit = theory.prenorm_gradient_limit(width=16, time=2.0, activation=activation)
    gaps = [
        theory.prenorm_gradient_chain(
            width=16, depth=L, alpha=math.sqrt(2 / L), activation=activation
        ).gradient
        / limit
        - 1
        for L in (10, 20)
    ]
    assert gaps[0] == pytest.approx({"relu": -0.0068, "tanh": -0.0094}[activation], abs=3e-4)
    assert 1.7 < gaps[0] / gaps[1] < 2.2


def test_weight_gradients_of_deep_networks():
    size = {"width": 24, "hidden_width": 8, "depth": 60, "alpha": 60**-0.5}
    chain = theory.prenorm_gradient_chain(**size)
    assert chain.value_gradients[-1] == pytest.approx(0.5 * 8 / 60, rel=1e-6)  # exact: a²Mc‖p_L‖²
    for k in (0, 29):
        later = theory.prenorm_weight_gradient_limit(
            width=24, hidden_width=8, alpha=60**-0.5, time=1.0, start=(k + 1) / 60, matrix="V"
        )
        assert chain.value_gradients[k] == pytest.approx(later, rel=0.02)


def test_starting_later_is_averaging_over_the_walk():
    at = [theory.prenorm_gradient_limit(width=32, time=2.0, start=s) for s in (0.0, 1e-9, 1.0, 2.0 - 1e-9)]
    assert at[1] == pytest.approx(at[0], rel=1e-6)
    assert at[0] > at[2] > at[3]
    assert at[3] == pytest.approx(1.0, abs=1e-6)
    # Powers without a rate: E (S_τ/S_0) = 1 + cτ, whatever the start.
    growth = math.exp(log_bessel_moment(index=15.0, rate=0.0, start=32.0, time=1.0, power=1.0))
    assert growth == pytest.approx(2.0, rel=1e-12)


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
def test_wide_networks(activation):
    wide = theory.wide_prenorm_gradient(depth=4000, alpha=4000**-0.5, activation=activation)
    fixed = theory.prenorm_gradient_limit(width=3000, time=1.0, activation=activation)
    assert fixed == pytest.approx(wide, rel=5e-4)
    energy = theory.activation_energy(activation)
    assert wide == pytest.approx((1 + energy.mean) ** (energy.slope / energy.mean), rel=1e-3)


def test_exponents():
    assert theory.prenorm_gradient_exponent(beta=0.25) == pytest.approx(0.5)
    assert theory.prenorm_gradient_exponent(beta=0.5, width=16) == 0
    narrow, wide = (theory.prenorm_gradient_exponent(beta=0.0, width=d) for d in (16, 10_000))
    assert wide == pytest.approx(1, abs=1e-3)
    times = [theory.prenorm_gradient_limit(width=16, time=t) for t in (1e6, 1e8)]
    assert math.log(times[1] / times[0]) / math.log(100) == pytest.approx(narrow, abs=1e-3)
    with pytest.raises(ValueError, match="width=10: must be >= 11"):
        theory.prenorm_gradient_exponent(beta=0.25, width=10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.prenorm_gradient_limit(width=32, time=0.0), "time=0: must be"),
        (
            lambda: theory.prenorm_gradient_limit(width=32, time=1.0, start=1.0),
            "start=1: must be .* < 1; give",
        ),
        (
            lambda: theory.prenorm_gradient_limit(width=32, time=1.0, norm="batch"),
            "norm='batch': must be one of",
        ),
        (
            lambda: theory.prenorm_gradient_limit(width=32, time=1.0, power=1.0, final_norm=True),
            "power=1: must be 0",
        ),
        (lambda: theory.prenorm_gradient_chain(width=7, depth=1, alpha=1.0), "width=7: must be .* >= 8"),
        (lambda: theory.prenorm_gradient_chain(width=8, depth=1, alpha=0.0), "alpha=0: must be"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
