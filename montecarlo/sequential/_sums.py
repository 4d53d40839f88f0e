"""Running sums that do not depend on how rows are cut into batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from montecarlo.common._jit import kernel


@kernel(allocates=False)
def _add(rows, state):
    """Add rows one by one into ``state[0] + state[1]`` (A. Neumaier, ZAMM 54 (1974) 39-51)."""
    total, lost = state[0], state[1]
    for i in range(rows.size):
        x = rows[i]
        new = total + x
        if abs(total) >= abs(x):
            lost += (total - new) + x
        else:
            lost += (x - new) + total
        total = new
    state[0], state[1] = total, lost


class RunningSum:
    """A compensated sum of rows in order: the same bits for every cut into batches.

    Examples
    --------
    >>> total = RunningSum()
    >>> total.absorb(np.array([1e16, 1.0]))
    >>> total.absorb(np.array([1.0, -1e16]))
    >>> total.value
    2.0
    """

    def __init__(self) -> None:
        self._state = np.zeros(2)

    def absorb(self, rows: NDArray[np.float64]) -> None:
        """Add finite rows, shape (rows,)."""
        _add(np.ascontiguousarray(rows), self._state)

    @property
    def value(self) -> float:
        """The sum."""
        return float(self._state[0] + self._state[1])
