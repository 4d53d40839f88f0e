"""`Family`: a named process with its parameters, as in ``fbm:0.3``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError
from montecarlo.processes._choose import stationary_factor
from montecarlo.processes._factor import Float64, PathFactor
from montecarlo.processes._process import WeightProcess


@dataclass(frozen=True)
class Family:
    """A family of stationary processes of unit variance.

    Parameters
    ----------
    name : str
        First word of the spelling.
    parameters : tuple of str
        Names of the numbers after it.
    meaning : str
        One line for help texts.
    rule : str
        What the parameters must fulfil.
    example : str
        A valid spelling.
    allowed : callable
        Whether parameters are valid; they are finite.
    lag : callable
        ``lag(m, depth, *parameters)``: γ(m) for one int m >= 0. In terms of the math module: numpy's
        functions differ in the last bit between CPUs, and networks must not.
    smooth : bool, default False
        Whether the covariance has a small numerical rank.
    factor : callable, optional
        ``factor(depth, *parameters)`` where there is something better than the general choice.
    """

    name: str
    parameters: tuple[str, ...]
    meaning: str
    rule: str
    example: str
    allowed: Callable[..., bool]
    lag: Callable[..., float]
    smooth: bool = False
    factor: Callable[..., PathFactor] | None = None

    @property
    def spelling(self) -> str:
        """How it is written, ``"fbm:H"``."""
        return ":".join((self.name, *self.parameters))

    def parse(self, text: str, *, field: str = "weights") -> WeightProcess:
        """Return the process of a spelling that begins with the name; errors call it `field`.

        Raises
        ------
        InvalidFieldError
            For missing, surplus or invalid parameters.
        """
        try:
            numbers = tuple(float(word) for word in text.split(":")[1:])
        except ValueError:
            numbers = ()
        valid = len(numbers) == len(self.parameters) and bool(np.isfinite(numbers).all())
        if not valid or not self.allowed(*numbers):
            raise InvalidFieldError(
                field, text, f"must be {self.spelling} with {self.rule}",
                f"give {field}={self.example!r}, say",
            )  # fmt: skip
        name = ":".join((self.name, *(repr(number).removesuffix(".0") for number in numbers)))
        return WeightProcess(
            name,
            name,
            functools.partial(_lags, self, numbers),
            _factor=functools.partial(_family_factor, self, name, numbers),
        )


def _lags(family: Family, numbers: tuple[float, ...], m: npt.NDArray[np.int64], depth: int) -> Float64:
    return np.fromiter((family.lag(lag, depth, *numbers) for lag in m.tolist()), np.float64, len(m))


def _family_factor(family: Family, name: str, numbers: tuple[float, ...], depth: int) -> PathFactor:
    if family.factor is not None:
        return family.factor(depth, *numbers)

    def lags(count: int) -> Float64:
        return _lags(family, numbers, np.arange(count), depth)

    return stationary_factor(name, depth, lags, None, smooth=family.smooth)
