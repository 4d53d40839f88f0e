import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

hursts = st.floats(0.02, 0.98)


def moving_average(weights):
    """Lag covariances of a moving average, normalised: every list of weights gives an admissible one."""
    full = np.correlate(weights, weights, "full")[len(weights) - 1 :]
    return np.concatenate([full / full[0], np.zeros(60)])


averages = st.lists(st.floats(-1, 1), min_size=1, max_size=6).map(lambda w: moving_average([1.5, *w]))


@given(st.integers(1, 40), averages, averages, st.floats(1e-3, 10))
def test_sum_over_lags_is_the_double_sum(depth, gamma_v, gamma_w, alpha):
    k = np.arange(depth)
    lag = np.abs(k[:, None] - k)
    correlation = np.clip(gamma_w[lag], -1, 1)
    terms = gamma_v[lag] * np.asarray(theory.arc_cosine_kernel(correlation))
    got = theory.first_order_difference(alpha=alpha, depth=depth, gamma_v=gamma_v, gamma_w=gamma_w)
    assert got == pytest.approx(alpha**2 * terms.sum(), rel=1e-11, abs=1e-12 * alpha**2)


@given(st.integers(1, 10**4), st.floats(1e-6, 1e-5))
def test_independent_layers_give_the_first_order_of_i2(depth, alpha):
    independent = np.eye(1, depth)[0]
    got = theory.log_first_order_difference(
        alpha=alpha, depth=depth, gamma_v=independent, gamma_w=independent
    )
    exact = theory.log_hidden_difference_second_moment(depth=depth, alpha=alpha)
    assert got == pytest.approx(exact, abs=depth * alpha**2)


@given(st.integers(1, 300), hursts, hursts)
def test_fractional_form_is_the_general_one(depth, hurst_v, hurst_w):
    lags = np.arange(depth)
    got = theory.log_fractional_first_order(alpha=0.3, depth=depth, hurst_v=hurst_v, hurst_w=hurst_w)
    general = theory.log_first_order_difference(
        alpha=0.3,
        depth=depth,
        gamma_v=theory.fractional_noise_covariance(lags, hurst_v),
        gamma_w=theory.fractional_noise_covariance(lags, hurst_w),
    )
    assert got == pytest.approx(general, abs=1e-11)


@given(st.integers(1, 300), hursts)
def test_linear_res_1_sums_to_a_power(depth, hurst):
    gamma = theory.fractional_noise_covariance(np.arange(depth), hurst)
    got = theory.first_order_difference(alpha=1.0, depth=depth, gamma_v=gamma, gain=0.7)
    assert got == pytest.approx(0.7 * depth ** (2 * hurst), rel=1e-10)


def test_res_2_through_the_dual_activation():
    # relu with biases that do not depend on the layer: correlation (s c + b)/(s + b)
    depth, s, b = 50, 1.0, 0.5
    gamma = np.asarray(theory.fractional_noise_covariance(np.arange(depth), 0.7))
    got = theory.first_order_difference(
        alpha=0.1,
        depth=depth,
        gamma_v=gamma,
        gamma_w=gamma,
        kernel=lambda c: theory.dual_activation("relu", first=s + b, second=s + b, covariance=s * c + b),
    )
    mixed = (s * gamma + b) / (s + b)
    same = theory.first_order_difference(alpha=0.1, depth=depth, gamma_v=gamma, gamma_w=mixed)
    assert got == pytest.approx(1.5 * same, rel=1e-12)


@pytest.mark.parametrize(
    ("v", "w"), [(0.1, 0.1), (0.3, 0.6), (0.2, 0.9), (0.5, 0.8), (0.75, 0.3), (0.9, 0.9)]
)
def test_growth_is_reached_at_its_rate(v, w):
    exponent, constant = theory.fractional_growth(hurst_v=v, hurst_w=w)
    assert exponent == max(2 * v, 1)
    error = []
    for depth in (10**4, 10**6):
        log = theory.log_fractional_first_order(alpha=1, depth=depth, hurst_v=v, hurst_w=w)
        error.append(abs(math.expm1(log - exponent * math.log(depth) - math.log(constant))))
    if v == 0.5:
        assert max(error) < 1e-12
        return
    # the two corrections of the docstring, the slower of them
    rate = max(1 - 2 * v, 2 * w - 2) if v > 0.5 else max(2 * v - 1, 2 * v + 2 * w - 3)
    assert error[1] < 0.15
    assert math.log(error[1] / error[0]) / math.log(100) == pytest.approx(rate, abs=0.12)


def test_far_outside_float_range_and_a_million_layers():
    near = theory.log_fractional_first_order(alpha=1e-3, depth=10**6, hurst_v=0.8)
    far = theory.log_fractional_first_order(alpha=[1e-300, 1e300, 0], depth=10**6, hurst_v=0.8)
    np.testing.assert_allclose(far[:2], near + 2 * math.log(1e3) + 600 * math.log(10) * np.array([-1, 1]))
    assert far[2] == -math.inf
    assert theory.fractional_first_order(alpha=1e300, depth=10, hurst_v=0.8) == math.inf


@pytest.mark.statistical
@pytest.mark.parametrize(("v", "w"), [(0.2, 0.2), (0.8, 0.8), (0.3, 0.9)])
def test_linearised_networks(fractional_paths, v, w):
    # V averaged exactly, W sampled: z-test at 5.5 standard errors (false alarm 4e-8 each); a constant off
    # by 3 % must be refuted
    rng = np.random.default_rng(11)
    depth, n = 48, 200_000
    branch = np.maximum(fractional_paths(rng, (n,), depth, w), 0)
    lag = np.abs(np.subtract.outer(np.arange(depth), np.arange(depth))).astype(float)
    gamma = 0.5 * (np.abs(lag - 1) ** (2 * v) - 2 * lag ** (2 * v) + (lag + 1) ** (2 * v))
    sample = ((gamma @ branch) * branch).sum(0)
    predicted = theory.fractional_first_order(alpha=1.0, depth=depth, hurst_v=v, hurst_w=w)
    error = sample.std() / math.sqrt(n)
    assert abs(sample.mean() - predicted) < 5.5 * error
    for mutant in (0.97, 1.03):
        assert abs(sample.mean() - mutant * predicted) > 5.5 * error


@pytest.fixture(scope="module", params=[(0.2, 0.2), (0.8, 0.8), (0.2, 0.9)])
def networks(request, fractional_paths):
    """20,000 res-3 networks of width 3: indices, size, h_0 (unit), h_L and the linearised h_L − h_0."""
    v, w = request.param
    rng = np.random.default_rng(12)
    n, d, depth = 20_000, 3, 32
    # a mean-square difference of 0.05 in all three
    alpha = math.sqrt(0.05 / theory.fractional_first_order(alpha=1, depth=depth, hurst_v=v, hurst_w=w))
    V = fractional_paths(rng, (n, d, d), depth, v) / math.sqrt(d)
    W = fractional_paths(rng, (n, d, d), depth, w) / math.sqrt(d)
    e = np.array([0.48, -0.36, 0.8])
    h, first = np.tile(e, (n, 1)), np.zeros((n, d))
    for k in range(depth):
        h = h + alpha * np.einsum("nij,nj->ni", V[k], np.maximum(np.einsum("nij,nj->ni", W[k], h), 0))
        first += alpha * np.einsum("nij,nj->ni", V[k], np.maximum(W[k] @ e, 0))
    return {"v": v, "w": w, "size": {"depth": depth, "alpha": alpha}, "e": e, "h": h, "first": first}


@pytest.mark.statistical
def test_the_rest_of_a_network_is_of_second_order(networks):
    # common random numbers: what the network adds to its linearisation is the value squared, within a
    # factor; interval of 5.5 standard errors (false alarm 4e-8 each)
    value = theory.fractional_first_order(**networks["size"], hurst_v=networks["v"], hurst_w=networks["w"])
    assert value == pytest.approx(0.05)
    rest = ((networks["h"] - networks["e"]) ** 2).sum(1) - (networks["first"] ** 2).sum(1)
    error = 5.5 * rest.std() / math.sqrt(len(rest))
    assert rest.mean() - error < 1.2 * value**2
    assert rest.mean() + error > 0.2 * value**2
    # without the linearisation taken off it would not be: the test can fail
    assert ((networks["h"] - networks["e"]) ** 2).sum(1).mean() > 5 * value**2


@pytest.mark.statistical
def test_log_mean_of_networks(networks):
    # the first-order term has mean 0 and is taken off; 5.5 standard errors (false alarm 4e-8 each), 15 %
    # of the first-order value squared for the next order
    size, e = networks["size"], networks["e"]
    value = theory.fractional_first_order(**size, hurst_v=networks["v"], hurst_w=networks["w"])
    sample = 0.5 * np.log((networks["h"] ** 2).sum(1)) - networks["first"] @ e
    allowed = 5.5 * sample.std() / math.sqrt(len(sample)) + 0.15 * value * size["depth"] * size["alpha"] ** 2
    predicted = theory.correlated_log_mean(width=3, first_order=value, **size)
    assert abs(sample.mean() - predicted) < allowed
    # the centre of independent layers, which forgets the mean of the second order
    if networks["v"] != networks["w"] or networks["v"] > 0.5:
        assert abs(sample.mean() - value * (3 - 2) / 6) > allowed


@given(st.integers(1, 50), st.integers(1, 1000), st.floats(1e-6, 0.1), st.sampled_from([0.5, 1.0]))
def test_log_mean_of_independent_layers_is_i11(width, depth, alpha, gain):
    got = theory.correlated_log_mean(
        width=width, depth=depth, alpha=alpha, first_order=gain * depth * alpha**2, gain=gain
    )
    rate = theory.explosion_rate(width, gain) * depth * alpha**2 / 2
    assert got == pytest.approx(rate, abs=1e-12 * depth * alpha**2)


def test_bad_covariances_are_refused():
    with pytest.raises(ValueError, match="at least depth=3"):
        theory.first_order_difference(alpha=1, depth=3, gamma_v=[1, 0])
    with pytest.raises(ValueError, match=r"gamma_w\[0\]=0\.5"):
        theory.first_order_difference(alpha=1, depth=1, gamma_v=[1], gamma_w=[0.5])
    with pytest.raises(ValueError, match=r"gamma_v=1\.5"):
        theory.first_order_difference(alpha=1, depth=2, gamma_v=[1, 1.5])
    with pytest.raises(ValueError, match="hurst_w=1"):
        theory.fractional_growth(hurst_v=0.5, hurst_w=1)
