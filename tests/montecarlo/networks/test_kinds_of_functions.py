"""Functions of every kind that a user brings: what they compute, or a reason in one line."""

import functools
import math
import sys

import numba
import numpy as np
import pytest

from montecarlo import Activation, InvalidFieldError

# What a new user brings.


def double(x):
    """Twice x."""
    return 2.0 * x


def two(x):
    return 2.0


STREAM = sys.__stderr__


class _Activate:
    def __call__(self, x):
        return x

    def method(self, x):
        return x


TABLE = np.linspace(-1.0, 1.0, 21)
HALF = np.float32(0.5)
POLYNOMIAL = (0.5, 0.25, 0.125)


def _horner(x):
    total = 0.0
    for coefficient in POLYNOMIAL:
        total = total * x + coefficient
    return total


GOOD = {
    "math module": (math.sin, math.cos, math.sin),
    "numpy": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2, math.tanh),
    "jitted by options": (numba.njit(error_model="python")(double), two, double),
    "numpy scalars": (lambda x, c=HALF: c * x, lambda x: np.float64(0.5), lambda x: 0.5 * x),
    "integers": (lambda x: 1 if x > 0 else 0, lambda x: 0, lambda x: float(x > 0)),
    "truth values": (lambda x: x > 0, lambda x: False, lambda x: float(x > 0)),
    "single precision": (lambda x: np.float32(x) * HALF, lambda x: 0.5, lambda x: 0.5 * np.float32(x)),
    "a loop": (_horner, lambda x: 2.0 * 0.5 * x + 0.25, lambda x: 0.5 * x * x + 0.25 * x + 0.125),
    "a table": (
        lambda x: TABLE[int(min(max(10.0 * x, -10.0), 10.0)) + 10],
        lambda x: 0.0,
        lambda x: int(10.0 * min(max(x, -1.0), 1.0)) / 10,
    ),
    "kinks": (abs, np.sign, abs),
    "steep": (lambda x: math.sin(1e4 * x), lambda x: 1e4 * math.cos(1e4 * x), lambda x: math.sin(1e4 * x)),
    "tiny": (lambda x: 1e-30 * x**3, lambda x: 3e-30 * x**2, lambda x: 1e-30 * x**3),
    "half a line": (math.log, lambda x: 1.0 / x, lambda x: math.log(x) if x > 0 else math.nan),
    "rounding": (
        lambda x: math.log(1.0 + math.exp(x)),
        lambda x: 1.0 / (1.0 + math.exp(-x)),
        lambda x: math.log(1.0 + math.exp(x)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_functions_of_many_kinds_are_what_they_compute(case):
    value, derivative, expected = GOOD[case]
    activation = Activation("mine", value, derivative)
    for x in (-2.0, -0.75, 0.3, 1.5):
        assert activation.scalars()[0](x) == pytest.approx(expected(x), rel=1e-9, abs=1e-300, nan_ok=True)


def undecided(x):
    return x + np.random.normal()


def loud(x):
    if x > 1.0:
        raise ValueError("too large")
    return x


def printing(x):
    print(x)
    return x


def one(x):
    return 1.0


REFUSED = {
    "functools.partial": (functools.partial(math.pow, 2.0), one, "method, numba.vectorize or partial"),
    "object": (_Activate(), one, "no object"),
    "method": (_Activate().method, one, "no object"),
    "numba.vectorize": (numba.vectorize(double), one, "no object"),
    "numpy.where": (lambda x: np.where(x > 0, x, 0.0), one, "conversion from array(float64, 0d, C) to"),
    "two arguments": (lambda x, y: x, one, "function takes 2 arguments"),
    "no such name": (lambda x: nowhere * x, one, "name 'nowhere' is not defined"),  # noqa: F821
    "random": (undecided, one, "must have a value that is a function of x alone"),
    "raises": (loud, one, "must have a value at every x, and it raises ValueError: too large"),
    "beyond a table": (lambda x: TABLE[int(x)], lambda x: 0.0, "it raises IndexError: index is out"),
    "complex": (lambda x: x + 0j, one, "No conversion from complex128 to float64"),
    "print": (printing, one, "its value prints or goes back to Python"),
    "an open file": (lambda x: x + 0.0 * (STREAM is None), one, "must be copyable, and its value is not"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_activation_is_refused_in_one_line(case):
    value, derivative, words = REFUSED[case]
    with pytest.raises(InvalidFieldError) as caught:
        Activation("mine", value, derivative)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
