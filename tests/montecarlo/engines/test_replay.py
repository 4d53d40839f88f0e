"""`weights`: the arrays of one replica, their shapes, scales and identities."""

import functools
import math

import numpy as np
import pytest

import montecarlo
from montecarlo import InvalidFieldError, ResNet, weights
from montecarlo.laws import LAWS

simulate = functools.partial(montecarlo.simulate, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")


@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize("block", ["res-1", "res-2", "res-3"])
def test_shapes_and_types(block, law):
    net = ResNet(
        width=5, depth=3, beta=0.5, block=block, weights=law, input_dim=11,
        bias_std=0.5 if block == "res-2" else 0.0,
    )  # fmt: skip
    w = weights(net, replica=4, seed=1)
    assert w.V.shape == (3, 5, 5)
    assert (w.W is None) == (block == "res-1")
    assert w.W is None or w.W.shape == (3, 5, 5)
    assert (w.b is None) == (block != "res-2")
    assert w.b is None or w.b.shape == (3, 5)
    assert (w.A.shape, w.x.shape, w.readout.shape) == ((5, 11), (11,), (5,))
    assert w.alpha == net.scaling
    arrays = [a for a in (w.V, w.W, w.b, w.A, w.x, w.readout) if a is not None]
    assert all(a.dtype == np.float64 for a in arrays)


@pytest.mark.parametrize("law", sorted(LAWS))
def test_scales(law):
    w = weights(
        ResNet(
            width=60, depth=5, beta=0.5, weights=law, block="res-2", bias_std=3.0, input_dim=50,
            input_scale=2.0,
        ),
        replica=0, seed=1,
    )  # fmt: skip
    for array, scale in ((w.V, 60**-0.5), (w.W, 60**-0.5), (w.A, 50**-0.5), (w.b, 3.0)):
        assert np.sqrt((array**2).mean()) == pytest.approx(scale, rel=0.15)
    if law == "rademacher":
        for array, scale in ((w.V, 60**-0.5), (w.A, 50**-0.5), (w.b, 3.0), (w.readout, 60**-0.5)):
            np.testing.assert_allclose(np.abs(array), scale, rtol=1e-15)
    assert 0.0 < w.x.min() < w.x.max() < 2.0
    assert w.x.mean() == pytest.approx(1.0, abs=0.4)


def test_every_role_layer_and_replica_has_its_own_numbers():
    net = ResNet(width=8, depth=3, beta=0.5, block="res-2", bias_std=1.0)
    replicas = [weights(net, replica=i, seed=1) for i in (0, 1, 2**32)]
    entries = np.concatenate([np.ravel(math.sqrt(8) * a) for w in replicas for a in (w.V, w.W)])
    assert len(np.unique(entries)) == len(entries)
    assert len({w.x[0] for w in replicas}) == 3


def test_scaling_and_depth_do_not_enter():
    shallow = weights(ResNet(width=5, depth=2, beta=0.5), replica=7, seed=3)
    deep = weights(ResNet(width=5, depth=6, alpha=0.01, input_scale=4.0), replica=7, seed=3)
    assert np.array_equal(shallow.V, deep.V[:2])
    assert np.array_equal(shallow.W, deep.W[:2])
    assert np.array_equal(shallow.A, deep.A)
    assert np.array_equal(4.0 * shallow.x, deep.x)


def test_input_and_embedding_are_those_of_the_first_state():
    # one layer with a tiny scaling: ‖h_1 - h_0‖/(α‖h_0‖) needs A, x, W and V
    net = ResNet(width=6, depth=1, alpha=1e-3)
    w = weights(net, replica=2, seed=5)
    h = w.A @ w.x
    exact = np.linalg.norm(w.alpha * w.V[0] @ np.maximum(w.W[0] @ h, 0.0)) / np.linalg.norm(h)
    row = simulate(net, replicas=3, seed=5)["log_hidden_difference"][2]
    assert row == pytest.approx(math.log(exact), abs=1e-6)


@pytest.mark.parametrize(
    ("field", "value"), [("replica", -1), ("replica", 0.5), ("replica", 2**64), ("seed", -1), ("seed", "x")]
)
def test_invalid_options_are_refused(field, value):
    net = ResNet(width=3, depth=2, beta=0.5)
    with pytest.raises(InvalidFieldError) as caught:
        weights(net, **({"replica": 0, "seed": 1} | {field: value}))
    assert caught.value.field == field


@pytest.mark.parametrize("law", sorted(LAWS))
def test_final_states_are_those_of_the_recursion(law):
    net = ResNet(width=13, depth=40, beta=0.5, weights=law)
    w = weights(net, replica=3, seed=2)
    h, active = w.A @ w.x, []
    for V, W in zip(w.V, w.W, strict=True):
        y = W @ h
        active.append(y > 0)
        h = h + w.alpha * V @ np.maximum(y, 0)
    p = w.readout
    for V, W, on in zip(w.V[::-1], w.W[::-1], active[::-1], strict=True):
        p = p + w.alpha * W.T @ (on * (V.T @ p))
    states = montecarlo.final_states(net, replica=3, seed=2)
    np.testing.assert_allclose(states.hidden, h / np.linalg.norm(h), atol=1e-5)
    np.testing.assert_allclose(states.gradient, p / np.linalg.norm(p), atol=1e-5)
