"""What is said of measured branches: where they are not what the theory is about."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from montecarlo.diagnosis.branches._record import Branches

if TYPE_CHECKING:
    from montecarlo.diagnosis.branches._moments import Moments
    from montecarlo.diagnosis.branches._parameters import BranchParameters

LOOKS = "looks like a normalisation"
_ERRORS = 6.0  # standard errors from which on something is said: by chance for one model in a million at most


def remark(branches: Branches, v: Moments, w: Moments | None, found: BranchParameters) -> Branches:
    """Return the record with its warnings, those of the reader first."""
    said = [
        *_of_norm(found), *found.warnings, *_of_zero(branches), *_of_one_matrix(branches),
        *_of_biases(branches, found), *_of_shape(branches), *_of_schedule(branches, v, w),
        *_of_mean(branches), *_of_law(branches, v, w),
    ]  # fmt: skip
    return dataclasses.replace(branches, warnings=tuple(said))


def _of_norm(found: BranchParameters) -> list[str]:
    """Say that there is a norm, and how its place is told: parameters do not."""
    norms = [name for name, role in found.roles.items() if role == "norm"]
    if not norms:
        return []
    kind = "pre-rms" if found.shift is None else "pre-layer"
    said = [
        f"{norms[0]} {LOOKS}: the branch is taken as a plain one, unless norm='{kind}', say, tells where it "
        "stands"
    ]
    if found.gain is not None and any(float(np.ptp(g)) > 1e-6 * float(np.abs(g).max()) for g in found.gain):
        said.append("gains of the normalisation differ: behind it taken as their root mean square")
    if found.shift is not None and any(b.any() for b in found.shift):
        said.append("biases of the normalisation are not 0, which the theory leaves out")
    return said


def _of_zero(branches: Branches) -> list[str]:
    zeros = branches.schedule.count(0.0)
    if branches.identity:
        return ["every branch is zero: the network is the identity at initialisation"]
    return [f"{zeros} of {branches.depth} branches are zero"] if zeros and branches.alpha else []


def _of_one_matrix(branches: Branches) -> list[str]:
    if len(branches.names) != 1:
        return []
    bias = branches.bias_v_std
    beside = f" without its biases, of {bias:.3g}" if bias else ""
    return [
        f"one matrix a block: taken as h + α V σ(h) (res-1){beside}; parameters do not tell whether σ stands "
        "outside, h + α σ(V h + b)"
    ]


def _of_biases(branches: Branches, found: BranchParameters) -> list[str]:
    said = []
    if branches.bias_v_std > 0.0 and len(branches.names) == 2:
        said.append(f"biases of V ({branches.bias_v_std:.3g}) add to the stream, which the theory leaves out")
    if branches.bias_std > 0.0 and found.bias_w is not None:
        size = sum(b.size for b in found.bias_w)
        mean = sum(float(b.sum()) for b in found.bias_w) / size
        if abs(mean) * math.sqrt(size) > _ERRORS * branches.bias_std:
            said.append(f"biases have the mean {mean:.3g}: taken as random ones of the same mean square")
    return said


def _of_shape(branches: Branches) -> list[str]:
    said = []
    m, d, inner = branches.hidden_width, branches.width, branches.inner_scale
    if m != d:
        others = "of other branches fluctuations are those of a square one"
        said.append(f"branches have {m} units, states {d}: hidden_width for ReLU and behind a norm; {others}")
    if abs(inner - 1.0) > 0.1 and inner > 0.0:
        where = "the scaling and input_scale, behind a norm into σ, which is exact"
        said.append(f"W is {inner:.3g} times 1/√d: counted into {where}")
    return said


def _of_schedule(branches: Branches, v: Moments, w: Moments | None) -> list[str]:
    """Say that blocks differ: log-deviations spread wider than chance, and by more than a per cent."""
    a = np.array(branches.schedule)
    numbers = np.flatnonzero(a) + 1
    if len(numbers) < 2 or v.size < 16:  # deviations of a few numbers are not normal
        return []
    logs = np.log(a[a > 0])
    stacks = [v] if w is None else [v, w]
    error = math.sqrt(sum(max(m.kurtosis - 1, 0.5) / (4 * m.size) for m in stacks))
    spread = float(logs.std())
    excess = len(logs) * (spread / error) ** 2 - (len(logs) - 1)
    if spread < 0.01 or excess < _ERRORS * math.sqrt(2 * len(logs)) + _ERRORS**2:
        return []
    slope, level = np.polyfit(np.log(numbers), logs, 1)
    rest = float(np.std(logs - slope * np.log(numbers) - level))
    how = f"like k^{slope:.2f}" if rest < 0.2 * spread else "between blocks"
    ends = f"from {math.exp(logs[0]):.3g} to {math.exp(logs[-1]):.3g}"
    return [f"a schedule: the scaling changes {how}, {ends}; alpha is the constant one of the same growth"]


def _of_mean(branches: Branches) -> list[str]:
    means = [(n, z) for n, z in (("V", branches.mean_v), ("W", branches.mean_w)) if abs(z) > _ERRORS]
    if not means:
        return []
    which = " and ".join(f"{name} ({z:+.0f} standard errors)" for name, z in means)
    grown = f"states grow by about e^{branches.log_mean_growth:.3g} through it, for a slope of 1"
    return [f"the weights have a mean: {which}; {grown}, which the theory leaves out"]


def _of_law(branches: Branches, v: Moments, w: Moments | None) -> list[str]:
    said = []
    z = branches.correlation
    if abs(z) > _ERRORS:
        shared = "; they share one V" if z > 0.999 * math.sqrt(v.size * (branches.depth - 1)) else ""
        said.append(f"V is correlated between neighbouring blocks ({z:+.0f} standard errors){shared}")
    if branches.kurtosis > 4.5:
        said.append(f"V has heavy tails or many zeros (kurtosis {branches.kurtosis:.3g}): no law here has")
    for name, m in (("V", v), ("W", w)):
        if m is not None and abs(m.angle_errors) > _ERRORS:
            like = "as if orthogonal or diagonal" if m.angle < 1 else "as if of low rank"
            times = f"their squared cosines are {m.angle:.3g} times those of independent rows"
            said.append(f"rows of {name} are not independent, {like}: {times}")
    return said
