"""Factors of low rank: pivoted Cholesky decomposition, applied to normals in a fixed order of sums.

The decomposition takes out the largest variance that is left, column by column, and stops once all are
below `RESIDUAL` times the largest variance. What is left over is positive semidefinite, so none of its
entries exceeds the largest on its diagonal (Cauchy-Schwarz): that bounds the error of every covariance. It
needs r columns of the covariance, never the matrix. Smooth processes on [0, 1] have r of some dozens at any
depth.

All kernels are elementwise along layers and entries, so their bits depend on no register width, library or
number of threads, unlike those of BLAS.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from montecarlo.common._jit import LANES, fma, kernel
from montecarlo.kernels._product import product
from montecarlo.kernels._room import zeros
from montecarlo.processes._factor import Fill, Float32, Float64, PathFactor
from montecarlo.processes._lanes import SCRATCH, LaneStream, fill_rows, group_of

RESIDUAL = 1e-13
"""Largest error of a covariance, relative to the largest variance."""

_NEGATIVE = 1e-10  # a variance left over below minus this much is no rounding
_CHECKED_COLUMNS = 256
_BLOCK = 128  # entries that are multiplied together: r rows of them fit the cache
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LANES = np.uint64(LANES)


class IndefiniteError(ValueError):
    """A symmetric matrix is not positive semidefinite; the message says where."""


class RankError(ValueError):
    """The rank allowed does not reach the accuracy.

    Parameters
    ----------
    residual : float
        Largest variance left over.
    """

    def __init__(self, residual: float) -> None:
        super().__init__(residual)
        self.residual = residual


@kernel
def _eliminate(factor, rank, depth, pivot, column):
    """Subtract ``sum_i factor[i, pivot] factor[i]`` from a column; `factor` is (rank, depth), flat."""
    for i in range(_ZERO, rank):
        start = np.uint64(i) * depth
        c = factor[start + pivot]
        for k in range(_ZERO, depth):
            column[k] -= c * factor[start + k]


@kernel
def _multiply(factor, depth, rank, normals, entries, first, last, out):
    """Store ``factor @ normals`` for the entries first..last; `rank` is a multiple of four."""
    for k in range(_ZERO, depth):
        row = np.uint64(k) * rank
        target = np.uint64(k) * entries
        for e in range(first, last):
            out[target + np.uint64(e)] = np.float32(0.0)
        for j in range(_ZERO, rank, np.uint64(4)):
            f = row + np.uint64(j)
            f0, f1 = factor[f], factor[f + np.uint64(1)]
            f2, f3 = factor[f + np.uint64(2)], factor[f + np.uint64(3)]
            z0 = np.uint64(j) * entries
            z1 = z0 + entries
            z2 = z1 + entries
            z3 = z2 + entries
            for e in range(first, last):
                i = np.uint64(e)
                total = fma(f0, normals[z0 + i], out[target + i])
                total = fma(f1, normals[z1 + i], total)
                total = fma(f2, normals[z2 + i], total)
                out[target + i] = fma(f3, normals[z3 + i], total)


@kernel
def _multiply_tiles(factor, depth, rank, normals, entries, out):
    """Do what `_multiply` does, for all entries, a multiple of eight: faster, as sums stay in registers."""
    product(factor, _ZERO, rank, _ONE, depth, rank, normals, entries, out)


@kernel
def _multiply_lanes(stream, factor, depth, rank, rows, entries, out):
    """Write the paths of eight replicas a group; `rows` of the `rank` rows of normals are not zero."""
    columns = entries * _LANES
    groups = np.uint64(out.size) // (depth * columns)
    ones = np.ones(1, np.float32)
    words = zeros(np.uint64(SCRATCH), np.float32)
    normals = zeros(rank * columns, np.float32)
    for g in range(_ZERO, groups):
        group = np.uint64(g)
        fill_rows(group_of(stream, group), _ZERO, rows, entries, ones, words, normals, _ZERO)
        first = group * depth * columns
        paths = out[first : first + depth * columns]
        product(factor, _ZERO, rank, _ONE, depth, rank, normals, columns, paths)


def pivoted_cholesky(diagonal: Float64, column: Callable[[int], Float64], largest_rank: int) -> Float64:
    """Return F (L, r) with ``|F Fᵀ - C| <= RESIDUAL max C`` entry by entry.

    Parameters
    ----------
    diagonal : array, shape (L,)
        The variances C[k, k].
    column : callable
        ``column(j)`` returns C[:, j].
    largest_rank : int
        Where to give up.

    Raises
    ------
    RankError
        If `largest_rank` columns do not reach the accuracy.
    IndefiniteError
        If a variance left over is negative, hence C no covariance; `check_factor` looks at the rest.
    """
    depth = len(diagonal)
    scale = float(np.abs(diagonal).max(initial=0.0))
    left = np.array(diagonal, np.float64)
    rows = np.empty((min(largest_rank, 64), depth))
    rank = 0
    while True:
        if left.min() < -_NEGATIVE * scale:
            raise IndefiniteError(
                f"a variance of {left.min():.3g} is left over at layer {int(left.argmin())}"
            )
        pivot = int(left.argmax())
        if left[pivot] <= RESIDUAL * scale:
            break
        if rank == largest_rank:
            raise RankError(float(left[pivot]))
        if rank == len(rows):
            rows = np.concatenate([rows, np.empty((min(rank, largest_rank - rank), depth))])
        values = np.array(column(pivot), np.float64)
        _eliminate(rows.reshape(-1), np.uint64(rank), np.uint64(depth), np.uint64(pivot), values)
        rows[rank] = values / np.sqrt(left[pivot])
        left -= rows[rank] ** 2
        left[pivot] = 0.0
        rank += 1
    return np.ascontiguousarray(rows[:rank].T)


def check_factor(factor: Float64, column: Callable[[int], Float64]) -> None:
    """Raise IndefiniteError if F Fᵀ is not C on some of 256 spread columns (on all of them up to L = 256).

    Small variances left over bound the error of F if C is positive semidefinite; so a column that is off
    shows that C is not, or not symmetric.
    """
    depth = len(factor)
    scale = float((factor**2).sum(axis=1).max(initial=0.0))
    for j in np.unique(np.linspace(0, depth - 1, min(depth, _CHECKED_COLUMNS)).astype(int)):
        errors = np.abs(factor @ factor[j] - column(int(j)))
        k = int(errors.argmax())
        if errors[k] > _NEGATIVE * scale:
            raise IndefiniteError(
                f"its covariance of layers {j} and {k} is {errors[k]:.3g} off that of any process"
            )


class LowRankFactor(PathFactor):
    """Paths as a small matrix times normals.

    Parameters
    ----------
    factor : array of float64, shape (depth, normals)
        F.
    """

    def __init__(self, factor: Float64) -> None:
        super().__init__(*factor.shape)
        self._matrix = factor
        padding = -self.normals % 4
        self._padded = np.pad(factor.astype(np.float32), ((0, 0), (0, padding)))

    def paths(self, fill: Fill, entries: int) -> Float32:
        """Return paths; see `PathFactor.paths`."""
        out = np.empty((self.depth, entries), np.float32)
        rank = self._padded.shape[1]
        normals = np.zeros((rank, entries), np.float32)
        fill(0, normals[: self.normals])
        if entries % LANES == 0:
            _multiply_tiles(
                self._padded.reshape(-1), np.uint64(self.depth), np.uint64(rank), normals.reshape(-1),
                np.uint64(entries), out.reshape(-1),
            )  # fmt: skip
            return out
        for first in range(0, entries, _BLOCK):
            _multiply(
                self._padded.reshape(-1), np.uint64(self.depth), np.uint64(rank), normals.reshape(-1),
                np.uint64(entries), np.uint64(first), np.uint64(min(first + _BLOCK, entries)),
                out.reshape(-1),
            )  # fmt: skip
        return out

    def fill_lane_paths(self, stream: LaneStream, out: Float32) -> None:
        """Write paths of several replicas; see `PathFactor.fill_lane_paths`."""
        _multiply_lanes(
            stream, self._padded.reshape(-1), np.uint64(self.depth), np.uint64(self._padded.shape[1]),
            np.uint64(self.normals), np.uint64(out.shape[2] // LANES), out.reshape(-1),
        )  # fmt: skip

    def matrix(self) -> Float64:
        """Return F."""
        return self._matrix.copy()
