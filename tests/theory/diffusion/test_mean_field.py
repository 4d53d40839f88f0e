import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from theory import (
    activation_second_moment,
    arc_cosine_kernel,
    cosine_flow,
    cosine_recursion,
    dual_activation,
    log_norm_diffusion_law,
    mean_square_flow,
    mean_square_recursion,
    two_input_flow,
)


@pytest.mark.parametrize(("name", "gain"), [("relu", 0.5), ("identity", 1.0), ("leaky-relu", 0.50005)])
def test_homogeneous_flows_are_exponential(name, gain):
    times = np.array([[0.0, 0.3], [1.0, 4.0]])
    flow = mean_square_flow(activation=name, initial_mean_square=0.7, time=times)
    np.testing.assert_allclose(flow, 0.7 * np.exp(gain * times), rtol=1e-9)
    b = 0.25
    flow = mean_square_flow(activation=name, initial_mean_square=0.7, bias_std=0.5, time=times)
    np.testing.assert_allclose(flow, (0.7 + b) * np.exp(gain * times) - b, rtol=1e-9)


@pytest.mark.parametrize("name", ["tanh", "softplus", "gelu", "sin", "erf"])
def test_flow_takes_the_right_time(name):
    """t = ∫ dS/ρ(S) between the two ends."""
    end = mean_square_flow(activation=name, initial_mean_square=0.5, bias_std=0.3, time=1.5)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    half = (end - 0.5) / 2
    rho = activation_second_moment(name, 0.5 + half * (1 + nodes) + 0.09)
    assert half * (weights / rho).sum() == pytest.approx(1.5, rel=1e-9)


def test_flow_may_start_at_zero():
    assert mean_square_flow(activation="relu", initial_mean_square=0.0) == 0
    started = mean_square_flow(activation="softplus", initial_mean_square=0.0, time=1e-4)
    assert started == pytest.approx(1e-4 * np.log(2) ** 2, rel=1e-3)


@pytest.mark.parametrize("name", ["relu", "tanh", "softplus"])
def test_recursion_is_of_order_one_in_depth(name):
    flow = mean_square_flow(activation=name, initial_mean_square=1.0, bias_std=0.2)
    errors = []
    for depth in (16, 32, 64):
        states = mean_square_recursion(
            activation=name, initial_mean_square=1.0, bias_std=0.2, depth=depth, alpha=depth**-0.5
        )
        assert states.shape == (depth + 1,)
        errors.append(abs(states[-1] - flow))
    np.testing.assert_allclose(-np.diff(np.log2(errors)), 1, atol=0.05)


def test_recursion_of_relu_is_the_exact_second_moment():
    states = mean_square_recursion(activation="relu", initial_mean_square=2.0, depth=10, alpha=0.7)
    np.testing.assert_allclose(states, 2 * (1 + 0.49 / 2) ** np.arange(11), rtol=1e-13)


def test_width_corrects_by_its_inverse():
    """E S_1 of the diffusion (S3) tends to the flow with an error of order 1/d."""
    flow = mean_square_flow(activation="tanh", initial_mean_square=1.0)
    errors = []
    for d in (50, 100, 200):
        law = log_norm_diffusion_law(activation="tanh", width=d, initial_mean_square=1.0, tolerance=1e-8)
        errors.append(abs(law.expect(lambda x: np.exp(2 * x)) - flow))
    np.testing.assert_allclose(-np.diff(np.log2(errors)), 1, atol=0.02)


@pytest.mark.parametrize("cosine", [-1.0, -0.999, -0.5, 0.0, 0.9, 0.999999])
def test_cosine_flow_solves_the_equation(cosine):
    times = np.array([0.5, 1.0, 5.0])
    start = max(cosine, -1 + 1e-15)
    direct = integrate.solve_ivp(
        lambda t, c: np.asarray(arc_cosine_kernel(np.clip(c, -1, 1))) - c / 2,
        (0, 5),
        [start],
        t_eval=times,
        rtol=1e-11,
        atol=1e-13,
    ).y[0]
    np.testing.assert_allclose(cosine_flow(cosine=cosine, time=times), direct, atol=1e-8)


def test_aligned_inputs_stay_aligned_and_others_align_slowly():
    assert cosine_flow(cosine=1.0, time=100.0) == 1.0
    assert (cosine_recursion(cosine=1.0, depth=20, alpha=0.3) == 1).all()
    # θ ~ 6π/t, so 1 − c ~ 18π²/t²
    t = 1e4
    assert (1 - cosine_flow(cosine=0.3, time=t)) * t**2 == pytest.approx(18 * np.pi**2, rel=0.02)


@given(cosine=st.floats(-1, 1), other=st.floats(-1, 1), time=st.floats(0, 20), factor=st.floats(1, 5))
@settings(max_examples=50)
def test_cosines_increase_with_depth_and_keep_their_order(cosine, other, time, factor):
    first, later = cosine_flow(cosine=cosine, time=[time, factor * time])
    assert -1 <= first <= later + 1e-9
    assert cosine - 1e-9 <= first <= 1
    if other >= cosine:
        assert cosine_flow(cosine=other, time=time) >= first - 1e-9
    steps = cosine_recursion(cosine=cosine, depth=8, alpha=0.5)
    assert (np.diff(steps) >= -1e-12).all()


def test_cosine_recursion_is_of_order_one_in_depth():
    flow = cosine_flow(cosine=-0.4)
    errors = [abs(cosine_recursion(cosine=-0.4, depth=L, alpha=L**-0.5)[-1] - flow) for L in (32, 64, 128)]
    np.testing.assert_allclose(-np.diff(np.log2(errors)), 1, atol=0.05)


def test_two_inputs_of_relu_have_the_cosine_flow():
    times = np.array([0.2, 1.0])
    state = two_input_flow(activation="relu", mean_squares=(1.0, 3.0), overlap=-0.8, time=times)
    np.testing.assert_allclose(state[0], np.exp(times / 2), rtol=1e-8)
    cosine = state[2] / np.sqrt(state[0] * state[1])
    np.testing.assert_allclose(cosine, cosine_flow(cosine=-0.8 / np.sqrt(3), time=times), atol=1e-8)


def test_two_equal_inputs_are_one():
    state = two_input_flow(activation="tanh", mean_squares=(1.0, 1.0), overlap=1.0, bias_std=0.4, time=0.7)
    flow = mean_square_flow(activation="tanh", initial_mean_square=1.0, bias_std=0.4, time=0.7)
    np.testing.assert_allclose(state, flow, rtol=1e-8)


def test_odd_activations_mirror_overlaps():
    plus = two_input_flow(activation="erf", mean_squares=(1.0, 2.0), overlap=0.9)
    minus = two_input_flow(activation="erf", mean_squares=(1.0, 2.0), overlap=-0.9)
    np.testing.assert_allclose(minus, plus * [1, 1, -1], rtol=1e-9)


def wide_networks(*, d, depth, n, cosine, seed, bias_std=0.0, activation="relu"):
    """Mean squares and overlaps of two inputs of n networks, each layer two fresh Gaussian matrices."""
    rng = np.random.default_rng(seed)
    sigma = {"relu": lambda u: np.maximum(u, 0), "tanh": np.tanh}[activation]
    gram = np.tile([1.0, 1.0, cosine], (n, 1)).T * d

    def images(first, second, both):
        u, v = rng.standard_normal((2, n, d), dtype=np.float32)
        root, rest = np.sqrt(first), both / np.sqrt(first)
        left = root[:, None] * u
        return left, rest[:, None] * u + np.sqrt(np.maximum(second - rest**2, 0))[:, None] * v

    h, k = images(*(gram / d))
    h, k = (x.astype(np.float64) for x in (h, k))
    start = [(h * h).mean(1), (k * k).mean(1), (h * k).mean(1)]
    for _ in range(depth):
        products = [(h * h).mean(1), (k * k).mean(1), (h * k).mean(1)]
        g, f = (sigma(x) for x in images(*(p + bias_std**2 for p in products)))
        dh, dk = images((g * g).mean(1), (f * f).mean(1), (g * f).mean(1))
        h, k = h + dh / np.sqrt(depth), k + dk / np.sqrt(depth)
    return np.array(start), np.array([(h * h).mean(1), (k * k).mean(1), (h * k).mean(1)])


@pytest.mark.statistical
def test_wide_relu_networks_have_these_cosines():
    """
    Mean cosine of 200 networks of width 1000 and depth 30 against the recursion at that depth.

    Six standard errors, a false alarm of 2e-9 for a normal mean, and 2/d for the order 1/d of the bias. A
    kernel too large by 10 % is refuted.
    """
    factor = 1.1
    d, depth, n = 1000, 30, 200
    start, end = wide_networks(d=d, depth=depth, n=n, cosine=0.1, seed=3)
    cosines = end[2] / np.sqrt(end[0] * end[1])
    starts = start[2] / np.sqrt(start[0] * start[1])
    predicted = [cosine_recursion(cosine=c, depth=depth, alpha=depth**-0.5)[-1] for c in starts]
    gap = cosines - predicted
    allowed = 6 * gap.std() / np.sqrt(n) + 2 / d
    assert abs(gap.mean()) < allowed
    wrong = starts
    for _ in range(depth):
        wrong = (wrong + factor * np.asarray(arc_cosine_kernel(wrong)) / depth) / (1 + 0.5 / depth)
    assert abs((cosines - wrong).mean()) > allowed


@pytest.mark.statistical
def test_wide_tanh_networks_with_bias_follow_the_flow():
    """Same rule as above for three numbers; Euler's bias at depth 40 is below 0.01."""
    d, n, bias = 1000, 100, 0.5
    start, end = wide_networks(d=d, depth=40, n=n, cosine=-0.3, seed=4, bias_std=bias, activation="tanh")
    flow = two_input_flow(activation="tanh", mean_squares=(1.0, 1.0), overlap=-0.3, bias_std=bias)
    # Differences to the random start remove most of its noise.
    gap = (end - start) - (flow - [1.0, 1.0, -0.3])[:, None]
    allowed = 6 * gap.std(axis=1) / np.sqrt(n) + 2 / d + 0.01
    assert (np.abs(gap.mean(axis=1)) < allowed).all()


def test_slope_at_the_start_is_the_dual():
    step = 1e-5
    state = two_input_flow(activation="gelu", mean_squares=(0.8, 1.7), overlap=0.4, bias_std=0.6, time=step)
    slope = (state[2] - 0.4) / step
    exact = dual_activation("gelu", first=0.8 + 0.36, second=1.7 + 0.36, covariance=0.4 + 0.36)
    assert slope == pytest.approx(exact, rel=1e-4)


def test_refusals():
    with pytest.raises(ValueError, match=r"^cosine=1.5: must be a finite number >= -1 and <= 1; give"):
        cosine_flow(cosine=1.5)
    with pytest.raises(
        ValueError, match=r"^overlap=2: must be at most √\(1·1\) in size; give h_0·h'_0/width$"
    ):
        two_input_flow(activation="relu", mean_squares=(1.0, 1.0), overlap=2.0)
    with pytest.raises(ValueError, match=r"^time=-1: must be a finite number >= 0; give the depth-time"):
        mean_square_flow(activation="relu", initial_mean_square=1.0, time=-1.0)
