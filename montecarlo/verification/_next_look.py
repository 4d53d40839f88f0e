"""When to look again: at the rows that a test seems to need.

An always-valid test may be looked at whenever what was seen so far suggests it, so a run need not take half
as many rows again when a fiftieth of them would do. The rows of the next look are a function of the rows
before: what is decided still depends on the seed alone.
"""

from __future__ import annotations

import math

from montecarlo.sequential import SequentialResult

GROWTH = 1.5
"""Rows at a look over those at the look before, at most."""

_LEAST_GROWTH = 1.02  # a look costs little beside so many networks
_LANES = 64  # engines draw up to so many networks at once


def next_look(rows: int, seen: SequentialResult | None, allowance: float = 0.0) -> int:
    """Return the rows at the next look.

    Parameters
    ----------
    rows
        Rows at the last look, at least 1.
    seen
        What it saw; None where the rows of looks must not depend on what was seen.
    allowance
        By how much its interval is wider at any number of rows.

    Examples
    --------
    >>> next_look(1000, None)
    1500
    >>> seen = SequentialResult(kind="BoundedMean", predicted=0.5, estimate=0.5, interval=(0.489, 0.511),
    ...     resolution=0.01, e_value=0.01, p_bound=1.0, false_alarm=1e-6, n=1000)
    >>> next_look(1000, seen)
    1216
    """
    most = max(int(rows * GROWTH), rows + 1)
    if seen is None:
        return most
    needed = max(rows * _LEAST_GROWTH, rows_needed(rows, seen, allowance))
    return most if needed >= most else min(most, math.ceil(needed / _LANES) * _LANES)


def rows_needed(rows: int, seen: SequentialResult, allowance: float = 0.0) -> float:
    """Return with how many rows the test would end, roughly; inf where that cannot be said.

    Intervals shrink like the square root of the rows.
    """
    return rows * _excess(seen, allowance) ** 2 if seen.resolution > allowance else math.inf


def _excess(seen: SequentialResult, allowance: float) -> float:
    """Return how many times narrower than now the interval must be for the test to end, roughly.

    Where the estimate is off the prediction this may be noise, which shrinks like the interval, or a
    difference that stays. Up to half of the width it is taken for what asks for fewer rows, since the look
    after next mends it; noise is hardly larger.
    """
    lower, upper = seen.interval
    resolution = seen.resolution - allowance
    sides = {"at most": [(upper - seen.estimate - allowance, seen.estimate - seen.predicted)],
             "at least": [(seen.estimate - lower - allowance, seen.predicted - seen.estimate)]}  # fmt: skip
    both = sides["at most"] + sides["at least"]
    found = []
    for width, offset in sides.get(seen.claim, both):
        stays = width / (resolution - offset) if offset < resolution else math.inf
        shrinks = (width + offset) / resolution
        found.append(min(stays, shrinks) if abs(offset) < width / 2.0 else stays)
    return max((number for number in found if math.isfinite(number)), default=math.inf)
