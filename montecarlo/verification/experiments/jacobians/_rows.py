"""Rows of Jacobians: sources for the experiments on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from montecarlo import JacobianSample, ResNet, simulate_jacobians
from montecarlo.verification.experiments._row_sources import Array, Source

Read = Callable[[JacobianSample], Array]


def jacobian_source(
    resnet: ResNet, read: Read, *, engine: str = "auto", singular_values: bool = False
) -> Source:
    """Return the source of an observable of Jacobians."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_jacobians(
            resnet, replicas=count, seed=seed, first_replica=first, engine=engine, threads=threads,
            singular_values=singular_values,
        )  # fmt: skip
        return read(sample)

    return rows


def walk_source(resnet: ResNet, depth: int, column: str, mode: int | None = None) -> Source:
    """Return the source of sums over `depth` networks of one layer each, of a column or one mode of it."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_jacobians(
            resnet, replicas=count * depth, seed=seed, first_replica=first * depth, threads=threads,
            singular_values=False,
        )  # fmt: skip
        values = sample[column] if mode is None else sample[column][:, mode - 1]
        return values.reshape(count, depth).sum(axis=1)

    return rows


def size_of(resnet: ResNet) -> dict[str, Any]:
    """Return the arguments of theory for a network."""
    return {
        "width": resnet.width, "depth": resnet.depth, "alpha": resnet.scaling,
        "hidden_width": resnet.inner_width, "activation": "relu" if resnet.has_w else "identity",
    }  # fmt: skip


def volume(order: int) -> Read:
    """Return the square of the i-volume."""
    return lambda sample: np.exp(2.0 * sample.log_volume[:, order - 1])


SHIFT = 12.0


def shifted_determinant(sample: JacobianSample) -> Array:
    """Return (SHIFT + det J)², not negative; its mean moves 2 SHIFT times as much as that of det J."""
    return (SHIFT + sample["sign_determinant"] * np.exp(sample["log_abs_determinant"])) ** 2


def square_trace(sample: JacobianSample) -> Array:
    """Return tr (JᵀJ)²/d."""
    return np.exp(sample["log_square_trace"]) / sample.resnet.width


def trace_square(sample: JacobianSample) -> Array:
    """Return (tr JᵀJ)²/d²."""
    return np.exp(2.0 * sample["log_trace"]) / sample.resnet.width**2
