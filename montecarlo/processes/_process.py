"""`WeightProcess`: a centred Gaussian process along the layers, the law of √d times an entry of V and W."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_whole
from montecarlo.common._travel import departure
from montecarlo.common._user_functions import first_reason, freeze, thaw
from montecarlo.laws import LAWS
from montecarlo.processes._choose import general_factor, stationary_factor
from montecarlo.processes._covariance_values import key_of_kernel, key_of_lags, key_of_table
from montecarlo.processes._factor import Float64, PathFactor
from montecarlo.processes._known import PARSERS, rebuild
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
        Changes with the law, and enters the digests of specifications: the name with a hash of the bits of
        covariances on a fixed grid (`montecarlo.processes._covariance_values`). Processes of equal name and
        fingerprint are equal.

    Notes
    -----
    A user's function is copied with all it refers to when the process is made. Where it computes something
    else later nevertheless (random numbers, an attribute of a class), its use is refused.

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
    _packed: tuple[str, bytes] | None = field(default=None, compare=False)  # a user's function, and which

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
            return cls(_check_name(name), "", None, None)._of_function("_lags", lags)
        table = np.array(lags, np.float64, ndmin=1)
        table.setflags(write=False)
        process = cls(
            _check_name(name),
            key_of_table(name, table),
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
        if not callable(kernel):
            rule = "must be a function of two arrays, times s and t"
            raise InvalidFieldError("kernel", kernel, rule, "pass a function, or call from_lags")
        return cls(_check_name(name), "", None, None)._of_function("_kernel", kernel)

    def _of_function(self, part: str, function: Any, key: str | None = None) -> WeightProcess:
        """Return the process of a copy of a function; refuse it where its key is not the one given."""
        try:
            packed = function if isinstance(function, bytes) else freeze(function)
            made = replace(self, **{part: thaw(packed), "_packed": (part, packed)})
        except Exception as error:
            rule = f"must be copyable, and is not ({first_reason(error)})"
            fix = "let it refer to numbers, arrays and functions only"
            raise InvalidFieldError(part[1:], self.name, rule, fix) from error
        made = replace(made, fingerprint=key or made._key())
        made._check_key()
        return made

    def _key(self) -> str:
        if self._kernel is not None:
            return key_of_kernel(self.name, self._evaluate_kernel)
        return key_of_lags(self.name, self._lags_of)

    def _check_key(self) -> None:
        """Raise where a user's function computes something else than when the process was made."""
        if self._packed is not None and self._key() != self.fingerprint:
            raise InvalidFieldError(
                "weights", self.name,
                "must give the covariances that it gave where it was made, bit by bit, and does not",
                "leave random numbers out, and make it anew; on other processors give an array of lags",
            )  # fmt: skip

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
        self._check_key()
        return self._lags_up_to(depth, depth)

    def covariance(self, depth: int) -> Float64:
        """Return the covariance matrix of layers 0..depth-1, shape (depth, depth)."""
        if self.stationary:
            layers = np.arange(depth)
            return self.lag_covariance(depth)[np.abs(layers[:, None] - layers)]
        self._check_key()
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
        return self._lags_of(np.arange(count, dtype=np.int64), depth)

    def _lags_of(self, m: npt.NDArray[np.int64], depth: int) -> Float64:
        assert self._lags is not None
        lags = self._call("lags", self._lags, m, depth)
        if lags.shape != m.shape or not np.isfinite(lags).all() or not lags[0] > 0.0:
            raise InvalidFieldError(
                "lags", self.name, "must be finite covariances, one for each m, with γ(0) > 0",
                "return an array of the shape of m",
            )  # fmt: skip
        return lags

    def _call(self, part: str, function: Callable[..., Any], *arguments: Any) -> Float64:
        try:
            return np.asarray(function(*arguments), np.float64)
        except Exception as error:
            rule = f"must give covariances, and raises {type(error).__name__}: {first_reason(error)}"
            fix = "take fewer layers, or correct the function"
            raise InvalidFieldError(part, self.name, rule, fix) from error

    def _evaluate_kernel(self, s: Float64, t: Float64) -> Float64:
        assert self._kernel is not None
        shape = np.broadcast_shapes(s.shape, t.shape)
        values = self._call("kernel", self._kernel, s, t)
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
            self.lag_covariance(depth)  # the errors of its range and of its key
            return stationary_factor(
                self.name, depth, lambda count: self._lags_up_to(count, depth), self._limit
            )
        self._check_key()
        return general_factor(self.name, depth, self._evaluate_kernel)

    def __repr__(self) -> str:
        return f"WeightProcess({self.name!r})"

    def __reduce__(self) -> tuple[object, ...]:
        if self._factor is not None:  # a named one
            return rebuild, (self.name,)
        if self._packed is not None:
            return departure(self, _arrived, self.name, self.fingerprint, *self._packed)
        return departure(self, WeightProcess, self.name, self.fingerprint, self._lags, None, self._limit)


@functools.lru_cache(maxsize=8)
def _cached_factor(process: WeightProcess, lags: int | bool, kernel: int | bool, depth: int) -> PathFactor:
    # The identities of a user's functions, which the process keeps alive: should two of them be described
    # alike, neither gets the factor of the other.
    del lags, kernel
    return process._build_factor(depth)


def _look_up(table: Float64, m: npt.NDArray[np.int64], depth: int) -> Float64:
    return table[m]


def _check_name(name: str) -> str:
    taken = {*LAWS, *PARSERS}
    if not isinstance(name, str) or not name or name.split(":", maxsplit=1)[0] in taken:
        raise InvalidFieldError(
            "name", name, f"must be a text that starts with none of {', '.join(sorted(taken))}", "rename it"
        )
    return name


def _arrived(name: str, fingerprint: str, part: str, packed: bytes) -> WeightProcess:
    """Return the process that left another process (of the machine's) under a key."""
    return WeightProcess(name, "")._of_function(part, packed, fingerprint)
