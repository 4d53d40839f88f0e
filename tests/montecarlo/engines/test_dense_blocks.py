"""Skip factors, schedules, hidden widths and post-activation of the dense engine against `block_networks`."""

from __future__ import annotations

import functools
import math

import block_networks
import numpy as np
import pytest

import montecarlo
from montecarlo import LOG_RATIOS, ResNet, weights
from montecarlo.engines.dense import _block
from montecarlo.laws import LAWS

simulate = functools.partial(montecarlo.simulate, engine="dense")
assert_agrees = functools.partial(block_networks.assert_agrees, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")

SMALL = {"width": 6, "depth": 3, "beta": 0.4, "input_dim": 9, "weights": "uniform"}
BLOCKS = [
    ("res-1", "tanh"),
    ("res-2", "gelu"),
    ("res-3", "relu"),
    ("post-activation", "softplus"),
    ("balanced", "relu"),
    ("vanilla", "relu"),
]
POST = {"block": "post-activation"}


def network(block="res-3", activation="relu", **fields):
    bias_std = 0.3 if block == "res-2" else 0.0
    return ResNet(**SMALL | {"block": block, "activation": activation, "bias_std": bias_std} | fields)


@pytest.mark.parametrize("skip", [0.7, 0.0, -1.1])
@pytest.mark.parametrize(("block", "activation"), BLOCKS)
def test_skip_factors(block, activation, skip):
    assert_agrees(network(block, activation, skip=skip))


@pytest.mark.parametrize("schedule", ["power:0.5", (0.3, 0.0, 2.0)])
@pytest.mark.parametrize(("block", "activation"), BLOCKS)
def test_schedules(block, activation, schedule):
    assert_agrees(network(block, activation, schedule=schedule))


@pytest.mark.parametrize("hidden_width", [1, 3, 17])
@pytest.mark.parametrize(("block", "activation"), BLOCKS[1:3])
def test_hidden_widths(block, activation, hidden_width):
    assert_agrees(network(block, activation, hidden_width=hidden_width))


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "tanh", "identity"])
def test_post_activation(activation):
    assert_agrees(network("post-activation", activation))


@pytest.mark.parametrize("norm", ["pre-rms", "post-layer", "peri-layer", "pre-tanh:0.7"])
@pytest.mark.parametrize(
    "fields",
    [
        {"skip": 0.8, "schedule": "power:0.3", "hidden_width": 13},
        {"skip": -0.5, "activation": "tanh", **POST},
    ],
    ids=str,
)
def test_all_together_with_norms(norm, fields):
    assert_agrees(network(**fields, norm=norm))


@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize(("width", "hidden_width"), [(9, 30), (30, 9)])
def test_any_law(law, width, hidden_width):
    net = network(width=width, hidden_width=hidden_width, depth=2, weights=law, skip=0.9)
    columns = {"weight_gradients": False, "replicas": 3, "seed": 5}
    sample = simulate(net, **columns, trajectories=True)
    for replica in range(3):
        w = weights(net, replica=replica, seed=5)
        path = block_networks.states(net, w, w.A @ w.x)
        found = sample["log_hidden_path"][replica] + math.log(np.linalg.norm(path[0]))
        np.testing.assert_allclose(found, np.log(np.linalg.norm(path, axis=1)), atol=2e-6)
    # a product of Jacobians, and of their transposes, is as long on the average: the backward pass ran
    assert np.isfinite(sample["log_gradient_path"]).all()


@pytest.mark.parametrize(
    "fields", [{"hidden_width": 20}, POST, {"skip": 0.5, "schedule": "power:1"}], ids=str
)
def test_segments_of_the_tape_change_no_bit(fields):
    net = network(**fields, depth=11)
    everything = functools.partial(
        simulate, net, replicas=2, seed=4, trajectories=True, weight_gradients=True
    )
    whole = everything()
    for segment in (1, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_block, "segment_length", lambda depth, layer_bytes, s=segment: s)
            cut = everything()
        for name, column in whole.columns.items():
            assert np.array_equal(column, cut[name]), (name, segment)


def test_defaults_written_out_change_no_bit():
    plain = simulate(network(), replicas=3, seed=2, trajectories=True, weight_gradients=True)
    written = simulate(
        network(hidden_width=6, skip=1.0, schedule=[1.0, 1.0, 1.0]), replicas=3, seed=2, trajectories=True,
        weight_gradients=True,
    )  # fmt: skip
    for name, column in plain.columns.items():
        assert np.array_equal(column, written[name]), name


def test_a_constant_factor_is_a_part_of_alpha():
    half, scheduled = (
        simulate(ResNet(width=7, depth=5, **fields), replicas=3, seed=2, trajectories=True)
        for fields in ({"alpha": 0.25}, {"alpha": 0.5, "schedule": [0.5] * 5})
    )
    for name, column in half.columns.items():
        assert np.array_equal(column, scheduled[name]), name


def test_networks_of_other_hidden_widths_share_the_units_that_both_have():
    wide, narrow = (
        weights(ResNet(width=5, depth=2, beta=0.5, hidden_width=m), replica=1, seed=3) for m in (11, 4)
    )
    np.testing.assert_allclose(wide.W[:, :4], narrow.W, rtol=1e-15)
    np.testing.assert_allclose(math.sqrt(11) * wide.V[:, :, :4], math.sqrt(4) * narrow.V, rtol=1e-15)
    assert wide.V.shape == (2, 5, 11)


@pytest.mark.parametrize("law", sorted(LAWS))
def test_arrays_of_a_hidden_width_have_their_scales(law):
    net = ResNet(
        width=20, hidden_width=80, depth=3, beta=0.5, block="res-2", bias_std=2.0, weights=law, skip=0.5,
        schedule="power:1",
    )  # fmt: skip
    w = weights(net, replica=0, seed=1)
    assert w.V.shape == (3, 20, 80)
    assert w.W.shape == (3, 80, 20)
    assert w.b.shape == (3, 80)
    for array, scale in ((w.V, 80**-0.5), (w.W, 20**-0.5), (w.b, 2.0)):
        assert np.sqrt((array**2).mean()) == pytest.approx(scale, rel=0.15)
    assert w.skip == 0.5
    np.testing.assert_allclose(w.alphas, net.scaling / np.array([1.0, 2.0, 3.0]), rtol=1e-15)


@pytest.mark.parametrize("skip", [0.5, -2.0, 1e30, 1e-30])
def test_far_outside_the_range_of_floats(skip):
    """Without branches to speak of, h_L is b^L h_0; with them the logs stay finite."""
    still = simulate(ResNet(width=4, depth=3000, alpha=1e-90, skip=skip), replicas=2, seed=1)
    for name in ("log_hidden_ratio", "log_gradient_ratio"):
        np.testing.assert_allclose(still[name], 3000 * math.log(abs(skip)), rtol=1e-9)
    expected = max(3000 * math.log(abs(skip)), 0.0)
    np.testing.assert_allclose(still["log_hidden_difference"], expected, rtol=1e-9, atol=1e-9)
    moving = simulate(ResNet(width=4, depth=3000, beta=0.1, skip=skip), replicas=2, seed=1)
    assert all(np.isfinite(column).all() for column in moving.columns.values())


def test_a_stream_that_is_dropped_may_die():
    """b = 0 at hidden width 1: a layer whose one unit is off leaves nothing, and no gradient goes back."""
    sample = simulate(
        ResNet(width=3, depth=4, alpha=1.0, skip=0.0, hidden_width=1), replicas=200, seed=1, trajectories=True
    )
    dead = np.isneginf(sample["log_hidden_ratio"])
    assert 0 < dead.sum() < 200
    assert np.array_equal(dead, np.isneginf(sample["log_gradient_ratio"]))
    np.testing.assert_allclose(sample["log_hidden_difference"][dead], 0.0, atol=1e-12)


def test_a_scaling_of_zero_leaves_the_stream_and_no_gradients():
    net = ResNet(width=4, depth=3, beta=0.5, schedule=[0.0, 1.0, 0.0])
    sample = simulate(net, replicas=2, seed=1, trajectories=True, weight_gradients=True)
    path = sample["log_hidden_path"]
    assert np.array_equal(path[:, 1], np.zeros(2))
    assert np.array_equal(path[:, 2], path[:, 3])
    for name in ("log_weight_gradient_v", "log_weight_gradient_w"):
        assert np.array_equal(np.isneginf(sample[name]), [[True, False, True]] * 2)


@pytest.mark.parametrize("fields", [{}, {"hidden_width": 20}], ids=str)
def test_euler_identity(fields):
    """G5: p_0 · h_0 = p_L · h_L for homogeneous branches."""
    net = ResNet(width=8, depth=5, beta=0.3, schedule="power:0.4", **fields)
    sample = simulate(net, replicas=2, seed=1)
    for replica in range(2):
        w = weights(net, replica=replica, seed=1)
        ends = montecarlo.final_states(net, replica=replica, seed=1)
        p_0 = ends.gradient * np.exp(sample["log_gradient_ratio"][replica]) * np.linalg.norm(w.readout)
        h_0 = w.A @ w.x
        h_L = ends.hidden * np.exp(sample["log_hidden_ratio"][replica]) * np.linalg.norm(h_0)
        assert p_0 @ h_0 == pytest.approx(w.readout @ h_L, abs=1e-5)


@pytest.mark.statistical
def test_the_mean_square_with_skip_schedule_and_hidden_width():
    """G1: E‖h_L‖²/‖h_0‖² = Π (b² + a_k²/2), any law; the mean of 30,000 networks is normal, |z| < 5."""
    net = ResNet(
        width=16, hidden_width=5, depth=6, alpha=0.6, skip=0.9, schedule="power:0.5", weights="rademacher"
    )
    sample = simulate(net, replicas=30_000, seed=12, gradients="joint")
    a = 0.6 * np.arange(1.0, 7.0) ** -0.5
    exact = float(np.prod(0.81 + a * a / 2.0))
    for name in ("log_hidden_ratio", "log_gradient_ratio"):
        squares = np.exp(2.0 * sample[name])
        deviation = squares.std() / math.sqrt(len(squares))
        assert abs(squares.mean() - exact) < 5.0 * deviation
        assert abs(squares.mean() - 1.03 * exact) > 5.0 * deviation


def test_all_ratios_are_there():
    sample = simulate(ResNet(width=4, depth=3, beta=0.5, **POST), replicas=2, seed=1, weight_gradients=True)
    assert list(sample.columns) == [*LOG_RATIOS, "log_weight_gradient_v"]


@pytest.mark.parametrize("engine", ["dense", "gaussian"])
def test_vanilla_is_res_1_with_relu_bit_for_bit(engine):
    words = {"width": 12, "depth": 9, "alpha": 0.3, "skip": 0.8}
    one, other = (
        montecarlo.simulate(ResNet(block=block, **words), replicas=5, seed=3, engine=engine)
        for block in ("res-1", "vanilla")
    )
    for name in LOG_RATIOS:
        np.testing.assert_array_equal(one[name], other[name])
