"""A specification in PyTorch and JAX has the laws of `simulate`: two-sample tests at 1e-6, and a mutant.

python -m benchmarks.practice.same_numbers [NETWORKS]    (with an interpreter that has torch and jax)
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import jax
import numpy as np
import torch
from torch import nn

from montecarlo import ResNet, simulate
from montecarlo.estimates import same_law
from montecarlo.practice import record
from montecarlo.practice._seeds import measure

NET = ResNet(width=32, hidden_width=64, depth=16, alpha=0.5, norm="none")
PRE = ResNet(width=32, hidden_width=64, depth=16, alpha=0.5, norm="pre-rms", input_dim=64)


class Block(nn.Module):
    """h + a V relu(W n(h))."""

    def __init__(self, net: ResNet, alpha: float) -> None:
        super().__init__()
        units = net.hidden_width or net.width
        self.W, self.V = nn.Linear(net.width, units, bias=False), nn.Linear(units, net.width, bias=False)
        nn.init.normal_(self.W.weight, 0.0, net.width**-0.5)
        nn.init.normal_(self.V.weight, 0.0, units**-0.5)
        self.alpha, self.normed = alpha, net.norm == "pre-rms"

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Return the next state."""
        inside = h / h.pow(2).mean(-1, keepdim=True).sqrt() if self.normed else h
        return h + self.alpha * self.V(torch.relu(self.W(inside)))


def in_torch(net: ResNet, seed: int, alpha: float) -> tuple[float, float]:
    """Return the log-ratios of one network drawn by PyTorch."""
    torch.manual_seed(seed)
    embed = nn.Linear(net.input_dim, net.width, bias=False)
    nn.init.normal_(embed.weight, 0.0, net.input_dim**-0.5)
    model = nn.Sequential(embed, *(Block(net, alpha) for _ in range(net.depth)))
    found = measure(record(model, torch.rand(1, net.input_dim), seed=seed, parameters=False))
    return found.row_growth, found.row_gradient_growth


def jax_sampler(net: ResNet) -> Callable[[ResNet, int, float], tuple[float, float]]:
    """Return a sampler of networks drawn by JAX."""
    jnp = jax.numpy
    units = net.hidden_width or net.width

    @jax.jit
    def run(key: jax.Array, alpha: float, offsets: jax.Array) -> jax.Array:
        keys = jax.random.split(key, 4)
        W = jax.random.normal(keys[0], (net.depth, units, net.width)) / net.width**0.5
        V = jax.random.normal(keys[1], (net.depth, net.width, units)) / units**0.5
        A = jax.random.normal(keys[2], (net.width, net.input_dim)) / net.input_dim**0.5
        h = A @ jax.random.uniform(keys[3], (net.input_dim,)) + offsets[0]
        states = [h]
        for k in range(net.depth):
            inside = h / jnp.sqrt(jnp.mean(h**2)) if net.norm == "pre-rms" else h
            h = h + alpha * V[k] @ jax.nn.relu(W[k] @ inside) + offsets[k + 1]
            states.append(h)
        return jnp.stack(states)

    zeros = jnp.zeros((net.depth + 1, net.width))

    def sample(net: ResNet, seed: int, alpha: float) -> tuple[float, float]:
        def stream(offsets: jax.Array = zeros) -> jax.Array:
            return run(jax.random.key(seed), alpha, offsets)

        found = measure(record(stream, seed=seed))
        return found.row_growth, found.row_gradient_growth

    return sample


def main(networks: int) -> int:
    """Print the tests; return how many came out wrong."""
    wrong = 0
    for net in (NET, PRE):
        ours = simulate(net, replicas=networks, seed=1)
        columns = [ours["log_hidden_ratio"], ours["log_gradient_ratio"]]
        for name, draw in (("PyTorch", in_torch), ("JAX", jax_sampler(net))):
            for factor in (1.0, 1.25):  # as promised, and a mutant
                rows = np.array([draw(net, seed, net.scaling * factor) for seed in range(networks)]).T
                for quantity, own, theirs in zip(("hidden", "gradient"), columns, rows, strict=True):
                    found = same_law(own, theirs, false_alarm=1e-6)
                    said = found.refuted
                    wrong += said == (factor == 1.0)
                    word = "refuted" if said else "same law"
                    print(f"{net.norm:8} {name:8} {quantity:9} α × {factor}: {word}; {found}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)))
