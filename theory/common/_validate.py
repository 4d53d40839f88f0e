"""One-line refusals of bad input, shared by every formula: field, value, rule, fix."""

import math
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def real(
    field: str,
    value: npt.ArrayLike,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    closed_above: bool = False,
    closed_below: bool = False,
    fix: str,
) -> FloatArray:
    """
    Return finite real numbers inside an interval as a float64 array, or refuse them.

    Parameters
    ----------
    field : str
        Name of the argument, for the message.
    value : array_like
        Number or array to check; any shape.
    above, below : float, optional
        Ends of the interval; infinite (no limit) by default.
    closed_above, closed_below : bool, optional
        Whether the lower (`above`) and the upper (`below`) end belong to it; not by default.
    fix : str
        What the caller should give instead, the last part of the message.

    Returns
    -------
    ndarray of float64
        The values, same shape as `value`.

    Raises
    ------
    ValueError
        If a value is not a finite real number of the interval.

    Examples
    --------
    >>> real("alpha", -0.1, above=0, closed_above=True, fix="give the layer scaling")
    Traceback (most recent call last):
    ...
    ValueError: alpha=-0.1: must be a finite number >= 0; give the layer scaling
    """
    rules = []
    if above > -math.inf:
        rules.append(f"{'>=' if closed_above else '>'} {above:g}")
    if below < math.inf:
        rules.append(f"{'<=' if closed_below else '<'} {below:g}")
    rule = " ".join(["must be a finite number", " and ".join(rules)]).strip()
    raw = np.asarray(value)
    if raw.dtype.kind not in "iuf":
        raise ValueError(f"{field}={value!r}: {rule}; {fix}")
    numbers = raw.astype(np.float64)
    good = np.isfinite(numbers)
    good &= (numbers >= above) if closed_above else (numbers > above)
    good &= (numbers <= below) if closed_below else (numbers < below)
    if not good.all():
        raise ValueError(f"{field}={numbers[~good].flat[0]:g}: {rule}; {fix}")
    return numbers


def whole(field: str, value: npt.ArrayLike, *, minimum: int, fix: str) -> FloatArray:
    """
    Return whole numbers of at least `minimum` as a float64 array, or refuse them.

    Parameters
    ----------
    field : str
        Name of the argument, for the message.
    value : array_like
        Number or array to check; any shape; 40.0 counts as whole.
    minimum : int
        Smallest number allowed.
    fix : str
        What the caller should give instead.

    Returns
    -------
    ndarray of float64
        The values, same shape as `value`, exact up to 2**53.

    Raises
    ------
    ValueError
        If a value is not a whole number of at least `minimum`.

    Examples
    --------
    >>> whole("depth", 2.5, minimum=1, fix="give the number of layers")
    Traceback (most recent call last):
    ...
    ValueError: depth=2.5: must be a whole number >= 1; give the number of layers
    """
    raw = np.asarray(value)
    rule = f"must be a whole number >= {minimum}"
    if raw.dtype.kind not in "iuf":
        raise ValueError(f"{field}={value!r}: {rule}; {fix}")
    numbers = raw.astype(np.float64)
    good = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (numbers >= minimum)
    if not good.all():
        raise ValueError(f"{field}={numbers[~good].flat[0]:g}: {rule}; {fix}")
    return numbers


def choice(field: str, value: str, allowed: Collection[str], *, fix: str) -> str:
    """Return `value` if it is one of the allowed names, or refuse it and list them."""
    if value not in allowed:
        raise ValueError(f"{field}={value!r}: must be one of {', '.join(sorted(allowed))}; {fix}")
    return value


def width(value: npt.ArrayLike, *, minimum: int = 1) -> FloatArray:
    """Return widths d (numbers of coordinates of a hidden state) as `whole` does."""
    fix = "give the number of coordinates of a hidden state"
    if minimum > 1:
        fix += " (the statement is not known for narrower networks)"
    return whole("width", value, minimum=minimum, fix=fix)


def depth(value: npt.ArrayLike, *, minimum: int = 0) -> FloatArray:
    """Return depths L (numbers of residual layers) as `whole` does."""
    return whole("depth", value, minimum=minimum, fix="give the number of residual layers")


def lags(value: npt.ArrayLike) -> FloatArray:
    """Return the sizes of differences of layer indices, whole numbers of either sign."""
    fix = "give distances between layers"
    return whole("lags", np.abs(real("lags", value, fix=fix)), minimum=0, fix=fix)


def alpha(value: npt.ArrayLike) -> FloatArray:
    """Return layer scalings, the factors before the residual branch, as `real` does."""
    fix = "give the factor before the residual branch, such as depth**-0.5"
    return real("alpha", value, above=0, closed_above=True, fix=fix)


def gain(value: npt.ArrayLike, *, field: str = "gain") -> FloatArray:
    """Return mean-square gains E‖g(h)‖²/‖h‖² of a residual branch as `real` does."""
    return real(field, value, above=0, closed_above=True, fix="give 0.5 for ReLU branches, 1 for linear ones")


def failure_probability(value: npt.ArrayLike) -> FloatArray:
    """Return probabilities δ in (0, 1) with which a bound may fail."""
    return real("failure_probability", value, above=0, below=1, fix="give a small probability such as 0.05")


def level(field: str, value: npt.ArrayLike, *, fix: str) -> FloatArray:
    """Return probabilities in [0, 1], both included, as `real` does."""
    return real(field, value, above=0, below=1, closed_above=True, closed_below=True, fix=fix)


def plain(value: npt.ArrayLike) -> float | FloatArray:
    """Give numbers back as the caller gave them: a float for scalars, a float64 array otherwise."""
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else array
