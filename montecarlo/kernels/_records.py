"""What belongs together in a kernel's arguments: named tuples.

`Constants`, `Draw` and `Sigma` say what is sampled, `Outputs` where the results go. The types of their fields
are their annotations. A kernel with many records takes them by address (`montecarlo.kernels._images`); one
with few takes them by value, and is compiled for exactly the types in capitals when its module is imported.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np

from montecarlo.common._jit import helper, inline
from montecarlo.common._scalars import smaller
from montecarlo.kernels._images import by_value
from montecarlo.kernels._spans import DoubleRows, Doubles, Integers
from montecarlo.kernels._state import SCALAR_FUNCTION
from montecarlo.streams._address import Address


class Constants(NamedTuple):
    """A specification in numbers: all that a kernel knows of a `ResNet` but its functions."""

    sentence: Integers
    """Codes of `montecarlo.kernels._words`."""
    width: int
    depth: int
    alpha: float
    """α, the scaling before its schedule."""
    bias_std: float
    negative_slope: float
    """Of a piecewise linear activation, NaN for others."""
    input_dim: int
    input_scale: float
    norm: int
    """Kind, of the same place."""
    norm_eps: float
    norm_gamma: float
    vanishes: bool
    """Whether the weight law has atoms: a layer may map a state to exactly zero."""
    alphas: Doubles
    """a_k layer by layer, or α alone where all are equal; see `alpha_of`."""
    skip: float
    """b, the factor of the stream."""
    hidden_width: int
    """M; the width where the branch has no matrix W."""


CONSTANTS = by_value(Constants)


@inline
def alpha_of(constants, k):
    """Return a_k, the factor of the branch in layer k = 0 ... L-1."""
    return constants.alphas[smaller(np.int64(k), np.int64(constants.alphas.size - 1))]


class Sigma(NamedTuple):
    """The activation, its derivative, and its slope below zero where it is piecewise linear (else NaN)."""

    value: Annotated[Any, SCALAR_FUNCTION]
    slope: Annotated[Any, SCALAR_FUNCTION]
    negative_slope: float


class Draw(NamedTuple):
    """The key of the random streams and the first replica of a block."""

    k0: np.uint32
    k1: np.uint32
    first_replica: np.uint64

    @classmethod
    def of(cls, key: tuple[int, int], first_replica: int) -> Draw:
        """Return them as kernels take them."""
        return cls(np.uint32(key[0]), np.uint32(key[1]), np.uint64(first_replica))


DRAW = by_value(Draw)


@helper
def address_of(draw, row):
    """Return the address of a row of a block."""
    replica = draw.first_replica + np.uint64(row)
    low = np.uint32(replica & np.uint64(0xFFFFFFFF))
    return Address(draw.k0, draw.k1, low, np.uint32(replica >> np.uint64(32)))


class Outputs(NamedTuple):
    """What a kernel writes, an array a quantity, one row a network; what nobody asked for has no columns.

    The four log-ratios; log ‖h_k‖/‖h_0‖ and log ‖p_k‖/‖p_L‖ along depth; log-norms of the weight gradients
    and of those of the factors a_k, over ‖p_L‖‖h_0‖; h_L and p_0, each up to a power of two.
    """

    rows: DoubleRows
    hidden_path: DoubleRows
    gradient_path: DoubleRows
    weight_v: DoubleRows
    weight_w: DoubleRows
    gates: DoubleRows
    last_hidden: DoubleRows
    first_gradient: DoubleRows

    def part(self, first: int, last: int) -> Outputs:
        """Return the rows of some of the networks."""
        return Outputs(*(array[first:last] for array in self))


OUTPUTS = by_value(Outputs)
