"""Files that a verb is asked to write: refused before the work, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def check_targets(targets: Mapping[str, str | None], examples: Mapping[str, str]) -> None:
    """Refuse files that cannot be written, each under the option that names it; a plot is .png or .pdf."""
    from montecarlo.common.files import check_writable

    for field, path in targets.items():
        if path is not None:
            endings = (".png", ".pdf") if field == "plot" else ()
            check_writable(Path(path), endings, field=field, example=examples[field])


def json_text(record: object) -> str:
    """Return JSON as files have it."""
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_text(path: str, text: str) -> None:
    """Write a file whole or not at all."""
    from montecarlo.common.files import replaced_file

    with replaced_file(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")
