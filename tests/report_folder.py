"""A folder with all that a report is made of: small figures, and verdicts of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import figures
from largedepth.report import Run, machine_facts, write_report, write_run
from theory.catalogue import THEOREMS

HOSTILE = """<script>alert("1")</script> & 'a' "b" <img src=x onerror=y>"""
UNTESTED = "I1"


def record(id: str, name: str = "case", verdict: str = "consistent", **values: Any) -> dict[str, Any]:
    """Return a verdict as `largedepth verify --json` writes it."""
    return {
        "id": id, "name": name, "verdict": verdict, "quantity": "E‖h_L‖²", "claim": "equal", "predicted": 1.5,
        "estimate": 1.4987, "interval": [1.49, 1.51], "resolution": 0.0067, "false_alarm": 1e-8,
        "networks": 1000, "seconds": 0.5, "specification": [{"width": 8, "depth": 6, "alpha": 0.3}],
        "resolution_asked": 0.01, "rows_left_out": 0,
    } | values  # fmt: skip


def records() -> list[dict[str, Any]]:
    """Return a verdict on every theorem but one, and claims that the catalogue does not have."""
    found = [record(id) for id in THEOREMS if id != UNTESTED]
    found += [
        record("S3", "wide", resolution=0.009, networks=50),
        record("I2", "wrong", "refuted", estimate=1.6, interval=[1.58, None]),
        record("I3", "slow", "undecided", estimate=None, interval=[None, None], resolution=None),
        record(HOSTILE, HOSTILE, quantity=HOSTILE, specification=[{"weights": HOSTILE}]),
    ]
    return found


def run() -> Run:
    return Run(
        command=f"largedepth reproduce {HOSTILE}", started="2030-01-02T03:04:05+00:00", seed=3, seconds=61.2,
        verification_seconds=20.0, false_alarm=1e-6, interrupted=False, machine=machine_facts(),
    )  # fmt: skip


def make(path: Path) -> None:
    """Fill a folder."""
    for name in ("convergence", "6"):
        figures.draw_figure(name, out=path, seed=3)
    (path / "verdicts.json").write_text(json.dumps(records()), encoding="utf-8")
    write_run(path, run())
    write_report(path)
