"""Norms, hidden widths, skips, schedules and post-activation blocks of the correlated engine.

Against `block_networks` on one replica of `weights`, and in law against the dense engine, whose independent
layers are those of Brownian weights.
"""

from __future__ import annotations

import functools
import math

import block_networks
import numpy as np
import pytest
from joint_statistics import (
    STATISTICS,
    assert_one_law,
    gradient_statistics,
    hidden_statistics,
    joint_statistics,
)

import montecarlo
from montecarlo import LOG_RATIOS, InvalidFieldError, ResNet
from montecarlo.engines.correlated import _engine
from montecarlo.estimates import same_law

simulate = functools.partial(montecarlo.simulate, engine="correlated")
assert_agrees = functools.partial(block_networks.assert_agrees, engine="correlated")

pytestmark = pytest.mark.usefixtures("warm_kernels")

NORMS = ["pre-rms", "pre-layer", "post-rms", "post-layer", "peri-rms", "peri-layer", "pre-tanh:0.7"]
BLOCKS = [("res-1", "tanh"), ("res-2", "gelu"), ("res-3", "relu")]


def network(block="res-3", activation="relu", **fields):
    bias = 0.3 if block == "res-2" else 0.0
    defaults = {
        "width": 6, "depth": 3, "beta": 0.4, "input_dim": 9, "weights": "fbm:0.7", "bias_std": bias,
    }  # fmt: skip
    return ResNet(block=block, activation=activation, **(defaults | fields))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("block", "activation"), BLOCKS)
def test_norms_agree_with_what_one_reads(norm, block, activation):
    assert_agrees(network(block, activation, norm=norm))


@pytest.mark.parametrize(
    "fields",
    [
        {"hidden_width": 10}, {"hidden_width": 3, "weights_w": "rbf:0.1"}, {"width": 1, "hidden_width": 4},
        {"skip": -0.7}, {"skip": 0.0, "hidden_width": 20}, {"schedule": "power:1"},
        {"schedule": (0.5, 0.0, 2.0)},
        {"block": "res-2", "activation": "gelu", "hidden_width": 4, "skip": 0.9, "norm": "peri-layer"},
        {"block": "res-1", "activation": "tanh", "skip": 1.4, "schedule": "power:0.5"},
        {"hidden_width": 9, "norm": "post-layer", "skip": 0.6, "schedule": "power:0.5"},
        {"block": "post-activation"}, {"block": "post-activation", "activation": "tanh", "norm": "pre-rms"},
        {"norm": "pre-layer", "norm_eps": 0.5}, {"norm": "post-rms", "norm_eps": 0.5},
    ],
    ids=str,
)  # fmt: skip
def test_words_agree_with_what_one_reads(fields):
    assert_agrees(network(**fields), seed=5)


def test_a_wide_network_agrees_in_columns():
    """Networks whose paths are too many for lanes run alone, in the first of eight columns."""
    for fields in ({"norm": "peri-layer", "hidden_width": 7}, {"norm": "post-rms", "skip": 0.6}):
        net = network(**fields)
        lanes = simulate(net, replicas=3, seed=4, trajectories=True, weight_gradients=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_engine, "_NARROW_NUMBERS", 0)
            assert _engine.columns_at_once(net) == 1
            alone = simulate(net, replicas=3, seed=4, trajectories=True, weight_gradients=True)
        assert all(np.array_equal(column, alone[name]) for name, column in lanes.columns.items())


def test_defaults_written_out_change_no_bit():
    plain, written = (
        simulate(network(**fields), replicas=9, seed=2)
        for fields in ({}, {"hidden_width": 6, "skip": 1.0, "schedule": [1.0] * 3})
    )
    assert all(np.array_equal(plain[name], written[name]) for name in LOG_RATIOS)


@pytest.mark.parametrize("norm", ["pre-rms", "post-layer", "peri-rms"])
def test_a_norm_has_a_scale_of_its_own(norm):
    one, other = (
        simulate(network(norm=norm, depth=20, input_scale=scale), replicas=5, seed=3)
        for scale in (1.0, 2.0**-30)
    )
    assert all(np.isfinite(other[name]).all() for name in LOG_RATIOS)
    if norm == "post-layer":
        shift = one["log_gradient_ratio"] - other["log_gradient_ratio"]
        assert np.all(np.abs(shift + 30 * math.log(2.0)) < 5.0)


def test_long_networks_keep_their_digits():
    """A stream that a norm holds at √d, and one of factor b that decays far below float32."""
    held = simulate(network(norm="post-rms", depth=400, beta=0.5), replicas=4, seed=3, trajectories=True)
    path = held["log_hidden_path"][:, 1:]
    np.testing.assert_allclose(path, np.repeat(path[:, :1], 400, axis=1), atol=1e-6)
    decay = simulate(network(skip=0.5, depth=400, beta=None, alpha=1e-6), replicas=4, seed=3)
    np.testing.assert_allclose(decay["log_hidden_ratio"], 400 * math.log(0.5), rtol=1e-3)
    np.testing.assert_allclose(decay["log_hidden_difference"], 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [({"skip": 1e-9}, "skip factor outside"), ({"hidden_width": 90_000, "depth": 500}, "width \\* hidden")],
)
def test_what_cannot_be_done_well_is_refused(fields, rule):
    with pytest.raises(InvalidFieldError, match=rule):
        simulate(network(**fields), replicas=1, seed=1)


# --- laws; false alarm 1e-6 over all statistics of three parts of each specification -----------------------

INDEPENDENT = [
    {"norm": "pre-rms", "hidden_width": 9},
    {"norm": "peri-layer", "block": "res-2", "activation": "tanh"},
    {"norm": "post-rms", "skip": 0.8, "schedule": "power:0.5"},
    {"block": "post-activation", "skip": 0.9},
]
FALSE_ALARM = 1e-6 / (len(INDEPENDENT) * 3 * STATISTICS)
ROWS = 6000


@pytest.mark.statistical
@pytest.mark.parametrize("fields", INDEPENDENT, ids=str)
def test_brownian_weights_give_the_law_of_independent_layers(fields):
    fields = {"width": 5, "depth": 6, "beta": 0.3, "input_dim": 9} | fields
    asked = {"replicas": ROWS, "trajectories": True, "weight_gradients": True, "gate_gradients": True}
    dense = montecarlo.simulate(ResNet(**fields), seed=20250111, engine="dense", **asked)
    other = simulate(ResNet(**fields, weights="fbm:0.5"), seed=20250112, **asked)
    check = functools.partial(assert_one_law, false_alarm=FALSE_ALARM)
    check(hidden_statistics(dense), hidden_statistics(other))
    check(
        *(gradient_statistics(s["log_gradient_ratio"], s["log_gradient_difference"]) for s in (dense, other))
    )
    check(joint_statistics(dense), joint_statistics(other))
    smooth = simulate(ResNet(**fields, weights="fbm:0.99"), seed=20250112, **asked)
    name = "log_hidden_difference"
    assert same_law(dense[name], smooth[name], false_alarm=FALSE_ALARM).refuted
