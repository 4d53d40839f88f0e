"""What the weights of residual branches amount to, block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.diagnosis.branches._moments import Moments
from montecarlo.diagnosis.branches._parameters import BranchParameters, Stack
from montecarlo.diagnosis.branches._record import Branches
from montecarlo.diagnosis.branches._tree import Array
from montecarlo.diagnosis.branches._words import remark


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
    gain = 1.0 if found.gain is None else math.sqrt(_mean_square(found.gain))
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
        norm_gain=gain,
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
