"""Blocks that are unlike the others, or certainly wrong: what can be seen without a promise.

Overflow, and weights that are copies, are certain. Of weights whose deviation, and of biases whose mean, is
not that of the blocks around, the standard errors are known from the number of entries. Branches, which take
several seeds to be told, are those of `_unlike_branches`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from montecarlo.practice._fault import Fault
from montecarlo.practice._parameters import ParameterFacts, copies
from montecarlo.practice._stream import Stream

_LEAST = math.log(1.05)  # of a deviation beside those around it: less is no fault that anyone would mend
_FEWEST_ENTRIES = 64


def certain_faults(stream: Stream) -> list[Fault]:
    """Return overflow and copied weights of one network."""
    found = []
    if stream.overflow is not None:
        k = stream.overflow
        before = float(np.max(np.abs(stream.hidden[max(k - 1, 0)]))) if k else math.nan
        name = stream.names[k - 1] if k else "what enters the first block"
        found.append(Fault("overflow", (k,), before, 65504.0, stream.depth, name=name, detail=stream.dtype))
    copied = copies(stream.parameters)
    if copied:
        first = min(copied)
        found.append(
            Fault("copy", tuple(sorted(copied)), float(copied[first]), 0.0, stream.depth,
                  name=stream.names[first - 1])
        )  # fmt: skip
    return found


def parameter_faults(stream: Stream, false_alarm: float) -> list[Fault]:
    """Return parameters of one block that are unlike those of the blocks around it, from one network."""
    if copies(stream.parameters):
        return []
    families = {
        name: [block[name] for block in stream.parameters]
        for name in (stream.parameters[0] if stream.parameters else ())
        if all(
            name in block and block[name].shape == stream.parameters[0][name].shape
            for block in stream.parameters
        )
    }
    tests = max(1, len(families)) * stream.depth
    found = []
    for name, family in families.items():
        found += _deviations(name, family, stream, false_alarm / (2 * tests))
        found += _means(name, family, stream, false_alarm / (2 * tests))
    return found


def _deviations(
    name: str, family: Sequence[ParameterFacts], stream: Stream, false_alarm: float
) -> list[Fault]:
    if family[0].size < _FEWEST_ENTRIES or not all(p.random for p in family) or len(family) < 4:
        return []
    logs = np.array([math.log(p.std) for p in family])
    z = float(norm.isf(false_alarm / 2))
    found = []
    for k, parameter in enumerate(family):
        beside = logs[around(k, len(logs))]
        away = logs[k] - np.median(beside)
        error = parameter.log_std_error * math.sqrt(1.0 + math.pi / 2 / min(4, len(logs) - 1))
        # Where those around differ as much among themselves, the deviation changes along depth on purpose.
        if abs(away) > max(_LEAST, z * error, 2.0 * float(np.ptp(np.sort(beside)[: len(beside) - 1]))):
            found.append(
                Fault("weights", (k + 1,), math.exp(away), 1.0, stream.depth, 0.5 * (away / error) ** 2,
                      stream.names[k], name)
            )  # fmt: skip
    return found


def _means(name: str, family: Sequence[ParameterFacts], stream: Stream, false_alarm: float) -> list[Fault]:
    """Return the biases, vectors named so, of some blocks that have a mean; constant ones have one, too."""
    if len(family[0].shape) != 1 or "bias" not in name.rsplit(".", maxsplit=1)[-1]:
        return []
    z = float(norm.isf(false_alarm / 2))
    wrong = []
    for k, bias in enumerate(family):
        constant = not bias.random and bias.mean != 0.0
        if constant or (bias.random and abs(bias.mean) * math.sqrt(bias.size) > z * bias.std):
            wrong.append(k)
    if not wrong or len(wrong) == len(family):  # those of all blocks are so on purpose
        return []
    ratio = float(np.mean([family[k].mean / (family[k].std or abs(family[k].mean)) for k in wrong]))
    numbers = tuple(k + 1 for k in wrong)
    return [Fault("bias", numbers, ratio, 0.0, stream.depth, name=stream.names[wrong[0]], detail=name)]


def around(k: int, count: int) -> list[int]:
    """Return the four blocks nearest to block k, or as many as there are, without it.

    Examples
    --------
    >>> around(5, 12), around(0, 12), around(1, 3)
    ([3, 4, 6, 7], [1, 2, 3, 4], [0, 2])
    """
    return sorted(sorted((j for j in range(count) if j != k), key=lambda j: (abs(j - k), j))[:4])
