"""Rows of runs, as samplers, results folders and runs speak of them: columns, replicas, keys, ranges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import check_whole

Columns = dict[str, npt.NDArray[np.float64]]

REPLICA_LIMIT = 2**63 - 1
"""Replica indices are int64 in tables."""


def check_replicas(replicas: int, first_replica: int) -> tuple[int, int]:
    """Return a number of rows and the first of them, checked.

    Raises
    ------
    InvalidFieldError
        For numbers that are not whole or out of range.
    """
    replicas = check_whole("replicas", replicas, 1, REPLICA_LIMIT, 1000)
    return replicas, check_whole("first_replica", first_replica, 0, REPLICA_LIMIT - replicas, 0)


def record_key(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a run's record, hexadecimal.

    Examples
    --------
    >>> record_key({"seed": 7, "kind": "sample"}) == record_key({"kind": "sample", "seed": 7})
    True
    """
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def complement(ranges: list[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """Return what sorted disjoint ranges leave of ``start ... stop - 1``.

    Examples
    --------
    >>> complement([(2, 4), (7, 9)], 0, 9)
    [(0, 2), (4, 7)]
    """
    gaps = []
    for first, last in ranges:
        if first > start:
            gaps.append((start, first))
        start = last
    return [*gaps, (start, stop)] if start < stop else gaps
