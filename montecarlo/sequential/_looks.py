"""The fixed look times of sequences for whole distribution functions.

They are at ``n_k = ceil(10 · 1.2^k)`` rows, k = 0, 1, ..., fixed before sampling, and look k may spend the
share ``16/((k + 16)(k + 17))`` of the false alarm; the shares add up to 1 (a telescope). A bound valid at one
fixed n for each look is therefore valid at all looks at once, and what it says stands until the next look:
valid at all times. Between looks up to a sixth of the rows wait unused.
"""

from __future__ import annotations

import math

_FIRST, _RATIO = 10.0, 1.2
_EVEN = 16.0  # the first looks, which see little, get shares of this order


def look_rows(k: int) -> int:
    """Return the number of rows at look k.

    Examples
    --------
    >>> [look_rows(k) for k in range(5)]
    [10, 12, 15, 18, 21]
    """
    return math.ceil(_FIRST * _RATIO**k - 1e-9)


def look_cost(k: int) -> float:
    """Return the inverse of the share of the false alarm that look k may spend.

    Examples
    --------
    >>> look_cost(0), round(sum(1 / look_cost(k) for k in range(100_000)), 3)
    (17.0, 1.0)
    """
    return (k + _EVEN) * (k + _EVEN + 1.0) / _EVEN
