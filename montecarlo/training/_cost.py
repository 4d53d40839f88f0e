"""Rough times of training, for estimates before a run."""

from __future__ import annotations

from montecarlo.training._plan import TrainingItem

_FLOPS = 4e10
"""Operations a second of one core in products of 30 x 30 by 30 x 128, forward, backward and Adam."""

_LAYER_SECONDS = 3e-6
"""A layer of a step at least, in both directions."""


def training_seconds(
    items: list[TrainingItem], examples: int, *, workers: int = 1, compile_seconds: float = 3.0
) -> float:
    """Return the rough time of training items on a processor, by the count of operations.

    Parameters
    ----------
    items : list of TrainingItem
        What is trained.
    examples : int
        Size of the training part.
    workers : int, default 1
        Networks at a time.
    compile_seconds : float, default 3
        Once a run.

    Examples
    --------
    >>> from montecarlo import ResNet
    >>> net = ResNet(width=30, depth=1000, beta=0.5, block="res-1")
    >>> 1.0 < training_seconds([TrainingItem(resnet=net, rate=0.1)], 1438) < 20.0
    True
    """
    total = sum(item_seconds(item, item.plan.epochs * item.plan.steps(examples)) for item in items)
    return compile_seconds + total / workers if items else 0.0


def item_seconds(item: TrainingItem, steps: int) -> float:
    """Return the rough time of one network on one core, for a number of steps of whole batches."""
    net = item.resnet
    matrices = 2 if net.has_w else 1
    layer = 6.0 * matrices * item.plan.batch * net.width**2 / _FLOPS + _LAYER_SECONDS
    return steps * net.depth * layer
