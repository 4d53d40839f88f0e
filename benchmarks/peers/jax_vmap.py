"""JAX, plain: ``vmap`` over networks, ``lax.scan`` over layers, ``jax.vjp`` through it, default settings."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.peers.common import INPUT_DIM, Workload, emit, measure, parse
from benchmarks.peers.jax_scan import log_ratios


def run(work: Workload) -> dict:
    """Time the workload; the report of ``common.measure``. Compilation belongs to the warm-up."""
    import jax
    import jax.numpy as jnp

    d = work.width
    batch = work.batch or (64 if work.width <= 64 else 16)

    def draw(key: Any, shape: tuple[int, ...], fan_in: int) -> Any:
        if work.weights == "gaussian":
            return jax.random.normal(key, shape) / math.sqrt(fan_in)
        bound = math.sqrt(3 / fan_in)
        return jax.random.uniform(key, shape, minval=-bound, maxval=bound)

    def layer(h: Any, key: Any) -> tuple[Any, None]:
        for_v, for_w = jax.random.split(key)
        hidden = jax.nn.relu(draw(for_w, (d, d), d) @ h)
        return h + work.alpha * draw(for_v, (d, d), d) @ hidden, None

    def network(key: Any) -> Any:
        for_x, for_A, for_p, for_layers = jax.random.split(key, 4)
        first = draw(for_A, (d, INPUT_DIM), INPUT_DIM) @ jax.random.uniform(for_x, (INPUT_DIM,))
        keys = jax.random.split(for_layers, work.depth)
        last, pull = jax.vjp(lambda h: jax.lax.scan(layer, h, keys)[0], first)
        if work.forward_only:
            return jnp.stack([first, last])
        readout = draw(for_p, (d,), d)
        return jnp.stack([first, last, readout, pull(readout)[0]])

    compiled = jax.jit(jax.vmap(network))

    def sampler(networks: int, seed: int) -> np.ndarray:
        keys = jax.random.split(jax.random.key(seed), -(-networks // batch))
        return np.concatenate([log_ratios(np.asarray(compiled(jax.random.split(k, batch)))) for k in keys])

    return measure("jax-vmap", work, sampler, batch, {"jax": jax.__version__}, batch=batch)


if __name__ == "__main__":
    workload, out = parse(__doc__, batch=True)
    emit(run(workload), out)
