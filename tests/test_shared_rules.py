"""The rules that conftest.py lays on every test."""

import math

import pytest

from montecarlo import Activation, ResNet, simulate

CUBE = Activation("cube", lambda x: x * x * x, lambda x: 3.0 * x * x)
LOST = ResNet(width=4, depth=60, alpha=10.0, block="res-2", activation=CUBE)


@pytest.mark.statistical
def test_statistical_tests_refuse_lost_networks():
    with pytest.raises(AssertionError, match="lost 3 networks"):
        simulate(LOST, replicas=3, seed=1)


@pytest.mark.statistical
@pytest.mark.loses_networks
def test_lost_networks_may_be_asked_for():
    sample = simulate(LOST, replicas=3, seed=1)
    assert sample.n_nonfinite == 3
    assert all(math.isnan(row) for row in sample["log_hidden_ratio"])
