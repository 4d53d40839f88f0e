"""Numbers given for all layers at once or one by one."""

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray


def per_layer(field: str, value: npt.ArrayLike, depth: int, *, positive: bool, fix: str) -> FloatArray:
    """
    Return one number a layer.

    Parameters
    ----------
    field : str
        Name of the argument, for the message.
    value : float or array_like (depth,)
        One number for all layers, or the numbers of layers 1 to L.
    depth : int
        L >= 1.
    positive : bool
        Whether negative numbers are refused (0 is allowed).
    fix : str
        What to give instead.

    Returns
    -------
    ndarray of float64 (depth,)

    Raises
    ------
    ValueError
        If there are more or fewer numbers than layers, or one is out of range.

    Examples
    --------
    >>> per_layer("alpha", [0.1, 0.2, 0.3], 2, positive=True, fix="give the layer scalings")
    Traceback (most recent call last):
    ...
    ValueError: alpha has 3 numbers: must be one, or one for each of the 2 layers; give the layer scalings
    """
    above = 0.0 if positive else -np.inf
    numbers = _validate.real(field, value, above=above, closed_above=True, fix=fix)
    if numbers.shape not in ((), (depth,)):
        raise ValueError(
            f"{field} has {numbers.size} numbers: must be one, or one for each of the {depth} layers; {fix}"
        )
    return np.broadcast_to(numbers, (depth,))


def scalings(alpha: npt.ArrayLike, depth: int) -> FloatArray:
    """
    Return a_1..a_L, the factors of the branches.

    Examples
    --------
    >>> scalings(0.5, 3).tolist()
    [0.5, 0.5, 0.5]
    """
    fix = "give the factors before the branches, such as depth**-0.5"
    return per_layer("alpha", alpha, depth, positive=True, fix=fix)


def skips(skip: npt.ArrayLike, depth: int) -> FloatArray:
    """
    Return b_1..b_L, the factors of the stream.

    Examples
    --------
    >>> skips([1.0, -0.5], 2).tolist()
    [1.0, -0.5]
    """
    fix = "give the factors of the stream, 1 for a plain residual network"
    return per_layer("skip", skip, depth, positive=False, fix=fix)
