"""Rebuild one replica in PyTorch or JAX, in float64, and differentiate it automatically.

An independent check of an engine's hidden states and gradients:

    python benchmarks/autodiff.py replica.npz --framework torch

The .npz holds ``V`` (L, d, M), ``W`` (L, M, d) where the block has one, ``b`` (L, M) for res-2 with biases,
``A`` (d, n_in), ``x`` (n_in,), ``readout`` (d,), ``alphas`` (L,), and ``block``, ``activation``, ``alpha``
(in place of alphas), ``norm``, ``norm_eps``, ``skip``: each an array alone, or together as a JSON object in a
string called ``json``. Prints a line of JSON for each file: the four log ratios, those of the gradients of V,
W and alphas layer by layer, h_L and p_0, where ``p_L = readout`` and p_0 is the gradient of
``<readout, h_L>`` in h_0.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ACTIVATIONS = ("relu", "tanh", "gelu", "identity", "leaky-relu", "softplus", "sin")
BLOCKS = ("res-1", "res-2", "res-3", "post-activation")
PLACES = ("none", "pre", "post", "peri")


@dataclass(frozen=True)
class Settings:
    """What a replica's arrays do not say."""

    block: str
    activation: str
    alpha: float = 0.0
    norm: str = "none"
    norm_eps: float = 0.0
    skip: float = 1.0

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Settings:
        """Read them."""
        names = ("block", "activation", "alpha", "norm", "norm_eps", "skip")
        fields: dict[str, Any] = {name: arrays[name].item() for name in names if name in arrays}
        if "json" in arrays:
            fields |= json.loads(arrays["json"].item())
        found = cls(**({"activation": "relu"} | fields))
        if found.block not in BLOCKS:
            raise ValueError(f"block {found.block!r}: must be one of {', '.join(BLOCKS)}")
        if found.activation not in ACTIVATIONS:
            raise ValueError(f"activation {found.activation!r}: must be one of {', '.join(ACTIVATIONS)}")
        if found.place not in PLACES:
            raise ValueError(f"norm {found.norm!r}: must begin with one of {', '.join(PLACES)}")
        if found.block == "res-3" and found.activation != "relu":
            raise ValueError(f"activation {found.activation!r}: res-3 is always relu")
        if found.block in ("res-2", "res-3") and "W" not in arrays:
            raise ValueError(f"{found.block} needs W")
        return found

    @property
    def place(self) -> str:
        """Where the norm stands."""
        return self.norm.partition("-")[0]

    def layers(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what a layer is made of, each with the layers along its first axis."""
        depth = len(arrays["V"])
        found = {"V": arrays["V"], "alphas": arrays.get("alphas", np.full(depth, self.alpha))}
        if self.block in ("res-2", "res-3"):
            found["W"] = arrays["W"]
        if self.block == "res-2" and "b" in arrays:
            found["b"] = arrays["b"]
        return {name: np.asarray(array, np.float64) for name, array in found.items()}

    def normalise(self, framework: Any, x: Any) -> Any:
        """Return the norm of a vector."""
        kind = self.norm.partition("-")[2]
        if kind.startswith("tanh"):
            return framework.tanh(float(kind.partition(":")[2]) * x)
        if kind == "layer":
            x = x - framework.mean(x)
        return x / framework.sqrt(framework.mean(x**2) + self.norm_eps)

    def layer(self, framework: Any, sigma: Callable[[Any], Any], h: Any, theta: Mapping[str, Any]) -> Any:
        """Return the state behind a layer."""
        z = self.normalise(framework, h) if self.place in ("pre", "peri") else h
        if "W" in theta:
            z = theta["W"] @ z
        if "b" in theta:
            z = z + theta["b"]
        z = sigma(theta["V"] @ z) if self.block == "post-activation" else theta["V"] @ sigma(z)
        if self.place == "peri":
            z = self.normalise(framework, z)
        h = self.skip * h + theta["alphas"] * z
        return self.normalise(framework, h) if self.place == "post" else h


@dataclass(frozen=True)
class Derivatives:
    """h_0, h_L and p_0, and the gradients of what layers are made of."""

    first: np.ndarray
    last: np.ndarray
    gradient: np.ndarray
    layers: dict[str, np.ndarray]


def differentiate_torch(arrays: Mapping[str, np.ndarray]) -> Derivatives:
    """Differentiate by PyTorch's autograd."""
    import torch
    from torch.nn import functional

    settings = Settings.of(arrays)
    sigma = {
        "relu": torch.relu,
        "tanh": torch.tanh,
        "gelu": functional.gelu,
        "identity": lambda h: h,
        "leaky-relu": lambda h: functional.leaky_relu(h, 0.01),
        "softplus": lambda h: functional.softplus(h, threshold=1e9),
        "sin": torch.sin,
    }[settings.activation]
    layers = {name: torch.tensor(a, requires_grad=True) for name, a in settings.layers(arrays).items()}
    A, x, readout = (torch.tensor(np.asarray(arrays[name], np.float64)) for name in ("A", "x", "readout"))
    first = h = (A @ x).requires_grad_()
    for k in range(len(layers["V"])):
        h = settings.layer(torch, sigma, h, {name: array[k] for name, array in layers.items()})
    (readout @ h).backward()
    return Derivatives(
        first.detach().numpy(), h.detach().numpy(), first.grad.numpy(),  # type: ignore[union-attr]
        {name: array.grad.numpy() for name, array in layers.items()},  # type: ignore[union-attr]
    )  # fmt: skip


def differentiate_jax(arrays: Mapping[str, np.ndarray]) -> Derivatives:
    """Differentiate by JAX's reverse mode."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    settings = Settings.of(arrays)
    sigma = {
        "relu": jax.nn.relu,
        "tanh": jnp.tanh,
        "gelu": lambda h: jax.nn.gelu(h, approximate=False),
        "identity": lambda h: h,
        "leaky-relu": lambda h: jax.nn.leaky_relu(h, 0.01),
        "softplus": jax.nn.softplus,
        "sin": jnp.sin,
    }[settings.activation]
    layers = {name: jnp.asarray(array) for name, array in settings.layers(arrays).items()}

    def run(layers: Any, h: Any) -> Any:
        return jax.lax.scan(lambda h, theta: (settings.layer(jnp, sigma, h, theta), None), h, layers)[0]

    A, x, readout = (jnp.asarray(arrays[name], dtype=jnp.float64) for name in ("A", "x", "readout"))
    last, pullback = jax.vjp(run, layers, A @ x)
    by_layers, gradient = pullback(readout)
    assert last.dtype == jnp.float64
    found = {name: np.asarray(array) for name, array in by_layers.items()}
    return Derivatives(np.asarray(A @ x), np.asarray(last), np.asarray(gradient), found)


def autodiff(arrays: Mapping[str, np.ndarray], framework: str = "torch") -> dict[str, Any]:
    """The log ratios, those of the layers' gradients, h_L and p_0 of one replica."""
    found = {"torch": differentiate_torch, "jax": differentiate_jax}[framework](arrays)
    first, last, gradient = found.first, found.last, found.gradient
    readout = np.asarray(arrays["readout"], dtype=np.float64)
    norm = np.linalg.norm
    scale = norm(first) * norm(readout)
    names = {"V": "log_weight_gradient_v", "W": "log_weight_gradient_w", "alphas": "log_gate_gradient"}
    with np.errstate(divide="ignore"):  # an exact zero has log -inf
        return {
            "log_hidden_ratio": float(np.log(norm(last) / norm(first))),
            "log_hidden_difference": float(np.log(norm(last - first) / norm(first))),
            "log_gradient_ratio": float(np.log(norm(gradient) / norm(readout))),
            "log_gradient_difference": float(np.log(norm(gradient - readout) / norm(readout))),
            "h_L": last.tolist(),
            "p_0": gradient.tolist(),
        } | {
            column: [float(np.log(norm(layer) / scale)) for layer in found.layers[name]]
            for name, column in names.items()
            if name in found.layers
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("replicas", type=Path, nargs="+", help="the .npz files")
    parser.add_argument("--framework", choices=("torch", "jax"), default="torch")
    options = parser.parse_args()
    for path in options.replicas:
        with np.load(path) as stored:
            arrays = dict(stored)
        try:
            report = autodiff(arrays, options.framework)
        except (KeyError, ValueError) as error:
            parser.error(f"{path}: {error}")
        sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
