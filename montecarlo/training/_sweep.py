"""`run_items`: many trainings, each outcome in a file of its own; what is there is not trained again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from montecarlo._errors import InvalidFieldError
from montecarlo.executors import Executor, ThreadExecutor
from montecarlo.files import replaced_file
from montecarlo.training._extra import need_training
from montecarlo.training._outcome import Outcome, TrainedNetwork
from montecarlo.training._plan import TrainingItem
from montecarlo.training._sources import load_data

_KIND = "largedepth training outcome"


def train_item(item: TrainingItem) -> TrainedNetwork:
    """Train one network and return it; a function of the item and its data alone."""
    need_training("jax", "optax")
    from montecarlo.training._fit import train_networks

    (network,) = train_networks([item], load_data(item.data))
    return network


def run_item(item: TrainingItem) -> Outcome:
    """Train one network and return its outcome."""
    return train_item(item).outcome


def run_items(
    items: Sequence[TrainingItem],
    folder: str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
    on_found: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Return the outcomes of all items, from their files in a folder as far as these are there.

    A file is written whole as soon as its network is trained, so that an interrupted run goes on where it
    was; several runs may share a folder, at worst a network is trained twice. Files that are torn or were
    changed, or are of other data of the same name, are trained anew, with a warning.

    Parameters
    ----------
    items : sequence of TrainingItem
        In any order, with repeats if need be.
    folder : path
        Made if need be; one JSON file an item, named by its digest.
    executor : Executor, optional
        Where networks are trained, several at a time; default: a thread a processor.
    progress : callable, optional
        Told of networks as they are trained.
    on_found : callable, optional
        Told how many are there already.

    Returns
    -------
    list of Outcome
        In the order of the items.

    Raises
    ------
    InvalidFieldError
        If the folder cannot be made, or data not be found.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"must be a folder that can be made ({error.strerror})"
        raise InvalidFieldError("out", str(target), rule, "choose another one") from error
    fingerprints = {name: load_data(name).fingerprint for name in {item.data for item in items}}
    found: dict[TrainingItem, Outcome] = {}
    for item in dict.fromkeys(items):
        outcome = read_outcome(outcome_path(target, item), item, fingerprints[item.data])
        if outcome is not None:
            found[item] = outcome
    if on_found is not None and found:
        on_found(len(found))
    missing = [item for item in dict.fromkeys(items) if item not in found]
    running = (executor or ThreadExecutor()).run(run_item, iter(missing))
    try:
        for item, outcome in running:
            write_outcome(outcome_path(target, item), outcome)
            found[item] = outcome
            if progress is not None:
                progress(1)
    finally:
        running.close()
    return [found[item] for item in items]


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
