"""The dense engine outside the range of floats: finite logs, exact zeros as -inf, the rest counted as NaN."""

import functools
import math

import numpy as np
import pytest

import montecarlo
from montecarlo import LOG_RATIOS, Activation, ResNet, weights
from montecarlo.laws import LAWS

simulate = functools.partial(montecarlo.simulate, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")


def is_finite(sample):
    return all(np.isfinite(column).all() for column in sample.columns.values())


@pytest.mark.parametrize("law", sorted(LAWS))
def test_explosion_by_ten_thousands_of_decades(law):
    sample = simulate(ResNet(width=8, depth=100_000, beta=0.0, weights=law), replicas=1, seed=1)
    assert is_finite(sample)
    # E log R of one layer is 0.21 to 0.27 at alpha = 1, d = 8, whatever the law
    assert 5_000 < sample["log_hidden_ratio"][0] < 30_000
    # of a network that has grown so far the start is nothing
    assert sample["log_hidden_difference"][0] == sample["log_hidden_ratio"][0]
    assert sample["log_gradient_difference"][0] == sample["log_gradient_ratio"][0]


def test_a_million_layers():
    sample = simulate(ResNet(width=8, depth=1_000_000, beta=0.0, weights="uniform"), replicas=1, seed=1)
    assert is_finite(sample)
    tenth = simulate(ResNet(width=8, depth=100_000, beta=0.0, weights="uniform"), replicas=1, seed=1)
    rate = sample["log_hidden_ratio"][0] / tenth["log_hidden_ratio"][0]
    assert rate == pytest.approx(10.0, abs=0.5)


@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize("block", ["res-1", "res-2", "res-3"])
def test_differences_of_nearly_the_identity(law, block):
    net = ResNet(width=8, depth=10_000, beta=3.0, weights=law, block=block)
    sample = simulate(net, replicas=4, seed=1)
    assert is_finite(sample)
    # I2: E‖h_L - h_0‖²/‖h_0‖² = L a²/2 to first order; one network has χ²_d/(2d) about it, and
    # res-1 has the share of the active units at h_0 in place of 1/2
    typical = 0.5 * math.log(10_000 * 1e-24 / 2.0)
    for name in ("log_hidden_difference", "log_gradient_difference"):
        assert np.all(np.abs(sample[name] - typical) < 2.0)
    assert np.all(np.abs(sample["log_hidden_ratio"]) < np.exp(sample["log_hidden_difference"]) + 1e-15)


def test_differences_below_the_smallest_float():
    # α = 10^-90, three hundred decades below where h_0 + α V g(h_0) is h_0 in float64
    sample = simulate(ResNet(width=8, depth=1000, beta=30.0), replicas=4, seed=1)
    typical = 0.5 * math.log(1000 / 2.0) - 90.0 * math.log(10.0)
    assert np.all(np.abs(sample["log_hidden_difference"] - typical) < 2.0)
    assert np.array_equal(sample["log_hidden_ratio"], np.zeros(4))


def test_differences_scale_with_alpha():
    small, smaller = (
        simulate(ResNet(width=8, depth=50, alpha=alpha), replicas=20, seed=1) for alpha in (1e-9, 1e-12)
    )
    for name in ("log_hidden_difference", "log_gradient_difference"):
        np.testing.assert_allclose(small[name] - smaller[name], math.log(1000.0), atol=1e-6)


@pytest.mark.parametrize("law", sorted(LAWS))
def test_huge_alpha(law):
    net = ResNet(width=8, depth=30, alpha=1e60, weights=law)
    reference = ResNet(width=8, depth=30, alpha=1e30, weights=law)
    sample, other = (simulate(n, replicas=20, seed=1, trajectories=True) for n in (net, reference))
    assert is_finite(sample)
    # The identity is nothing beside the branches: a layer multiplies by alpha, unless no unit is active (one
    # layer in 256).
    for name in ("log_hidden_ratio", "log_gradient_ratio"):
        layers = (sample[name] - other[name]) / (30.0 * math.log(10.0))
        np.testing.assert_allclose(layers, np.rint(layers), atol=1e-6)
        assert np.all((layers > 25.5) & (layers < 30.5))


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_extreme_inputs(scale):
    net = ResNet(width=8, depth=30, beta=0.5, input_scale=scale)
    plain = simulate(ResNet(width=8, depth=30, beta=0.5), replicas=20, seed=1)
    sample = simulate(net, replicas=20, seed=1)
    for name in ("log_hidden_ratio", "log_hidden_difference"):
        np.testing.assert_allclose(sample[name], plain[name], atol=1e-5)


@pytest.mark.parametrize("depth", [1, 5, 40])
def test_collapse_to_an_exact_zero(depth):
    # width 1, α = 1, signs: each layer doubles h or sends it to zero
    net = ResNet(width=1, depth=depth, alpha=1.0, block="res-1", activation="identity", weights="rademacher")
    sample = simulate(net, replicas=200, seed=3, trajectories=True)
    collapsed = sample["log_hidden_ratio"] == -np.inf
    assert np.array_equal(sample["log_gradient_ratio"] == -np.inf, collapsed)
    assert np.array_equal(sample["log_hidden_difference"][collapsed], np.zeros(collapsed.sum()))
    assert np.array_equal(sample["log_gradient_difference"][collapsed], np.zeros(collapsed.sum()))
    np.testing.assert_allclose(sample["log_hidden_ratio"][~collapsed], depth * math.log(2.0), rtol=1e-14)
    assert sample.n_nonfinite == 0
    assert collapsed.any()


def test_collapse_through_thousands_of_decades():
    # E log|1 + Z| < 0 at width 1: the state vanishes, the difference stays of the size of the start
    net = ResNet(width=1, depth=20_000, alpha=1.0, block="res-1", activation="identity")
    sample = simulate(net, replicas=4, seed=3)
    assert np.all(sample["log_hidden_ratio"] < -1_000.0)
    assert np.all(np.isfinite(sample["log_hidden_ratio"]))
    # the excursions above the start, of a few decades, leave their float64 rounding in the difference
    assert np.all(np.abs(sample["log_hidden_difference"]) < 1e-8)
    # a linear network of width 1 is a product of numbers: the gradient ratio is the hidden one
    # (a factor near 0 magnifies the float32 rounding of its product)
    np.testing.assert_allclose(sample["log_gradient_ratio"], sample["log_hidden_ratio"], rtol=1e-4)


def test_a_layer_that_nearly_cancels_is_no_exact_zero():
    # In this network a weight is -1 to 5e-8 and the float32 product V h rounds to -h: one layer in 10^6 or so
    # at width 1 and α = 1. -inf is promised for exact zeros only, and the gradient sees that this is none.
    net = ResNet(width=1, depth=20_000, alpha=1.0, block="res-1", activation="identity")
    sample = simulate(net, replicas=1, seed=0, first_replica=6)
    assert np.isfinite(sample["log_gradient_ratio"][0])
    assert np.isfinite(sample["log_hidden_ratio"][0])


def test_a_dead_relu_unit_of_width_1():
    net = ResNet(width=1, depth=60, alpha=1.0, block="res-1")
    sample = simulate(net, replicas=200, seed=3)
    dead = weights_are_negative(net, 200)
    # h_0 < 0 is never active: nothing changes, exactly
    assert np.array_equal(sample["log_hidden_ratio"][dead], np.zeros(dead.sum()))
    assert np.array_equal(sample["log_hidden_difference"][dead], np.full(dead.sum(), -np.inf))
    assert np.array_equal(sample["log_gradient_difference"][dead], np.full(dead.sum(), -np.inf))
    assert 50 < dead.sum() < 150
    assert sample.n_nonfinite == 0


def weights_are_negative(net, replicas):
    small = ResNet(**{**net.canonical(), "depth": 1})
    pairs = (weights(small, replica=i, seed=3) for i in range(replicas))
    return np.array([(w.A @ w.x)[0] < 0.0 for w in pairs])


def test_networks_that_leave_the_finite_numbers_are_counted():
    cube = Activation("cube", lambda x: x**3, lambda x: 3.0 * x**2)
    net = ResNet(width=6, depth=12, alpha=1.0, block="res-1", activation=cube)
    sample = simulate(net, replicas=200, seed=1, trajectories=True, weight_gradients=True)
    lost = np.isnan(sample["log_hidden_ratio"])
    assert 10 < lost.sum() < 200  # some explode, some do not
    assert (
        sample.n_nonfinite == np.isnan([sample[name] for name in LOG_RATIOS]).any(axis=0).sum() >= lost.sum()
    )
    for name in LOG_RATIOS:
        assert np.isnan(sample[name][lost]).all()
        assert not np.isinf(sample[name]).any()
    # the path is kept up to where it left
    path = sample["log_hidden_path"]
    assert not path[:, 0].any()
    assert np.isnan(path[lost][:, -1]).all()
    assert np.isfinite(path[~lost]).all()


def test_a_lost_network_does_not_touch_its_neighbours():
    cube = Activation("cube", lambda x: x**3, lambda x: 3.0 * x**2)
    net = ResNet(width=6, depth=12, alpha=1.0, block="res-1", activation=cube)
    together = simulate(net, replicas=60, seed=1, block_size=60)
    alone = simulate(net, replicas=60, seed=1, block_size=1)
    for name in LOG_RATIOS:
        assert np.array_equal(together[name], alone[name], equal_nan=True)


@pytest.mark.parametrize("width", [4097, 10_000])
def test_great_widths(width):
    sample = simulate(ResNet(width=width, depth=1, alpha=1.0, weights="rademacher"), replicas=1, seed=1)
    # ‖h_1‖²/‖h_0‖² is 3/2 to O(1/√d)
    assert sample["log_hidden_ratio"][0] == pytest.approx(0.5 * math.log(1.5), abs=10.0 / math.sqrt(width))
    assert sample["log_gradient_ratio"][0] == pytest.approx(0.5 * math.log(1.5), abs=10.0 / math.sqrt(width))


@pytest.mark.parametrize("scale", [1e-20, 1e-40, 1e-100])
@pytest.mark.parametrize(
    ("block", "activation"), [("res-1", "softplus"), ("res-2", "tanh"), ("res-2", "relu")]
)
def test_inputs_far_smaller_than_the_first_increment(block, activation, scale):
    net = ResNet(
        width=8, depth=4, beta=0.5, block=block, activation=activation, input_scale=scale,
        bias_std=1.0 if block == "res-2" else 0.0,
    )  # fmt: skip
    sigma = {
        "softplus": lambda x: np.logaddexp(0.0, x),
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0.0),
    }
    w = weights(net, replica=0, seed=1)
    h = start = w.A @ w.x
    for k in range(net.depth):
        z = h if w.W is None else w.W[k] @ h + w.b[k]
        h = h + w.alpha * w.V[k] @ sigma[activation](z)
    exact = math.log(np.linalg.norm(h)) - math.log(np.linalg.norm(start))
    assert simulate(net, replicas=1, seed=1)["log_hidden_ratio"][0] == pytest.approx(exact, abs=1e-4)
