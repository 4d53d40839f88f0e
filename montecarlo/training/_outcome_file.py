"""Files of outcomes: one JSON file an item, written whole, and believed if it is as it was written."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from montecarlo.files import replaced_file
from montecarlo.training._outcome import Outcome
from montecarlo.training._plan import TrainingItem

_KIND = "largedepth training outcome"


def outcome_path(folder: Path, item: TrainingItem) -> Path:
    """Return the file of an item."""
    return folder / f"{item.digest[:24]}.json"


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write an outcome, whole or not at all."""
    versions = {name: importlib.metadata.version(name) for name in ("jax", "optax", "numpy")}
    record = {"kind": _KIND, "versions": versions, **outcome.to_json()}
    record["checksum"] = _checksum(record)
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    with replaced_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_outcome(path: Path, item: TrainingItem, fingerprint: str) -> Outcome | None:
    """Return the outcome in a file; None where there is none that is of this item and data."""
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record.get("kind") != _KIND:
            raise ValueError("it is not an outcome of largedepth")
        if record.pop("checksum", None) != _checksum(record):
            raise ValueError("it is not as it was written")
        outcome = Outcome.from_json(record, item)
        if outcome.fingerprint != fingerprint:
            raise ValueError("the data of this name have changed")
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        warnings.warn(f"{path}: {error}; the network is trained anew", RuntimeWarning, stacklevel=2)
        return None
    return outcome


def _checksum(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record's canonical JSON, hexadecimal."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
