"""The dense engine against `plain_networks`, whose backward pass is itself checked by finite differences."""

import functools
import math

import numpy as np
import plain_networks
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_networks import ACTIVATIONS, NETWORKS, SMOOTH, forward, reference, reference_of

import montecarlo
from montecarlo import LOG_RATIOS, Activation, ResNet, weights
from montecarlo.laws import LAWS
from montecarlo.networks._activations import BUILT_IN

simulate = functools.partial(montecarlo.simulate, engine="dense")
assert_agrees = functools.partial(plain_networks.assert_agrees, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")

WIDTHS = (1, 3, 8, 9, 130)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize(("block", "activation"), NETWORKS)
def test_agrees_with_the_plain_recursion(block, activation, law, width):
    net = ResNet(
        width=width, depth=4 if width > 100 else 9, beta=0.4, block=block, activation=activation, weights=law,
        bias_std=0.3 if block == "res-2" else 0.0, input_dim=20,
    )  # fmt: skip
    replicas = {1: 12, 130: 1}.get(width, 3)
    assert assert_agrees(net, replicas=replicas, seed=6) >= (2 if width == 1 else min(replicas, 2))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_blocks_with_inner_weights_work_without_biases(activation):
    net = ResNet(width=7, depth=9, beta=0.4, block="res-2", activation=activation)
    assert assert_agrees(net, replicas=3, seed=1) == 3


def test_relu_blocks_2_and_3_are_the_same_network():
    res_2, res_3 = (
        simulate(ResNet(width=7, depth=9, beta=0.4, block=block), replicas=5, seed=1)
        for block in ("res-2", "res-3")
    )
    for name in LOG_RATIOS:
        assert np.array_equal(res_2[name], res_3[name])


@settings(max_examples=60)
@given(
    network=st.sampled_from(NETWORKS),
    law=st.sampled_from(sorted(LAWS)),
    width=st.integers(2, 40),
    depth=st.integers(1, 30),
    beta=st.floats(0.2, 2.0),
    bias_std=st.floats(0.01, 2.0),
    input_dim=st.integers(1, 70),
    seed=st.integers(0, 2**64),
)
def test_agrees_for_any_specification(network, law, width, depth, beta, bias_std, input_dim, seed):
    block, activation = network
    net = ResNet(
        width=width, depth=depth, beta=beta, block=block, activation=activation, weights=law,
        bias_std=bias_std if block == "res-2" else 0.0, input_dim=input_dim,
    )  # fmt: skip
    assume(assert_agrees(net, replicas=1, seed=seed, tolerance=1e-4) == 1)


def test_typical_error_is_far_below_the_tolerance():
    net = ResNet(width=40, depth=60, beta=0.5, weights="uniform")
    sample = simulate(net, replicas=8, seed=2, threads=1)
    expected = [reference_of(net, i, 2).columns() for i in range(8)]
    errors = [abs(sample[name][i] - expected[i][name]) for i in range(8) for name in LOG_RATIOS]
    assert np.median(errors) < 1e-6


@pytest.mark.parametrize("block", ["res-1", "res-2"])
@pytest.mark.parametrize("slope", [None, 0.2])
def test_a_users_own_activation(block, slope):
    if slope is None:
        bent = Activation("bent", lambda x: 0.5 * x + math.sin(x) / 3.0, lambda x: 0.5 + math.cos(x) / 3.0)
        plain = (lambda x: 0.5 * x + np.sin(x) / 3.0, lambda x: 0.5 + np.cos(x) / 3.0)
    else:
        bent = Activation(
            "bent", lambda x: x if x > 0.0 else 0.2 * x, lambda x: 1.0 if x > 0.0 else 0.2, negative_slope=0.2
        )
        plain = (lambda x: np.where(x > 0, x, 0.2 * x), lambda x: np.where(x > 0, 1.0, 0.2))
    net = ResNet(width=10, depth=9, beta=0.4, block=block, activation=bent)
    assert assert_agrees(net, replicas=3, seed=4, activation=plain) == 3


def test_an_activation_with_a_value_at_zero():
    wave = Activation("cosine", lambda x: math.cos(x) + 0.0, lambda x: -math.sin(x))
    net = ResNet(width=10, depth=9, beta=0.4, block="res-2", activation=wave, bias_std=0.2)
    assert assert_agrees(net, replicas=3, seed=4, activation=(np.cos, lambda x: -np.sin(x))) == 3


@pytest.mark.parametrize("activation", sorted(SMOOTH))
@pytest.mark.parametrize("block", ["res-1", "res-2"])
def test_backward_pass_of_the_reference_by_finite_differences(block, activation):
    net = ResNet(
        width=5, depth=4, beta=0.3, block=block, activation=activation,
        bias_std=0.5 if block == "res-2" else 0.0,
    )  # fmt: skip
    w = weights(net, replica=0, seed=9)
    sigma = SMOOTH[activation][0]
    exact, step = reference(w, activation), 1e-5

    def output(h=None):
        return w.readout @ forward(w, sigma, w.A @ w.x if h is None else h)[0][-1]

    def differences(array, evaluate):
        result = np.empty_like(array)
        for index in np.ndindex(array.shape):
            saved = array[index]
            array[index] = saved + step
            above = evaluate()
            array[index] = saved - step
            result[index] = (above - evaluate()) / (2 * step)
            array[index] = saved
        return result

    h_0 = w.A @ w.x
    np.testing.assert_allclose(differences(h_0, lambda: output(h_0)), exact.p[0], rtol=1e-6, atol=1e-8)
    for k in range(net.depth):
        np.testing.assert_allclose(differences(w.V[k], output), exact.gradient_v[k], rtol=1e-6, atol=1e-8)
        if block == "res-2":
            np.testing.assert_allclose(differences(w.W[k], output), exact.gradient_w[k], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("block", ["res-1", "res-3"])
def test_paths_end_where_the_columns_say(block):
    net = ResNet(width=12, depth=30, beta=0.5, block=block)
    sample = simulate(net, replicas=20, seed=3, trajectories=True, weight_gradients=True)
    hidden, gradient = sample["log_hidden_path"], sample["log_gradient_path"]
    assert hidden.shape == gradient.shape == (20, 31)
    assert np.array_equal(hidden[:, -1], sample["log_hidden_ratio"])
    assert np.array_equal(gradient[:, 0], sample["log_gradient_ratio"])
    assert not hidden[:, 0].any()
    assert not gradient[:, -1].any()
    assert sample["log_weight_gradient_v"].shape == (20, 30)
    assert ("log_weight_gradient_w" in sample.columns) == (block != "res-1")


def test_columns_are_those_asked_for():
    net = ResNet(width=4, depth=3, beta=0.5)
    assert list(simulate(net, replicas=2, seed=1).columns) == list(LOG_RATIOS)
    bare = simulate(net, replicas=2, seed=1, gradients="none")
    assert list(bare.columns) == ["log_hidden_ratio", "log_hidden_difference"]
    assert (
        "log_gradient_path"
        not in simulate(net, replicas=2, seed=1, gradients="none", trajectories=True).columns
    )
    full = simulate(net, replicas=2, seed=1, weight_gradients=True)
    assert set(LOG_RATIOS) < set(full.columns)


def test_activations_known_by_name_are_all_compared():
    assert set(ACTIVATIONS) == set(BUILT_IN)
