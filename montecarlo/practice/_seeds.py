"""What is kept of one model of a check: its curves along depth, and a few numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from montecarlo.practice._stream import Curve, Stream, rows_of


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers of one model; logarithms are natural.

    Parameters
    ----------
    log_hidden, log_branch, log_gradient, log_largest, turns : arrays
        As in `Stream`.
    log_energy, log_movement : float
        As in `Stream`.
    row_growth, row_gradient_growth : float
        log ‖h_L‖/‖h_0‖ and log ‖p_0‖/‖p_L‖ of the first row (a token, an image) of the batch alone, which
        have the laws that theory gives for one input.
    """

    log_hidden: Curve
    log_branch: Curve
    log_gradient: Curve
    log_largest: Curve
    turns: Curve
    log_energy: float
    log_movement: float
    row_growth: float
    row_gradient_growth: float

    @property
    def log_turns(self) -> float:
        """Log Σ_k turn_k."""
        total = float(np.nansum(self.turns)) if np.isfinite(self.turns).any() else math.nan
        return math.log(total) if total > 0 else -math.inf if total == 0 else math.nan

    @property
    def stream_growth(self) -> float:
        """Log rms h_L − log rms h_0."""
        return float(self.log_hidden[-1] - self.log_hidden[0])

    @property
    def gradient_growth(self) -> float:
        """Log rms p_0 − log rms p_L; NaN without gradients."""
        return float(self.log_gradient[0] - self.log_gradient[-1])

    @property
    def branch_degree(self) -> float:
        """Slope of log branch against log stream along depth; NaN where the stream hardly grows."""
        x, y = self.log_hidden[:-1], self.log_branch
        if not (np.isfinite(x).all() and np.isfinite(y).all()) or np.ptp(x) < 1.0:
            return math.nan
        return float(np.polyfit(x, y, 1)[0])


def measure(stream: Stream) -> Measured:
    """Return the numbers of a stream."""
    return Measured(
        stream.log_hidden, stream.log_branch, stream.log_gradient, stream.log_largest, stream.turns,
        stream.log_energy, stream.log_movement, _first_row(stream.hidden[-1], stream.hidden[0]),
        math.nan if stream.gradients is None else _first_row(stream.gradients[0], stream.gradients[-1]),
    )  # fmt: skip


def _first_row(above: object, below: object) -> float:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        sizes = [float(np.linalg.norm(rows_of(np.asarray(h))[0])) for h in (above, below)]
        return float(np.log(sizes[0]) - np.log(sizes[1]))
