"""`NumberTest`: what experiments and claims ask of a sequential test, and how they make it aim."""

from __future__ import annotations

from typing import Any, Protocol

import numpy.typing as npt

from montecarlo.sequential import CdfBand, Claim, SequentialResult, TwoSampleCdf
from montecarlo.sequential._sequence import NumberSequence


class NumberTest(Protocol):
    """The sequences of `montecarlo.sequential` for one number."""

    def update(self, rows: npt.ArrayLike, /) -> Any:
        """Take rows in."""
        ...

    def result(self, predicted: float, /, *, resolution: float, claim: Claim) -> SequentialResult:
        """Return where the test of a prediction stands."""
        ...


def aimed(test: Any, resolution: float) -> Any:
    """Return a test that aims at errors of the size asked for, unless it has rows or an aim already.

    One that is not of `montecarlo.sequential` is left alone: its `aim` may be anything.
    """
    ours = isinstance(test, NumberSequence | CdfBand | TwoSampleCdf)
    if ours and resolution > 0.0 and test.aims_at is None and not test.n and not test.n_nonfinite:
        test.aim(resolution)
    return test
