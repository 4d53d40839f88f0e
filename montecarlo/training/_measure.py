"""What is measured of a network at one moment: log-ratios, regularity along depth, norms of its weights."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from montecarlo.common._json import finite
from montecarlo.estimates import Estimate, path_regularity
from montecarlo.samples.independent._sample import LOG_RATIOS
from montecarlo.training._data import DataSet
from montecarlo.training._network import Tree, compiled, layer_of, product, run_layers, split_arrays
from montecarlo.training._outcome import Measured
from montecarlo.training._plan import TrainingItem

EXAMPLES = 64
"""Test examples whose log-ratios are measured."""


def measure(item: TrainingItem, arrays: Tree, data: DataSet, *, start: Tree | None = None) -> Measured:
    """Return the numbers of a network; `start` are its arrays before training, if it was trained."""
    resnet = item.resnet
    x, y = data.test_inputs[:EXAMPLES], data.test_labels[:EXAMPLES]
    run = _ratios_function(resnet.block, resnet.activation_function.name)
    rows = np.asarray(run(arrays, np.float32(resnet.scaling), x, y), np.float64)
    kept = np.isfinite(rows)
    means = [float(row[good].mean()) if good.any() else None for row, good in zip(rows, kept, strict=True)]
    v = arrays["V"].astype(np.float64)
    change = v - start["V"] if start is not None else None
    return Measured(
        log_ratios=dict(zip(LOG_RATIOS, means, strict=True)),
        nonfinite={name: int((~good).sum()) for name, good in zip(LOG_RATIOS, kept, strict=True)},
        examples=len(x),
        regularity=_index(v, 1),
        regularity_without_mean=_index(v, 2),
        change_regularity=_index(change, 2) if change is not None and change.any() else None,
        norms={name: value for name, value in _norms(v, change).items() if finite(value) is not None},
    )


def _index(v: npt.NDArray[np.float64], difference: Any) -> Estimate | None:
    if len(v) < 16:
        return None
    try:
        return path_regularity(v, difference=difference)
    except ValueError:  # weights that do not vary
        return None


def _norms(v: npt.NDArray[np.float64], change: npt.NDArray[np.float64] | None) -> Mapping[str, float]:
    def sizes(stack: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.sqrt(np.sum(stack**2, axis=(1, 2)))

    found = {"mean": sizes(v).mean(), "largest": sizes(v).max(), "sum": float(np.linalg.norm(v.sum(axis=0)))}
    if len(v) > 1:
        found["increment"] = sizes(np.diff(v, axis=0)).mean()
    if change is not None:
        found["change"] = sizes(change).mean()
        found["change_sum"] = float(np.linalg.norm(change.sum(axis=0)))
    return {name: float(value) for name, value in found.items()}


@functools.cache
def _ratios_function(block: str, activation: str) -> Callable[..., Any]:
    """Return the compiled four log-ratios of each example, shape (4, examples)."""
    layer = layer_of(block, activation)

    def ratios(arrays: Tree, alpha: Any, x: Any, y: Any) -> Any:
        layers, embedding, readout = split_arrays(arrays)
        first = product(embedding, x.T)
        last, pull = jax.vjp(lambda h: run_layers(layer, h, layers, alpha, 1), first)
        wrong = jax.nn.softmax(product(readout, last), axis=0) - jax.nn.one_hot(y, len(readout), axis=0)
        end = product(readout.T, wrong)
        # Its size is of no interest, and may be at the end of the floats where an example is classified well.
        end = end / _norm(end)
        (begin,) = pull(end)
        return jnp.stack([
            jnp.log(_norm(last) / _norm(first)), jnp.log(_norm(last - first) / _norm(first)),
            jnp.log(_norm(begin) / _norm(end)), jnp.log(_norm(begin - end) / _norm(end)),
        ])  # fmt: skip

    return compiled(ratios)


def _norm(columns: Any) -> Any:
    """Return the norms of columns, scaled so that no square leaves the floats."""
    largest = jnp.maximum(jnp.max(jnp.abs(columns), axis=0), jnp.finfo(jnp.float32).tiny)
    return largest * jnp.sqrt(jnp.sum((columns / largest) ** 2, axis=0))
