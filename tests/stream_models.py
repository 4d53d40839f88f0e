"""Residual streams in plain numpy with their gradients by hand, one factory a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

WIDTH, BATCH = 48, 8
INPUTS = np.random.default_rng(3).normal(size=(BATCH, WIDTH))
Factory = Callable[[int, int], Any]


def linear(
    scale: Callable[[int], float], skip: float = 1.0, larger: dict[int, float] | None = None
) -> Factory:
    """h ← b h + a V h with a = scale(L), some blocks (from 1) larger; gradients by the same matrices."""

    def factory(depth: int, seed: int) -> Any:
        rng = np.random.default_rng([seed, depth])
        V = rng.normal(size=(depth, WIDTH, WIDTH)) / WIDTH**0.5
        for k, factor in (larger or {}).items():
            V[k - 1] *= factor
        p = rng.normal(size=(BATCH, WIDTH))

        def stream(h: np.ndarray) -> dict[str, Any]:
            states, gradients = [h], [p]
            for k in range(depth):
                states.append(skip * states[-1] + scale(depth) * states[-1] @ V[k].T)
                gradients.append(skip * gradients[-1] + scale(depth) * gradients[-1] @ V[-1 - k])
            return {"hidden": states, "gradients": gradients[::-1]}

        return stream, (INPUTS,)

    return factory


def added(scale: Callable[[int], float], after: bool = False) -> Factory:
    """h ← h + a V n(h), or n(h + a V h) with the norm after: a pre-norm and a post-norm network."""

    def factory(depth: int, seed: int) -> Any:
        rng = np.random.default_rng([seed, depth])
        V = scale(depth) * rng.normal(size=(depth, WIDTH, WIDTH)) / WIDTH**0.5
        p = rng.normal(size=(BATCH, WIDTH))

        def stream(h: np.ndarray) -> dict[str, Any]:
            states, gradients = [h], [p]
            for k in range(depth):
                branch = (h if after else unit(h)) @ V[k].T
                h = unit(h + branch) if after else h + branch
                states.append(h)
            for k in reversed(range(depth)):
                h, q = states[k], gradients[-1]
                q = normal_back(h + h @ V[k].T, q) if after else q
                back = q @ V[k]
                gradients.append(q + (back if after else normal_back(h, back)))
            return {"hidden": states, "gradients": gradients[::-1]}

        return stream, (INPUTS,)

    return factory


def unit(h: np.ndarray) -> np.ndarray:
    """Return √d h/‖h‖."""
    return h / np.sqrt(np.mean(h**2, axis=1, keepdims=True))


def normal_back(h: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the gradient at h of ⟨q, unit(h)⟩."""
    n, size = unit(h), np.sqrt(np.mean(h**2, axis=1, keepdims=True))
    return (q - n * np.mean(q * n, axis=1, keepdims=True)) / size


critical = linear(lambda depth: depth**-0.5)
exponential = linear(lambda depth: 0.7)
identity = linear(lambda depth: 1.0 / depth)
polynomial = added(lambda depth: 1.0)
post_norm = added(lambda depth: 1.0, after=True)


def promised(depth: int) -> Any:
    """Return the specification of `critical`."""
    from montecarlo import ResNet

    return ResNet(width=WIDTH, depth=depth, beta=0.5, block="res-1", activation="identity")


def broken(depth: int) -> Any:
    """Return a promise that `critical` does not keep."""
    from montecarlo import ResNet

    return ResNet(width=WIDTH, depth=depth, alpha=2 * depth**-0.5, block="res-1", activation="identity")
