"""The class of a model's depth: identity, critical, polynomial or exponential.

Three quantities, one number a seed and depth:

* the *branches*: how much all blocks together put beside the start. Without a norm, and with one after each
  addition, T = Σ_k turn_k, minus the log of the share of h_0 in h_L; with a norm at the branch's input E =
  Σ_k ‖f_k‖²/‖h_0‖², since branches do not see the stream's length there. Either is a power L^u at large
  depth: u < 0 is the identity, u = 0 critical. Above 0, a stream to which branches add what does not depend
  on it grows like a power of depth (N3), one that they multiply grows exponentially, or like exp(L^u)
  (I11).
* the log growth of the *stream*, log rms h_L − log rms h_0, and of the *gradient*, log rms p_0 − log rms p_L.
  Growth per doubling of depth that itself grows with depth is exponential, whatever the branches do.

The class is that of the branches, or a worse one that the stream or the gradient is shown to have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from montecarlo.common._json import finite
from montecarlo.practice._student import interval_of

CLASSES = ("identity", "critical", "polynomial", "exponential")
MARGIN = 0.25  # of u around 0 that counts as critical: half of what separates β = 1/2 from β = 3/8 and 5/8
STILL = math.log(0.01)  # log movement below which a network is the identity at the depths asked
_CURVED = 0.5  # growth per log depth ~ L^q: q above this is exponential, below it a power of depth
Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Growth:
    """How one quantity depends on depth.

    Parameters
    ----------
    quantity : {"branches", "stream", "gradient"}
        What grows.
    exponent : float
        Of branches, u of T or E ~ L^u; of stream and gradient, growth of the log per log depth: the power of
        L at the larger depths.
    interval : (float, float)
        Of the exponent, at the check's false alarm.
    found : str
        The class, or "undecided"; stream and gradient that stay of order one are "critical".
    levels : tuple of float
        Mean over seeds at each depth: log T or log E, or the log growth.
    """

    quantity: str
    exponent: float
    interval: tuple[float, float]
    found: str
    levels: tuple[float, ...]

    def record(self) -> dict[str, object]:
        """Return JSON-serialisable values; null where a number is not finite."""
        return {
            "quantity": self.quantity, "exponent": finite(self.exponent),
            "interval": [finite(x) for x in self.interval], "class": self.found,
            "levels": [finite(x) for x in self.levels],
        }  # fmt: skip


def branch_growth(
    rows: Rows, depths: Sequence[int], false_alarm: float, *, multiplied: bool | None
) -> Growth:
    """Return the class of the branches from log T or log E, shape (seeds, depths).

    `multiplied` says whether branches grow with the stream; None where that is not known.
    """
    levels = tuple(float(x) for x in rows.mean(axis=0))
    if (rows == -math.inf).all():  # all branches are 0
        return Growth("branches", math.nan, (-math.inf, math.inf), "identity", levels)
    with np.errstate(invalid="ignore"):
        slopes = rows @ _slope_weights(depths)
    exponent, low, high = interval_of(slopes, false_alarm)
    if high < -MARGIN:
        found = "identity"
    elif low > -MARGIN and high < MARGIN:
        found = "critical"
    elif low > MARGIN and multiplied is not None:
        found = "exponential" if multiplied else "polynomial"
    else:
        found = "undecided"
    return Growth("branches", exponent, (low, high), found, levels)


def level_growth(quantity: str, rows: Rows, depths: Sequence[int], false_alarm: float) -> Growth:
    """Return the class of the stream or the gradient from its log growth, shape (seeds, depths)."""
    log_depth = np.log(np.asarray(depths, dtype=np.float64))
    middle = len(depths) // 2
    early, late = _secant(log_depth, 0, middle), _secant(log_depth, middle, len(depths) - 1)
    exponent, low, high = interval_of(rows @ late, false_alarm / 2)
    levels = tuple(float(x) for x in rows.mean(axis=0))
    if low > -MARGIN and high < MARGIN:
        return Growth(quantity, exponent, (low, high), "critical", levels)
    found = "undecided"
    sign = 1.0 if exponent > 0 else -1.0
    if low > MARGIN or high < -MARGIN:
        # Slopes of L^q between the geometric means of both halves' ends are as (their ratio)^q.
        apart = 0.5 * (log_depth[-1] - log_depth[0])
        bend = sign * (rows @ late - math.exp(_CURVED * apart) * (rows @ early))
        _, least, most = interval_of(bend, false_alarm / 2)
        found = "exponential" if least > 0 else "polynomial" if most < 0 else "undecided"
    return Growth(quantity, exponent, (low, high), found, levels)


def worst(branches: Growth, stream: Growth, gradient: Growth | None) -> str:
    """Return the class of all: that of the branches, or a worse one that stream or gradient are shown to
    have.

    Stream and gradient may be left open by few seeds: what they are not shown to be does not count.
    """
    others = [growth.found for growth in (stream, gradient) if growth is not None]
    if "exponential" in others:
        return "exponential"
    if branches.found == "undecided":
        return "undecided"
    return max([branches.found, *(found for found in others if found == "polynomial")], key=CLASSES.index)


def _slope_weights(depths: Sequence[int]) -> Rows:
    """Return the weights of a least-squares slope against log depth."""
    x = np.log(np.asarray(depths, dtype=np.float64))
    centred = x - x.mean()
    return centred / float(centred @ centred)


def _secant(log_depth: Rows, start: int, end: int) -> Rows:
    weights = np.zeros(len(log_depth))
    weights[end] = 1.0 / (log_depth[end] - log_depth[start])
    weights[start] = -weights[end]
    return weights
