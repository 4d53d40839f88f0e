"""Draws of log(‖h_L‖/‖h_0‖) straight from I6's R: a check on the law by none of its formulas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 18


def log_norm_draws(
    width: int, depth: int, alpha: float, size: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Independent draws of Σ ½ log R_k over `depth` layers (I6, *derived*).

    Parameters
    ----------
    width, depth : int
        d and L.
    alpha : float
        a.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness; the draws depend on the block size below.

    Returns
    -------
    ndarray (size,)
        Natural logarithms.

    Examples
    --------
    >>> draws = log_norm_draws(40, 100, 0.1, 500, np.random.default_rng(1))
    >>> print(f"{draws.mean():.2f} {draws.std():.2f}")
    0.23 0.11
    """
    total = np.zeros(size)
    for start, stop, layers in _blocks(size, depth):
        many = (stop - start, layers)
        active = rng.binomial(width, 0.5, many)
        w = alpha / width * np.sqrt(2.0 * rng.standard_gamma(0.5 * active))
        across = w * w * (2.0 * rng.standard_gamma(0.5 * (width - 1), many))
        along = w * rng.standard_normal(many)
        # log1p keeps steps that 1 + wZ would round away; near R = 0 the plain form is the exact one.
        growth = along * (2.0 + along) + across
        small = growth < -0.5
        log_ratio = np.empty(many)
        log_ratio[~small] = np.log1p(growth[~small])
        log_ratio[small] = np.log((1.0 + along[small]) ** 2 + across[small])
        total[start:stop] += 0.5 * log_ratio.sum(axis=1)
    return total


def _blocks(size: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """(first draw, end, number of layers) of blocks of bounded memory that cover size × depth."""
    layers = min(depth, _CHUNK)
    draws = max(1, _CHUNK // layers)
    for start in range(0, size, draws):
        for first in range(0, depth, layers):
            yield start, min(start + draws, size), min(layers, depth - first)
