"""Which factor a covariance gets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.processes._circulant import (
    CirculantFactor,
    NegativeEigenvalueError,
    embedding_length,
)
from montecarlo.processes._factor import Float64, IndependentFactor, PathFactor
from montecarlo.processes._low_rank import (
    IndefiniteError,
    LowRankFactor,
    RankError,
    check_factor,
    pivoted_cholesky,
)

_SMALL_RANK = 128
"""Up to here a factor of low rank beats the FFT, whose cost a number is that of some 100 products."""

_PROBED_LAYERS = 512
_PADDINGS = (1, 2, 4, 8)
_LARGEST_FACTOR = 1 << 24
"""Elements of a factor L x r: 134 MB in float64."""


def stationary_factor(
    name: str, depth: int, lags: Callable[[int], Float64], known: int | None, *, smooth: bool = False
) -> PathFactor:
    """Return the factor of a stationary process: independent, low rank, circulant or Cholesky.

    Parameters
    ----------
    name : str
        For errors.
    depth : int
        L.
    lags : callable
        ``lags(count)`` returns γ(0..count-1).
    known : int or None
        Number of lags that can be asked for; None for any.
    smooth : bool, default False
        Whether to try a factor of low rank first; it is tried last, as a Cholesky decomposition, for others.
    """
    gamma = lags(depth)
    if not gamma[1:].any():
        return IndependentFactor(depth, float(gamma[0]))

    if smooth and _has_small_rank(gamma[:: -(-depth // _PROBED_LAYERS)]):
        try:
            return LowRankFactor(_toeplitz_cholesky(gamma))
        except RankError:
            pass
    failure = None
    for padding in _PADDINGS:
        n = embedding_length(1 + padding * max(1, depth - 1))
        if known is not None and n + 1 > known:
            if padding > 1:
                break
            n = max(1, depth - 1)
        try:
            return CirculantFactor(depth, lags(n + 1))
        except NegativeEigenvalueError as error:
            failure = error
    return _cholesky(name, depth, np.full(depth, gamma[0]), _toeplitz_columns(gamma), f" ({failure})")


def _has_small_rank(gamma: Float64) -> bool:
    """Return whether the Toeplitz matrix of some lags has; where part of the layers has not, all have not."""
    try:
        _toeplitz_cholesky(gamma)
    except RankError:
        return False
    return True


def _toeplitz_cholesky(gamma: Float64) -> Float64:
    largest_rank = min(_SMALL_RANK, len(gamma))
    return pivoted_cholesky(np.full(len(gamma), gamma[0]), _toeplitz_columns(gamma), largest_rank)


def _toeplitz_columns(gamma: Float64) -> Callable[[int], Float64]:
    return lambda j: np.concatenate([gamma[j:0:-1], gamma[: len(gamma) - j]])


def general_factor(name: str, depth: int, kernel: Callable[[Float64, Float64], Float64]) -> PathFactor:
    """Return the factor of a kernel on [0, 1] at k/L: pivoted Cholesky up to its numerical rank."""
    s = np.arange(depth) / depth

    def column(j: int) -> Float64:
        return kernel(s, s[j : j + 1])

    return _cholesky(name, depth, np.array(kernel(s, s)), column, "")


def _cholesky(
    name: str, depth: int, diagonal: Float64, column: Callable[[int], Float64], detail: str
) -> PathFactor:
    largest_rank = min(depth, _LARGEST_FACTOR // depth)
    try:
        factor = pivoted_cholesky(diagonal, column, largest_rank)
        check_factor(factor, column)
    except RankError as error:
        raise InvalidFieldError(
            "depth", depth,
            f"must give {name!r} a factor of at most {_LARGEST_FACTOR:_} numbers, and rank {largest_rank} "
            f"leaves a variance of {error.residual:.2g} unexplained{detail}",
            "take fewer layers or a smoother covariance",
        ) from error  # fmt: skip
    except IndefiniteError as error:
        raise InvalidFieldError(
            "weights", name, f"must be positive semidefinite at depth {depth}, and {error}",
            "correct its covariance",
        ) from error  # fmt: skip
    return LowRankFactor(factor)
