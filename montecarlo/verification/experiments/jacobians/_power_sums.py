"""Moments of the traces ``p_m = tr (JᵀJ)^m`` for Gaussian weights, exactly: second moments of J3's rows.

JᵀJ and ``S = JJᵀ`` have the same traces, and a layer makes of S the matrix ``ASAᵀ``, ``A = I + aM``, ``M =
VDW`` (``M = V`` for linear res-1) independent of S (I4). A product of power sums of total degree n has 2n
factors A. By Wick's theorem its mean over a layer is a sum: for each choice of the factors in which M stands
for I, over the pairings of their V and of their W. A pairing of V makes two left indices equal, one of W two
right indices, I its own two, and each S holds two right ones: all indices lie on circles, and a circle with m
matrices S is worth p_m(S), one with none d. Hidden indices that the pairings make equal are one sum over the
N ~ Bin(M, 1/2) active units. So the mean is linear in the products of power sums of degree n, a finite matrix
a layer; the count of its terms does not depend on the network.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from montecarlo import ResNet

Partition = tuple[int, ...]
Term = tuple[int, int, int, Partition]
"""Pairs of M, hidden sums, circles without S, and the power sums of the others."""


def power_sum_moments(resnet: ResNet, degree: int, rank: int | None = None) -> dict[Partition, float]:
    """Return E Π_i p_{μ_i}(J P Jᵀ) for all partitions μ of `degree`, P a projection.

    Parameters
    ----------
    resnet
        Networks of res-3, or of linear res-1, with Gaussian weights.
    degree
        Even at most 4: the number of terms grows like the square of (2 degree)!!.
    rank
        That of P; default the width, P = I.

    Examples
    --------
    >>> moments = power_sum_moments(ResNet(width=3, depth=1, alpha=0.5), 1)
    >>> round(moments[1,], 9)  # d(1 + a²/2)
    3.375
    """
    d, M, a2 = resnet.width, resnet.inner_width, resnet.scaling**2
    kinds = _partitions(degree)
    active = np.arange(M + 1)
    share = stats.binom.pmf(active, M, 0.5)
    layer = np.zeros((len(kinds), len(kinds)))
    for row, kind in enumerate(kinds):
        for (pairs, hidden, loops, others), count in _terms(kind, resnet.has_w).items():
            units = float(share @ active.astype(float) ** hidden) / M**pairs if resnet.has_w else 1.0
            layer[row, kinds.index(others)] += count * (a2 / d) ** pairs * units * float(d) ** loops
    start = np.array([float(d if rank is None else rank) ** len(kind) for kind in kinds])
    ends = np.linalg.matrix_power(layer, resnet.depth) @ start
    return dict(zip(kinds, map(float, ends), strict=True))


def _partitions(n: int, most: int | None = None) -> list[Partition]:
    """Return the partitions of n, largest parts first."""
    most = n if most is None else most
    if n == 0:
        return [()]
    return [(k, *rest) for k in range(min(n, most), 0, -1) for rest in _partitions(n - k, k)]


@cache
def _terms(kind: Partition, has_w: bool) -> Counter[Term]:
    """Return how often each term occurs in the mean over a layer of a product of power sums.

    Factor 2j is the A left of the j-th S, factor 2j + 1 the Aᵀ right of it. Index f < 2n is the left one of
    factor f, index 2n + f its right one.
    """
    n = sum(kind)
    size = 2 * n
    given = np.empty(2 * size, np.int64)  # the partner of an index that does not depend on the pairings
    first = 0
    for length in kind:
        for j in range(first, first + length):
            after = first + (j - first + 1) % length
            given[2 * j + 1], given[2 * after] = 2 * after, 2 * j + 1
            given[size + 2 * j], given[size + 2 * j + 1] = size + 2 * j + 1, size + 2 * j
        first += length
    found: Counter[Term] = Counter()
    own = np.arange(size)
    for pairs in range(n + 1):
        v, w = _choices(size, pairs, has_w)
        chosen = np.concatenate(
            (np.where(v == own, size + own, v), np.where(w == own, own, size + w)), axis=1
        )
        circles = _classes(chosen, np.broadcast_to(given, chosen.shape))
        rights = (circles[:, size:, None] == np.arange(2 * size)).sum(axis=1) // 2  # an S has two
        loops = (circles == np.arange(2 * size)).sum(axis=1) - (rights > 0).sum(axis=1)
        hidden = (_classes(v, w) == own).sum(axis=1) - (size - 2 * pairs)
        lengths = -np.sort(-rights, axis=1)
        rows, counts = np.unique(np.column_stack((hidden, loops, lengths)), axis=0, return_counts=True)
        for (sums, free, *parts), count in zip(rows.tolist(), counts.tolist(), strict=True):
            found[pairs, sums, free, tuple(part for part in parts if part)] += count
    return found


@cache
def _choices(size: int, pairs: int, has_w: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairings of V and of W for all choices of factors, each row the partners of all factors."""
    left, right = [], []
    for random in itertools.combinations(range(size), 2 * pairs):
        ways = np.array(list(_pairings(random, np.arange(size))))
        left.append(np.repeat(ways, len(ways), axis=0) if has_w else ways)
        right.append(np.tile(ways, (len(ways), 1)) if has_w else ways)
    return np.concatenate(left), np.concatenate(right)


def _pairings(items: tuple[int, ...], partner: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the pairings of some factors, each as the partners of all; the others are their own."""
    if not items:
        yield partner.copy()
        return
    first, *rest = items
    for other in rest:
        partner[first], partner[other] = other, first
        yield from _pairings(tuple(item for item in rest if item != other), partner)
        partner[first], partner[other] = first, other


def _classes(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the smallest member of each one's class, rows of two involutions at a time."""
    least = np.broadcast_to(np.arange(x.shape[1]), x.shape)
    while True:
        new = np.minimum(least, np.minimum(np.take_along_axis(least, x, 1), np.take_along_axis(least, y, 1)))
        if np.array_equal(new, least):
            return new
        least = new
