"""What an activation computes on a fixed grid, and whether its value, derivative and slope agree there."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common._user_functions import first_reason

Scalar = Callable[[float], float]
Float64 = npt.NDArray[np.float64]

_GOLDEN = 0x9E3779B97F4A7C15
_STEPS = (2.0**-8, 2.0**-14, 2.0**-20, 2.0**-26)
_FINE = 2.0**-20  # from here on a kink is closer than the next kink
_CLOSE = 1e-4  # relative error that differences may have
_NOISE = 1e-12  # of a value, relative to the largest near 0: some thousand roundings
_FAR = 1024.0  # where jumps are looked for
_HALVINGS = 64  # from neighbours of the grid to neighbouring numbers
_CHECKED = (
    0.0, 0.013, 0.11, 0.37, 0.5, 0.71, 1.0, 1.3, 1.9, 2.0, 2.7, 3.0, 3.9, 5.6, 6.0, 8.3, 12.4, 19.1, 29.3,
)  # fmt: skip


@functools.cache
def arguments() -> Float64:
    """Return the grid: zeros, sixteenths up to ±10, powers of two from ±2^-100 to ±2^100, 1,536 others.

    The others are irregular: 512 in ±8, 1,024 over sizes from 2^-32 to 2^16.
    """
    fractions = [(_GOLDEN * i % 2**64) / 2.0**64 for i in range(1, 513)]
    positive = [
        *(i / 16 for i in range(161)),
        *(math.ldexp(1.0, k) for k in range(-100, 101)),
        *(8.0 * fraction for fraction in fractions[:256]),
        *(math.ldexp(1.0 + fraction, i % 48 - 32) for i, fraction in enumerate(fractions)),
    ]
    return np.array([sign * x for sign in (1.0, -1.0) for x in positive])


def evaluate(name: str, field: str, function: Scalar, points: npt.ArrayLike) -> Float64:
    """Return a function's values as the engines get them.

    Raises
    ------
    InvalidFieldError
        If the function raises, or gives other values when it is asked again.
    """
    asked = np.ravel(points).tolist()
    with _nothing_raised() as raised, np.errstate(all="ignore"):
        values, again = (np.array([_value(function, x, raised) for x in asked]) for _ in range(2))
    if raised:
        rule = f"must have a {field} at every x, and it raises {raised[0]}"
        raise InvalidFieldError("activation", name, rule, "clip x, or return math.nan there")
    if not np.array_equal(values, again, equal_nan=True):
        rule = f"must have a {field} that is a function of x alone, and it changes from call to call"
        raise InvalidFieldError("activation", name, rule, "leave random numbers and counters out")
    return values.reshape(np.shape(points))


def _value(function: Scalar, x: float, raised: list[str]) -> float:
    try:
        return float(function(x))
    except (ArithmeticError, ValueError):  # plain Python alone (NUMBA_DISABLE_JIT): compiled, inf or nan
        pass
    except Exception as error:
        raised.append(f"{type(error).__name__}: {first_reason(error)}")
    return math.nan


@contextmanager
def _nothing_raised() -> Iterator[list[str]]:
    """Collect what compiled functions raise: they have no way to raise it, and go on with 0."""
    raised: list[str] = []
    hook = sys.unraisablehook

    def note(event: Any) -> None:
        raised.append(f"{event.exc_type.__name__}: {event.exc_value}")

    sys.unraisablehook = note
    try:
        yield raised
    finally:
        sys.unraisablehook = hook


def jumps(name: str, value: Scalar, derivative: Scalar) -> Float64:
    """Return where the value jumps within ±1024, one for each jump between neighbours of the grid.

    A step at 0.5 and one at 0.505 may have the same values at all arguments: their key needs the place.
    Where the value changes by other than its slope (trapezoidal rule), the half that does is halved again;
    over a jump the excess stays, at kinks and on smooth pieces it vanishes.
    """
    x = np.unique(np.clip(arguments(), -_FAR, _FAR))
    v = evaluate(name, "value", value, x)
    d = evaluate(name, "derivative", derivative, x)
    low, high = ((x[part], v[part], d[part]) for part in (slice(None, -1), slice(1, None)))
    with np.errstate(all="ignore"):
        first = _excess(low, high)
        for _ in range(_HALVINGS):
            told = _excess(low, high) > np.maximum(first / 1024.0, 1e-9 * (np.abs(low[1]) + np.abs(high[1])))
            low, high = (tuple(part[told] for part in side) for side in (low, high))
            first = first[told]
            at = low[0] + (high[0] - low[0]) / 2.0
            middle = (
                at,
                evaluate(name, "value", value, at),
                evaluate(name, "derivative", derivative, at),
            )
            right = _excess(middle, high) > _excess(low, middle)
            low = tuple(np.where(right, m, a) for m, a in zip(middle, low, strict=True))
            high = tuple(np.where(right, b, m) for m, b in zip(middle, high, strict=True))
    return high[0]


def _excess(low: tuple[Float64, ...], high: tuple[Float64, ...]) -> Float64:
    return np.abs(high[1] - low[1] - (low[2] + high[2]) / 2.0 * (high[0] - low[0]))


def check_slopes(name: str, value: Scalar, derivative: Scalar, negative_slope: float | None) -> None:
    """Raise InvalidFieldError where derivative or negative_slope contradicts the value.

    At 37 points up to ±29.3 the derivative must be a difference quotient of one of four steps, to 1e-4; at a
    kink it may be any number between the slopes on its two sides. Where values are not finite, all goes.
    """
    points = np.array([*(-x for x in _CHECKED[:0:-1]), *_CHECKED])
    slopes = evaluate(name, "derivative", derivative, points)
    steps = np.maximum(np.abs(points), 1.0) * np.array(_STEPS)[:, None]
    here = evaluate(name, "value", value, points)
    ahead, behind = (evaluate(name, "value", value, points + side * steps) for side in (1.0, -1.0))
    with np.errstate(all="ignore"):
        one_sided = (ahead - here) / (points + steps - points), (here - behind) / (points - (points - steps))
        central = (ahead - behind) / ((points + steps) - (points - steps))
        fine = np.array(_STEPS)[:, None] <= _FINE
        low = np.where(fine, np.minimum(*one_sided), central)
        high = np.where(fine, np.maximum(*one_sided), central)
        near = np.abs(here[np.abs(points) <= 4.0])
        size = np.maximum(np.abs(here), np.max(near[np.isfinite(near)], initial=0.0))
        allowed = _CLOSE * np.maximum(np.maximum(np.abs(low), np.abs(high)), np.abs(slopes))
        allowed += _NOISE * size / steps
        right = (low - allowed <= slopes) & (slopes <= high + allowed)
    told = np.isfinite(central).all(axis=0) & np.isfinite(here)
    for i in np.flatnonzero(told & ~right.any(axis=0)):
        raise InvalidFieldError(
            "derivative", float(slopes[i]),
            f"must be the slope of value: at x = {points[i]:g} the value of {name!r} has slope "
            f"{central[2, i]:.6g} by differences",
            "correct one of the two",
        )  # fmt: skip
    if negative_slope is not None:
        _check_linear(name, value, derivative, negative_slope)


def _check_linear(name: str, value: Scalar, derivative: Scalar, slope: float) -> None:
    x = arguments()
    branch = np.where(x > 0.0, 1.0, slope)
    rules = {
        "value": (value, branch * x, "max(x, 0) + negative_slope * min(x, 0)"),
        "derivative": (derivative, branch, "the slope of max(x, 0) + negative_slope * min(x, 0)"),
    }
    for field, (function, expected, rule) in rules.items():
        given = evaluate(name, field, function, x)
        size = np.abs(x) if field == "value" else 1.0
        wrong = ~(
            np.abs(given - expected) <= 1e-6 * max(abs(slope), 1.0) * size
        )  # float32 constants are right
        for i in np.flatnonzero(wrong & (x != 0.0)):
            raise InvalidFieldError(
                "negative_slope", slope,
                f"must make {rule} the {field} of {name!r}: at x = {x[i]:g} they are {expected[i]:g} and "
                f"{given[i]:g}",
                "leave negative_slope out, or correct it",
            )  # fmt: skip
