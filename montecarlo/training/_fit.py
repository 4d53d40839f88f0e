"""`train_networks`: the training loop, an epoch a call of one compiled program."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common._json import finite
from montecarlo.streams import derive_key
from montecarlo.training._data import DataSet, shuffled
from montecarlo.training._measure import measure
from montecarlo.training._network import Tree, compiled, initial_arrays, layer_of, logits, losses, segments_of
from montecarlo.training._outcome import Outcome, TrainedNetwork
from montecarlo.training._plan import TrainingItem

Float64 = npt.NDArray[np.float64]

_EVALUATED = 512
"""Test examples at a time."""

_ADAM = optax.scale_by_adam()


def train_networks(
    items: Sequence[TrainingItem],
    data: DataSet,
    *,
    stack: bool = False,
    on_epoch: Callable[[int, Float64], None] | None = None,
) -> list[TrainedNetwork]:
    """Train networks of one shape that differ in scaling, weight law, rate, seed and replica alone.

    Parameters
    ----------
    items : sequence of TrainingItem
        Of one block, activation, width, depth and plan.
    data : DataSet
        The data that the items name.
    stack : bool, default False
        Train all of them at once, in products over a stack of matrices. On an accelerator that fills them; on
        a processor it is no faster, so networks go one by one by default. The results of a stack depend on
        the number of networks in it, by rounding; those of single networks on the item alone.
    on_epoch : callable, optional
        Told of the epochs that are done and the mean losses of the networks in hand.

    Returns
    -------
    list of TrainedNetwork
        In the order of the items. Without `stack` the same item gives the same bits on the same machine.

    Raises
    ------
    InvalidFieldError
        If the items do not have one shape, or do not fit the data.

    Examples
    --------
    >>> from montecarlo import ResNet
    >>> from montecarlo.training import TrainingItem, load_data
    >>> net = ResNet(width=16, depth=10, beta=0.5, block="res-1", weights="fbm:0.5")
    >>> (network,) = train_networks([TrainingItem(resnet=net, rate=0.01)], load_data("digits"))
    >>> network.outcome.accuracy > 0.7
    True
    """
    _check(items, data)
    groups = [list(items)] if stack else [[item] for item in items]
    return [network for group in groups if group for network in _train(group, data, on_epoch)]


def _check(items: Sequence[TrainingItem], data: DataSet) -> None:
    for item in items:
        if item.resnet.input_dim != data.features:
            raise InvalidFieldError(
                "input_dim", item.resnet.input_dim, f"must be {data.features}, the features of {data.name}",
                f"give input_dim={data.features}",
            )  # fmt: skip
    shapes = {(i.resnet.block, i.resnet.activation, i.resnet.width, i.resnet.depth, i.plan) for i in items}
    if len(shapes) > 1:
        raise InvalidFieldError(
            "items",
            len(items),
            "must have one block, activation, width, depth and plan",
            "train others apart",
        )


def _train(
    items: list[TrainingItem], data: DataSet, on_epoch: Callable[[int, Float64], None] | None
) -> list[TrainedNetwork]:
    resnet, plan, examples = items[0].resnet, items[0].plan, len(data.train_labels)
    batch = min(plan.batch, examples)
    steps = -(-examples // batch)
    first = [
        initial_arrays(item.resnet, replica=item.replica, seed=item.seed, classes=data.classes)
        for item in items
    ]
    run = _epoch_function(
        resnet.block, resnet.activation_function.name,
        segments_of(resnet.depth, resnet.width, batch, len(items)),
    )  # fmt: skip
    arrays: Any = jax.tree.map(lambda *each: jnp.asarray(np.stack(each)), *first)
    state: Any = jax.vmap(_ADAM.init)(arrays)
    alphas = jnp.array([item.resnet.scaling for item in items], jnp.float32)
    x, y = jnp.asarray(data.train_inputs), jnp.asarray(data.train_labels)
    curves = np.full((len(items), plan.epochs, steps), np.nan)
    for epoch in range(plan.epochs):
        rates = jnp.array([item.plan.rates(item.rate)[epoch] for item in items], jnp.float32)
        order = jnp.asarray(np.stack([_order(item, epoch, examples, batch, steps) for item in items]))
        arrays, state, means = run(arrays, state, alphas, rates, order, x, y)
        curves[:, epoch] = np.asarray(means, np.float64).T
        if on_epoch is not None:
            on_epoch(epoch + 1, np.mean(curves[:, epoch], axis=1))
        if not np.isfinite(curves[:, epoch]).all(axis=1).any():
            break  # all have diverged, and nothing comes back from there
    last = [{name: np.asarray(array[row]) for name, array in arrays.items()} for row in range(len(items))]
    return [
        _finish(item, before, after, curve.ravel(), data)
        for item, before, after, curve in zip(items, first, last, curves, strict=True)
    ]


def _order(item: TrainingItem, epoch: int, examples: int, batch: int, steps: int) -> npt.NDArray[np.int32]:
    """Return the examples of each step, shape (steps, batch); -1 fills up the last one.

    A function of seed, replica and epoch alone, so networks of other scalings or rates see the same batches.
    """
    key = derive_key(item.seed, {"purpose": "batches"})
    order = np.full(steps * batch, -1, np.int32)
    high = (epoch, item.replica & 0xFFFFFFFF, item.replica >> 32)
    order[:examples] = shuffled(key, examples, high=high)
    return order.reshape(steps, batch)


@functools.cache
def _epoch_function(block: str, activation: str, segments: int) -> Callable[..., Any]:
    """Return the compiled epoch of a stack of networks."""
    layer = layer_of(block, activation)

    def loss(arrays: Tree, alpha: Any, x: Any, y: Any, weight: Any) -> Any:
        return jnp.sum(weight * losses(logits(layer, arrays, x, alpha, segments), y)) / jnp.sum(weight)

    def step(arrays: Tree, state: Any, alpha: Any, rate: Any, rows: Any, x: Any, y: Any) -> Any:
        weight = (rows >= 0).astype(jnp.float32)
        value, gradients = jax.value_and_grad(loss)(arrays, alpha, x[rows], y[rows], weight)
        updates, state = _ADAM.update(gradients, state)
        return jax.tree.map(lambda p, u: p - rate * u, arrays, updates), state, value

    steps = jax.vmap(step, in_axes=(0, 0, 0, 0, 0, None, None))

    def epoch(arrays: Any, state: Any, alphas: Any, rates: Any, order: Any, x: Any, y: Any) -> Any:
        def one(carry: Any, rows: Any) -> Any:
            arrays, state = carry
            arrays, state, values = steps(arrays, state, alphas, rates, rows, x, y)
            return (arrays, state), values

        (arrays, state), values = jax.lax.scan(one, (arrays, state), jnp.swapaxes(order, 0, 1))
        return arrays, state, values

    return compiled(epoch, donate_argnums=(0, 1))


@functools.cache
def _logits_function(block: str, activation: str) -> Callable[..., Any]:
    layer = layer_of(block, activation)
    return compiled(lambda arrays, alpha, x: logits(layer, arrays, x, alpha, 1))


def _evaluate(item: TrainingItem, arrays: Tree, data: DataSet) -> tuple[float, float]:
    """Return accuracy and mean loss on the test part."""
    run = _logits_function(item.resnet.block, item.resnet.activation_function.name)
    outputs = []
    for start in range(0, len(data.test_labels), _EVALUATED):
        x = data.test_inputs[start : start + _EVALUATED]
        short = min(_EVALUATED, len(data.test_labels)) - len(x)
        padded = np.pad(x, ((0, short), (0, 0)))
        outputs.append(np.asarray(run(arrays, np.float32(item.resnet.scaling), padded))[: len(x)])
    z = np.concatenate(outputs).astype(np.float64)
    accuracy = float(np.mean(z.argmax(axis=1) == data.test_labels))
    z -= z.max(axis=1, keepdims=True)
    each = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), data.test_labels]
    return accuracy, float(each.mean())


def _finish(item: TrainingItem, before: Tree, after: Tree, curve: Float64, data: DataSet) -> TrainedNetwork:
    bad = ~np.isfinite(curve)
    broken = not all(np.isfinite(array).all() for array in after.values())
    diverged_at = int(bad.argmax()) if bad.any() else len(curve) if broken else None
    accuracy, test_loss = (None, None) if diverged_at is not None else _evaluate(item, after, data)
    if test_loss is not None and not np.isfinite(test_loss):
        accuracy, test_loss, diverged_at = None, None, len(curve)
    outcome = Outcome(
        item=item,
        fingerprint=data.fingerprint,
        accuracy=accuracy,
        test_loss=test_loss,
        diverged_at=diverged_at,
        losses=tuple(finite(value) for value in curve),
        before=measure(item, before, data),
        after=measure(item, after, data, start=before) if diverged_at is None else None,
    )
    return TrainedNetwork(outcome, before, after)
