"""Recording: blocks are found, numbers are those of the network, and nothing of a model changes."""

from __future__ import annotations

import random
import sys

import fake_torch
import numpy as np
import pytest
import torch_models as models

from montecarlo import InvalidFieldError, ResNet, simulate, weights
from montecarlo.practice import UserCodeError, record
from montecarlo.practice._factory import build
from montecarlo.practice._seeds import measure


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch):
    fake_torch.install(monkeypatch)
    fake_torch.manual_seed(3)
    return fake_torch


def _by_hand(net: models.Net) -> list[np.ndarray]:
    """Return the states without any hook."""
    embed, layers, _ = net._modules.values()
    states = [embed.forward(models.inputs()).value]
    for block in layers._modules.values():
        W, V = (part._own["weight"].value for part in block._modules.values())
        states.append(states[-1] + block.scale * np.maximum(states[-1] @ W.T, 0) @ V.T)
    return states


@pytest.mark.parametrize("tupled", [False, True])
def test_states_are_those_of_the_network(torch, tupled: bool) -> None:
    net, x = models.factory(5, 0, tupled=tupled)
    found = record(net, x)
    assert (found.depth, found.width, found.source, found.dtype) == (5, models.WIDTH, "torch", "float32")
    assert found.names == tuple(f"layers.{k}" for k in range(5))
    for ours, theirs in zip(found.hidden, _by_hand(net), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_gradients_are_those_of_finite_differences(torch) -> None:
    net, x = models.factory(3, 0)
    found = record(net, x, seed=4)
    p = np.random.default_rng(4).standard_normal((models.BATCH, models.WIDTH))
    np.testing.assert_allclose(found.gradients[-1], p, rtol=1e-5)
    blocks = list(net._modules["layers"]._modules.values())
    direction = np.random.default_rng(0).standard_normal(p.shape)
    for k in range(3):

        def value(step: float, k: int = k) -> float:
            h = fake_torch.Tensor(found.hidden[k].astype(np.float64) + step * direction)
            for block in blocks[k:]:
                h = block.forward(h)
            return float(np.sum(p * h.value))

        slope = (value(1e-6) - value(-1e-6)) / 2e-6
        assert np.sum(found.gradients[k] * direction) == pytest.approx(slope, rel=1e-3)


def test_the_loss_of_a_user_is_differentiated_too(torch) -> None:
    net, x = models.factory(3, 0)
    head = net._modules["head"]._own["weight"].value
    found = record(net, x, loss=lambda output: output)  # the sum of outputs
    np.testing.assert_allclose(found.loss_gradients[-1], np.broadcast_to(head, (models.BATCH, models.WIDTH)))
    assert np.isfinite(found.log_loss_gradient).all()


def test_nothing_of_the_model_changes(torch) -> None:
    net, x = models.factory(4, 0)
    blocks = net._modules["layers"]._modules.values()
    modules = list(net.modules())
    modules[0].training = False
    states = [np.random.get_state()[1].copy(), random.getstate(), torch.TORCH.get_rng_state()]
    values = [p.value.copy() for p in net.parameters()]
    record(net, x, loss=lambda output: output)
    assert not any(module.before or module.after for module in modules)
    assert [module.training for module in modules] == [False] + [True] * (len(modules) - 1)
    assert all(block._buffers["calls"].value == 0 for block in blocks)
    assert all((p.value == old).all() for p, old in zip(net.parameters(), values, strict=True))
    assert (np.random.get_state()[1] == states[0]).all()
    assert [random.getstate(), torch.TORCH.get_rng_state()] == states[1:]


def test_a_factory_that_imports_torch_is_seeded_at_its_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", fake_torch.TORCH)  # so that it is gone again afterwards
    del sys.modules["torch"]

    def factory(depth: int, seed: int) -> np.ndarray:
        sys.modules["torch"] = fake_torch.TORCH
        return fake_torch.randn(4).value

    fake_torch.manual_seed(1)
    first, again = (build(factory, 4, 7, None)[0] for _ in range(2))
    assert (first == again).all()


def test_hooks_are_gone_when_the_model_fails(torch) -> None:
    net, _ = models.factory(4, 0)
    with pytest.raises(
        UserCodeError, match=r"model Net, called with str: must not raise, but did: Attribute"
    ):
        record(net, "no tensor")
    assert not any(module.before or module.after for module in net.modules())


def test_blocks_that_work_in_place_leave_the_record_as_it_was(torch) -> None:
    net, x = models.factory(4, 0)
    plain = record(net, x)
    for block in net._modules["layers"]._modules.values():
        block.in_place = True
    found = record(net, x)
    for ours, theirs in zip(found.hidden, plain.hidden, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_block_that_is_used_again_is_a_block_each_time(torch) -> None:
    net, x = models.factory(4, 0)
    layers = net._modules["layers"]
    layers._modules = dict.fromkeys("0123", layers._modules["0"])
    found = record(net, x)
    assert found.names == ("layers.0", "layers.0 (call 2)", "layers.0 (call 3)", "layers.0 (call 4)")


def test_lists_of_matrices_have_their_stream_at_the_first_of_them(torch) -> None:
    net = models.Lists(4)
    x = fake_torch.randn(models.BATCH, models.WIDTH)
    found = record(net, x, parameters=False)
    assert (found.depth, found.names) == (3, ("W.0", "W.1", "W.2"))
    assert (found.hidden[0] == x.value).all()
    assert "what leaves the last one is left out" in found.notes[0]
    with pytest.raises(InvalidFieldError, match="must have two blocks or more of one class"):
        record(models.Linear(8, models.WIDTH), x)


def test_blocks_may_be_named_and_must_exist(torch) -> None:
    net, x = models.factory(4, 0)
    assert record(net, x, blocks="layers").depth == 4
    assert record(net, x, blocks=r"layers\.[12]").names == ("layers.1", "layers.2")
    assert record(net, x, blocks=["layers.0", "layers.1"]).depth == 2
    with pytest.raises(
        InvalidFieldError, match="blocks='layer': must name modules that are called; the model has"
    ):
        record(net, x, blocks="layer")
    with pytest.raises(InvalidFieldError, match=r"blocks='head': must map a tensor to one of its shape"):
        record(net, x, blocks="head")


def test_parameters_and_branches_end_in_the_same_record(torch) -> None:
    net, x = models.factory(6, 0)
    found = record(net, x)
    assert set(found.parameters[0]) == {"up.weight", "down.weight"}
    facts = found.parameters[2]["up.weight"]
    assert facts.shape == (models.UNITS, models.WIDTH)
    assert facts.std == pytest.approx(models.WIDTH**-0.5, rel=0.1)
    assert found.branches is not None
    assert found.branches.depth == 6
    assert record(net, x, parameters=False).branches is None


def test_a_function_returns_its_stream_with_what_it_knows() -> None:
    states = [np.full((2, 8), 2.0**k) for k in range(3)]
    found = record(lambda: {"hidden": states, "gradients": states[::-1], "names": ["a", "b"]})
    assert found.names == ("a", "b")
    assert found.log_gradient.tolist() == found.log_hidden[::-1].tolist()
    assert record(lambda: np.stack(states)).notes
    with pytest.raises(InvalidFieldError, match="must return states, or a mapping of hidden"):
        record(lambda: {"states": states})
    with pytest.raises(InvalidFieldError, match="must have two states at least"):
        record(lambda: states[:1])
    with pytest.raises(InvalidFieldError, match="must be a PyTorch module, or a function"):
        record(3.0)


def test_jax_functions_with_offsets_are_differentiated() -> None:
    jax = pytest.importorskip("jax", reason="jax comes with the extra `training`")
    W = np.random.default_rng(0).normal(size=(3, 8, 8)) / 8**0.5

    def listed(x, offsets=None):
        states = [x if offsets is None else x + offsets[0]]
        for k in range(3):
            new = states[-1] + jax.nn.relu(states[-1] @ W[k].T)
            states.append(new if offsets is None else new + offsets[k + 1])
        return states

    def stacked(x, offsets=None):
        return jax.numpy.stack(listed(x, offsets))

    x = jax.numpy.asarray(np.random.default_rng(1).normal(size=(2, 8)))
    found = record(listed, x, seed=2, loss=lambda states: states[-1].sum())
    p = np.random.default_rng(2).standard_normal((2, 8))
    for k in (2, 1, 0):
        h = found.hidden[k].astype(np.float64)
        p = p + (p * (h @ W[k].T > 0)) @ W[k]
        np.testing.assert_allclose(found.gradients[k], p, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.loss_gradients[-1], 1.0)
    for ours, theirs in zip(record(stacked, x, seed=2).gradients, found.gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "net", [ResNet(width=24, depth=9, beta=0.5), ResNet(width=24, depth=9, alpha=0.7, norm="pre-rms")]
)
def test_a_specification_written_as_a_function_has_the_rows_of_simulate(net: ResNet) -> None:
    rows = simulate(net, replicas=3, seed=7, engine="dense")
    for replica in range(3):
        w = weights(net, replica=replica, seed=7)

        def stream(w=w) -> list[np.ndarray]:
            states = [w.A @ w.x]
            for k in range(net.depth):
                h = states[-1]
                inside = h / np.sqrt(np.mean(h * h)) if net.norm == "pre-rms" else h
                states.append(h + w.alpha * w.V[k] @ np.maximum(w.W[k] @ inside, 0))
            return states

        found = measure(record(stream))
        assert found.row_growth == pytest.approx(rows["log_hidden_ratio"][replica], abs=2e-5)
        assert found.log_movement == pytest.approx(rows["log_hidden_difference"][replica], abs=2e-5)


def test_no_framework_is_imported_for_a_function() -> None:
    before = set(sys.modules)
    record(lambda: [np.ones(4), np.ones(4)])
    assert not {"torch", "jax", "transformers"} & (set(sys.modules) - before)
