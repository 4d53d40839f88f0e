"""A drawn figure as JSON: caption, numbers beside theory, and the networks behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures._figure import Check, Computed, FigureDefinition, Setting
from figures._points import SamplePoint, Samples
from montecarlo.common.files import replaced_file

_OTHER: dict[Setting, Setting] = {"quick": "paper", "paper": "quick"}


def figure_record(
    definition: FigureDefinition, samples: Samples, checks: Sequence[Check], *, setting: Setting, seed: int
) -> dict[str, Any]:
    """Return what is known of a drawn figure, as plain values; what is not finite becomes None.

    Parameters
    ----------
    definition : FigureDefinition
        The figure.
    samples : mapping of ResNet to sample
        What it was drawn from.
    checks : sequence of Check
        Its numbers beside theory.
    setting : {"quick", "paper"}
        Its sizes.
    seed : int
        Seed of the samples.
    """
    points = definition.points(setting)
    name = definition.name
    return {
        "name": name,
        "title": definition.title,
        "caption": definition.caption,
        "paper": definition.paper,
        "setting": setting,
        "seed": seed,
        "networks": sum(point.networks for point in points),
        "networks_of_other_setting": sum(point.networks for point in definition.points(_OTHER[setting])),
        "command": f"largedepth figures {name} --{setting} --seed {seed}",
        "image": f"figure-{name}.png",
        "samples": [_point_record(point, samples[point.resnet]) for point in points],
        "checks": [_check_record(check) for check in checks],
    }


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, whole or not at all."""
    with replaced_file(path) as temporary:
        text = json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path) -> dict[str, Any]:
    """Return the record in a file.

    Raises
    ------
    ValueError
        If the file does not hold the record of a figure.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        record = None
    wanted = {"name", "title", "caption", "setting", "seed", "networks", "command", "samples", "checks"}
    if not isinstance(record, dict) or not wanted <= record.keys():
        raise ValueError(f"{path}: must hold the record of a figure; draw the figure again")
    return record


def _point_record(point: SamplePoint, sample: Any) -> dict[str, Any]:
    # A point may say which fields take several values, and how it is sampled; else its sample knows.
    engine = getattr(sample, "engine", None) or getattr(point, "engine", None)
    return {
        "specification": point.resnet.brief() | getattr(point, "varied", {}),
        "networks": point.networks,
        "engine": engine,
    }


def _check_record(check: Check) -> dict[str, Any]:
    estimate = check.estimate
    computed = isinstance(estimate, Computed)
    return {
        "quantity": check.quantity,
        "relation": check.relation,
        "predicted": _finite(check.predicted),
        "estimate": _finite(estimate.value),
        "interval": [_finite(estimate.lower), _finite(estimate.upper)],
        "shown": str(estimate),
        "method": estimate.method,
        "confidence": None if computed else estimate.confidence,
        "tolerance": estimate.tolerance if computed else None,
        "resolution": _finite(check.resolution),
        "simulated": check.simulated,
        "verdict": check.verdict,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
