"""The radial engine's gradients of the same networks, behind a norm: N6c, N9 and N10 iii as chains.

That they have the dense engine's law, jointly, `test_blocks_agree` tests. Here are invariances, extremes, and
comparisons with the engine's other chain, that of a tangent, on more rows than matrices would allow.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from scipy import stats

import montecarlo
from montecarlo import InvalidFieldError, ResNet
from montecarlo.engines._request import Request
from montecarlo.engines.radial import _engine
from montecarlo.estimates import same_law

simulate = functools.partial(montecarlo.simulate, engine="radial")

pytestmark = pytest.mark.usefixtures("warm_kernels")

LINEAR = {"block": "res-1", "activation": "identity"}
NORMS = ("pre-rms", "peri-rms", "post-rms")
SPECIFICATIONS = [
    {"width": 5, "hidden_width": 70, "norm": "pre-rms", "schedule": "power:0.3"},
    {"width": 6, "norm": "peri-rms"},
    {"width": 9, "norm": "post-rms", "skip": 0.5, "schedule": "power:0.3"},
    {"width": 3, "norm": "pre-rms", **LINEAR},
    {"width": 2, "hidden_width": 5, "norm": "peri-rms", "schedule": "power:0.3"},
]
RATIOS = ("log_hidden_ratio", "log_hidden_difference", "log_gradient_ratio", "log_gradient_difference")


@pytest.mark.parametrize("fields", SPECIFICATIONS, ids=str)
def test_rows_are_functions_of_the_replica(fields):
    net = ResNet(depth=45, beta=0.3, **fields)
    whole = simulate(net, replicas=37, seed=3, threads=1, block_size=37)
    assert tuple(whole.columns) == RATIOS
    other = simulate(
        net, replicas=37, seed=3, threads=2, block_size=5, trajectories=True, weight_gradients=True
    )
    part = simulate(net, replicas=4, seed=3, first_replica=33)
    hidden = simulate(net, replicas=37, seed=3, gradients="none", trajectories=True)
    for name in RATIOS:
        assert np.array_equal(whole[name], other[name])
        assert np.array_equal(whole[name][33:], part[name])
    for name in ("log_hidden_ratio", "log_hidden_difference", "log_hidden_path"):
        assert np.array_equal(hidden[name], other[name])
    np.testing.assert_allclose(other["log_gradient_path"][:, 0], whole["log_gradient_ratio"], atol=1e-12)
    assert not other["log_gradient_path"][:, -1].any()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("montecarlo.engines.radial._network.CHUNK_LAYERS", 7)
        short = simulate(net, replicas=37, seed=3)
    for name in RATIOS:
        np.testing.assert_allclose(short[name], whole[name], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("alpha", [1e-300, 1e-20, 0.5, 1e50])
def test_gradients_of_networks_of_any_scale(norm, alpha):
    for scale in (1e-50, 1.0, 1e100):
        net = ResNet(width=30, depth=9, alpha=alpha, norm=norm, input_scale=scale)
        sample = simulate(net, replicas=20, seed=3, trajectories=True, weight_gradients=True)
        assert all(np.isfinite(column).all() for column in sample.columns.values())
        if norm != "post-rms" and alpha < scale:  # both sides move by steps of the same size
            moved = sample["log_gradient_difference"] - sample["log_hidden_difference"]
            assert np.all(np.abs(moved) < 5.0)


def test_a_norm_of_one_number_is_a_sign():
    for norm in NORMS:
        sample = simulate(ResNet(width=1, depth=6, alpha=0.5, norm=norm), replicas=20, seed=3)
        ratio, change = (0.0, -math.inf) if norm != "post-rms" else (-math.inf, 0.0)
        assert np.all(sample["log_gradient_ratio"] == ratio)
        np.testing.assert_allclose(sample["log_gradient_difference"], change, atol=1e-15)


def test_streams_that_end_pass_no_gradient():
    net = ResNet(width=3, depth=4, alpha=1.0, skip=0.0, hidden_width=1, norm="post-rms")
    sample = simulate(net, replicas=400, seed=1, trajectories=True, weight_gradients=True)
    dead = np.isneginf(sample["log_hidden_ratio"])
    assert dead.any()
    for name in ("log_gradient_ratio", "log_weight_gradient_v", "log_weight_gradient_w"):
        assert np.all(np.isneginf(sample[name][dead]))
    assert np.all(sample["log_gradient_difference"][dead] == 0.0)


def test_a_pre_norm_leaves_the_part_along_the_state():
    """p_k·h_k = p_{k+1}·h_k: at width 2 and one layer, what is added is across h_0."""
    net = ResNet(width=2, depth=1, alpha=0.7, norm="pre-rms")
    sample = simulate(net, replicas=200, seed=4)
    # ‖p_0‖² = ‖p_L‖² + 2 p_L·δ + ‖δ‖², and |p_L·δ| is at most ‖δ‖ for a unit vector
    ratio, change = np.exp(sample["log_gradient_ratio"]), np.exp(sample["log_gradient_difference"])
    assert np.all(np.abs(ratio**2 - 1.0 - change**2) <= 2.0 * change + 1e-12)


def test_too_large_a_step_is_refused():
    net = ResNet(width=4, depth=2, alpha=1e60, norm="pre-rms", input_scale=1e-60)
    with pytest.raises(InvalidFieldError, match="1e100 times the input_scale"):
        simulate(net, replicas=1, seed=1)


# --- laws; a false alarm of 1e-6 over twelve comparisons, and wrong laws beside them ----------------------

FALSE_ALARM = 1e-6 / 12
ROWS = 60_000


@functools.cache
def rows_of(norm, gradients, width=6, alpha=0.6):
    net = ResNet(width=width, hidden_width=5, depth=8, alpha=alpha, norm=norm)
    return simulate(net, replicas=ROWS, seed=8, gradients=gradients)


@pytest.mark.statistical
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("width", [2, 6])
def test_gradients_have_the_law_of_tangents(norm, width):
    """J0: ‖p_0‖/‖p_L‖ and ‖p_0 - p_L‖/‖p_L‖ have the laws of ‖Jv‖ and ‖Jv - v‖ of the other chain."""
    joint, dual = rows_of(norm, "joint", width), rows_of(norm, "dual", width)
    for name in ("log_gradient_ratio", "log_gradient_difference"):
        assert not same_law(joint[name], dual[f"{name}_dual"], false_alarm=FALSE_ALARM).refuted


@pytest.mark.statistical
@pytest.mark.parametrize("norm", NORMS)
def test_wrong_gradients_are_refuted(norm):
    joint, other = rows_of(norm, "joint"), rows_of(norm, "dual", alpha=0.6 * 1.06)
    name = "log_gradient_ratio"
    assert same_law(joint[name], other[f"{name}_dual"], false_alarm=FALSE_ALARM).refuted
    # gradients of other networks: each has its law, the two together do not; six deviations are 2e-9
    moved, gradient = stats.rankdata(joint["log_hidden_difference"]), stats.rankdata(joint[name])
    together, apart = (
        math.sqrt(ROWS) * np.corrcoef(moved, column)[0, 1] for column in (gradient, np.roll(gradient, 1))
    )
    assert abs(together) > 6.0 > abs(apart)


def test_seconds_grow_with_what_is_asked():
    net = ResNet(width=6, depth=1000, beta=0.5, norm="pre-rms")
    times = [
        _engine.seconds(net, Request(gradients=gradients, weight_gradients=weights))
        for gradients, weights in ((False, False), (True, False), (True, True))
    ]
    assert times == sorted(times)
    assert len(set(times)) == 3
