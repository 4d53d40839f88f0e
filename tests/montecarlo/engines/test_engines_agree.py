"""The three engines have one law on every specification that they share, jointly over all columns.

Two-sample DKW tests of marginals and of linear combinations of columns, which see the dependence between
them. False alarm at most 1e-6 for this file: each comparison has a share of 1e-6 over 30 specifications x 3
pairs of engines x 24 statistics = 2160, and fewer than 1200 comparisons are made. The engines run on
different seeds, because they share the stream of the inputs. The seeds may be changed once, with a reason.
"""

import functools

import joint_statistics as joint
import numpy as np
import pytest
from joint_statistics import STATISTICS, gradient_statistics, hidden_statistics, is_scalar
from joint_statistics import joint_statistics as joint_of

from montecarlo import Activation, ResNet, simulate
from montecarlo.estimates import same_law

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEEDS = {"dense": 20240801, "gaussian": 20240802, "radial": 20240803}


def spec(width, depth, block="res-3", activation="relu", replicas=6000, **others):
    if "alpha" not in others:
        others.setdefault("beta", 0.5)
    return ResNet(width=width, depth=depth, block=block, activation=activation, **others), replicas


SPECIFICATIONS = [
    spec(1, 6, alpha=0.7),
    spec(1, 200),
    spec(2, 10, beta=0.25),
    spec(3, 200),
    spec(4, 30, beta=0.0),
    spec(5, 1, beta=0.0),
    spec(16, 20),
    spec(17, 7, beta=0.0),
    spec(33, 50, beta=0.25, replicas=2000),
    spec(64, 3, beta=0.0),
    spec(64, 200, replicas=1000),
    spec(6, 40, beta=2.0),
    spec(1, 20, "res-1", "identity"),
    spec(7, 40, "res-1", "identity"),
    spec(1, 9, "res-1"),
    spec(2, 10, "res-1"),
    spec(8, 30, "res-1"),
    spec(15, 10, "res-1", "leaky-relu", beta=0.0),
    spec(5, 20, "res-1", "tanh"),
    spec(3, 5, "res-1", "gelu", beta=0.0),
    spec(8, 4, "res-1", "softplus", input_scale=1e-20),
    spec(5, 8, "res-1", "tanh", input_scale=1e8),
    spec(2, 8, "res-2", "identity"),
    spec(6, 15, "res-2", "leaky-relu", beta=0.25),
    spec(4, 10, "res-2", bias_std=0.5),
    spec(8, 20, "res-2", "tanh", bias_std=1.0),
    spec(3, 12, "res-2", "softplus"),
    spec(1, 5, "res-2", "sin", bias_std=0.3, input_dim=3),
    spec(64, 4, "res-2", "gelu", beta=0.0, replicas=3000),
    spec(8, 4, "res-2", bias_std=1.0, input_scale=1e-20),
]
FALSE_ALARM = 1e-6 / (len(SPECIFICATIONS) * 3 * STATISTICS)
assert_one_law = functools.partial(joint.assert_one_law, false_alarm=FALSE_ALARM)

RADIAL = [
    (net, replicas)
    for net, replicas in SPECIFICATIONS
    if net.block == "res-3" or (net.block, net.activation) == ("res-1", "identity")
]


def identify(case):
    net, _ = case
    return f"{net.block}-{net.activation}-d{net.width}-L{net.depth}"


@functools.lru_cache(maxsize=4)
def rows_of(engine, net, replicas):
    if engine == "radial":
        return simulate(
            net, replicas=replicas, seed=SEEDS[engine], engine=engine, gradients="dual", trajectories=True
        )
    return simulate(
        net, replicas=replicas, seed=SEEDS[engine], engine=engine, trajectories=True, weight_gradients=True
    )


@pytest.mark.parametrize("case", SPECIFICATIONS, ids=identify)
def test_dense_and_gaussian_agree(case):
    net, replicas = case
    dense, gaussian = (rows_of(engine, net, replicas) for engine in ("dense", "gaussian"))
    if is_scalar(net):
        for sample in (dense, gaussian):
            finite = np.isfinite(sample["log_hidden_ratio"])
            np.testing.assert_allclose(
                sample["log_gradient_ratio"][finite], sample["log_hidden_ratio"][finite], atol=2e-3
            )
    for part in (
        hidden_statistics,
        lambda s: gradient_statistics(s["log_gradient_ratio"], s["log_gradient_difference"]),
    ):
        assert_one_law(part(dense), part(gaussian))
    assert_one_law(joint_of(dense), joint_of(gaussian))


@pytest.mark.parametrize("other", ["dense", "gaussian"])
@pytest.mark.parametrize("case", RADIAL, ids=identify)
def test_radial_agrees(case, other):
    net, replicas = case
    radial, sample = rows_of("radial", net, replicas), rows_of(other, net, replicas)
    assert_one_law(hidden_statistics(radial), hidden_statistics(sample))
    assert_one_law(
        gradient_statistics(radial["log_gradient_ratio_dual"], radial["log_gradient_difference_dual"]),
        gradient_statistics(sample["log_gradient_ratio"], sample["log_gradient_difference"]),
    )


def test_the_specifications_are_what_they_should_be():
    widths = {net.width for net, _ in SPECIFICATIONS}
    depths = {net.depth for net, _ in SPECIFICATIONS}
    assert {1, 64} <= widths
    assert {1, 200} <= depths
    assert {net.block for net, _ in SPECIFICATIONS} == {"res-1", "res-2", "res-3"}
    assert len(RADIAL) == 14


@pytest.mark.parametrize("engine", ["gaussian", "radial"])
def test_a_scaling_wrong_by_three_per_cent_is_refuted(engine):
    # power, not chance: the distance is about four thresholds
    net, wrong = (ResNet(width=33, depth=50, alpha=alpha) for alpha in (0.5, 0.515))
    dense, other = rows_of("dense", net, 2000), rows_of(engine, wrong, 2000)
    tests = {
        name: same_law(hidden_statistics(dense)[name], column, false_alarm=FALSE_ALARM)
        for name, column in hidden_statistics(other).items()
    }
    assert tests["h"].refuted, str(tests["h"])
    assert tests["dh"].refuted, str(tests["dh"])


def test_gradients_of_other_networks_are_refuted():
    # right marginals beside the wrong hidden states: only the joint statistics see it
    net, replicas = SPECIFICATIONS[4]
    dense, gaussian = (rows_of(engine, net, replicas) for engine in ("dense", "gaussian"))
    h, g = gaussian["log_hidden_ratio"], np.roll(gaussian["log_gradient_ratio"], 1)
    reference = joint_of(dense)
    assert not same_law(dense["log_gradient_ratio"], g, false_alarm=FALSE_ALARM).refuted
    assert same_law(reference["h - g"], h - g, false_alarm=FALSE_ALARM).refuted
    assert same_law(reference["h + g"], h + g, false_alarm=FALSE_ALARM).refuted


@pytest.mark.loses_networks
def test_networks_that_overflow_are_as_frequent():
    cube = Activation("cube", lambda x: x**3, lambda x: 3.0 * x**2)
    net = ResNet(width=6, depth=12, alpha=1.0, block="res-1", activation=cube)
    lost = []
    for engine in ("dense", "gaussian"):
        sample = simulate(net, replicas=2000, seed=SEEDS[engine], engine=engine)
        lost.append(np.isnan(sample["log_hidden_ratio"]).astype(float))
        assert 100 < lost[-1].sum() < 1900
        assert sample.n_nonfinite >= lost[-1].sum()
    assert not same_law(*lost, false_alarm=FALSE_ALARM).refuted
