"""Gradients of the network that is trained: those of the engines, and of plain automatic differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

from montecarlo import LOG_RATIOS, ResNet, final_states, simulate, weights  # noqa: E402
from montecarlo.training._network import (  # noqa: E402
    initial_arrays,
    layer_of,
    logits,
    losses,
    run_layers,
    segments_of,
    split_arrays,
)
from montecarlo.training._plan import ACTIVATIONS  # noqa: E402

NETWORKS = [
    ResNet(width=12, depth=60, beta=0.5, block="res-1", weights="fbm:0.2", input_dim=9),
    ResNet(width=12, depth=60, beta=0.8, block="res-1", activation="tanh", weights="fbm:0.8", input_dim=9),
    ResNet(width=12, depth=60, beta=1.0, block="res-3", weights="rbf:0.01", input_dim=9),
    ResNet(
        width=12, depth=60, beta=0.7, block="res-2", activation="gelu", bias_std=0.3, weights="fbm:0.7",
        input_dim=9,
    ),
    ResNet(width=30, depth=1000, beta=0.5, block="res-1", weights="fbm:0.5"),
]  # fmt: skip
REPLICA, SEED = 3, 11


@pytest.mark.parametrize("net", NETWORKS, ids=lambda net: f"{net.block}-{net.weights}-{net.depth}")
def test_first_gradients_are_those_of_the_correlated_engine(net: ResNet) -> None:
    # The engine's p_L is the first read-out row, its input that of the replica.
    drawn = weights(net, replica=REPLICA, seed=SEED)
    arrays = initial_arrays(net, replica=REPLICA, seed=SEED, classes=4)
    assert (arrays["B"][0] == drawn.readout.astype(np.float32)).all()
    layers, embedding, readout = split_arrays(arrays)
    first = embedding @ drawn.x.astype(np.float32)[:, None]
    run = lambda h, theta: run_layers(  # noqa: E731
        layer_of(net.block, net.activation_function.name), h, theta, jnp.float32(net.scaling), 1
    )
    last, pull = jax.vjp(run, first, layers)
    gradient, weight_gradients = pull(jnp.asarray(readout[:1].T))
    states = final_states(net, replica=REPLICA, seed=SEED)
    for ours, engine in ((last, states.hidden), (gradient, states.gradient)):
        direction = np.asarray(ours, np.float64)[:, 0]
        assert np.linalg.norm(direction / np.linalg.norm(direction) - engine) < 1e-4
    sample = simulate(net, replicas=REPLICA + 1, seed=SEED, engine="correlated", weight_gradients=True)
    end, start = np.linalg.norm(readout[0]), np.linalg.norm(first)
    for name, key in (("v", "V"), ("w", "W")):
        if key in weight_gradients:
            sizes = np.linalg.norm(np.asarray(weight_gradients[key], np.float64), axis=(1, 2)) / (end * start)
            engine = sample[f"log_weight_gradient_{name}"][REPLICA]
            assert np.abs(np.expm1(np.log(sizes) - engine)).max() < 1e-4
    difference = np.linalg.norm(np.asarray(last) - first) / start
    assert abs(np.expm1(np.log(difference) - sample[LOG_RATIOS[1]][REPLICA])) < 1e-4


def _plain_loss(net: ResNet, arrays: Any, x: Any, y: Any) -> Any:
    """The mean cross-entropy by a loop over layers, rows as states."""
    sigma: Any = {
        "relu": jax.nn.relu, "tanh": jnp.tanh, "identity": lambda h: h, "softplus": jax.nn.softplus,
        "gelu": lambda h: h * jax.scipy.stats.norm.cdf(h), "sin": jnp.sin,
        "leaky-relu": lambda h: jnp.where(h > 0, h, 0.01 * h),
    }[net.activation_function.name]  # fmt: skip
    h = x @ arrays["A"].T
    for k in range(net.depth):
        inner = h
        if net.block != "res-1":
            inner = h @ arrays["W"][k].T
        if net.block == "res-2":
            inner = inner + arrays["b"][k]
        h = h + net.scaling * sigma(inner) @ arrays["V"][k].T
    chosen = jax.nn.log_softmax(h @ arrays["B"].T)[jnp.arange(len(y)), y]
    return -chosen.mean()


PLAIN = [
    *(ResNet(width=5, depth=7, beta=0.5, block="res-2", activation=s, input_dim=6) for s in ACTIVATIONS),
    ResNet(width=5, depth=7, beta=0.3, block="res-1", weights="uniform", input_dim=6),
    ResNet(width=5, depth=7, beta=0.3, block="res-3", weights="rbf:0.1", input_dim=6),
]  # fmt: skip


@pytest.mark.parametrize(
    ("net", "segments"),
    [(net, 3) for net in PLAIN] + [(PLAIN[0], 1)],  # compiling is what takes time
    ids=lambda value: f"{value.block}-{value.activation}" if isinstance(value, ResNet) else str(value),
)
def test_gradients_are_those_of_a_plain_loop(net: ResNet, segments: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((11, 6)).astype(np.float32), rng.integers(0, 3, 11)
    arrays = initial_arrays(net, replica=0, seed=1, classes=3)
    layer = layer_of(net.block, net.activation_function.name)

    def loss(arrays: Any) -> Any:
        return losses(logits(layer, arrays, x, jnp.float32(net.scaling), segments), y).mean()

    value, gradients = jax.jit(jax.value_and_grad(loss))(arrays)
    plain, expected = jax.jit(jax.value_and_grad(lambda arrays: _plain_loss(net, arrays, x, y)))(arrays)
    assert float(value) == pytest.approx(float(plain), rel=1e-5)
    assert gradients.keys() == arrays.keys()
    for name, gradient in gradients.items():
        assert np.linalg.norm(gradient - expected[name]) < 1e-5 * np.linalg.norm(expected[name]) + 1e-9, name


def test_states_are_kept_as_long_as_memory_allows() -> None:
    assert segments_of(1000, 30, 128, networks=5) == 1
    assert segments_of(1000, 30, 128, networks=50) == 31
