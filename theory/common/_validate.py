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
    """
    Return `value` if it is one of the allowed names, or refuse it and list them.

    Parameters
    ----------
    field : str
        Name of the argument, for the message.
    value : str
        The name given.
    allowed : collection of str
        The right names.
    fix : str
        What the caller should do instead.

    Returns
    -------
    str
        `value`.

    Raises
    ------
    ValueError
        If `value` is not allowed.

    Examples
    --------
    >>> choice("block", "res-9", ("res-1", "res-3"), fix="choose one")
    Traceback (most recent call last):
    ...
    ValueError: block='res-9': must be one of res-1, res-3; choose one
    """
    if value not in allowed:
        raise ValueError(f"{field}={value!r}: must be one of {', '.join(sorted(allowed))}; {fix}")
    return value


def width(value: npt.ArrayLike, *, minimum: int = 1) -> FloatArray:
    """
    Check a width d (number of coordinates of a hidden state).

    Parameters
    ----------
    value : array_like of int
        Width or widths.
    minimum : int, optional
        Smallest width that the statement covers, 1 by default.

    Returns
    -------
    ndarray of float64
        The widths.

    Raises
    ------
    ValueError
        If a width is not a whole number of at least `minimum`.

    Examples
    --------
    >>> float(width(40))
    40.0
    """
    fix = "give the number of coordinates of a hidden state"
    if minimum > 1:
        fix += " (the statement is not known for narrower networks)"
    return whole("width", value, minimum=minimum, fix=fix)


def depth(value: npt.ArrayLike, *, minimum: int = 0) -> FloatArray:
    """
    Check a depth L (number of residual layers).

    Parameters
    ----------
    value : array_like of int
        Depth or depths.
    minimum : int, optional
        Smallest depth allowed; 0, no layer at all, by default.

    Returns
    -------
    ndarray of float64
        The depths.

    Raises
    ------
    ValueError
        If a depth is not a whole number of at least `minimum`.

    Examples
    --------
    >>> float(depth(1000))
    1000.0
    """
    return whole("depth", value, minimum=minimum, fix="give the number of residual layers")


def lags(value: npt.ArrayLike) -> FloatArray:
    """
    Check distances between layers and drop their sign.

    Parameters
    ----------
    value : array_like of int
        Differences of two layer indices, of either sign.

    Returns
    -------
    ndarray of float64
        Their sizes.

    Raises
    ------
    ValueError
        If a lag is not a whole number.

    Examples
    --------
    >>> lags([-2, 3])
    array([2., 3.])
    """
    fix = "give distances between layers"
    return whole("lags", np.abs(real("lags", value, fix=fix)), minimum=0, fix=fix)


def alpha(value: npt.ArrayLike) -> FloatArray:
    """
    Check a layer scaling, the factor before the residual branch.

    Parameters
    ----------
    value : array_like
        Scaling or scalings.

    Returns
    -------
    ndarray of float64
        The scalings.

    Raises
    ------
    ValueError
        If a scaling is negative or not finite.

    Examples
    --------
    >>> float(alpha(0.1))
    0.1
    """
    fix = "give the factor before the residual branch, such as depth**-0.5"
    return real("alpha", value, above=0, closed_above=True, fix=fix)


def gain(value: npt.ArrayLike, *, field: str = "gain") -> FloatArray:
    """
    Check a mean-square gain E‖g(h)‖²/‖h‖² of a residual branch.

    Parameters
    ----------
    value : array_like
        Gain or gains.
    field : str, optional
        Name of the argument, "gain" by default.

    Returns
    -------
    ndarray of float64
        The gains.

    Raises
    ------
    ValueError
        If a gain is negative or not finite.

    Examples
    --------
    >>> float(gain(0.5))
    0.5
    """
    return real(field, value, above=0, closed_above=True, fix="give 0.5 for ReLU branches, 1 for linear ones")


def failure_probability(value: npt.ArrayLike) -> FloatArray:
    """
    Check the probability δ with which a bound may fail.

    Parameters
    ----------
    value : array_like
        Probability or probabilities.

    Returns
    -------
    ndarray of float64
        The probabilities.

    Raises
    ------
    ValueError
        If a probability is not inside (0, 1).

    Examples
    --------
    >>> float(failure_probability(0.05))
    0.05
    """
    return real("failure_probability", value, above=0, below=1, fix="give a small probability such as 0.05")


def plain(value: npt.ArrayLike) -> float | FloatArray:
    """
    Give numbers back as the caller gave them: a float for scalars, an array otherwise.

    Parameters
    ----------
    value : array_like
        Result of a vectorised formula.

    Returns
    -------
    float or ndarray of float64
        A Python float if `value` has no axis.

    Examples
    --------
    >>> plain(np.asarray(0.5))
    0.5
    """
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else array
