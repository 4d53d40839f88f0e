"""Powers of two that vectors are held over, so that streams without norms stay within float range.

A vector is ``2**power`` times what is held of it: tokens of a network have one power, their tangents another.
Powers of two are exact, so that nothing of a row depends on them until a number is lost beside a larger one.
They are 0 until a stream is far from 1.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import helper, inline

_ZERO = np.uint64(0)
_LN2 = 0.6931471805599453
_FAR = 2.0**50  # a number that is held over a power, as its inverse is
_NEAR = np.int64(125)  # powers between which sums do not change theirs
_FARTHEST = np.int64(1000)
_LIMIT = np.int64(1) << np.int64(60)

STREAM, INPUT, BRANCH = (np.uint64(i) for i in range(3))
"""Places in the arrays of powers: the stream, the Gram matrix of a branch's input, the branch."""


class Powers(NamedTuple):
    """By place."""

    tokens: Any
    tangents: Any


@inline
def two_to(power):
    """Return 2**power, within 2**±1000."""
    return math.ldexp(1.0, int(min(max(power, -_FARTHEST), _FARTHEST)))


@inline
def split(x):
    """Return a number far from 1 as one near 1 and its power of two; others, and 0, as they are."""
    size = abs(x)
    if size == 0.0 or not size < np.inf or 1.0 / _FAR < size < _FAR:
        return x, np.int64(0)
    power = np.int64(math.frexp(size)[1])
    # In two steps: the power may be beyond that of any number.
    half = power // np.int64(2)
    return math.ldexp(math.ldexp(x, int(-half)), int(half - power)), power


@inline
def log_of(power):
    """Return the natural log of 2**power."""
    return np.float64(power) * _LN2


@inline
def held(powers):
    """Whether the powers themselves are far from the largest whole number."""
    return abs(powers.tokens[STREAM]) < _LIMIT and abs(powers.tangents[STREAM]) < _LIMIT


@helper
def scale_tokens(gram, n, m, columns, factor):
    """Multiply tokens, not their tangents, by a factor in the Gram matrix of both."""
    for i in range(_ZERO, m):
        for j in range(_ZERO, m):
            if i < n:
                gram[i * columns + j] *= factor
            if j < n:
                gram[i * columns + j] *= factor


@helper
def make_room_for_bias(powers, place, bias, gram, n, m, columns):
    """Hold tokens that a bias outweighs as they are; return the bias over their power."""
    power = powers.tokens[place]
    if bias > 0.0 and power < 0:
        scale_tokens(gram, n, m, columns, two_to(power))
        powers.tokens[place] = power = np.int64(0)
    return bias * two_to(-power)


@helper
def norm_scales(eps, powers, place):
    """Return factors of mean squares and of ε in a norm's root, and set the powers behind the norm.

    What is behind it is of order 1, but where ε outweighs the tokens: there it is their multiple.
    """
    power = powers.tokens[place]
    own = eps * two_to(-np.int64(2) * power)
    if own < 2.0**200:
        powers.tokens[place] = 0
        powers.tangents[place] -= power
        return 1.0, own
    return two_to(np.int64(2) * power), eps


@inline
def sum_of(first, a, second, b):
    """Return the power of ``first 2**a + second 2**b``, and both factors over it: a, if that is near."""
    first, more = split(first)
    own, a = a, a + more
    second, more = split(second)
    b += more
    power = max(a, b)
    if first == 0.0:
        power = b
    if second == 0.0:
        power = a
    if abs(power - own) <= _NEAR:
        power = own
    return power, first * two_to(a - power), second * two_to(b - power)
