"""The page: a Jinja template filled with a report, in which every text is escaped."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import asdict
from pathlib import Path

import jinja2

from largedepth.report import _words as words
from largedepth.report._data import WORDS, Report, Run
from largedepth.report._formula import formula_svg
from largedepth.report._read import REPORT, RUN, read_report
from montecarlo.common.files import replaced_file
from theory.catalogue import RELATIONS, claim_counts

_MARKS = {
    "consistent": "✓",
    "agrees": "✓",
    "refuted": "✕",
    "outside": "✕",
    "undecided": "?",
    "not tested": "–",
}
"""A shape for each verdict, so that none is told by its colour alone."""


def write_report(folder: Path) -> Path:
    """Write the page on what a folder holds into it, whole or not at all; return its path.

    Raises
    ------
    InvalidFieldError
        As `read_report`.
    """
    page = render(read_report(folder))
    target = folder / REPORT
    with replaced_file(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return target


def write_run(folder: Path, run: Run) -> None:
    """Write into a folder when and where its figures and verdicts came about."""
    with replaced_file(folder / RUN) as temporary:
        text = json.dumps(asdict(run), ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def render(report: Report) -> str:
    """Return the page: HTML with style, script, formulas and pictures inside; it asks for no other file."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("largedepth.report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number, "interval": words.interval, "count": words.count, "formula": formula_svg,
        "resolution": words.resolution, "unit": words.resolution_unit, "mark": _MARKS.__getitem__,
        "picture": _picture, "size": _size, "spec": words.specification_line, "minus": words.true_minus,
    }  # fmt: skip
    environment.globals |= {
        "signs": words.SIGNS, "sort_value": words.sort_value, "checks_line": words.checks_line,
        "networks_line": words.networks_line, "engines_line": words.engines_line,
    }  # fmt: skip
    return environment.get_template("report.html.j2").render(
        report=report,
        headline=words.headline(report),
        regimes=list(dict.fromkeys(s.regime for s in report.statements if s.regime)),
        claims_line=claim_counts(claim for _, claim in report.claims),
        relations=RELATIONS,
        words=[word for word in WORDS if report.of(word)],
        numbered=[f for f in report.figures if f.name.isdigit()],
        named=[f for f in report.figures if not f.name.isdigit()],
    )


def _picture(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")


def _size(image: bytes) -> tuple[int, int]:
    """Return width and height of a PNG: the browser keeps the room free before it has decoded it."""
    width, height = struct.unpack(">II", image[16:24])
    return width, height
