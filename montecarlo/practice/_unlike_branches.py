"""Blocks whose branch is unlike those of the blocks around it, from all seeds, without a promise.

Rows are one a seed, columns the logs of the blocks' branches (beside the stream, where they grow with it).
Every block has two contrasts that a smooth trend along depth hardly moves, and is named where both are away
from 0 in one direction. Their standard errors are pooled: blocks of one design at initialisation have
branches whose logs spread alike from seed to seed, whatever their size, so that all blocks tell one
deviation, with as many degrees of freedom as blocks times seeds less one, halved since contrasts of
neighbours share blocks (their squared correlations sum to 1.94). A block whose own spread is more than chance
allows beside that is tested by its own, with Student's law of its seeds. The smaller of the two contrasts is
what is told: at the ends a steep trend hides part of a factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2
from scipy.stats import t as student

from montecarlo.practice._fault import Fault

FEWEST_BLOCKS = 6
_FEWEST_SEEDS = 4
_LEAST = math.log(1.25)  # of a branch beside those around it, which may change along depth for good reasons
_LEAST_AT_ENDS = math.log(1.4)  # where blocks stand on one side alone, and first ones see inputs, not states
_ENDS = 2  # blocks at either end without two on both sides
_SPREADS_ALIKE = 1e-3  # probability that any of blocks of one spread is tested by its own
Rows = npt.NDArray[np.float64]


class Resolution(NamedTuple):
    """The smallest factor of one block that a check would have named nearly always (19 times in 20).

    Parameters
    ----------
    inside, ends : float
        Of a block with two on both sides, and of the first two and last two.
    depth : int
        Of the model.
    """

    inside: float
    ends: float
    depth: int

    @property
    def words(self) -> str:
        """The resolution in a sentence."""
        return (
            f"a branch {self.inside:.3g} times those around it would be named, {self.ends:.3g} times at the "
            f"ends (L = {self.depth})"
        )


class _Tested(NamedTuple):
    away: Rows
    least: Rows
    error: Rows


def branch_faults(
    log_branches: Rows, names: Sequence[str], false_alarm: float
) -> tuple[list[Fault], Resolution | None]:
    """Return blocks whose branch is unlike those around it, and what would have been seen.

    Parameters
    ----------
    log_branches : array (seeds, blocks)
        Natural logs of root mean squares; where branches grow with the stream, of their ratio to it.
    names : sequence of str
        What the model calls its blocks.
    false_alarm : float
        Probability, at most, that a block is named where logs are a smooth curve and normal noise of one
        deviation.

    Returns
    -------
    faults, resolution
        Nothing and None for fewer than 6 blocks or 4 seeds, and for numbers that are not finite.
    """
    n, depth = log_branches.shape
    if n < _FEWEST_SEEDS or depth < FEWEST_BLOCKS or not np.isfinite(log_branches).all():
        return [], None
    found: list[Fault] = []
    kept = np.arange(depth)
    # The block that is furthest away goes first, and no other is compared with it.
    while True:
        tested = _tested(log_branches[:, kept], kept, false_alarm / depth)
        beyond = np.where(np.abs(tested.away) > tested.least, np.abs(tested.away), 0.0)
        k = int(np.argmax(beyond))
        if beyond[k] == 0.0 or len(found) == depth // 4 or len(kept) == FEWEST_BLOCKS:
            break
        away, error = float(tested.away[k]), float(tested.error[k])
        evidence = 0.5 * (away / error) ** 2 if error else math.inf
        block = int(kept[k])
        found.append(Fault("outlier", (block + 1,), math.exp(away), 1.0, depth, evidence, names[block]))
        kept = np.delete(kept, k)
    seen = np.exp(tested.least + 2.0 * tested.error)
    resolution = Resolution(
        float(seen[_ENDS:-_ENDS].max()), float(np.delete(seen, np.s_[_ENDS:-_ENDS]).max()), depth
    )
    return sorted(found, key=lambda fault: fault.blocks), resolution


def _tested(rows: Rows, places: npt.NDArray[np.int_], false_alarm: float) -> _Tested:
    """Return how far blocks are away, how far they must be to be named, and standard errors."""
    n, depth = rows.shape
    first, second = contrasts(places)
    inner = slice(_ENDS, depth - _ENDS)
    values = np.stack([rows @ first.T, rows @ second.T])
    sizes = np.stack([np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)])
    own = values.var(axis=1, ddof=1) / sizes**2
    pooled = float(own[:, inner].mean(axis=1).max())
    freedom = max(n - 1.0, (depth - 2 * _ENDS) * (n - 1) / 2.0)
    alike = own <= pooled * float(chi2.isf(_SPREADS_ALIKE / (2 * depth), n - 1)) / (n - 1)
    error = sizes * np.sqrt(np.where(alike, pooled, own) / n)
    quantile = np.where(
        alike, float(student.isf(false_alarm / 2, freedom)), float(student.isf(false_alarm / 2, n - 1))
    )
    means = values.mean(axis=1)
    away = np.where(means[0] * means[1] > 0, np.sign(means[0]) * np.abs(means).min(axis=0), 0.0)
    least = np.full(depth, _LEAST_AT_ENDS)
    least[inner] = _LEAST
    usual = 4.0 * float(np.median(np.abs(means[0, inner])))
    least = np.maximum(np.maximum(least, usual), (quantile * error).max(axis=0))
    return _Tested(away, least, error.max(axis=0))


def contrasts(places: npt.NDArray[np.int_]) -> tuple[Rows, Rows]:
    """Return two contrasts of each block with others, arrays (blocks, blocks).

    Between other blocks: with the blocks on both sides, next to it and next but one, so that a line cancels,
    and a block beside one that is unlike the rest agrees with the other pair. At the ends: with the mean of
    the three blocks that follow inwards, and with the curve a + b log k + c k through all others, which
    holds schedules that are a power of k.

    Examples
    --------
    >>> first, second = contrasts(np.arange(8))
    >>> first[3].tolist()
    [0.0, 0.0, -0.5, 1.0, -0.5, 0.0, 0.0, 0.0]
    >>> np.abs(second[0] @ np.log(np.arange(1.0, 9.0))) < 1e-9
    np.True_
    """
    depth = len(places)
    first, second = np.eye(depth), np.eye(depth)
    for k in range(_ENDS, depth - _ENDS):
        first[k, [k - 1, k + 1]] = -0.5
        second[k, [k - 2, k + 2]] = -0.5
    number = places + 1.0
    curve = np.stack([np.ones(depth), np.log(number), number], axis=1)
    for k in (*range(_ENDS), *range(depth - _ENDS, depth)):
        step = 1 if k < _ENDS else -1
        first[k, [k + step, k + 2 * step, k + 3 * step]] = -1.0 / 3.0
        others = np.delete(np.arange(depth), k)
        second[k, others] = -(curve[k] @ np.linalg.pinv(curve[others]))
    return first, second
