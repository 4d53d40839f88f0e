"""`read_report`: the report that a folder's files hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from figures import FIGURES, read_record
from largedepth.report._data import Check, Figure, Report, Run, Statement, Verdict
from montecarlo import InvalidFieldError
from theory.catalogue import THEOREMS

VERDICTS, RUN, REPORT = "verdicts.json", "run.json", "report.html"
"""Files of a folder: what `verify --json` writes, when and where it ran, and the page."""


def read_report(folder: Path) -> Report:
    """Return the report on the figures and verdicts that a folder holds.

    Parameters
    ----------
    folder : Path
        With ``figure-*.json`` and ``figure-*.png``, and, as far as there are any, ``verdicts.json`` (as
        `largedepth verify --json` writes it) and ``run.json``.

    Raises
    ------
    InvalidFieldError
        If there is nothing to report, or a file is not what its name says.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidFieldError(
            "DIR", str(folder), "must be a folder", "run largedepth reproduce --out DIR first"
        )
    records = [_record(path) for path in sorted(folder.glob("figure-*.json"))]
    order = list(FIGURES)
    # Figures that are drawn by name alone follow in the order of their names.
    records.sort(key=lambda record: (_place(order, record["name"]), record["name"]))
    found = _json(folder / VERDICTS)
    if not records and found is None:
        rule = f"must hold {VERDICTS} or figures with their figure-*.json"
        raise InvalidFieldError("DIR", str(folder), rule, "run largedepth reproduce --out DIR first")
    try:
        if found is not None and not (isinstance(found, list) and all(isinstance(v, dict) for v in found)):
            raise TypeError(f"a list of verdicts in {VERDICTS}")
        statements = statements_of([verdict_of(record) for record in found or ()])
        drawn = tuple(_figure(folder, record) for record in records)
    except (KeyError, TypeError) as error:
        rule = f"must hold the verdicts and figures of this version ({error} is missing or wrong)"
        raise InvalidFieldError("DIR", str(folder), rule, "run largedepth reproduce again") from None
    run = _json(folder / RUN)
    return Report(statements, drawn, None if run is None else Run(**run))


def verdict_of(record: Mapping[str, Any]) -> Verdict:
    """Return the verdict of a record of `largedepth verify --json`."""
    names = [name for name in Verdict.__dataclass_fields__ if name in record]
    values = {name: record[name] for name in names}
    low, high = record["interval"]
    values |= {"interval": (low, high), "specification": tuple(record["specification"])}
    return Verdict(**values)


def statements_of(verdicts: Sequence[Verdict]) -> tuple[Statement, ...]:
    """Return every theorem of the catalogue with its verdicts, then whatever else was tested."""
    statements = []
    for id in dict.fromkeys([*THEOREMS, *(verdict.id for verdict in verdicts)]):
        own = tuple(verdict for verdict in verdicts if verdict.id == id)
        theorem = THEOREMS.get(id)
        if theorem is None:
            statements.append(Statement(id, "", "", "", "", "", "", (), "", own))
            continue
        texts = (theorem.title, theorem.statement, theorem.latex, theorem.source, theorem.proof)
        hypotheses = tuple(hypothesis.text for hypothesis in theorem.hypotheses)
        scale = theorem.resolution.scale
        statements.append(Statement(id, *texts, theorem.regime, hypotheses, scale, own, theorem.claims))
    return tuple(statements)


def _figure(folder: Path, record: Mapping[str, Any]) -> Figure:
    fields = {name: record[name] for name in Figure.__dataclass_fields__ if name in record}
    image = folder / f"figure-{record['name']}.png"
    try:
        fields["image"] = image.read_bytes()
    except OSError as error:
        rule = f"must hold {image.name} beside its record ({error.strerror})"
        raise InvalidFieldError("DIR", str(folder), rule, f"run {record['command']}") from None
    known = Check.__dataclass_fields__
    checks = [{name: check[name] for name in known if name in check} for check in record["checks"]]
    fields["checks"] = tuple(Check(**check) for check in checks)
    return Figure(**fields)


def _record(path: Path) -> dict[str, Any]:
    try:
        return read_record(path)
    except ValueError as error:
        rule = str(error).removeprefix(f"{path}: ").partition(";")[0]
        raise InvalidFieldError("DIR", str(path), rule, "draw the figure again") from None


def _place(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _json(path: Path) -> Any:
    """Return what a JSON file holds, None if there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise InvalidFieldError("DIR", str(path), "must be JSON", "remove it, or write it again") from None
