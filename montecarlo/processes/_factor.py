"""`PathFactor`: the linear map from independent normals to the paths of a process."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from montecarlo.processes._lanes import LaneStream

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Fill = Callable[[int, Float32], None]
"""``fill(first_row, out)`` writes the standard normals of rows ``first_row, first_row + 1, ...`` to `out`,
a float32 array (rows, entries) in C order; row t holds normal number t of every entry."""

PATH_LIMIT = 2**27
"""Numbers of the paths of a matrix, layers times entries, that engines hold.

That is 0.5 GiB, and 1.1 GiB for circulant processes; a network of res-2 or res-3 has two such matrices, and
every thread a network of its own.
"""

_CHUNK_BYTES = 1 << 18  # rows that are filled together, so that they are still cached when they are used


class PathFactor(abc.ABC):
    """A matrix F (depth, normals) with F Fᵀ the covariance of a path, in the form that is fastest to apply.

    Parameters
    ----------
    depth : int
        L, the length of a path.
    normals : int
        Independent standard normals that a path needs.
    """

    def __init__(self, depth: int, normals: int) -> None:
        self.depth = depth
        self.normals = normals

    @abc.abstractmethod
    def paths(self, fill: Fill, entries: int) -> Float32:
        """Return F times the normals that `fill` writes: float32, shape (depth, entries), C order.

        A column depends on its own normals alone, bit for bit.
        """

    def fill_lane_paths(self, stream: LaneStream, out: Float32) -> None:
        """Write the paths of eight replicas a group: float32, shape (groups, depth, entries * 8).

        Entry e of replica i of a group is column ``8 e + i``, with the bits that `paths` gives it. Factors
        that narrow networks use often have a kernel for all groups.
        """
        for group, part in enumerate(out):
            part[:] = self.paths(stream.of_group(group).fill, out.shape[2])

    @abc.abstractmethod
    def matrix(self) -> Float64:
        """Return F, shape (depth, normals): for checks, it may need far more memory than the paths."""

    def _row_chunks(self, rows: int, entries: int) -> Iterator[tuple[int, int]]:
        step = max(1, _CHUNK_BYTES // (4 * max(entries, 1)))
        for first in range(0, rows, step):
            yield first, min(first + step, rows)


class IndependentFactor(PathFactor):
    """Independent layers of one variance: F is a multiple of the identity.

    Parameters
    ----------
    depth : int
        L.
    variance : float
        Variance of every layer.
    """

    def __init__(self, depth: int, variance: float) -> None:
        super().__init__(depth, depth)
        self._scale = float(np.sqrt(variance))

    def paths(self, fill: Fill, entries: int) -> Float32:
        """Return the scaled normals themselves."""
        out = np.empty((self.depth, entries), np.float32)
        for first, last in self._row_chunks(self.depth, entries):
            fill(first, out[first:last])
            if self._scale != 1.0:
                out[first:last] *= np.float32(self._scale)
        return out

    def matrix(self) -> Float64:
        """Return F."""
        return self._scale * np.eye(self.depth)
