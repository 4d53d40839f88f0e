"""Circulant embedding: stationary paths by one real FFT each.

The lags γ(0..n), mirrored, are the first row of a symmetric circulant matrix of order M = 2n. Its eigenvalues
λ are the FFT of that row. Where none is negative, ``Re, Im ~ √(M λ_k / 2)`` normals (``√(M λ_k)`` at
k = 0 and n, which are real) through an inverse real FFT give M stationary numbers, whose first L <= n + 1
have covariance γ exactly: M normals a path (Davies and Harte, Biometrika 1987; Dietrich and Newsam, SIAM
J. Sci. Comput. 1997).

A longer n is the minimal embedding of a longer path. So what is proven for minimal embeddings of every
length (fractional Gaussian noise: no negative eigenvalue for any H; Perrin et al., IEEE Signal Process.
Lett. 2002, Craigmile, J. Time Ser. Anal. 2003) holds for the lengths that the FFT likes, too.

Setting the negative eigenvalues to 0 moves each covariance by at most the mean of their absolute values:
that mean is bounded by `ROUNDING` here, everything above it is an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from montecarlo.common._jit import LANES, kernel
from montecarlo.kernels._room import zeros
from montecarlo.processes._factor import Fill, Float32, Float64, PathFactor
from montecarlo.processes._lanes import (
    BLOCK,
    SCRATCH,
    LaneStream,
    copy_rows,
    counters_of,
    fill_entries,
    group_of,
    left_of,
    variates_of,
)
from montecarlo.processes._transform import Plan, transform
from montecarlo.streams._blocks import SIDES, WIDE

ROUNDING = 1e-12
"""Largest change of a covariance, relative to the variance, that counts as rounding."""


_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_LANES = np.uint64(LANES)
_SIDES = np.uint64(SIDES)
_SCRATCH = np.uint64(SCRATCH)
_WIDE = np.uint64(WIDE)
_BLOCK = np.uint64(BLOCK)
_COUNTERS = np.uint64(BLOCK // 4)


@kernel
def _transform_lanes(stream, plan, amplitudes, depth, entries, out):
    """Write the paths of eight replicas a group; the sequences of one counter at a time stay in the cache."""
    groups = np.uint64(out.size) // (depth * entries * _LANES)
    sequence = plan.length * _WIDE
    words = zeros(_SCRATCH, np.float32)
    most = min(np.uint64(4), (entries + _COUNTERS - _ONE) // _COUNTERS)
    room = zeros((most + _ONE) * sequence, np.float32)
    for g in range(_ZERO, groups):
        group = np.uint64(g)
        own = group_of(stream, group)
        for b in range(_ZERO, (entries + _BLOCK - _ONE) // _BLOCK):
            block = np.uint64(b)
            for c in range(_ZERO, counters_of(block, entries), _SIDES):
                counter = np.uint64(c)
                left = left_of(block, counter, entries)
                fill_entries(
                    own, block * _COUNTERS + counter, left, _ZERO, plan.length, amplitudes, _ONE, words,
                    room, (sequence, _WIDE, sequence),
                )  # fmt: skip
                for v in range(_ZERO, variates_of(left)):
                    # The first sequence of the room is free.
                    found = transform(plan, room, (np.uint64(v) + _ONE) * sequence, _ZERO)
                    entry = block * _BLOCK + np.uint64(v) * _COUNTERS + counter
                    place = (group * depth * entries + entry) * _LANES
                    sides = min(_SIDES, left - np.uint64(v) * _COUNTERS)
                    copy_rows(
                        room, found, _WIDE, plan.scale, _ZERO, _ZERO, depth, out, place, entries * _LANES,
                        sides,
                    )  # fmt: skip


@kernel
def _transform_columns(plan, amplitudes, depth, columns, table):
    """Turn the columns of a table of normals, (normals, columns), into paths in its first rows, in place."""
    sequence = plan.length * _WIDE
    room = zeros(_TWO * sequence, np.float32)
    for first in range(_ZERO, columns // _WIDE * _WIDE, _WIDE):
        place = np.uint64(first)
        copy_rows(table, place, columns, amplitudes, _ZERO, _ONE, plan.length, room, _ZERO, _WIDE, _SIDES)
        found = transform(plan, room, _ZERO, sequence)
        copy_rows(room, found, _WIDE, plan.scale, _ZERO, _ZERO, depth, table, place, columns, _SIDES)
    left = columns % _WIDE
    if left > _ZERO:
        place = columns - left
        for row in range(_ZERO, plan.length):
            for lane in range(_ZERO, left):
                number = table[np.uint64(row) * columns + place + np.uint64(lane)]
                room[np.uint64(row) * _WIDE + np.uint64(lane)] = number * amplitudes[row]
        found = transform(plan, room, _ZERO, sequence)
        for row in range(_ZERO, depth):
            for lane in range(_ZERO, left):
                number = room[found + np.uint64(row) * _WIDE + np.uint64(lane)]
                table[np.uint64(row) * columns + place + np.uint64(lane)] = number * plan.scale[0]


class NegativeEigenvalueError(ValueError):
    """A circulant embedding is not a covariance matrix.

    Parameters
    ----------
    smallest : float
        Smallest eigenvalue, relative to their mean.
    change : float
        Bound on the relative change of a covariance if the negative ones were set to 0.
    """

    def __init__(self, smallest: float, change: float) -> None:
        super().__init__(smallest, change)
        self.smallest = smallest
        self.change = change

    def __str__(self) -> str:
        return (
            f"the circulant embedding has eigenvalues down to {self.smallest:.3g} times their mean; "
            f"dropping the negative ones may change covariances by {self.change:.3g}, above {ROUNDING:g}"
        )


def embedding_length(depth: int) -> int:
    """Return the smallest n >= max(1, depth - 1) for which an FFT of length 2n is fast.

    Examples
    --------
    >>> embedding_length(1000)
    1000
    """
    from scipy import fft  # a fifth of the time that `import montecarlo` took

    length: Any = fft.next_fast_len(max(1, depth - 1), real=True)
    return int(length)


class CirculantFactor(PathFactor):
    """Paths of a stationary process by circulant embedding.

    Parameters
    ----------
    depth : int
        L, at most n + 1.
    lags : array of float64, shape (n + 1,)
        γ(0..n).

    Raises
    ------
    NegativeEigenvalueError
        If the embedding is not non-negative definite.

    Notes
    -----
    The FFT runs in float32 along the layers, in place: the memory is that of 2n layers, and the array of
    paths keeps it. Lengths with a prime factor above five go through scipy, to the same bits: its pocketfft
    treats every column alike, whatever its neighbours, and multiplies and adds as every x86-64 CPU does.
    """

    def __init__(self, depth: int, lags: Float64) -> None:
        from scipy import fft

        n = len(lags) - 1
        super().__init__(depth, 2 * n)
        spectrum: Any = fft.rfft(np.concatenate([lags, lags[-2:0:-1]]), workers=1)
        eigenvalues = spectrum.real
        weights = np.full(n + 1, 2.0)
        weights[[0, n]] = 1.0
        negative = np.minimum(eigenvalues, 0.0)
        change = float(-(weights * negative).sum() / (2 * n * lags[0]))
        if not change <= ROUNDING:  # nan included
            raise NegativeEigenvalueError(float(eigenvalues.min() / lags[0]), change)
        amplitudes = np.sqrt(2 * n / weights * np.maximum(eigenvalues, 0.0))
        # the order of a packed real FFT: Re 0, Re 1, Im 1, ..., Re n-1, Im n-1, Re n
        self._amplitudes = np.repeat(amplitudes, 2)[1:-1]
        self._amplitudes32 = self._amplitudes.astype(np.float32)
        self._plan = Plan.of(2 * n)

    def paths(self, fill: Fill, entries: int) -> Float32:
        """Return paths; see `PathFactor.paths`."""
        spectrum = np.empty((self.normals, entries), np.float32)
        for first, last in self._row_chunks(self.normals, entries):
            fill(first, spectrum[first:last])
        if self._plan is not None:
            _transform_columns(
                self._plan, self._amplitudes32, np.uint64(self.depth), np.uint64(entries),
                spectrum.reshape(-1),
            )  # fmt: skip
            return spectrum[: self.depth]
        from scipy import fftpack

        spectrum *= self._amplitudes32[:, None]
        return fftpack.irfft(spectrum, axis=0, overwrite_x=True)[: self.depth]

    def fill_lane_paths(self, stream: LaneStream, out: Float32) -> None:
        """Write paths of several replicas; see `PathFactor.fill_lane_paths`."""
        if self._plan is None:
            super().fill_lane_paths(stream, out)
            return
        entries = np.uint64(out.shape[2] // LANES)
        _transform_lanes(
            stream, self._plan, self._amplitudes32, np.uint64(self.depth), entries, out.reshape(-1)
        )

    def matrix(self) -> Float64:
        """Return F."""
        from scipy import fftpack

        return fftpack.irfft(np.diag(self._amplitudes), axis=0)[: self.depth]
