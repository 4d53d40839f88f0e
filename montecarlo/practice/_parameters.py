"""What is kept of a block's parameters: shape, moments, and a fingerprint that tells copies."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ParameterFacts:
    """One parameter of one block.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    mean, std : float
        Mean and standard deviation of its entries.
    kurtosis : float
        Fourth central moment over the squared variance: 3 for Gaussian entries, NaN for equal ones.
    fingerprint : str
        Of the values; the same for copies.
    """

    shape: tuple[int, ...]
    mean: float
    std: float
    kurtosis: float
    fingerprint: str

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def random(self) -> bool:
        """Whether its entries differ; norms, zero biases and scales at initialisation are constant."""
        return self.std > 1e-12 * max(abs(self.mean), 1e-300)

    @property
    def log_std_error(self) -> float:
        """Standard error of log `std` for independent entries of this kurtosis."""
        return math.sqrt(max(self.kurtosis - 1.0, 0.1) / (4.0 * self.size))


def facts_of(values: Any) -> ParameterFacts:
    """Return the facts on an array.

    Examples
    --------
    >>> facts = facts_of(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    >>> facts.shape, facts.mean, facts.std, facts.kurtosis, facts.random
    ((2, 2), 0.0, 1.0, 1.0, True)
    """
    array = np.asarray(values, dtype=np.float64)
    mean = float(np.mean(array)) if array.size else math.nan
    centred = array - mean
    variance = float(np.mean(centred * centred)) if array.size else math.nan
    fourth = float(np.mean(np.square(centred * centred))) if array.size else math.nan
    kurtosis = fourth / variance**2 if variance > 1e-150 else math.nan
    mark = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return ParameterFacts(tuple(array.shape), mean, math.sqrt(variance), kurtosis, mark)


def copies(parameters: tuple[Mapping[str, ParameterFacts], ...]) -> dict[int, int]:
    """Return for each block whose random parameters are those of an earlier one that block; 1-based.

    Examples
    --------
    >>> first, second = facts_of(np.arange(4.0)), facts_of(np.arange(4.0) ** 2)
    >>> copies(({"w": first}, {"w": second}, {"w": first}))
    {3: 1}
    """
    seen: dict[tuple[tuple[str, str], ...], int] = {}
    found = {}
    for k, block in enumerate(parameters, start=1):
        key = tuple(sorted((name, p.fingerprint) for name, p in block.items() if p.random and p.size > 1))
        if not key:
            continue
        if key in seen:
            found[k] = seen[key]
        else:
            seen[key] = k
    return found
