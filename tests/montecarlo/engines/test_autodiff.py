"""Norms and blocks against automatic differentiation in float64: every norm and placement, forward and back.

JAX's numbers are those of `block_networks` to 1e-6, and those of the dense engine, whose products are
float32, to 2e-5.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import block_networks  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from montecarlo import ResNet, final_states, simulate, weights  # noqa: E402
from montecarlo.networks._norms import NORMS  # noqa: E402

pytestmark = pytest.mark.usefixtures("warm_kernels")

PLACED = [name if name != "pre-tanh" else "pre-tanh:0.7" for name in NORMS]
SURROUNDED = {"skip": 0.9, "schedule": "power:0.3"}
BRANCHES = [
    {"block": "res-3", "hidden_width": 13, **SURROUNDED},
    {"block": "res-1", "activation": "tanh"},
    {"block": "res-2", "activation": "softplus", "bias_std": 0.4},
    {"block": "post-activation", "activation": "tanh", **SURROUNDED},
]
SIGMA = {"relu": jax.nn.relu, "tanh": jnp.tanh, "softplus": jax.nn.softplus}
SEED = 5


def normalise(net: ResNet, x: Any) -> Any:
    if net.normalisation.kind == "tanh":
        return jnp.tanh(net.normalisation.gamma * x)
    if net.normalisation.kind == "layer":
        x = x - jnp.mean(x)
    return x / jnp.sqrt(jnp.mean(x**2))


def output(net: ResNet, w: Any, layers: dict[str, Any], h: Any) -> Any:
    place = net.norm.partition("-")[0]
    sigma = SIGMA[net.activation_function.name]
    for k in range(net.depth):
        z = normalise(net, h) if place in ("pre", "peri") else h
        if "W" in layers:
            z = layers["W"][k] @ z
        if w.b is not None:
            z = z + w.b[k]
        z = sigma(layers["V"][k] @ z) if net.block == "post-activation" else layers["V"][k] @ sigma(z)
        if place == "peri":
            z = normalise(net, z)
        h = net.skip * h + w.alphas[k] * z
        if place == "post":
            h = normalise(net, h)
    return h


def differentiate(net: ResNet, w: Any) -> tuple[dict[str, Any], Any, Any]:
    """Return columns, h_L and p_0."""
    # its home depends on the version of JAX
    enable_x64 = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    with enable_x64(True):
        first = jnp.asarray(w.A @ w.x)
        layers = {name: jnp.asarray(getattr(w, name)) for name in ("V", "W") if getattr(w, name) is not None}
        last, pull = jax.vjp(lambda layers, h: output(net, w, layers, h), layers, first)
        by_weights, gradient = pull(jnp.asarray(w.readout))
        assert last.dtype == jnp.float64
        first, last, gradient = (np.asarray(x) for x in (first, last, gradient))
        by_weights = {name: np.asarray(x) for name, x in by_weights.items()}
    start, end = np.linalg.norm(first), np.linalg.norm(w.readout)
    columns: dict[str, Any] = {
        "log_hidden_ratio": math.log(np.linalg.norm(last) / start),
        "log_hidden_difference": math.log(np.linalg.norm(last - first) / start),
        "log_gradient_ratio": math.log(np.linalg.norm(gradient) / end),
        "log_gradient_difference": math.log(np.linalg.norm(gradient - w.readout) / end),
    }
    for name, array in by_weights.items():
        norms = np.sqrt((array**2).sum(axis=(1, 2)))
        columns[f"log_weight_gradient_{name.lower()}"] = np.log(norms / (start * end))
    return columns, last, gradient


@pytest.mark.parametrize("norm", PLACED)
@pytest.mark.parametrize("branch", BRANCHES, ids=lambda branch: branch["block"])
def test_engine_and_reference_against_autodiff(branch: dict[str, Any], norm: str) -> None:
    net = ResNet(width=8, depth=3, beta=0.4, norm=norm, input_dim=9, **branch)
    columns, last, gradient = differentiate(net, weights(net, replica=0, seed=SEED))
    written = block_networks.expected(net, 0, SEED)
    sample = simulate(net, replicas=1, seed=SEED, engine="dense", weight_gradients=True)
    assert set(sample.columns) == set(columns)
    for name, values in columns.items():
        np.testing.assert_allclose(written[name], values, rtol=0.0, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(sample[name][0], values, rtol=0.0, atol=2e-5, err_msg=name)
    ends = final_states(net, replica=0, seed=SEED)
    for ours, theirs in ((ends.hidden, last), (ends.gradient, gradient)):
        np.testing.assert_allclose(ours, theirs / np.linalg.norm(theirs), rtol=0.0, atol=2e-5)
