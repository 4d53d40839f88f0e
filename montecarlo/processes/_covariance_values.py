"""Keys of users' processes: the bits of their covariances on fixed grids of lags and times."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common._user_functions import key_of_values
from montecarlo.processes._factor import Float64

Int64 = npt.NDArray[np.int64]

_SHALLOW = (2, 33, 257)  # where covariances must be right for the process to be made
_DENSE = 4097
_FAR = 1 << 20
_FINE = 1 << 13
_GOLDEN = 0x9E3779B97F4A7C15


def key_of_table(name: str, table: Float64) -> str:
    """Return the key of a table of lags, which its bytes are."""
    return f"{name}#{hashlib.sha256(repr((table.tobytes().hex(), [])).encode()).hexdigest()[:16]}"


def key_of_lags(name: str, lags: Callable[[Int64, int], Float64]) -> str:
    """Return the key of lag covariances: all lags at depths 2, 33, 257 and 4,097, and some up to 2^20.

    The others, at depth 2^20 + 1, are 0, powers of two with their neighbours, and 512 irregular ones. Where a
    function refuses the two larger depths, that belongs to its key.
    """
    dense = [_quietly(lags, np.arange(depth), depth) for depth in _SHALLOW]
    far = (functools.partial(_quietly, lags, m, depth) for m, depth in _far_lags())
    return key_of_values(name, [0.0], *dense, *(_or_nan(values) for values in far))


def key_of_kernel(name: str, kernel: Callable[[Float64, Float64], Float64]) -> str:
    """Return the key of a kernel: layers of depths 2 and 33, and all pairs of 154 times in [0, 1].

    The times are 0, 1, 64 irregular ones, and some as near to 1/3 as 2^-30. Multiples of 2^-13 up to 1, in
    pairs of neighbours and with both ends, tell where a kernel changes.

    Raises
    ------
    InvalidFieldError
        If the kernel is not symmetric there.
    """
    grids = [np.arange(depth) / depth for depth in (2, 33)]
    values = [_quietly(kernel, s[:, None], s[None, :]) for s in grids]
    times = _times()
    values.append(_or_nan(functools.partial(_quietly, kernel, times[:, None], times[None, :])))
    ends, fine = np.array([0.0, 1.0]), np.arange(_FINE + 1) / _FINE
    pairs = ((fine[:, None], ends), (fine, fine), (fine[:-1], fine[1:]))
    lines = [_or_nan(functools.partial(_quietly, kernel, *pair)) for pair in pairs]
    for s, matrix in zip([*grids, times], values, strict=True):
        if matrix.ndim == 2:
            _check_symmetric(name, s, matrix)
    return key_of_values(name, [1.0], *values, *lines)


def _check_symmetric(name: str, s: Float64, matrix: Float64) -> None:
    off = np.abs(matrix - matrix.T)
    j, k = np.unravel_index(int(off.argmax()), off.shape)
    if off[j, k] > 1e-10 * np.abs(matrix).max():
        raise InvalidFieldError(
            "kernel", name,
            f"must be symmetric: it is {matrix[j, k]:.6g} at (s, t) = ({s[j]:.6g}, {s[k]:.6g}), and "
            f"{matrix[k, j]:.6g} at ({s[k]:.6g}, {s[j]:.6g})",
            "give a function of min(s, t) and max(s, t), or of |s - t|, say",
        )  # fmt: skip


def _quietly(function: Callable[..., Float64], *arguments: object) -> Float64:
    with np.errstate(all="ignore"):  # warnings are for the layers that are asked for
        return function(*arguments)


def _or_nan(evaluate: Callable[[], Float64]) -> Float64:
    """Return the values, or NaN where a process has none so far out: it may serve shallower networks."""
    try:
        return evaluate()
    except InvalidFieldError:
        return np.full(1, np.nan)


@functools.cache
def _far_lags() -> tuple[tuple[Int64, int], ...]:
    powers = [2**k + shift for k in range(21) for shift in (-1, 0, 1) if 2**k + shift <= _FAR]
    irregular = [(_GOLDEN * i % 2**64 >> 44) >> i % 8 for i in range(512)]
    return (np.arange(_DENSE), _DENSE), (np.unique([0, *powers, *irregular]), _FAR + 1)


@functools.cache
def _times() -> Float64:
    irregular = [(_GOLDEN * i % 2**64) / 2.0**64 for i in range(1, 65)]
    near = [1 / 3 + side * 2.0**-k for k in range(2, 31) for side in (1.0, -1.0)]
    return np.unique([0.0, 1.0, 1 / 3, *(i / 32 for i in range(32)), *irregular, *near])
