"""A layer of the radial engine in numbers, and how a norm changes it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from montecarlo.common._jit import allocating_helper, helper
from montecarlo.kernels._records import alpha_of
from montecarlo.kernels._room import zeros
from montecarlo.kernels._words import BRANCH_NORM, LINEAR_W, NORM, STREAM_NORM

_ZERO = np.uint64(0)

PLAIN = 0
"""No norm."""
INNER = 1
"""On the branch's input: layers are steps in true scale that do not depend on the state."""
UNIFORM = 2
"""On the branch's output, too: the steps have length a√d."""
OUTER = 3
"""On the stream: the walk is that of the same network without it, and the length is √d."""


class Step(NamedTuple):
    """A layer in numbers; see `build_step`."""

    factors: Any
    """a²/(d M), or a²/d where no W halves the units, in units of ``2**(2 unit)``: a chunk of layers."""
    skip: float
    frozen: float
    """1 where what scales a layer stays 1, else 0."""
    bend: float
    """0 where there is nothing across, at width 1."""
    unit: int
    tiny: bool
    halves: bool
    norm: int
    """How the norm stands: one of those above."""


@helper
def has_w(constants):
    """Return whether a fresh W halves the units."""
    found = False
    for word in constants.sentence:
        found = found or word == LINEAR_W
    return found


@helper
def norm_of(constants):
    """Return how the norm stands."""
    norm = PLAIN
    for word in constants.sentence:
        if word == NORM:
            norm = INNER
        elif word == BRANCH_NORM:
            norm = UNIFORM
        elif word == STREAM_NORM:
            norm = OUTER
    return norm


@allocating_helper
def build_step(constants, layers):
    """Return a layer in numbers, with room for the factors of some layers.

    Below 2**-100 the norm of h stays 1 to the last digit, while squares of α would underflow: the difference
    is then counted in units of a power of two near α, and so it is where it does not depend on h. A fresh W
    and a ReLU leave a random half of the units.
    """
    halves, norm = has_w(constants), norm_of(constants)
    largest = 0.0
    for alpha in constants.alphas:
        largest = max(largest, alpha)
    apart = norm in (INNER, UNIFORM)
    tiny = apart or (constants.skip == 1.0 and largest < 2.0**-100)
    unit = math.frexp(largest)[1] if tiny else 0
    bend = 0.0 if constants.width == 1 else 1.0
    frozen = 1.0 if tiny else 0.0
    step = Step(zeros(layers, np.float64), constants.skip, frozen, bend, unit, tiny, halves, norm)
    set_factors(step, constants, 0, False)
    return step


@helper
def set_factors(step, constants, first, backwards):
    """Set the factors of the layers from one on, or from one back."""
    d, units = np.float64(constants.width), np.float64(constants.hidden_width)
    for i in range(step.factors.size):
        layer = min(first + i, constants.depth - 1)
        scaled = math.ldexp(
            alpha_of(constants, constants.depth - 1 - layer if backwards else layer), -step.unit
        )
        square = scaled * scaled
        if step.norm == UNIFORM:
            step.factors[i] = square
        elif step.norm == INNER:
            step.factors[i] = square / units if step.halves else square
        else:
            step.factors[i] = square / (d * units) if step.halves else square / d


@helper
def set_lengths(step, n, width, draws):
    """Turn the draws of some steps into those of uniform directions: d over the square of what is drawn."""
    d = np.float64(width)
    for i in range(_ZERO, n):
        first, second = np.float64(draws.z1[i]), step.bend * np.float64(draws.z2[i])
        square = first * first + second * second + np.float64(draws.rest_square[i])
        moves = square > 0.0 and not (step.halves and draws.active[i] == np.uint32(0))
        draws.active_square[i] = np.float32(d / square) if moves else np.float32(0.0)
