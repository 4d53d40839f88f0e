import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

hursts = st.floats(0.02, 0.98)
widths = st.one_of(st.none(), st.integers(1, 10**4))


def moving_average(weights):
    """Lag covariances of a moving average, normalised: every list of weights gives an admissible one."""
    full = np.correlate(weights, weights, "full")[len(weights) - 1 :]
    return np.concatenate([full / full[0], np.zeros(60)])


averages = st.lists(st.floats(-1, 1), min_size=1, max_size=6).map(lambda w: moving_average([1.5, *w]))


def overlap(correlation, width):
    """Return E(D_j D_k W_j W_kᵀ)_11 from the probability of both units and the mean product of both."""
    c = np.clip(correlation, -1.0, 1.0)
    both = (math.pi - np.arccos(c)) / (2.0 * math.pi)  # the orthant probability of the normal law
    product = (np.sqrt(1.0 - c**2) + c * (math.pi - np.arccos(c))) / (2.0 * math.pi)
    share = 0.0 if width is None else 1.0 / width
    return (1.0 - share) * c * both + share * product


@given(st.integers(1, 40), averages, averages, st.floats(1e-3, 10), widths)
def test_sum_over_lags_is_the_double_sum(depth, gamma_v, gamma_w, alpha, width):
    k = np.arange(depth)
    lag = np.abs(k[:, None] - k)
    terms = gamma_v[lag] * overlap(gamma_w[lag], width)
    got = theory.first_order_gradient_difference(
        width=width, alpha=alpha, depth=depth, gamma_v=gamma_v, gamma_w=gamma_w
    )
    assert got == pytest.approx(alpha**2 * terms.sum(), rel=1e-11, abs=1e-12 * alpha**2 * depth)


@given(widths, st.integers(1, 10**4), st.floats(1e-6, 1e3))
def test_independent_layers_have_the_law_of_hidden_states_at_every_width(width, depth, alpha):
    independent = np.eye(1, depth)[0]
    size = {"alpha": alpha, "depth": depth, "gamma_v": independent, "gamma_w": independent}
    got = theory.log_first_order_gradient_difference(width=width, **size)
    assert got == pytest.approx(theory.log_first_order_difference(**size), abs=1e-12)  # I4


@given(widths, st.integers(1, 300), hursts)
def test_independent_inner_or_outer_layers_alone_suffice(width, depth, hurst):
    # One of V and W is enough: other lags have no part in common.
    gamma = theory.fractional_noise_covariance(np.arange(depth), hurst)
    independent = np.eye(1, depth)[0]
    got = theory.first_order_gradient_difference(
        width=width, alpha=1.0, depth=depth, gamma_v=independent, gamma_w=gamma
    )
    assert got == pytest.approx(depth / 2, rel=1e-12)
    wide = theory.first_order_gradient_difference(
        width=None, alpha=1.0, depth=depth, gamma_v=gamma, gamma_w=independent
    )
    assert wide == pytest.approx(depth / 2, rel=1e-12)


@given(st.integers(2, 300), st.floats(0.02, 0.98), st.integers(1, 1000), st.integers(1, 1000))
def test_the_share_of_the_width_is_one_over_it(depth, hurst, width, other):
    gamma = theory.fractional_noise_covariance(np.arange(depth), hurst)
    size = {"alpha": 1.0, "depth": depth, "gamma_v": gamma, "gamma_w": gamma}
    limit, narrow, first, second = (
        theory.first_order_gradient_difference(width=w, **size) for w in (None, 1, width, other)
    )
    # Affine in 1/d: width None is the limit, and width 1 the law of hidden states.
    assert first == pytest.approx(limit + (narrow - limit) / width, rel=1e-9)
    assert narrow == pytest.approx(theory.first_order_difference(**size), rel=1e-9)
    # Monotone: persistent layers gain from κ(γ) > γ P(γ), narrow networks most.
    if hurst >= 0.5 and width <= other:
        assert first >= second * (1.0 - 1e-12) >= limit * (1.0 - 1e-11)


@given(st.integers(1, 200), hursts, st.one_of(st.none(), st.integers(1, 50)))
def test_more_correlation_and_a_larger_scaling_give_a_larger_difference(depth, hurst, width):
    lags = np.arange(depth)
    rough, smooth = (theory.fractional_noise_covariance(lags, h) for h in (hurst, 0.5 * (hurst + 1.0)))
    by_alpha = theory.first_order_gradient_difference(
        width=width, alpha=[0.1, 0.2], depth=depth, gamma_v=rough, gamma_w=rough
    )
    assert by_alpha[1] == pytest.approx(4.0 * by_alpha[0], rel=1e-12)
    if hurst >= 0.5:
        less, more = (
            theory.first_order_gradient_difference(width=width, alpha=1.0, depth=depth, gamma_v=g, gamma_w=g)
            for g in (rough, smooth)
        )
        assert more >= less * (1.0 - 1e-12)


@pytest.mark.parametrize("hurst", [0.6, 0.8, 0.95])
def test_wide_gradients_grow_like_their_own_power(hurst):
    # L^max(1, 4H - 2), while hidden states grow like L^2H: the top of the module.
    values = []
    for depth in (10**5, 10**6):
        gamma = theory.fractional_noise_covariance(np.arange(depth), hurst)
        values.append(
            theory.log_first_order_gradient_difference(
                width=None, alpha=1.0, depth=depth, gamma_v=gamma, gamma_w=gamma
            )
        )
    slope = (values[1] - values[0]) / math.log(10.0)
    assert slope == pytest.approx(max(1.0, 4.0 * hurst - 2.0), abs=0.06)
    assert slope < 2.0 * hurst - 0.1


def test_log_form_far_outside_float_range():
    gamma = theory.fractional_noise_covariance(np.arange(10), 0.8)
    size = {"width": 5, "depth": 10, "gamma_v": gamma, "gamma_w": gamma}
    near = theory.log_first_order_gradient_difference(alpha=1.0, **size)
    far = theory.log_first_order_gradient_difference(alpha=[1e-300, 1e300, 0.0], **size)
    np.testing.assert_allclose(far[:2], near + 600.0 * math.log(10.0) * np.array([-1.0, 1.0]))
    assert far[2] == -math.inf
    assert theory.first_order_gradient_difference(alpha=1e300, **size) == math.inf


def test_bad_input_is_refused():
    size = {"alpha": 1.0, "depth": 2, "gamma_v": [1, 0], "gamma_w": [1, 0]}
    with pytest.raises(ValueError, match="width=0"):
        theory.first_order_gradient_difference(width=0, **size)
    with pytest.raises(ValueError, match="at least depth=2"):
        theory.first_order_gradient_difference(width=3, **size | {"gamma_w": [1]})
    with pytest.raises(ValueError, match=r"gamma_v=1\.5"):
        theory.first_order_gradient_difference(width=3, **size | {"gamma_v": [1, 1.5]})
