"""Engines have one law on networks with norms, hidden widths, skip factors and schedules, jointly.

Every engine that takes a specification is compared with the dense one. False alarm at most 1e-6 for this
file: each comparison has a share of 1e-6 over specifications x 2 engines x 3 parts of at most 24 statistics.
The seeds may be changed once, with a reason.
"""

from __future__ import annotations

import functools

import joint_statistics as joint
import numpy as np
import pytest
from joint_statistics import STATISTICS, gradient_statistics, hidden_statistics

from montecarlo import ResNet, simulate
from montecarlo.engines._registry import ENGINES
from montecarlo.engines._request import Request
from montecarlo.estimates import same_law

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEEDS = {"dense": 20240911, "gaussian": 20240912, "radial": 20240913}
LINEAR = {"block": "res-1", "activation": "identity"}


def network(width, depth, **fields):
    if "alpha" not in fields:
        fields.setdefault("beta", 0.25)
    return ResNet(width=width, depth=depth, **fields)


SPECIFICATIONS = [
    network(5, 12, hidden_width=16),
    network(1, 6, hidden_width=70, alpha=0.6),
    network(16, 8, hidden_width=3, skip=0.8, schedule="power:0.5"),
    network(3, 10, skip=-0.7),
    network(4, 5, skip=0.0, hidden_width=40),
    network(6, 10, skip=0.5, schedule="power:1", **LINEAR),
    network(6, 4, schedule=(0.2, 3.0, 0.0, 1.0)),
    network(8, 10, norm="pre-rms", hidden_width=12),
    network(2, 6, norm="pre-rms", schedule="power:0.5", **LINEAR),
    network(4, 8, norm="pre-layer"),
    network(6, 8, norm="peri-rms", hidden_width=5),
    network(6, 8, norm="post-rms", hidden_width=4, skip=0.5),
    network(3, 8, norm="post-rms", schedule="power:0.4", **LINEAR),
    network(8, 6, norm="pre-rms", block="res-2", activation="gelu", bias_std=0.3, hidden_width=5),
    network(8, 6, norm="peri-layer", block="res-2", activation="tanh", skip=0.9),
    network(8, 6, norm="post-layer", block="res-1", activation="tanh", schedule="power:0.5"),
    network(8, 6, norm="pre-tanh:0.7", hidden_width=20),
    network(8, 6, block="post-activation", skip=0.8),
    network(8, 6, block="balanced", skip=0.8),
    network(8, 6, block="post-activation", activation="tanh", norm="pre-rms"),
]
FALSE_ALARM = 1e-6 / (len(SPECIFICATIONS) * 2 * 3 * STATISTICS)
REPLICAS = 5000
assert_one_law = functools.partial(joint.assert_one_law, false_alarm=FALSE_ALARM)


def gradients_of(engine, net):
    """Return the best that an engine gives of gradients; None where it refuses the network."""
    for gradients in ("joint", "dual", "none"):
        request = Request(gradients=gradients == "joint", dual=gradients == "dual", trajectories=True)
        if ENGINES[engine].refusal(net, request) is None:
            return gradients
    return None


PAIRS = [
    pytest.param(engine, net, id=f"{engine}-{i}")
    for i, net in enumerate(SPECIFICATIONS)
    for engine in ("gaussian", "radial")
    if gradients_of(engine, net) is not None
]


@functools.lru_cache(maxsize=4)
def rows_of(engine, net):
    gradients = gradients_of(engine, net)
    return simulate(
        net, replicas=REPLICAS, seed=SEEDS[engine], engine=engine, gradients=gradients, trajectories=True,
        weight_gradients=gradients == "joint", gate_gradients=gradients == "joint",
    )  # fmt: skip


def gradients(sample, marginals):
    dual = "_dual" if "log_gradient_ratio_dual" in sample.columns else ""
    columns = gradient_statistics(
        sample[f"log_gradient_ratio{dual}"], sample[f"log_gradient_difference{dual}"]
    )
    return {name: columns[name] for name in ("g", "dg")} if marginals else columns


@pytest.mark.parametrize(("engine", "net"), PAIRS)
def test_an_engine_agrees_with_the_dense_one(engine, net):
    dense, other = rows_of("dense", net), rows_of(engine, net)
    assert_one_law(hidden_statistics(dense), hidden_statistics(other))
    given = gradients_of(engine, net)
    if given != "none":
        # duality behind a norm is one of either ratio alone: layers are not reversible
        marginals = given == "dual" and net.norm != "none"
        assert_one_law(gradients(dense, marginals), gradients(other, marginals))
    if given == "joint":
        assert_one_law(joint.joint_statistics(dense), joint.joint_statistics(other))


def test_the_radial_engine_is_compared_on_every_norm_it_has():
    norms = {net.norm for pair in PAIRS for engine, net in [pair.values] if engine == "radial"}
    assert norms == {"none", "pre-rms", "pre-layer", "peri-rms", "post-rms"}


@pytest.mark.parametrize("norm", ["none", "pre-rms", "peri-rms", "post-rms"])
def test_a_scaling_wrong_by_three_per_cent_is_refuted(norm):
    # power, not chance: the distance is about two thresholds
    right, wrong = (
        ResNet(width=64, hidden_width=96, depth=12, alpha=alpha, norm=norm) for alpha in (0.25, 0.2575)
    )
    dense, other, same = (
        distance_moved(
            simulate(net, replicas=replicas, seed=SEEDS[engine], engine=engine, gradients="none")
        )
        for engine, net, replicas in (
            ("dense", right, 4000), ("radial", wrong, 40_000), ("radial", right, 40_000),
        )
    )  # fmt: skip
    assert same_law(dense, other, false_alarm=FALSE_ALARM).refuted
    assert not same_law(dense, same, false_alarm=FALSE_ALARM).refuted


def distance_moved(sample):
    """Return log ‖h_L - h_0‖/‖h_0‖, or the cosine of the angle between them where the length is fixed."""
    difference = sample["log_hidden_difference"]
    if sample.resnet.norm != "post-rms":
        return difference
    ratio = np.exp(sample["log_hidden_ratio"])
    return (1.0 + ratio**2 - np.exp(2.0 * difference)) / (2.0 * ratio)
