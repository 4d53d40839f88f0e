"""Streams of JAX models as `depth_check` takes them: three functions, and `python examples/stream_in_jax.py`.

A function returns h_0, ..., h_L. Where it takes `offsets`, and adds one to each state, gradients come from
JAX. Parameters may be what Flax has (a nested dict), what Equinox has (a module that is a pytree), or plain
arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from montecarlo.practice import depth_check

WIDTH, UNITS, BATCH = 64, 256, 32


def mlp(depth: int, seed: int) -> Any:
    """Plain arrays, stacked over blocks, under `lax.scan`: h + V relu(W h)/√L."""
    keys = jax.random.split(jax.random.key(seed), 2)
    W = jax.random.normal(keys[0], (depth, UNITS, WIDTH)) / WIDTH**0.5
    V = jax.random.normal(keys[1], (depth, WIDTH, UNITS)) / UNITS**0.5
    x = jax.random.normal(jax.random.key(1), (BATCH, WIDTH))

    @jax.jit
    def stream(offsets: jax.Array | None = None) -> jax.Array:
        if offsets is None:
            offsets = jnp.zeros((depth + 1, BATCH, WIDTH))

        def block(h: jax.Array, parts: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
            w, v, offset = parts
            h = h + jax.nn.relu(h @ w.T) @ v.T / depth**0.5 + offset
            return h, h

        start = x + offsets[0]
        _, states = jax.lax.scan(block, start, (W, V, offsets[1:]))
        return jnp.concatenate([start[None], states])

    return stream


def pre_norm(depth: int, seed: int) -> Any:
    """Flax's way: parameters in a nested dict, a function `apply` that is given them."""
    params = {
        f"Block_{k}": {
            name: {"kernel": jax.random.normal(key, (rows, columns)) / rows**0.5}
            for name, rows, columns, key in zip(
                ("Dense_0", "Dense_1"), (WIDTH, UNITS), (UNITS, WIDTH),
                jax.random.split(jax.random.fold_in(jax.random.key(seed), k)), strict=True,
            )
        }
        for k in range(depth)
    }  # fmt: skip
    x = jax.random.normal(jax.random.key(1), (BATCH, WIDTH))

    def apply(params: Any, x: jax.Array, offsets: Any) -> list[jax.Array]:
        states = [x + offsets[0]]
        for k in range(depth):
            h, block = states[-1], params[f"Block_{k}"]
            inside = h / jnp.sqrt(jnp.mean(h**2, -1, keepdims=True))
            branch = jax.nn.relu(inside @ block["Dense_0"]["kernel"]) @ block["Dense_1"]["kernel"]
            states.append(h + branch + offsets[k + 1])
        return states

    def stream(offsets: Any = None) -> list[jax.Array]:
        return apply(params, x, [jnp.zeros_like(x)] * (depth + 1) if offsets is None else offsets)

    return stream


class Block(NamedTuple):
    """Equinox's way: a module is a pytree that can be called."""

    up: jax.Array
    down: jax.Array

    def __call__(self, h: jax.Array) -> jax.Array:
        """Return the next state, divided by its length."""
        new = h + jax.nn.relu(h @ self.up.T) @ self.down.T
        return new / jnp.sqrt(jnp.mean(new**2, -1, keepdims=True))


def post_norm(depth: int, seed: int) -> Any:
    """A list of such modules, with the norm after each addition."""
    keys = jax.random.split(jax.random.key(seed), 2 * depth)
    blocks = [
        Block(
            jax.random.normal(keys[2 * k], (UNITS, WIDTH)) / WIDTH**0.5,
            jax.random.normal(keys[2 * k + 1], (WIDTH, UNITS)) / UNITS**0.5,
        )
        for k in range(depth)
    ]
    x = jax.random.normal(jax.random.key(1), (BATCH, WIDTH))

    def stream(offsets: Any = None) -> list[jax.Array]:
        offsets = [jnp.zeros_like(x)] * (depth + 1) if offsets is None else offsets
        states = [x + offsets[0]]
        for block, offset in zip(blocks, offsets[1:], strict=True):
            states.append(block(states[-1]) + offset)
        return states

    return stream


if __name__ == "__main__":
    for factory, expect in ((mlp, "critical"), (pre_norm, "polynomial"), (post_norm, "exponential")):
        found = depth_check(factory, depths=(4, 8, 16), seeds=6, expect=expect)
        print(f"{factory.__name__}: {found.found}, {found.verdict}; {found.structure.words}")
