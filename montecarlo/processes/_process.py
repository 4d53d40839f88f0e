"""`WeightProcess`: a centred Gaussian process along the layers, the law of √d times an entry of V and W."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import toeplitz

from montecarlo.common._errors import InvalidFieldError, check_whole
from montecarlo.common._travel import departure
from montecarlo.laws import LAWS
from montecarlo.networks._activations import describe_code
from montecarlo.processes._choose import general_factor, stationary_factor
from montecarlo.processes._factor import Float64, PathFactor
from montecarlo.streams import LAYER_LIMIT

Lags = Callable[[npt.NDArray[np.int64], int], Any]
Kernel = Callable[[Float64, Float64], Any]


@dataclass(frozen=True, repr=False)
class WeightProcess:
    """A centred Gaussian process along the layers k = 0..L-1; every entry of √d V_k is a path of its own.

    Get the named ones by `find_process`, build others by `from_lags` (stationary) or `from_kernel`.

    Parameters
    ----------
    name : str
        Canonical spelling, ``"fbm:0.3"``, or the user's name.
    fingerprint : str
        Changes with the law; enters the digests of specifications. Processes of equal name and fingerprint
        are equal.

    Examples
    --------
    A stationary process with γ(m) = 0.9^m, and Brownian motion over the layers:

    >>> import numpy as np
    >>> WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m).lag_covariance(3)
    array([1.  , 0.9 , 0.81])
    >>> WeightProcess.from_kernel("brownian", np.minimum).covariance(3)
    array([[0.        , 0.        , 0.        ],
           [0.        , 0.33333333, 0.33333333],
           [0.        , 0.33333333, 0.66666667]])
    """

    name: str
    fingerprint: str
    _lags: Lags | None = field(default=None, compare=False)
    _kernel: Kernel | None = field(default=None, compare=False)
    _limit: int | None = field(default=None, compare=False)  # lags that are known, None for all
    _factor: Callable[[int], PathFactor] | None = field(default=None, compare=False)

    @classmethod
    def from_lags(cls, name: str, lags: Lags | npt.ArrayLike) -> WeightProcess:
        """Return the stationary process of given lag covariances.

        Parameters
        ----------
        name : str
            Any name that is not one of a built-in law or process.
        lags : callable or array
            ``lags(m, depth)`` returns γ(m) for an int64 array of lags m >= 0, also of m >= depth if it can
            (the padding of an embedding asks for them); or the array γ(0), γ(1), ..., good for as many
            layers as it has elements.

        Raises
        ------
        InvalidFieldError
            If γ(0) is not positive or a lag not finite; later, in `factor`, if γ is no covariance.
        """
        if callable(lags):
            process = cls(_check_name(name), "", lags)
            values = [process.lag_covariance(n) for n in (2, 33, 257)]
            digest = _digest(describe_code(lags), values)
            return cls(name, f"{name}#{digest}", lags)
        table = np.array(lags, np.float64, ndmin=1)
        table.setflags(write=False)
        process = cls(
            _check_name(name),
            f"{name}#{_digest(table.tobytes().hex(), [])}",
            functools.partial(_look_up, table),
            None,
            len(table),
        )
        process.lag_covariance(len(table))
        return process

    @classmethod
    def from_kernel(cls, name: str, kernel: Kernel) -> WeightProcess:
        """Return the process 𝒱(k/L) of a covariance kernel on [0, 1], stationary or not.

        Parameters
        ----------
        name : str
            Any name that is not one of a built-in law or process.
        kernel : callable
            ``kernel(s, t)`` on float64 arrays that broadcast, symmetric and positive semidefinite.

        Notes
        -----
        `factor` runs a pivoted Cholesky decomposition that stops at the numerical rank r: L r numbers
        and L r² operations, so smooth kernels work at any depth; the limit is said in its error.
        """
        process = cls(_check_name(name), "", None, kernel)
        values = [process.covariance(n) for n in (2, 33)]
        return cls(name, f"{name}#{_digest(describe_code(kernel), values)}", None, kernel)

    @property
    def stationary(self) -> bool:
        """Whether the covariance of layers j and k is a function of j - k."""
        return self._lags is not None

    def lag_covariance(self, depth: int) -> Float64:
        """Return γ(0..depth-1), shape (depth,).

        Raises
        ------
        InvalidFieldError
            If the process is not stationary, or its lags are not known so far.
        """
        if self._limit is not None and depth > self._limit:
            raise InvalidFieldError(
                "depth", depth, f"must be at most {self._limit}, the lags that {self.name!r} was given",
                "give more lags or fewer layers",
            )  # fmt: skip
        return self._lags_up_to(depth, depth)

    def covariance(self, depth: int) -> Float64:
        """Return the covariance matrix of layers 0..depth-1, shape (depth, depth)."""
        if self.stationary:
            return toeplitz(self.lag_covariance(depth))
        s = np.arange(depth) / depth
        return self._evaluate_kernel(s[:, None], s[None, :])

    def factor(self, depth: int) -> PathFactor:
        """Return the map from normals to paths of a depth; the last few are kept.

        Raises
        ------
        InvalidFieldError
            If the covariance is not positive semidefinite, or its factor would be too large.
        """
        depth = check_whole("depth", depth, 1, LAYER_LIMIT - 1, 1000)
        own = self._factor is None  # named processes are what their names say
        return _cached_factor(self, own and id(self._lags), own and id(self._kernel), depth)

    def _lags_up_to(self, count: int, depth: int) -> Float64:
        if self._lags is None:
            raise InvalidFieldError(
                "weights", self.name, "must be stationary to have lag covariances", "call covariance instead"
            )
        lags = np.asarray(self._lags(np.arange(count, dtype=np.int64), depth), np.float64)
        if lags.shape != (count,) or not np.isfinite(lags).all() or not lags[0] > 0.0:
            raise InvalidFieldError(
                "lags", self.name, "must be finite covariances, one for each m, with γ(0) > 0",
                "return an array of the shape of m",
            )  # fmt: skip
        return lags

    def _evaluate_kernel(self, s: Float64, t: Float64) -> Float64:
        assert self._kernel is not None
        shape = np.broadcast_shapes(s.shape, t.shape)
        values = np.asarray(self._kernel(s, t), np.float64)
        try:
            values = np.broadcast_to(values, shape)
        except ValueError:
            values = np.full(shape, np.nan)
        if not np.isfinite(values).all():
            raise InvalidFieldError(
                "kernel", self.name, "must give one finite number for each pair (s, t)",
                "use numpy functions that broadcast",
            )  # fmt: skip
        return values

    def _build_factor(self, depth: int) -> PathFactor:
        if self._factor is not None:
            return self._factor(depth)
        if self.stationary:
            self.lag_covariance(depth)  # the errors of its range
            return stationary_factor(
                self.name, depth, lambda count: self._lags_up_to(count, depth), self._limit
            )
        return general_factor(self.name, depth, self._evaluate_kernel)

    def __repr__(self) -> str:
        return f"WeightProcess({self.name!r})"

    def __reduce__(self) -> tuple[object, ...]:
        if self._factor is not None:  # a named one
            from montecarlo.processes import find_process

            return find_process, (self.name,)
        functions = self._lags, self._kernel, self._limit
        return departure(self, WeightProcess, self.name, self.fingerprint, *functions)


@functools.lru_cache(maxsize=8)
def _cached_factor(process: WeightProcess, lags: int | bool, kernel: int | bool, depth: int) -> PathFactor:
    # The identities of a user's functions, which the process keeps alive: should two of them be described
    # alike, neither gets the factor of the other.
    del lags, kernel
    return process._build_factor(depth)


def _look_up(table: Float64, m: npt.NDArray[np.int64], depth: int) -> Float64:
    return table[m]


def _check_name(name: str) -> str:
    from montecarlo.processes import PROCESSES  # the families are processes themselves

    taken = {*LAWS, *(spelling.split(":", maxsplit=1)[0] for spelling in PROCESSES)}
    if not isinstance(name, str) or not name or name.split(":", maxsplit=1)[0] in taken:
        raise InvalidFieldError(
            "name", name, f"must be a text that starts with none of {', '.join(sorted(taken))}", "rename it"
        )
    return name


def _digest(definition: Any, values: list[Float64]) -> str:
    # Nine decimals: the last bits of exp and pow differ between machines, the digest must not.
    rounded = [(np.round(value, 9) + 0.0).tolist() for value in values]
    return hashlib.sha256(repr((definition, rounded)).encode()).hexdigest()[:16]
