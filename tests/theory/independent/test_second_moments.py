import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

A = 0.7
# generic, so that no pre-activation of the enumerated networks is 0
H0 = {1: [0.8], 2: [0.83, -0.31]}
SIZES = [(1, 1), (1, 2), (1, 4), (2, 1), (2, 2)]
depths = st.integers(1, 10**4)
alphas = st.floats(1e-6, 0.3)
gains = st.sampled_from([0.5, 1.0, 0.37])


def squares(x):
    return (x**2).sum(-1)


@pytest.mark.parametrize(("width", "depth"), SIZES)
def test_every_rademacher_network_of_res_3(rademacher_networks, width, depth):
    h0 = np.array(H0[width])
    net = rademacher_networks(h0=h0, p_last=h0[::-1], depth=depth, alpha=A)
    assert net.least_preactivation > 1e-6
    size = {"depth": depth, "alpha": A}
    scale = squares(h0)
    np.testing.assert_allclose(net.h[:, -1].mean(0), h0, atol=1e-13)
    np.testing.assert_allclose(net.p[:, 0].mean(0), h0[::-1], atol=1e-13)
    got = {
        theory.hidden_second_moment: squares(net.h[:, -1]),
        theory.hidden_difference_second_moment: squares(net.h[:, -1] - net.h[:, 0]),
        theory.gradient_second_moment: squares(net.p[:, 0]),
        theory.gradient_difference_second_moment: squares(net.p[:, 0] - net.p[:, -1]),
    }
    for formula, values in got.items():
        assert values.mean() / scale == pytest.approx(formula(**size), rel=1e-12), formula.__name__
    overlap = (net.h[:, 0] * net.h[:, -1]).sum(-1).mean() / scale
    assert overlap == pytest.approx(theory.overlap_moment(layer=depth, alpha=A), rel=1e-12)


def test_overlap_of_two_inner_layers(rademacher_networks):
    net = rademacher_networks(h0=H0[1], p_last=[1.0], depth=4, alpha=A)
    overlap = (net.h[:, 1] * net.h[:, 3]).mean() / H0[1][0] ** 2
    assert overlap == pytest.approx(theory.overlap_moment(layer=1, other_layer=3, alpha=A), rel=1e-12)


def test_ties_spare_the_hidden_state_but_not_the_gradient(rademacher_networks):
    net = rademacher_networks(h0=[1.0, 1.0], p_last=[0.6, 0.8], depth=1, alpha=A)
    assert net.least_preactivation == 0
    hidden = squares(net.h[:, -1]).mean() / 2
    assert hidden == pytest.approx(theory.hidden_second_moment(depth=1, alpha=A), rel=1e-12)
    assert squares(net.p[:, 0]).mean() == pytest.approx(1 + A**2 / 4, rel=1e-12)


@pytest.mark.parametrize(("activation", "gain"), [("relu", 0.5), ("identity", 1.0)])
@pytest.mark.parametrize(("width", "depth"), [(1, 2), (1, 3), (2, 1)])
def test_every_rademacher_network_of_res_2_with_bias(rademacher_networks, activation, gain, width, depth):
    h0, bias_std = np.array(H0[width]), 0.57
    net = rademacher_networks(
        h0=h0, p_last=h0, depth=depth, alpha=A, bias_std=bias_std, activation=activation
    )
    ratio = width * bias_std**2 / squares(h0)
    size = {"depth": depth, "alpha": A, "gain": gain}
    hidden = squares(net.h[:, -1]).mean() / squares(h0)
    assert hidden == pytest.approx(theory.hidden_second_moment(**size, bias_ratio=ratio), rel=1e-12)
    difference = squares(net.h[:, -1] - net.h[:, 0]).mean() / squares(h0)
    predicted = theory.hidden_difference_second_moment(**size, bias_ratio=ratio)
    assert difference == pytest.approx(predicted, rel=1e-12)
    gradient = squares(net.p[:, 0]).mean() / squares(h0)
    assert gradient == pytest.approx(theory.gradient_second_moment(**size), rel=1e-12)


@pytest.mark.statistical
def test_linear_res_1_with_uniform_weights():
    # z-test at 5.5 standard errors: false alarm 4e-8
    rng = np.random.default_rng(1)
    h = np.tile([0.6, 0.8, 0.0], (100_000, 1))
    for _ in range(3):
        h = h + 0.5 * np.einsum("nij,nj->ni", rng.uniform(-1, 1, (len(h), 3, 3)), h)
    sample = squares(h)
    z = (sample.mean() - theory.hidden_second_moment(depth=3, alpha=0.5, gain=1.0)) / sample.std()
    assert abs(z) * math.sqrt(len(h)) < 5.5


@given(depths, alphas, gains)
def test_log_form_is_the_log_of_the_plain_form(depth, alpha, gain):
    size = {"depth": depth, "alpha": alpha, "gain": gain}
    plain = theory.hidden_difference_second_moment(**size)
    if plain < 1e300:
        log = theory.log_hidden_difference_second_moment(**size)
        assert log == pytest.approx(math.log(plain), rel=1e-11, abs=1e-11)
        hidden = theory.log_hidden_second_moment(**size)
        assert hidden == pytest.approx(math.log(theory.hidden_second_moment(**size)), rel=1e-11, abs=1e-11)


@given(depths, depths, alphas, gains)
def test_growth_composes_over_depth(first, second, alpha, gain):
    log = [
        theory.log_hidden_second_moment(depth=L, alpha=alpha, gain=gain)
        for L in (first, second, first + second)
    ]
    assert log[0] + log[1] == pytest.approx(log[2], rel=1e-12)


@given(st.integers(2, 10**6), st.floats(0, 2.9))
def test_falls_with_the_exponent_of_the_scaling(depth, beta):
    alpha = theory.alpha_from_beta(depth=depth, beta=np.array([beta, beta + 0.1]))
    for formula in (theory.log_hidden_second_moment, theory.log_hidden_difference_second_moment):
        shallow, steep = formula(depth=depth, alpha=alpha)
        assert np.isfinite([shallow, steep]).all()
        assert shallow > steep


@given(depths, alphas, st.floats(0, 10))
def test_bias_form_joins_the_form_without_bias(depth, alpha, ratio):
    size = {"depth": depth, "alpha": alpha}
    hidden = theory.log_hidden_second_moment(**size, bias_ratio=ratio)
    difference = theory.log_hidden_difference_second_moment(**size, bias_ratio=ratio)
    assert hidden == pytest.approx(np.logaddexp(0, difference), rel=1e-10, abs=1e-15)
    assert hidden >= theory.log_hidden_second_moment(**size) * (1 - 1e-12)


def test_bounds_enclose_and_swapped_gains_are_refused():
    low, high = theory.second_moment_bounds(depth=[10, 100], alpha=0.1)
    inside = theory.log_hidden_second_moment(depth=[10, 100], alpha=0.1, gain=0.7)
    assert np.all(low < inside)
    assert np.all(inside < high)
    limits = theory.second_moment_bounds(depth=10**8, alpha=1e-4, difference=True)
    np.testing.assert_allclose(np.exp(limits), theory.critical_gradient_bounds(), rtol=1e-7)
    with pytest.raises(ValueError, match="swap"):
        theory.second_moment_bounds(depth=1, alpha=1, lowest_gain=2)


def test_plain_forms_overflow_to_infinity_silently():
    assert theory.hidden_second_moment(depth=10**6, alpha=1.0) == math.inf
    assert theory.gradient_difference_second_moment(depth=10**6, alpha=1.0) == math.inf


def test_negative_bias_ratio_is_refused():
    with pytest.raises(ValueError, match="bias_ratio=-1"):
        theory.hidden_second_moment(depth=1, alpha=1, bias_ratio=-1)
