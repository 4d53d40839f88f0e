"""How kernels are told of a sentence: a small code a word.

The codes are the one thing that kernels know of the block language. A kernel goes through an array of them
and calls one function a word; it has no block's name and no order of words of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

NORM, LINEAR_W, BIAS, ACTIVATION, LINEAR_V, BRANCH_NORM, STREAM_NORM, SIGNED_ACTIVATION = range(8)

CODES: dict[str, int] = {
    "norm": NORM,
    "linear W": LINEAR_W,
    "bias": BIAS,
    "activation": ACTIVATION,
    "linear V": LINEAR_V,
    "branch-norm": BRANCH_NORM,
    "stream-norm": STREAM_NORM,
    "outer activation": ACTIVATION,
    "signed activation": SIGNED_ACTIVATION,
}
"""The words that kernels perform one after the other, as `montecarlo.networks.blocks._block` spells them.

An activation is performed in one way wherever it stands. It has another word behind the last matrix because
not all that is true of branches that end with a matrix is true there.
"""

NO_NORM, RMS, LAYER, TANH = range(4)

NORM_KINDS = {"none": NO_NORM, "rms": RMS, "layer": LAYER, "tanh": TANH}
"""What the norms of a network divide by (`montecarlo.networks._norms.Norm`)."""


def encode(words: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the codes of a sentence, in its order.

    Words without a code say how the stream goes on (a width, a factor), and have no place in the order.

    Examples
    --------
    >>> encode(("linear W", "bias", "activation", "linear V"))
    array([1, 2, 3, 4])
    """
    return np.array([CODES[word] for word in words if word in CODES], np.int64)
