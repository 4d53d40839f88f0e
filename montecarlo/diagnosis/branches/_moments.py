"""Moments of stacks of matrices: deviations, means, laws and dependence of weights, block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from montecarlo.diagnosis.branches._parameters import Stack
from montecarlo.diagnosis.branches._tree import Array

_ROWS = 48  # of a matrix whose angles are measured


class Moments:
    """Moments of the entries of a stack of matrices of one shape, about the mean of all."""

    def __init__(self, stack: Sequence[Array] | Stack) -> None:
        self.mean = np.array([float(matrix.mean()) for matrix in stack])
        self.mean[np.abs(self.mean) < 1e-150] = 0.0  # its square would not be a float
        centre = float(self.mean.mean())
        variances, fourth, correlations, angles = [], [], [], []
        before = None
        for matrix in stack:
            variance = float(np.mean((matrix - centre) ** 2))
            if matrix.size > 1 and np.ptp(matrix) == 0.0:
                variance = 0.0  # constant
            scaled = (matrix - centre) / math.sqrt(variance or 1.0)
            variances.append(variance)
            if variance > 0:
                fourth.append(float(np.mean(scaled**4)))
                angles.append(_angle(scaled))
            if before is not None:
                correlations.append(float(np.mean(scaled * before)))
            before = scaled
            self.shape, self.size = matrix.shape, matrix.size
        self.variance = np.array(variances)
        self.kurtosis = float(np.mean(fourth)) if fourth else math.nan
        self.correlation = math.sqrt(self.size / max(len(correlations), 1)) * math.fsum(correlations)
        # The mean of as many squares of standard normals, where entries are independent.
        self.angle = float(np.mean(angles)) if angles else 1.0
        rows = _rows(self.shape)
        self.angle_errors = (self.angle - 1.0) * math.sqrt(rows * (rows - 1) / 4 * len(angles))

    @property
    def std(self) -> float:
        """The deviation of all entries about the means of their blocks."""
        return math.sqrt(float(self.variance.mean()))

    @property
    def mean_errors(self) -> float:
        """The common mean in its standard errors, or those of the blocks' own means if they are more."""
        if not self.mean.any():
            return 0.0
        if self.std == 0.0:
            return math.inf
        z = self.mean * (math.sqrt(self.size) / self.std)
        common = float(z.sum()) / math.sqrt(len(z))
        own = (float(np.sum((z - z.mean()) ** 2)) - (len(z) - 1)) / math.sqrt(2 * len(z))
        return own if own > abs(common) else common


def _rows(shape: tuple[int, ...]) -> int:
    return min(_ROWS, *shape)


def _angle(scaled: Array) -> float:
    """Return the mean over pairs of rows of n cos²: 1 for independent entries, 0 for orthogonal matrices."""
    long = scaled if scaled.shape[0] <= scaled.shape[1] else scaled.T
    some = long[: _rows(long.shape)]
    if len(some) < 2:
        return 1.0
    norms = np.linalg.norm(some, axis=1, keepdims=True)
    cosines = some / np.where(norms > 0, norms, 1.0)
    pairs = (cosines @ cosines.T)[np.triu_indices(len(some), 1)]
    return float(some.shape[1] * np.mean(pairs**2))
