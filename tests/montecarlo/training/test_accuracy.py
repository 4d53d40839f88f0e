"""Accuracy is that of the test part: by hand, over permuted labels, and out of reach of training."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("jax")
pytest.importorskip("optax")

from montecarlo import ResNet
from montecarlo.training import DataSet, TrainedNetwork, TrainingItem, TrainingPlan, make_data, train_networks
from montecarlo.training._data import split
from montecarlo.training._fit import _EVALUATED, _evaluate

NET = ResNet(width=6, depth=20, beta=0.5, block="res-1", activation="tanh", weights="fbm:0.5", input_dim=5)
ITEM = TrainingItem(resnet=NET, rate=0.05, data="clouds", seed=5, plan=TrainingPlan(epochs=4, batch=16))
# More than are evaluated at a time, and not a multiple of them.
TEST = _EVALUATED + 88


@pytest.fixture(scope="module")
def data() -> DataSet:
    """Three clouds that overlap a little; few training examples, of other label frequencies."""
    rng = np.random.default_rng(4)
    centres = 0.8 * rng.standard_normal((3, 5))
    y = np.concatenate([np.arange(50) % 2, [2] * 10, np.arange(TEST) % 3])
    x = centres[y] + rng.standard_normal((60 + TEST, 5))
    return make_data("clouds", (x[:60], y[:60]), (x[60:], y[60:]))


@pytest.fixture(scope="module")
def trained(data: DataSet) -> TrainedNetwork:
    return train_networks([ITEM], data)[0]


def scores(arrays, x: np.ndarray) -> np.ndarray:
    """Return the logits of a res-1 network with tanh."""
    h = x.astype(np.float64) @ arrays["A"].astype(np.float64).T
    for v in arrays["V"].astype(np.float64):
        h = h + NET.scaling * np.tanh(h) @ v.T
    return h @ arrays["B"].astype(np.float64).T


def test_accuracy_and_loss_are_those_of_the_test_part_by_hand(data: DataSet, trained: TrainedNetwork) -> None:
    outcome = trained.outcome
    z = scores(trained.after, data.test_inputs)
    right = z.argmax(axis=1) == data.test_labels
    assert outcome.accuracy == pytest.approx(right.mean(), abs=1.5 / TEST)  # float32 may turn a tie
    loss = np.log(np.exp(z).sum(axis=1)) - z[np.arange(TEST), data.test_labels]
    assert outcome.test_loss == pytest.approx(loss.mean(), rel=1e-4)
    # The training part has another accuracy: the two cannot be mistaken.
    train = (scores(trained.after, data.train_inputs).argmax(axis=1) == data.train_labels).mean()
    assert abs(train - right.mean()) > 0.02


def test_accuracies_over_all_labels_add_up_to_one(data: DataSet, trained: TrainedNetwork) -> None:
    # Every example has one answer: right for one of three cyclic shifts of the test labels. So permuted
    # labels have the accuracy of chance, whatever was learnt.
    found = []
    for shift in range(3):
        labels = ((data.test_labels + shift) % 3).astype(np.int32)
        shifted = dataclasses.replace(data, test_labels=labels)
        found.append(_evaluate(ITEM, trained.after, shifted)[0])
    assert sum(found) == pytest.approx(1.0, abs=1e-12)
    assert found[0] == trained.outcome.accuracy
    assert found[0] > 0.6
    assert max(found[1:]) < 0.4


def test_training_never_sees_the_test_part(data: DataSet, trained: TrainedNetwork) -> None:
    other = dataclasses.replace(
        data, test_inputs=-data.test_inputs, test_labels=np.ascontiguousarray(data.test_labels[::-1])
    )
    (again,) = train_networks([ITEM], other)
    for name, array in trained.after.items():
        np.testing.assert_array_equal(again.after[name], array)
    assert again.outcome.losses == trained.outcome.losses
    assert again.outcome.accuracy != trained.outcome.accuracy


def test_parts_have_no_example_in_common_and_one_map() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(7.0, 3.0, size=(55, 4)), np.arange(55) % 5
    (train_x, train_y), (test_x, test_y) = split(x, y, seed=3)
    assert (len(train_y), len(test_y)) == (44, 11)
    rows = np.concatenate([np.asarray(train_x), np.asarray(test_x)])
    assert len(np.unique(rows, axis=0)) == 55
    data = make_data("parts", (train_x, train_y), (test_x, test_y))
    mean, deviation = np.mean(train_x), np.std(train_x)
    np.testing.assert_allclose(data.train_inputs, (np.asarray(train_x) - mean) / deviation, rtol=1e-5)
    np.testing.assert_allclose(
        data.test_inputs, (np.asarray(test_x) - mean) / deviation, rtol=1e-5, atol=1e-6
    )
