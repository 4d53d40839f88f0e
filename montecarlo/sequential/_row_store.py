"""Rows kept in their order of arrival, and sorted ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RowStore:
    """A growing array of rows.

    Examples
    --------
    >>> store = RowStore()
    >>> store.append(np.arange(3.0))
    >>> store.append(np.arange(2.0))
    >>> store.n, store.first(4)
    (5, array([0., 1., 2., 0.]))
    """

    def __init__(self) -> None:
        self._rows = np.empty(1024)
        self.n = 0

    def append(self, rows: NDArray[np.float64]) -> None:
        """Add rows, shape (rows,), at the end."""
        n = self.n + rows.size
        if n > self._rows.size:
            larger = np.empty(max(n, 2 * self._rows.size))
            larger[: self.n] = self._rows[: self.n]
            self._rows = larger
        self._rows[self.n : n] = rows
        self.n = n

    def first(self, n: int) -> NDArray[np.float64]:
        """Return the first n rows, not to be changed."""
        return self._rows[:n]


def merged(run: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a sorted run with more rows in it: a stable sort merges runs.

    Examples
    --------
    >>> merged(np.array([1.0, 3.0]), np.array([2.0, 0.0]))
    array([0., 1., 2., 3.])
    """
    return np.sort(np.concatenate((run, np.sort(rows))), kind="stable")
