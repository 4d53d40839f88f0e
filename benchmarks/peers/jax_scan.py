"""JAX, tuned: ``vmap`` over networks, ``lax.scan`` over layers, compiled, a hand-written backward pass.

What made it fast (jax 0.10 on CPUs):

- the backward scan draws the weights again from the keys of the layers: storing them in the scan's outputs
  took 1.1 to 1.6 times as long;
- ``jax_threefry_partitionable`` is off, which halves the hashing a number; ``rbg``, faster on accelerators,
  gives a quarter of threefry's numbers a second here (``--prng`` tries it);
- ``--bits 16`` splits each 32-bit word into two uniforms;
- one batch a thread, since XLA gains little from more cores inside one small layer.

``--threads`` of the script also limits the cores that XLA sees; ``run`` called from Python leaves them alone.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.peers.common import INPUT_DIM, Workload, emit, measure, parse


def network(work: Workload) -> Callable[[Any], Any]:
    """A function from a key to what the log ratios of one network are made of: h_0, h_L, p_L, p_0 as rows."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    d, depth, a = work.width, work.depth, work.alpha

    def draw(key: Any, shape: tuple[int, ...], fan_in: int) -> Any:
        if work.weights == "gaussian":
            return jax.random.normal(key, shape) / math.sqrt(fan_in)
        bound = math.sqrt(3 / fan_in)
        return jax.random.uniform(key, shape, minval=-bound, maxval=bound)

    def layer(key: Any) -> tuple[Any, Any]:
        if work.bits == 32:
            return tuple(draw(key, (2, d, d), d))
        words = jax.random.bits(key, (d, d), "uint32")
        halves = lax.bitcast_convert_type(lax.bitcast_convert_type(words, jnp.uint16), jnp.int16)
        weights = (jnp.moveaxis(halves, -1, 0).astype(jnp.float32) + 0.5) * (2 * math.sqrt(3 / d) / 2**16)
        return weights[0], weights[1]

    def forward(h: Any, key: Any) -> tuple[Any, Any]:
        V, W = layer(key)
        hidden = h @ W
        return h + a * (jax.nn.relu(hidden) @ V), hidden > 0

    def backward(p: Any, saved: tuple[Any, Any]) -> tuple[Any, None]:
        key, active = saved
        V, W = layer(key)
        return p + a * (W @ jnp.where(active, V @ p, 0)), None

    def sample(key: Any) -> Any:
        for_x, for_A, for_p, for_layers = jax.random.split(key, 4)
        first = jax.random.uniform(for_x, (INPUT_DIM,)) @ draw(for_A, (INPUT_DIM, d), INPUT_DIM)
        keys = jax.random.split(for_layers, depth)
        last, active = lax.scan(forward, first, keys)
        if work.forward_only:
            return jnp.stack([first, last])
        p_last = draw(for_p, (d,), d)
        p_first, _ = lax.scan(backward, p_last, (keys, active), reverse=True)
        return jnp.stack([first, last, p_last, p_first])

    return sample


def log_ratios(states: np.ndarray) -> np.ndarray:
    """The log ratios, in float64, of states stacked by ``network``: (networks, 2 or 4, width)."""
    states = states.astype(np.float64)
    columns = []
    for first, last in zip(states[:, ::2].swapaxes(0, 1), states[:, 1::2].swapaxes(0, 1), strict=True):
        scale = np.linalg.norm(first, axis=1)
        columns += [np.linalg.norm(last, axis=1) / scale, np.linalg.norm(last - first, axis=1) / scale]
    return np.log(np.stack(columns, axis=1))


def tuned_batch(work: Workload) -> int:
    """The batch that was fastest."""
    return 32 if work.width <= 64 else 16


def run(work: Workload) -> dict:
    """Time the workload; the report of ``common.measure``. Compilation belongs to the warm-up."""
    import jax

    jax.config.update("jax_threefry_partitionable", False)
    batch = work.batch_or(tuned_batch(work))
    root = jax.random.key(work.seed, impl=work.prng)
    sample = jax.vmap(network(work))

    @jax.jit
    def compiled(seed: Any, index: Any) -> Any:
        key = jax.random.fold_in(jax.random.fold_in(root, seed), index)
        return sample(jax.random.split(key, batch))

    def sampler(networks: int, seed: int) -> np.ndarray:
        def one(index: int) -> np.ndarray:
            return log_ratios(np.asarray(compiled(np.uint32(seed), np.uint32(index))))

        with ThreadPoolExecutor(work.threads) as pool:
            return np.concatenate(list(pool.map(one, range(-(-networks // batch)))))

    tuned = {"batch": batch, "bits": work.bits, "prng": work.prng}
    return measure("jax-scan", work, sampler, batch * work.threads, {"jax": jax.__version__}, **tuned)


if __name__ == "__main__":
    workload, out = parse(__doc__, batch=True, prng=True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: workload.threads])
    emit(run(workload), out)
