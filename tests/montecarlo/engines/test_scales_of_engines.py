"""The scale of inputs and biases enters each engine as theory says: 3 % off is noticed."""

from __future__ import annotations

import dataclasses

import pytest

from montecarlo import ResNet, simulate
from montecarlo.estimates import same_law

FALSE_ALARM = 1e-7  # a comparison; at most ten here
NETWORKS = 60_000

NETS = [
    (ResNet(block="res-1", activation="tanh", width=40, depth=3, alpha=1.0, input_scale=2.0), "input_scale"),
    (ResNet(block="res-2", activation="relu", width=40, depth=2, alpha=1.0, bias_std=2.0), "bias_std"),
]


def _rows(net: ResNet, engine: str, seed: int):
    return simulate(net, replicas=NETWORKS, seed=seed, engine=engine, gradients="none")["log_hidden_ratio"]


@pytest.mark.statistical
@pytest.mark.parametrize(("net", "field"), NETS)
def test_gaussian_and_dense_agree_and_three_per_cent_is_noticed(net, field):
    gaussian = _rows(net, "gaussian", 1)
    assert not same_law(gaussian, _rows(net, "dense", 2), false_alarm=FALSE_ALARM).refuted
    wrong = dataclasses.replace(net, **{field: 1.03 * getattr(net, field)})
    assert same_law(gaussian, _rows(wrong, "gaussian", 3), false_alarm=FALSE_ALARM).refuted
    assert same_law(gaussian, _rows(wrong, "dense", 4), false_alarm=FALSE_ALARM).refuted
