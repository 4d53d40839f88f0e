"""Outcomes as columns of numbers, the form in which rows travel and results folders keep them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.estimates import Estimate
from montecarlo.estimates._regularity import METHOD, SINGLE_PATH
from montecarlo.samples.independent._sample import LOG_RATIOS
from montecarlo.training._outcome import Measured, Outcome
from montecarlo.training._plan import TrainingItem
from montecarlo.training._scaling import NORMS

Columns = dict[str, npt.NDArray[np.float64]]

_MOMENTS = ("before", "after")
_INDICES = ("regularity", "regularity_without_mean", "change_regularity")
_OF_CHANGES = ("change_regularity", "change", "change_sum")
"""What is not there before training."""


def outcome_cells(steps: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of one row's cell in each column, for a number of training steps.

    Examples
    --------
    >>> cells = outcome_cells(120)
    >>> cells["accuracy"], cells["losses"], cells["before_regularity"]
    ((), (120,), (5,))
    """
    cells: dict[str, tuple[int, ...]] = {
        "accuracy": (),
        "test_loss": (),
        "diverged_at": (),
        "losses": (steps,),
    }
    for moment in _MOMENTS:
        names = [*LOG_RATIOS, *(f"{name}_nonfinite" for name in LOG_RATIOS), "examples"]
        cells |= {f"{moment}_{name}": () for name in names}
        cells |= {f"{moment}_{name}": (5,) for name in _INDICES if _is_there(moment, name)}
        cells |= {f"{moment}_norm_{name}": () for name in NORMS if _is_there(moment, name)}
    return cells


def outcome_columns(outcome: Outcome) -> Columns:
    """Return an outcome as columns of one row.

    Not a number stands for what an outcome has not. An index of regularity is its value, lower and upper
    bound, confidence and number of paths.
    """
    row: dict[str, Any] = {
        "accuracy": _number(outcome.accuracy),
        "test_loss": _number(outcome.test_loss),
        "diverged_at": _number(outcome.diverged_at),
        "losses": [_number(loss) for loss in outcome.losses],
    }
    for moment, measured in zip(_MOMENTS, (outcome.before, outcome.after), strict=True):
        if measured is not None:
            row |= {f"{moment}_{name}": value for name, value in _measured_cells(measured).items()}
    cells = outcome_cells(len(outcome.losses))
    columns = {name: np.full((1, *cell), math.nan) for name, cell in cells.items()}
    for name, value in row.items():
        if name in columns:
            columns[name][0] = value
    return columns


def outcome_of(item: TrainingItem, fingerprint: str, columns: Mapping[str, Any], row: int = 0) -> Outcome:
    """Return the outcome in a row of columns; the inverse of `outcome_columns`."""
    cells = {name: column[row] for name, column in columns.items()}
    diverged_at = _value(cells["diverged_at"])
    return Outcome(
        item=item,
        fingerprint=fingerprint,
        accuracy=_value(cells["accuracy"]),
        test_loss=_value(cells["test_loss"]),
        diverged_at=None if diverged_at is None else int(diverged_at),
        losses=tuple(_value(loss) for loss in cells["losses"]),
        before=_measured(cells, "before"),
        after=_measured(cells, "after") if diverged_at is None else None,
    )


def _is_there(moment: str, name: str) -> bool:
    return moment == "after" or name not in _OF_CHANGES


def _measured_cells(measured: Measured) -> dict[str, Any]:
    cells: dict[str, Any] = {name: _number(value) for name, value in measured.log_ratios.items()}
    cells |= {f"{name}_nonfinite": float(count) for name, count in measured.nonfinite.items()}
    cells["examples"] = float(measured.examples)
    for name in _INDICES:
        index: Estimate | None = getattr(measured, name)
        if index is not None:
            cells[name] = (index.value, index.lower, index.upper, index.confidence, float(index.n))
    return cells | {f"norm_{name}": value for name, value in measured.norms.items()}


def _measured(cells: Mapping[str, Any], moment: str) -> Measured:
    def cell(name: str) -> Any:
        return cells.get(f"{moment}_{name}", math.nan)

    norms = {name: _value(cell(f"norm_{name}")) for name in NORMS}
    return Measured(
        log_ratios={name: _value(cell(name)) for name in LOG_RATIOS},
        nonfinite={name: int(cell(f"{name}_nonfinite")) for name in LOG_RATIOS},
        examples=int(cell("examples")),
        norms={name: size for name, size in norms.items() if size is not None},
        **{name: _index(cell(name)) for name in _INDICES},
    )


def _index(cell: Any) -> Estimate | None:
    if np.isnan(cell).any():
        return None
    value, lower, upper, confidence, n = (float(number) for number in cell)
    return Estimate(
        value=value, lower=lower, upper=upper, confidence=confidence, n=int(n), method=METHOD,
        warning=SINGLE_PATH if math.isinf(upper) else None,
    )  # fmt: skip


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _value(number: Any) -> float | None:
    return None if math.isnan(number) else float(number)
