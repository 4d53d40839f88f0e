"""Norms of the dense engine against `block_networks`."""

from __future__ import annotations

import functools
import math

import block_networks
import numpy as np
import pytest
from block_networks import states
from scipy import integrate

import montecarlo
from montecarlo import LOG_RATIOS, ResNet, weights
from montecarlo.engines.dense import _block
from montecarlo.laws import LAWS

simulate = functools.partial(montecarlo.simulate, engine="dense")
assert_agrees = functools.partial(block_networks.assert_agrees, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")

NORMS = ["pre-rms", "pre-layer", "post-rms", "post-layer", "peri-rms", "peri-layer", "pre-tanh:0.7"]
BLOCKS = [("res-1", "tanh"), ("res-2", "gelu"), ("res-3", "relu"), ("res-1", "identity")]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("block", "activation"), BLOCKS)
def test_agrees_with_what_one_reads(norm, block, activation):
    net = ResNet(
        width=6, depth=3, beta=0.4, block=block, activation=activation, norm=norm, input_dim=9,
        bias_std=0.3 if block == "res-2" else 0.0, weights="uniform",
    )  # fmt: skip
    assert_agrees(net)


@pytest.mark.parametrize("norm", ["pre-rms", "post-layer", "peri-rms"])
def test_epsilon_stands_inside_the_root(norm):
    assert_agrees(ResNet(width=6, depth=3, beta=0.4, norm=norm, norm_eps=0.5, input_dim=9))


@pytest.mark.parametrize("law", sorted(LAWS))
def test_any_law(law):
    assert_agrees(ResNet(width=9, depth=2, beta=0.4, norm="peri-layer", weights=law, input_dim=9), seed=5)


@pytest.mark.parametrize("norm", NORMS[:6])
def test_powers_of_two_of_the_input_change_only_their_part(norm):
    """A stream with a norm has a scale of its own, which no rescaling of mantissas may touch."""
    place = norm.partition("-")[0]
    for scale in (2.0**-300, 2.0**-50, 2.0**300):
        net = {"width": 6, "depth": 4, "beta": 0.2, "norm": norm, "input_dim": 9}
        plain, scaled = (
            simulate(ResNet(**net, input_scale=s), replicas=3, seed=2, trajectories=True)
            for s in (1.0, scale)
        )
        log_h = [s["log_hidden_path"] + math.log(c) for s, c in ((plain, 1.0), (scaled, scale))]
        if place == "post":  # forgotten with the first layer
            np.testing.assert_allclose(log_h[0][:, 1:], log_h[1][:, 1:], rtol=1e-13, atol=1e-12)
            shift = plain["log_gradient_ratio"] - scaled["log_gradient_ratio"]
            np.testing.assert_allclose(shift, math.log(scale), rtol=1e-12)
        elif scale < 1.0:
            # h_1 - h_0 does not see it; what is left of h_0 is below the rounding of h_1
            np.testing.assert_allclose(
                log_h[1][:, 1], np.log(step_of_a_norm(ResNet(**net), range(3), 2)), atol=1e-5
            )
        else:
            assert np.all(np.abs(scaled["log_hidden_ratio"]) < 1e-60)
            typical = 0.5 * math.log(net["depth"]) + np.log(net["depth"] ** -0.2) - math.log(scale)
            assert np.all(np.abs(scaled["log_hidden_difference"] - typical) < 3.0)
        assert all(np.isfinite(column).all() for column in scaled.columns.values())


def step_of_a_norm(net, replicas, seed):
    """Return ‖h_1 - h_0‖/‖h_0‖ of networks with a norm before the branch."""
    steps = []
    for replica in replicas:
        w = weights(net, replica=replica, seed=seed)
        path = states(net, w, w.A @ w.x)
        steps.append(np.linalg.norm(path[1] - path[0]) / np.linalg.norm(path[0]))
    return steps


@pytest.mark.parametrize("norm", NORMS)
def test_segments_of_the_tape_change_no_bit(norm):
    net = ResNet(width=7, depth=11, beta=0.3, norm=norm, input_scale=1e-20)
    everything = functools.partial(simulate, net, seed=4, trajectories=True, weight_gradients=True)
    whole, alone = everything(replicas=2), everything(replicas=1)
    for name, column in alone.columns.items():
        assert np.array_equal(column, whole[name][:1]), name  # nothing is left of the row before
    for segment in (1, 3, 11):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_block, "segment_length", lambda depth, layer_bytes, s=segment: s)
            cut = everything(replicas=2)
        for name, column in whole.columns.items():
            assert np.array_equal(column, cut[name]), (name, segment)


def test_post_norm_of_a_homogeneous_block_is_the_norm_of_the_plain_one():
    """N10 i: pathwise, on the same weights."""
    fields = {"width": 8, "depth": 9, "beta": 0.3}
    post, plain = (ResNet(**fields, norm=norm) for norm in ("post-rms", "none"))
    for replica in range(3):
        a, b = (montecarlo.final_states(net, replica=replica, seed=1).hidden for net in (post, plain))
        np.testing.assert_allclose(a, b, atol=1e-6)
    sample = simulate(post, replicas=3, seed=1, trajectories=True)
    for replica, path in enumerate(sample["log_hidden_path"]):
        w = weights(post, replica=replica, seed=1)
        np.testing.assert_allclose(
            path[1:] + math.log(np.linalg.norm(w.A @ w.x)), 0.5 * math.log(8), atol=1e-6
        )


def test_the_norm_of_nothing_is_nothing():
    # one unit, less its mean: the branch is zero, and so is its derivative
    sample = simulate(ResNet(width=1, depth=5, beta=0.5, norm="pre-layer"), replicas=3, seed=1)
    assert np.array_equal(sample["log_hidden_ratio"], np.zeros(3))
    assert np.array_equal(sample["log_gradient_ratio"], np.zeros(3))


@pytest.mark.parametrize("norm", ["pre-rms", "peri-rms"])
def test_a_branch_of_a_norm_does_not_see_the_radius(norm):
    """G5 for a branch of degree 0: p_k · h_k = p_{k+1} · h_k."""
    net = ResNet(width=8, depth=1, beta=0.3, norm=norm)
    sample = simulate(net, replicas=3, seed=1)
    for replica in range(3):
        w = weights(net, replica=replica, seed=1)
        ends = montecarlo.final_states(net, replica=replica, seed=1)
        first = ends.gradient * np.exp(sample["log_gradient_ratio"][replica]) * np.linalg.norm(w.readout)
        assert not np.allclose(first, w.readout, atol=1e-2)
        assert first @ (w.A @ w.x) == pytest.approx(w.readout @ (w.A @ w.x), abs=1e-5)


def inverse_square_of_the_start(net):
    """Return E 1/‖h_0‖²: h_0 is ‖x‖/√n times a Gaussian vector, and 1/s = ∫ exp(-t s) dt."""
    n = net.input_dim

    def transform(t):  # E exp(-t x²) to the power n, x uniform on [0, 1]
        return (0.5 * math.sqrt(math.pi / t) * math.erf(math.sqrt(t))) ** n

    integral = integrate.quad(transform, 1e-12, 100.0, limit=200)[0]
    return n * integral / (net.width - 2)


@pytest.mark.statistical
def test_the_mean_square_of_a_walk_with_a_norm_before_the_branch():
    """N1: E‖h_L - h_0‖² = L a² c d, whatever h_0, with c = ½ for ReLU.

    The mean of 20,000 networks is normal to far below the false alarm, 6e-7 (|z| < 5); three per cent more
    are refuted.
    """
    net = ResNet(width=24, depth=6, alpha=0.4, norm="pre-rms")
    sample = simulate(net, replicas=20_000, seed=11, gradients="none")
    ratios = np.exp(2.0 * sample["log_hidden_difference"])
    exact = net.depth * net.scaling**2 * 0.5 * net.width * inverse_square_of_the_start(net)
    deviation = ratios.std() / math.sqrt(len(ratios))
    assert abs(ratios.mean() - exact) < 5.0 * deviation
    assert abs(ratios.mean() - 1.03 * exact) > 5.0 * deviation


def test_all_ratios_are_there():
    sample = simulate(ResNet(width=4, depth=3, beta=0.5, norm="peri-rms"), replicas=2, seed=1)
    assert list(sample.columns) == list(LOG_RATIOS)
