"""Normals of paths from the counters of `montecarlo.streams`, and paths from them.

Normal number t of entry e of a role and replica comes from the Philox counter

    (256 * (e // 1024) + e % 256, t | role << 28, low word and high word of the replica)

as the variate number ``(e % 1024) // 256`` of its four: planar in blocks of 1024 entries, so that a block is
one vectorised loop and a number does not depend on how many entries there are.
"""

from __future__ import annotations

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common._jit import kernel
from montecarlo.processes._factor import Fill, Float32, PathFactor
from montecarlo.processes._lanes import LaneStream
from montecarlo.processes._process import WeightProcess
from montecarlo.streams import LAYER_LIMIT
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_LANES = 256  # counters of a block of 4 * 256 entries
_ZERO = np.uint64(0)
_ONE = np.uint64(_LANES)
_TWO = np.uint64(2 * _LANES)
_THREE = np.uint64(3 * _LANES)
_FOUR = np.uint64(4 * _LANES)
_VECTOR = np.uint64(16)


@kernel
def _fill_rows(k0, k1, first_row, role, replica_low, replica_high, rows, entries, scratch, out):
    for row in range(_ZERO, rows):
        t_role = np.uint32(np.uint32(first_row + np.uint32(row)) | np.uint32(role << np.uint32(28)))
        start = np.uint64(row) * entries
        for begin in range(_ZERO, entries, _FOUR):
            counter = np.uint32(np.uint32(begin) >> np.uint32(2))
            # Narrow networks take the first variate of a few counters only.
            left = np.uint64(entries - np.uint64(begin))
            lanes = min(_ONE, np.uint64((left + _VECTOR - np.uint64(1)) // _VECTOR * _VECTOR))
            for i in range(_ZERO, lanes):
                w0, w1, w2, w3 = philox(
                    np.uint32(counter + np.uint32(i)), t_role, replica_low, replica_high, k0, k1
                )
                z0, z1 = box_muller(w0, w1)
                z2, z3 = box_muller(w2, w3)
                scratch[i] = z0
                scratch[_ONE + i] = z1
                scratch[_TWO + i] = z2
                scratch[_THREE + i] = z3
            first = start + np.uint64(begin)
            for i in range(_ZERO, min(_FOUR, left)):
                out[first + i] = scratch[i]


def normal_rows(key: tuple[int, int], role: int, replica: int) -> Fill:
    """Return the function that writes the normals of a role and replica, for `PathFactor.paths`.

    Parameters
    ----------
    key : tuple of two int
        The key of the run, two 32-bit words (`montecarlo.streams.derive_key`).
    role : int
        ``ROLE_V`` or ``ROLE_W``.
    replica : int
        Number of the network, below 2**64.

    Examples
    --------
    >>> z = np.empty((3, 2), np.float32)
    >>> normal_rows((1, 2), 0, 5)(10, z)
    >>> once_more = np.empty((1, 2), np.float32)
    >>> normal_rows((1, 2), 0, 5)(12, once_more)
    >>> bool((once_more == z[2]).all())
    True
    """
    k0, k1 = np.uint32(key[0]), np.uint32(key[1])
    low, high = np.uint32(replica & 0xFFFFFFFF), np.uint32(replica >> 32)
    scratch = np.empty(4 * _LANES, np.float32)

    def fill(first_row: int, out: Float32) -> None:
        rows, entries = out.shape
        _fill_rows(
            k0, k1, np.uint32(first_row), np.uint32(role), low, high,
            np.uint64(rows), np.uint64(entries), scratch, out.reshape(-1),
        )  # fmt: skip

    return fill


def sample_paths(
    process: WeightProcess, depth: int, entries: int, key: tuple[int, int], role: int, replica: int
) -> Float32:
    """Return independent paths of a process, one a column.

    Parameters
    ----------
    process : WeightProcess
        The law of √d times one entry of the weights, along the layers.
    depth : int
        L.
    entries : int
        Number of paths, d² for square matrices.
    key, role, replica
        The stream (`normal_rows`); the paths are a function of these, the process and the depth. A path does
        not depend on the number of the others.

    Returns
    -------
    array of float32, shape (depth, entries)

    Notes
    -----
    The memory is that of the paths; where an FFT makes them, of two to 2.2 times as many layers, which stays
    allocated as long as the paths are kept (copy the paths to keep them alone).

    Raises
    ------
    InvalidFieldError
        If a path needs more normals than the stream has.

    Examples
    --------
    >>> from montecarlo.processes import find_process
    >>> paths = sample_paths(find_process("fbm:0.8"), 1000, 64, (1, 2), 0, 5)
    >>> paths.shape
    (1000, 64)
    """
    return _factor_in_reach(process, depth).paths(normal_rows(key, role, replica), entries)


def fill_lane_paths(process: WeightProcess, stream: LaneStream, out: Float32) -> None:
    """Write the paths of `sample_paths` of many narrow networks, eight a group side by side.

    Parameters
    ----------
    process : WeightProcess
        As in `sample_paths`.
    stream : LaneStream
        Key, role and first of the ``8 * groups`` replicas, whose low words do not wrap.
    out : array of float32, shape (groups, depth, 8 * entries)
        Entry e of replica i of a group becomes column ``8 e + i``, bit for bit that of `sample_paths`.

    Raises
    ------
    InvalidFieldError
        If a path needs more normals than the stream has.

    Examples
    --------
    >>> from montecarlo.processes import find_process
    >>> process, eight = find_process("fbm:0.8"), np.empty((1, 50, 8 * 9), np.float32)
    >>> fill_lane_paths(process, LaneStream.of((1, 2), 0, 5), eight)
    >>> bool((eight[0, :, 3::8] == sample_paths(process, 50, 9, (1, 2), 0, 8)).all())
    True
    """
    _factor_in_reach(process, out.shape[1]).fill_lane_paths(stream, out)


def _factor_in_reach(process: WeightProcess, depth: int) -> PathFactor:
    """Return the factor of a process; refuse one that needs more normals than the stream has."""
    factor = process.factor(depth)
    if factor.normals > LAYER_LIMIT:
        raise InvalidFieldError(
            "depth",
            depth,
            f"must need at most {LAYER_LIMIT:_} normals a path, {process.name!r} needs {factor.normals:_}",
            "take fewer layers",
        )
    return factor
