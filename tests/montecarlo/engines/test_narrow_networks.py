"""Narrow networks run many at a time, and have the rows of a network alone, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from plain_networks import NETWORKS

from montecarlo import Activation, ResNet, simulate
from montecarlo.engines.correlated import _engine
from montecarlo.processes import WeightProcess

pytestmark = pytest.mark.usefixtures("warm_kernels")


def rows(net, replicas=21, **options):
    return simulate(net, replicas=replicas, seed=5, engine="correlated", **options).columns


def assert_rows_of_one_at_a_time(net, monkeypatch, **options):
    assert _engine.columns_at_once(net) > 1
    together = rows(net, **options)
    monkeypatch.setattr(_engine, "columns_at_once", lambda resnet: 1)
    alone = rows(net, **options)
    assert list(together) == list(alone)
    for name, column in together.items():
        assert np.array_equal(column.view(np.uint64), alone[name].view(np.uint64)), name
    return together


@pytest.mark.parametrize("width", [1, 4, 17])
@pytest.mark.parametrize(("block", "activation"), NETWORKS)
def test_rows_are_those_of_one_network_at_a_time(block, activation, width, monkeypatch):
    biased = {"bias_std": 0.6} if block == "res-2" else {}
    net = ResNet(width=width, depth=12, beta=0.3, block=block, activation=activation, weights="fbm:0.3",
                 input_dim=11, **biased)  # fmt: skip
    assert_rows_of_one_at_a_time(net, monkeypatch, trajectories=True, weight_gradients=True)


@pytest.mark.parametrize("weights", ["fbm:0.8", "rbf:0.01", "matern:1.5:0.1", "rbf-increments:0.01", "table"])
@pytest.mark.parametrize("block", ["res-1", "res-3"])
def test_rows_of_every_process(weights, block, monkeypatch):
    if weights == "table":
        weights = WeightProcess.from_lags("table", 0.8 ** np.arange(30))
    activation = "identity" if block == "res-1" else "relu"
    net = ResNet(width=3, depth=30, beta=0.5, block=block, activation=activation, weights=weights)
    for gradients in ("joint", "none"):
        assert_rows_of_one_at_a_time(net, monkeypatch, gradients=gradients)
        monkeypatch.undo()


def test_rows_of_networks_that_leave_the_range_of_float32(monkeypatch):
    for fields in ({"width": 1, "block": "res-1", "activation": "identity"}, {"width": 3}):
        net = ResNet(depth=700, beta=0.0, weights="fbm:0.95", **fields)
        found = assert_rows_of_one_at_a_time(net, monkeypatch)
        assert np.abs(found["log_hidden_ratio"]).max() > 100.0
        monkeypatch.undo()


def test_rows_beside_networks_that_are_lost(monkeypatch):
    cube = Activation("cube", lambda x: x * x * x, lambda x: 3.0 * x * x)
    net = ResNet(width=4, depth=3, alpha=1000.0, block="res-1", activation=cube, weights="fbm:0.5")
    found = assert_rows_of_one_at_a_time(net, monkeypatch, replicas=100)
    lost = np.isnan(found["log_hidden_ratio"])
    assert 0 < lost.sum() < 100


def test_rows_across_the_words_of_a_replica(monkeypatch):
    net = ResNet(width=2, depth=5, beta=0.5, weights="fbm:0.3")
    assert_rows_of_one_at_a_time(net, monkeypatch, first_replica=2**32 - 5, threads=1, block_size=21)


def test_wide_networks_run_alone_and_narrow_ones_within_the_memory():
    for width in (40, 100):
        assert _engine.columns_at_once(ResNet(width=width, depth=1000, beta=0.5, weights="fbm:0.3")) == 1
    for width, depth in ((1, 10), (4, 200), (4, 1000), (8, 128), (32, 16), (16, 1000)):
        columns = _engine.columns_at_once(ResNet(width=width, depth=depth, beta=0.5, weights="fbm:0.3"))
        assert columns % 8 == 0
        assert 8 <= columns <= 64
        assert columns == 8 or 2 * 4 * columns * depth * width**2 <= 1 << 22
