"""Activations by name, and the check that turns a name or a callable into a vectorised function."""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from theory.common import _validate
from theory.common._validate import FloatArray

Activation = str | Callable[[FloatArray], FloatArray]
"""A name of `ACTIVATIONS`, or a vectorised function of a float64 array."""

LEAKY_SLOPE = 0.01
"""Slope of the leaky ReLU on negative numbers."""

ROOT_HALF = math.sqrt(0.5)


def _leaky(x: FloatArray) -> FloatArray:
    return np.where(x > 0, x, LEAKY_SLOPE * x)


def _gelu(x: FloatArray) -> FloatArray:
    # erfc keeps the relative precision of the negative tail, which 1 + erf loses.
    return 0.5 * x * special.erfc(-ROOT_HALF * x)


_FUNCTIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "erf": special.erf,
    "gelu": _gelu,
    "identity": lambda x: x,
    "leaky-relu": _leaky,
    "relu": lambda x: np.maximum(x, 0.0),
    "sin": np.sin,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "tanh": np.tanh,
}

ACTIVATIONS = tuple(_FUNCTIONS)
"""Names that stand for activations: leaky-relu has slope 0.01, gelu is the exact erf form."""


def activation_function(activation: Activation) -> Callable[[FloatArray], FloatArray]:
    """
    Return the vectorised function that an activation stands for.

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function, which is returned as it is.

    Returns
    -------
    callable
        From float64 arrays to float64 arrays of the same shape.

    Raises
    ------
    ValueError
        If the name is unknown, or the argument neither a name nor callable.

    Examples
    --------
    >>> activation_function("leaky-relu")(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    if isinstance(activation, str):
        fix = "or give a vectorised function"
        return _FUNCTIONS[_validate.choice("activation", activation, ACTIVATIONS, fix=fix)]
    if not callable(activation):
        raise ValueError(f"activation={activation!r}: must be a name or callable; give e.g. 'relu'")
    return activation
