"""The manifest: what the rows of each run are of, as JSON that people can read, a line a run.

Each file holds the runs of one call, by the SHA-256 of their canonical JSON, and is named by the SHA-256 of
its bytes. So an entry that was edited is found out, and two processes never write different things to one
name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from montecarlo.common.rows import record_key
from montecarlo.store._errors import leave_out, written
from montecarlo.store._folder import named_files, write_whole

Record = Mapping[str, Any]

_AGAIN = "the runs that it described count again once they are run again"


def read_manifest(folder: Path, seen: set[Path]) -> dict[str, Record]:
    """Return the runs of the files that are not in `seen`, and add these to it; warn of damaged ones."""
    runs: dict[str, Record] = {}
    edited: dict[Path, list[str]] = {}
    for path in named_files(folder, "json"):
        if path in seen:
            continue
        seen.add(path)
        for key, record in _read_file(path).items():
            if _is_sound(key, record):
                runs[key] = record
            else:
                edited.setdefault(path, []).append(key)
    for path, keys in edited.items():
        lost = [key for key in keys if key not in runs]  # others were run again since, into another file
        if lost:
            what = f"{len(lost)} of its entries ({lost[0][:12]}...) were edited or damaged"
            leave_out(path, f"{what}, and are left out; {_AGAIN}")
    return runs


def write_manifest(folder: Path, runs: Mapping[str, Record]) -> Path:
    """Write runs by their keys to one file, and return it."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(record, separators=(',', ':'))}" for key, record in runs.items()
    ]
    content = ("{\n" + ",\n".join(lines) + "\n}\n").encode()
    path = folder / f"{hashlib.sha256(content).hexdigest()}.json"
    with written(path):
        write_whole(path, content)
    return path


def _read_file(path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(path.read_bytes())
        if not isinstance(entries, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        leave_out(path, f"is damaged ({error}), and is left out; {_AGAIN}")
        return {}
    return entries


def _is_sound(key: str, record: object) -> bool:
    """Whether a record has its key, and what every reader relies on."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("specification", {}), dict)
        and record_key(record) == key
    )
