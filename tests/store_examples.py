"""Small records and rows for tests of results folders."""

from __future__ import annotations

import numpy as np

from montecarlo.runs import Columns


def record(number: int = 0, **others: object) -> dict:
    """Return a run's record, another one for each number."""
    return {
        "kind": "sample",
        "specification": {
            "width": 8,
            "depth": 10 + number,
            "beta": 0.5,
            "alpha": None,
            "weights": "gaussian",
        },
        "seed": 7,
        "stream_format": 1,
        "columns": {"x": [], "path": [3]},
        **others,
    }


def rows(start: int, stop: int, number: int = 0) -> Columns:
    """Return rows of a run, functions of run and replica; one in seven is NaN, and one minus infinity."""
    replica = np.arange(start, stop, dtype=np.float64)
    x = np.sin(replica + 0.1 * number)
    x[np.arange(start, stop) % 7 == 3] = np.nan
    x[np.arange(start, stop) % 7 == 4] = -np.inf
    return {"x": x, "path": np.cos(replica[:, None] + 0.1 * number + np.arange(3))}


def same(found: Columns, expected: Columns) -> bool:
    """Whether rows are equal bit for bit."""
    return found.keys() == expected.keys() and all(
        found[name].shape == expected[name].shape and found[name].tobytes() == expected[name].tobytes()
        for name in expected
    )
