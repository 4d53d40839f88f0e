"""`Outcome`: what is kept of a trained network."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common.files import replaced_file
from montecarlo.estimates import Estimate
from montecarlo.training._plan import TrainingItem


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Numbers of a network at one moment, before or after training.

    Attributes
    ----------
    log_ratios : mapping of str to float or None
        The four log-ratios of `montecarlo.LOG_RATIOS`, each the mean over `examples` test examples, where
        p_L is the gradient of the example's loss; None where none of them is finite.
    nonfinite : mapping of str to int
        Examples that were left out of each mean.
    examples : int
        Examples of each.
    regularity : Estimate or None
        Index of the V_k along depth, `montecarlo.estimates.path_regularity`; None for fewer than 16 layers.
    regularity_without_mean : Estimate or None
        The same from differences of neighbouring sums, blind to the mean of an entry along depth.
    change_regularity : Estimate or None
        Index of what training has added to the V_k, from differences as well, so between 1 and 2 where that
        is a continuous function of depth; None before training, or where it has added nothing.
    norms : mapping of str to float
        Of the V_k, in Frobenius norms: `mean` and `largest` of ‖V_k‖; `increment`, the mean of
        ‖V_{k+1} − V_k‖; `sum`, ‖V_1 + ... + V_L‖; after training also `change`, the mean of ‖D_k‖, and
        `change_sum`, ‖D_1 + ... + D_L‖, where D_k is what training has added to V_k.
    """

    log_ratios: Mapping[str, float | None]
    nonfinite: Mapping[str, int]
    examples: int
    regularity: Estimate | None
    regularity_without_mean: Estimate | None
    change_regularity: Estimate | None
    norms: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is kept of a trained network.

    Attributes
    ----------
    item : TrainingItem
        The network and how it was trained.
    fingerprint : str
        Of the data.
    accuracy : float or None
        Share of the test examples that are classified right; None for a network that diverged.
    test_loss : float or None
        Mean cross-entropy on them.
    diverged_at : int or None
        The first step whose loss was not finite (the number of steps where the weights left the finite
        numbers in the last one); None for a network that did not diverge.
    losses : tuple of float or None
        Mean cross-entropy of each step's batch; None where it was not finite.
    before : Measured
        The network at its start.
    after : Measured or None
        After training; None for a network that diverged.
    """

    item: TrainingItem
    fingerprint: str
    accuracy: float | None
    test_loss: float | None
    diverged_at: int | None
    losses: tuple[float | None, ...]
    before: Measured
    after: Measured | None

    @property
    def diverged(self) -> bool:
        """Whether the loss or the weights left the finite numbers."""
        return self.diverged_at is not None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON-serialisable values, without NaN or infinities."""
        record = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        record["item"] = self.item.canonical()
        record["before"] = _plain(asdict(self.before))
        record["after"] = _plain(asdict(self.after)) if self.after is not None else None
        record["losses"] = list(self.losses)
        return record


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """An outcome with the arrays before and after.

    Attributes
    ----------
    outcome : Outcome
    before, after : mapping of str to array of float32
        V (L, d, d), A (d, n), B (classes, d), and W (L, d, d), b (L, d) where there are any; scaled as in the
        recursion of `montecarlo.ResNet`.
    """

    outcome: Outcome
    before: Mapping[str, npt.NDArray[np.float32]]
    after: Mapping[str, npt.NDArray[np.float32]]

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the arrays to a .npz file as ``before_V``, ``after_V``, ..., whole or not at all."""
        named = {
            f"{moment}_{name}": array
            for moment, arrays in (("before", self.before), ("after", self.after))
            for name, array in arrays.items()
        }
        with replaced_file(Path(path)) as temporary, open(temporary, "wb") as handle:
            np.savez(handle, **named)  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    """Replace infinities, which JSON lacks, by their names."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
