"""The numbers of residual branches: deviations, means, laws and dependence of weights, block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.diagnosis.branches._parameters import BranchParameters, Stack
from montecarlo.diagnosis.branches._record import Branches
from montecarlo.diagnosis.branches._tree import Array
from montecarlo.diagnosis.branches._words import remark

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


def measure(found: BranchParameters, multiplier: float = 1.0) -> Branches:
    """Return what the weights of the branches amount to."""
    v = Moments(found.v)
    w = None if found.w is None else Moments(found.w)
    width, units = v.shape
    depth = len(found.v)
    scale = np.ones(depth)
    if found.scale is not None:
        scale = np.array([math.sqrt(float(np.mean(np.square(s)))) for s in found.scale])
    # Biases are drawn about zero in the theory: their mean square is what counts.
    bias_w, bias_v = (0.0 if b is None else math.sqrt(_mean_square(b)) for b in (found.bias_w, found.bias_v))
    schedule = multiplier * scale * np.sqrt(v.variance * width)
    if w is not None:
        schedule = schedule * np.sqrt(w.variance * units)
    if not np.isfinite(schedule).all():
        raise InvalidFieldError("model", found.names[0], "must have weights of a float's range", "check them")
    branches = Branches(
        width=width, hidden_width=units, depth=depth, names=found.names,
        scale_v=v.std * math.sqrt(width), scale_w=math.nan if w is None else w.std * math.sqrt(units),
        bias_std=bias_w, multiplier=multiplier, kurtosis=v.kurtosis, correlation=v.correlation, warnings=(),
        bias_v_std=bias_v, branch_scale=tuple(scale.tolist()), schedule=tuple(schedule.tolist()),
        mean_v=v.mean_errors, mean_w=0.0 if w is None else w.mean_errors,
        log_mean_growth=_mean_growth(multiplier * scale, v, w), roles=found.roles,
    )  # fmt: skip
    return remark(branches, v, w, found)


def _mean_square(stack: Sequence[Array] | Stack) -> float:
    return math.fsum(float(np.mean(np.square(b))) for b in stack) / len(stack)


def _mean_growth(scale: Array, v: Moments, w: Moments | None) -> float:
    """Return the log growth that the weights' means make of a typical state.

    V = m_V 11ᵀ + …, W = m_W 11ᵀ + …: with slope 1 the mean of a state grows by 1 + a m_V m_W d m a block,
    and is 1/√d of a typical state at the start. Behind W of mean 0 the units of ReLU have the mean
    |h| σ_W/√(2π), which a mean of V adds up in one direction.
    """
    width, units = v.shape
    if abs(v.mean_errors) <= 6.0 and (w is None or abs(w.mean_errors) <= 6.0):
        return 0.0
    direct = scale * v.mean * width
    if w is not None:
        direct = direct * w.mean * units
    with np.errstate(divide="ignore"):
        grown = float(np.sum(np.log(np.abs(1.0 + direct)))) - 0.5 * math.log(width)
    if w is None:
        return max(grown, 0.0)
    drift = scale * np.abs(v.mean) * math.sqrt(width) * units * np.sqrt(w.variance / (2 * math.pi))
    return max(grown, float(np.sum(np.log1p(drift))))


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
