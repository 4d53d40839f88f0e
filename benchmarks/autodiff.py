"""Rebuild one replica in PyTorch or JAX, in float64, and differentiate it automatically.

An independent check of an engine's hidden states and gradients:

    python benchmarks/autodiff.py replica.npz --framework torch

The .npz holds ``V`` (L, d, d), ``W`` (L, d, d) unless res-1, ``b`` (L, d) for res-2 with biases, ``A``
(d, n_in), ``x`` (n_in,), ``readout`` (d,), and ``block``, ``activation``, ``alpha``: each an array alone,
or together as a JSON object in a string called ``json``. Prints the four log ratios, h_L and p_0, where
``p_L = readout`` and p_0 is the gradient of ``<readout, h_L>`` in h_0.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

ACTIVATIONS = ("relu", "tanh", "gelu", "identity", "leaky-relu", "softplus", "sin")
BLOCKS = ("res-1", "res-2", "res-3")


def settings(arrays: Mapping[str, np.ndarray]) -> tuple[str, str, float]:
    """The block, activation and alpha of a replica."""
    fields: dict[str, Any] = {
        name: arrays[name].item() for name in ("block", "activation", "alpha") if name in arrays
    }
    if "json" in arrays:
        fields |= json.loads(arrays["json"].item())
    block = fields["block"]
    activation = fields.get("activation", "relu")
    if block not in BLOCKS:
        raise ValueError(f"block {block!r}: must be one of {', '.join(BLOCKS)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation {activation!r}: must be one of {', '.join(ACTIVATIONS)}")
    if block == "res-3" and activation != "relu":
        raise ValueError(f"activation {activation!r}: res-3 is always relu")
    if block != "res-1" and "W" not in arrays:
        raise ValueError(f"{block} needs W")
    return block, activation, float(fields["alpha"])


def differentiate_torch(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """h_0, h_L and p_0 by PyTorch's autograd."""
    import torch
    from torch.nn import functional

    block, activation, alpha = settings(arrays)
    sigma = {
        "relu": torch.relu,
        "tanh": torch.tanh,
        "gelu": functional.gelu,
        "identity": lambda h: h,
        "leaky-relu": lambda h: functional.leaky_relu(h, 0.01),
        "softplus": lambda h: functional.softplus(h, threshold=1e9),
        "sin": torch.sin,
    }[activation]
    tensors = {
        name: torch.tensor(np.asarray(arrays[name], dtype=np.float64))
        for name in ("V", "W", "b", "A", "x", "readout")
        if name in arrays
    }
    first = h = (tensors["A"] @ tensors["x"]).requires_grad_()
    for k, V in enumerate(tensors["V"]):
        inner = h
        if block != "res-1":
            inner = tensors["W"][k] @ inner
        if block == "res-2" and "b" in tensors:
            inner = inner + tensors["b"][k]
        h = h + alpha * (V @ sigma(inner))
    (tensors["readout"] @ h).backward()
    assert first.grad is not None
    return first.detach().numpy(), h.detach().numpy(), first.grad.numpy()


def differentiate_jax(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """h_0, h_L and p_0 by JAX's reverse mode."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    block, activation, alpha = settings(arrays)
    sigma = {
        "relu": jax.nn.relu,
        "tanh": jnp.tanh,
        "gelu": lambda h: jax.nn.gelu(h, approximate=False),
        "identity": lambda h: h,
        "leaky-relu": lambda h: jax.nn.leaky_relu(h, 0.01),
        "softplus": jax.nn.softplus,
        "sin": jnp.sin,
    }[activation]
    names = ["V"]
    if block != "res-1":
        names.append("W")
    if block == "res-2" and "b" in arrays:
        names.append("b")
    layers = {name: jnp.asarray(arrays[name], dtype=jnp.float64) for name in names}

    def layer(h: Any, theta: dict[str, Any]) -> tuple[Any, None]:
        inner = h if block == "res-1" else theta["W"] @ h
        if "b" in theta:
            inner = inner + theta["b"]
        return h + alpha * (theta["V"] @ sigma(inner)), None

    first = jnp.asarray(arrays["A"], dtype=jnp.float64) @ jnp.asarray(arrays["x"], dtype=jnp.float64)
    last, pullback = jax.vjp(lambda h: jax.lax.scan(layer, h, layers)[0], first)
    (gradient,) = pullback(jnp.asarray(arrays["readout"], dtype=jnp.float64))
    return np.asarray(first), np.asarray(last), np.asarray(gradient)


def autodiff(arrays: Mapping[str, np.ndarray], framework: str = "torch") -> dict[str, Any]:
    """The four log ratios, h_L and p_0 of one replica."""
    differentiate = {"torch": differentiate_torch, "jax": differentiate_jax}[framework]
    first, last, gradient = differentiate(arrays)
    readout = np.asarray(arrays["readout"], dtype=np.float64)
    norm = np.linalg.norm
    with np.errstate(divide="ignore"):  # an exact zero has log -inf
        return {
            "log_hidden_ratio": float(np.log(norm(last) / norm(first))),
            "log_hidden_difference": float(np.log(norm(last - first) / norm(first))),
            "log_gradient_ratio": float(np.log(norm(gradient) / norm(readout))),
            "log_gradient_difference": float(np.log(norm(gradient - readout) / norm(readout))),
            "h_L": last.tolist(),
            "p_0": gradient.tolist(),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("replica", type=Path, help="the .npz file")
    parser.add_argument("--framework", choices=("torch", "jax"), default="torch")
    options = parser.parse_args()
    with np.load(options.replica) as stored:
        arrays = dict(stored)
    try:
        report = autodiff(arrays, options.framework)
    except (KeyError, ValueError) as error:
        parser.error(f"{options.replica}: {error}")
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
