"""The training loop: a reference in numpy, equal bits for equal items, divergence as a counted outcome."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

pytest.importorskip("jax")
pytest.importorskip("optax")
pytest.importorskip("sklearn")

from montecarlo import InvalidFieldError, ResNet
from montecarlo.training import (
    DataSet,
    TrainingItem,
    TrainingPlan,
    load_data,
    make_data,
    train_networks,
)
from montecarlo.training._fit import _order
from montecarlo.training._network import initial_arrays
from montecarlo.training._plan import TRAINING_FORMAT

NET = ResNet(width=6, depth=20, beta=0.5, block="res-1", activation="tanh", weights="fbm:0.5", input_dim=5)
PLAN = TrainingPlan(epochs=4, batch=16, decay=0.3, decay_epochs=3)


@pytest.fixture(scope="module")
def data() -> DataSet:
    """Three clouds that overlap little, 50 training examples: the last batch of an epoch is small."""
    rng = np.random.default_rng(4)
    centres = 3.0 * rng.standard_normal((3, 5))
    y = np.arange(80) % 3
    x = centres[y] + rng.standard_normal((80, 5))
    return make_data("clouds", (x[:50], y[:50]), (x[50:], y[50:]))


def item(**given: object) -> TrainingItem:
    return TrainingItem(**({"resnet": NET, "rate": 0.02, "data": "clouds", "seed": 5, "plan": PLAN} | given))  # type: ignore[arg-type]


def reference(one: TrainingItem, data: DataSet) -> tuple[dict[str, np.ndarray], list[float]]:
    """Train in numpy, float64, from the formulas; res-1 with tanh alone."""
    net = one.resnet
    arrays = {
        name: array.astype(np.float64)
        for name, array in initial_arrays(net, replica=one.replica, seed=one.seed, classes=3).items()
    }
    first = {name: np.zeros_like(array) for name, array in arrays.items()}
    second = {name: np.zeros_like(array) for name, array in arrays.items()}
    curve, count = [], 0
    for epoch, rate in enumerate((0.02, 0.02, 0.02, 0.006)):
        for step in _order(one, epoch, 50, 16, 4):
            rows = step[step >= 0]
            x, y = data.train_inputs[rows].astype(np.float64), data.train_labels[rows]
            states = [x @ arrays["A"].T]
            for v in arrays["V"]:
                states.append(states[-1] + net.scaling * np.tanh(states[-1]) @ v.T)
            z = states[-1] @ arrays["B"].T
            share = np.exp(z - z.max(axis=1, keepdims=True))
            share /= share.sum(axis=1, keepdims=True)
            curve.append(float(-np.log(share[np.arange(len(y)), y]).mean()))
            wrong = (share - np.eye(3)[y]) / len(y)
            gradients = {"B": wrong.T @ states[-1], "V": np.zeros_like(arrays["V"])}
            p = wrong @ arrays["B"]
            for k in reversed(range(net.depth)):
                s = np.tanh(states[k])
                gradients["V"][k] = net.scaling * p.T @ s
                p = p + net.scaling * (p @ arrays["V"][k]) * (1 - s**2)
            gradients["A"] = p.T @ x
            count += 1
            for name, g in gradients.items():
                first[name] = 0.9 * first[name] + 0.1 * g
                second[name] = 0.999 * second[name] + 0.001 * g**2
                m, v = first[name] / (1 - 0.9**count), second[name] / (1 - 0.999**count)
                arrays[name] = arrays[name] - rate * m / (np.sqrt(v) + 1e-8)
    return arrays, curve


def test_training_is_adam_on_cross_entropy_with_steps(data: DataSet) -> None:
    (network,) = train_networks([item()], data)
    expected, curve = reference(item(), data)
    assert network.outcome.losses == pytest.approx(curve, rel=1e-4)
    for name, array in network.after.items():
        change = np.linalg.norm(expected[name] - network.before[name])
        assert np.linalg.norm(array - expected[name]) < 1e-3 * change, name
    assert network.outcome.accuracy is not None
    assert network.outcome.accuracy > 0.9
    assert curve[-1] < 0.2 * curve[0]


def test_trainings_of_earlier_versions_are_the_same(data: DataSet) -> None:
    """Results folders give outcomes of earlier versions; other ones must raise `TRAINING_FORMAT`."""
    assert TRAINING_FORMAT == 1, "freeze the new outcomes here"
    assert _order(item(), 0, 50, 16, 4)[0, :8].tolist() == [25, 37, 1, 21, 34, 45, 38, 43]
    (network,) = train_networks([item()], data)
    outcome, after = network.outcome, network.outcome.after
    assert after is not None
    assert after.regularity is not None
    found = [
        outcome.losses[0], outcome.losses[-1], outcome.test_loss, after.norms["increment"],
        after.norms["change_sum"], after.regularity.value, after.log_ratios["log_gradient_ratio"],
    ]  # fmt: skip
    assert found == pytest.approx(
        [1.498105, 0.2456447, 0.1559718, 3.3296135, 12.889151, 0.5544512, 0.6044074], rel=1e-3
    )


def test_orders_are_permutations_of_their_own(data: DataSet) -> None:
    del data
    orders = [_order(item(seed=seed), epoch, 50, 16, 4) for seed in (5, 6) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order.ravel().tolist()) == [-1] * 14 + list(range(50))
    assert len({order.tobytes() for order in orders}) == 4
    # Other rates and scalings see the same batches.
    other = item(rate=1.0, resnet=ResNet(**{**_fields(NET), "beta": 0.9}))
    assert (_order(other, 0, 50, 16, 4) == orders[0]).all()


def _fields(net: ResNet) -> dict:
    names = ("width", "depth", "beta", "block", "activation", "weights", "input_dim")
    return {name: getattr(net, name) for name in names}


def test_equal_items_give_equal_bits_whatever_is_trained_beside_them(data: DataSet) -> None:
    others = [item(rate=0.1), item(seed=6), item(replica=1)]
    (alone,) = train_networks([item()], data)
    _, again, *rest = train_networks([others[0], item(), *others[1:]], data)
    assert again.outcome == alone.outcome
    for name, array in alone.after.items():
        assert (array == again.after[name]).all()
        assert not any((array == other.after[name]).all() for other in rest)
    assert (alone.before["V"] == initial_arrays(NET, replica=0, seed=5, classes=3)["V"]).all()


def test_a_stack_of_networks_trains_like_single_ones(data: DataSet) -> None:
    items = [item(), item(rate=0.005), item(seed=6), item(resnet=ResNet(**{**_fields(NET), "beta": 0.9}))]
    single, stacked = train_networks(items, data), train_networks(items, data, stack=True)
    for one, other in zip(single, stacked, strict=True):
        assert other.outcome.losses == pytest.approx(one.outcome.losses, rel=1e-3)
        assert np.linalg.norm(other.after["V"] - one.after["V"]) < 1e-3 * np.linalg.norm(one.after["V"])


def test_divergence_is_an_outcome(data: DataSet) -> None:
    explosive = ResNet(**{**_fields(NET), "activation": "relu", "beta": -3.0})
    lost, healthy = train_networks(
        [item(resnet=explosive, rate=1.0), item(resnet=explosive, rate=1e-6)], data
    )
    first = lost.outcome.diverged_at
    assert first is not None
    assert lost.outcome.diverged
    assert lost.outcome.losses[first] is None
    assert None not in lost.outcome.losses[:first]
    assert (lost.outcome.accuracy, lost.outcome.test_loss, lost.outcome.after) == (None, None, None)
    assert lost.outcome.before == healthy.outcome.before
    for outcome in (lost.outcome, healthy.outcome):
        record = json.loads(json.dumps(outcome.to_json(), allow_nan=False))  # no NaN in JSON
        assert (record["accuracy"], record["diverged_at"]) == (outcome.accuracy, outcome.diverged_at)


def test_measured_numbers(data: DataSet) -> None:
    (network,) = train_networks([item(rate=0.05)], data)
    before, after = network.outcome.before, network.outcome.after
    assert after is not None
    x = data.test_inputs[:64].astype(np.float64)
    for arrays, measured in ((network.before, before), (network.after, after)):
        h_0 = h = x @ arrays["A"].astype(np.float64).T
        for v in arrays["V"].astype(np.float64):
            h = h + NET.scaling * np.tanh(h) @ v.T
        ratio = np.log(np.linalg.norm(h, axis=1) / np.linalg.norm(h_0, axis=1)).mean()
        moved = np.log(np.linalg.norm(h - h_0, axis=1) / np.linalg.norm(h_0, axis=1)).mean()
        assert measured.log_ratios["log_hidden_ratio"] == pytest.approx(ratio, abs=1e-5)
        assert measured.log_ratios["log_hidden_difference"] == pytest.approx(moved, abs=1e-5)
        assert measured.norms["sum"] == pytest.approx(np.linalg.norm(arrays["V"].sum(axis=0)), rel=1e-5)
    change = network.after["V"] - network.before["V"]
    assert after.norms["change"] == pytest.approx(np.linalg.norm(change, axis=(1, 2)).mean(), rel=1e-5)
    assert before.change_regularity is None
    assert after.change_regularity is not None


def test_epochs_are_reported(data: DataSet) -> None:
    seen = []
    train_networks([item()], data, on_epoch=lambda epoch, loss: seen.append((epoch, float(loss[0]))))
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4]
    assert seen[-1][1] < seen[0][1]


def test_what_does_not_fit_is_refused(data: DataSet) -> None:
    with pytest.raises(InvalidFieldError, match="input_dim=7: must be 5"):
        train_networks([item(resnet=ResNet(**{**_fields(NET), "input_dim": 7}))], data)
    with pytest.raises(InvalidFieldError, match="one block"):
        train_networks([item(), item(resnet=ResNet(**{**_fields(NET), "depth": 21}))], data)
    with pytest.raises(InvalidFieldError, match="rate=0"):
        item(rate=0.0)
    with pytest.raises(InvalidFieldError, match="epochs=0"):
        TrainingPlan(epochs=0)


def test_items_travel_and_have_digests_of_their_own() -> None:
    items = [
        item(),
        item(rate=0.1),
        item(seed=6),
        item(replica=1),
        item(data="digits"),
        item(plan=TrainingPlan()),
    ]
    assert len({one.digest for one in items}) == len(items)
    for one in items:
        copy = pickle.loads(pickle.dumps(one))
        assert copy == one
        assert copy.digest == one.digest


def test_digits_are_learnt() -> None:
    net = ResNet(width=30, depth=20, beta=0.5, block="res-1", weights="fbm:0.5")
    (network,) = train_networks([TrainingItem(resnet=net, rate=0.01)], load_data("digits"))
    assert network.outcome.accuracy is not None
    assert network.outcome.accuracy > 0.9
