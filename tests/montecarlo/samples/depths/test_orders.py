"""Orders of coupled depths at fixed seeds: S1, O1, F4, and mutants that must be refuted.

Intervals have confidence 1 - 1e-6 in their statistical part, so each assertion about a true order is a false
alarm with probability at most 1e-6, for depths large enough for the stated allowance.
"""

import math

import numpy as np
import pytest

from montecarlo import InvalidFieldError, ResNet, simulate, simulate_depths
from montecarlo.estimates import same_law, strong_order
from montecarlo.processes import find_process
from montecarlo.samples.depths._coupling import find_coupling
from montecarlo.samples.depths._fill import PathFiller, draw_start
from montecarlo.streams import ROLE_V

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SURE = 1.0 - 1e-6
DEPTHS = (16, 32, 64, 128, 256, 512, 1024)


def network(*, width, beta, depth=DEPTHS[-1], block="res-1", activation="relu", **laws):
    return ResNet(width=width, depth=depth, beta=beta, block=block, activation=activation, **laws)


@pytest.mark.parametrize(("width", "activation"), [(16, "tanh"), (40, "relu")])
def test_brownian_strong_order_is_a_half(width, activation):
    net = network(width=width, beta=0.5, activation=activation)
    sample = simulate_depths(net, DEPTHS, replicas=3000, seed=1)
    for end in (False, True):
        order = sample.strong_order(confidence=SURE, end=end)
        assert order.warning is None
        assert order.contains(0.5), order  # S1
        assert order.half_width <= 0.05


def test_brownian_weak_order_is_one():
    depths = [4, 8, 16, 32, 64, 128]
    sample = simulate_depths(network(width=40, beta=0.5, depth=128), depths, replicas=50_000, seed=2)
    for observable, lowest in (("cosine", 0.7), ("decay", 0.5)):
        order = sample.weak_order(observable, confidence=SURE)
        assert order.contains(1.0), order  # S1
        assert order.lower > lowest  # the bias is seen, and its order is not the strong one
    # A hundred networks see no bias, and the sample says so.
    few = simulate_depths(network(width=40, beta=0.5, depth=128), depths, replicas=100, seed=2).weak_order()
    assert math.isnan(few.value)
    assert few.warning is not None
    assert few.warning.startswith("undecided: noise exceeds the bias")


@pytest.mark.parametrize(
    ("law", "block"), [("rbf:0.01", "res-1"), ("rbf:0.01", "res-3"), ("rbf-increments:0.1", "res-3")]
)
def test_smooth_weights_have_order_one(law, block):
    net = network(width=8, beta=1.0, block=block, weights=law)
    sample = simulate_depths(net, DEPTHS[2:], replicas=100, seed=3)
    order = sample.strong_order(confidence=SURE, correction=1.0)
    assert order.contains(1.0), order  # O1
    assert order.half_width <= 0.05


@pytest.mark.parametrize("hurst", [0.6, 0.7, 0.8, 0.9])
def test_fractional_weights_have_at_least_the_order_of_young(hurst):
    net = network(width=8, beta=hurst, activation="tanh", weights=f"fbm:{hurst}")
    sample = simulate_depths(net, DEPTHS, replicas=200, seed=4)
    order = sample.strong_order(confidence=SURE)
    assert order.lower >= 2.0 * hurst - 1.0, order  # F4
    assert order.upper < 1.2


@pytest.mark.parametrize("hurst", [0.8, 0.9])
def test_the_order_of_young_is_sharp_at_width_one(hurst):
    """Scalar Euler schemes have exactly this order: Neuenkirch and Nourdin, J. Theor. Probab. 20 (2007)."""
    net = network(width=1, beta=hurst, activation="tanh", weights=f"fbm:{hurst}")
    sample = simulate_depths(net, DEPTHS, replicas=300, seed=4)
    order = sample.strong_order(confidence=SURE)
    assert order.contains(2.0 * hurst - 1.0), order  # F4
    assert order.upper < hurst


def test_a_smooth_inner_path_leaves_fractional_weights_a_limit():
    size = {"width": 8, "beta": 0.7, "block": "res-3"}
    net = network(**size, weights="fbm:0.7", weights_w="rbf:0.01")
    sample = simulate_depths(net, DEPTHS, replicas=100, seed=5)
    assert sample.strong_order(confidence=SURE).lower > 0.4  # F4
    with pytest.raises(InvalidFieldError, match="weights_w"):
        simulate_depths(network(**size, weights="fbm:0.7"), DEPTHS, replicas=1, seed=5)


def test_brownian_weights_have_order_a_half_with_a_smooth_inner_path():
    net = network(width=8, beta=0.5, block="res-3", weights="gaussian", weights_w="rbf:0.01")
    order = simulate_depths(net, DEPTHS[2:], replicas=300, seed=5).strong_order(confidence=SURE)
    assert order.contains(0.5), order
    assert 0.0 < order.lower < order.upper < 0.9  # neither order 0 nor that of smooth weights


# Mutants


@pytest.mark.parametrize(
    ("fields", "replicas", "true"),
    [
        ({"beta": 0.6}, 500, 0.5),
        ({"beta": 1.1, "weights": "rbf:0.01"}, 100, 1.0),
        ({"beta": 0.9, "weights": "fbm:0.8"}, 100, 0.6),
    ],
    ids=["S1", "O1", "F4"],
)
def test_a_wrong_power_of_the_scaling_is_refuted(fields, replicas, true):
    sample = simulate_depths(network(width=8, **fields), DEPTHS, replicas=replicas, seed=6)
    assert sample.strong_order(confidence=SURE).upper < true


def test_independent_paths_are_refuted():
    """Networks of the right law at every depth, each on a path of its own: order 0."""
    net = network(width=8, beta=0.5)
    process = find_process("fbm:0.5")
    value, _ = net.activation_function.compiled()
    sources = [(process, find_coupling(process, DEPTHS), ROLE_V)]
    filler = PathFiller(net, DEPTHS, sources, value)
    n = 60
    strong, end = np.empty((2, n, len(DEPTHS) - 1))
    ratio, cosine = np.empty((2, n, len(DEPTHS)))
    for i in range(n):
        start = draw_start(net, (1, 2), i)
        states = [filler.states(filler.paths((1, 2), 100 * i + v), start, v) for v in range(len(DEPTHS))]
        filler.observe(states, strong[i], end[i], ratio[i], cosine[i])
    order = strong_order(strong, DEPTHS[:-1], confidence=SURE)
    assert order.contains(0.0), order
    assert order.upper < 0.4


# Laws


@pytest.mark.parametrize("position", [0, 1, 2])
def test_each_depth_alone_is_an_ordinary_network(position):
    depths = (2, 6, 12)
    net = network(width=5, beta=0.5, depth=12, activation="tanh")
    coupled = simulate_depths(net, depths, replicas=20_000, seed=7)
    alone = network(width=5, beta=0.5, depth=depths[position], activation="tanh")
    rows = simulate(alone, replicas=20_000, seed=8, gradients="none")["log_hidden_ratio"]
    assert not same_law(coupled.log_hidden_ratio[:, position], rows, false_alarm=1e-6).refuted
    if position != 1:  # 2 layers and 12 are told apart
        other = coupled.log_hidden_ratio[:, 2 - position]
        assert same_law(other, rows, false_alarm=1e-6).refuted


def test_images_and_matrices_couple_alike():
    size = {"width": 4, "beta": 0.5, "depth": 16, "activation": "tanh"}
    images = simulate_depths(network(**size), (4, 16), replicas=20_000, seed=9)
    matrices = simulate_depths(network(**size, weights="fbm:0.5"), (4, 16), replicas=4_000, seed=10)
    for name in ("log_strong_error", "log_end_error"):
        first, second = getattr(images, name)[:, 0], getattr(matrices, name)[:, 0]
        assert not same_law(first, second, false_alarm=1e-6).refuted
        assert same_law(first, second + 0.2, false_alarm=1e-6).refuted
