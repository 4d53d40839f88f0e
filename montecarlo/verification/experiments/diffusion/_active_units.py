"""Plain networks for S6, which needs to know who is active: res-1 with ReLU and Gaussian V.

Given the past a layer adds ``α ‖ReLU(h)‖ d^{-1/2}`` times a standard normal vector, so no matrix is drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from montecarlo.verification.experiments._row_sources import Source

Array = npt.NDArray[np.float64]
_BLOCK = 2048
RATE_BOUND = 25.0
"""Rows of `rate_source` are clipped to this on both sides."""


def _in_blocks(draw: Callable[[np.random.Generator], Array]) -> Source:
    """Return the source that draws whole blocks of rows, each from a generator of its own."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        del threads
        blocks = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        drawn = np.concatenate([draw(np.random.default_rng([seed, block])) for block in blocks])
        return drawn[first - blocks[0] * _BLOCK :][:count]

    return rows


def noise_source(*, width: int, depth: int, factor: float = 1.0) -> Source:
    """Return rows of log ‖ReLU(h_L)‖²/‖ReLU(h_0)‖² minus the sum of the drifts (A − 2)/(dL) along the layers.

    `factor` multiplies the weights; 1 is right.
    """
    step = factor / np.sqrt(width * depth)

    def draw(rng: np.random.Generator) -> Array:
        h = rng.standard_normal((_BLOCK, width))
        h[:, 0] = np.abs(h[:, 0]) + 0.1  # some unit is active
        active = np.maximum(h, 0.0)
        square = start = np.einsum("ij,ij->i", active, active)
        drift = np.zeros(_BLOCK)
        for _ in range(depth):
            drift += ((h > 0.0).sum(axis=1) - 2.0) / (width * depth)
            h += (step * np.sqrt(square))[:, None] * rng.standard_normal((_BLOCK, width))
            active = np.maximum(h, 0.0)
            square = np.einsum("ij,ij->i", active, active)
        with np.errstate(divide="ignore"):
            return np.log(square / start) - drift

    return _in_blocks(draw)


def rate_source(*, width: int, depth: int, shift: float = 0.0) -> Source:
    """Return rows of L times log ‖ReLU(h_1)‖²/‖ReLU(h_0)‖² from a start with half of the units active.

    Each row is the mean of a network's and of that with −V, which has the same law: the leading noise
    cancels. `shift` is added to the normal numbers; 0 is right.
    """
    h = np.where(np.arange(width) < width // 2, 1.0, -1.0)
    start = np.square(np.maximum(h, 0.0)).sum()
    step = np.sqrt(start / (width * depth))

    def draw(rng: np.random.Generator) -> Array:
        noise = step * rng.standard_normal((_BLOCK, width))
        logs = [
            np.log(np.square(np.maximum(h + step * shift + side * noise, 0.0)).sum(axis=1) / start)
            for side in (1.0, -1.0)
        ]
        return np.clip(0.5 * depth * (logs[0] + logs[1]), -RATE_BOUND, RATE_BOUND)

    return _in_blocks(draw)
