"""A depth check in words: for a terminal, a CI page, and as JSON."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from montecarlo.common._json import finite
from montecarlo.diagnosis._numbers import number
from montecarlo.diagnosis._text import aligned, labelled

if TYPE_CHECKING:
    from montecarlo.practice._classes import Growth
    from montecarlo.practice._fault import Fault
    from montecarlo.practice._findings import Findings

_SAID = {
    "identity": "identity: blocks do less and less as depth grows, or next to nothing",
    "critical": "critical: stream and gradients stay of order one at any depth",
    "polynomial": "polynomial: stream or gradients grow like a power of depth",
    "exponential": "exponential: stream or gradients grow or vanish exponentially in depth, or the input is "
    "forgotten so",
    "undecided": "undecided: more seeds or larger depths would tell",
}
_ADVICE = {
    ("exponential", "none"): "scale branches by 1/√L, or put a norm at their input",
    ("exponential", "after"): "move the norm to the branch's input, or scale branches by 1/√L (DeepNorm)",
    ("polynomial", "before"): "nothing explodes; to keep the stream of order one scale branches by 1/√L "
    "(GPT-2: 1/√(2L))",
    ("polynomial", "none"): "scale branches by 1/√L",
    ("identity", "none"): "scale branches by 1/√L to have them count at any depth",
    ("identity", "before"): "scale branches by 1/√L to have them count at any depth",
}


def text(check: Findings, *, width: int = 100) -> str:
    """Return the check as lines for a terminal."""
    lines = [
        labelled("class", _SAID[check.found], width),
        labelled("blocks", check.structure.words, width),
    ]
    advice = _ADVICE.get((check.found, check.structure.norm))
    if advice:
        lines.append(labelled("critical", advice, width))
    if ranges := range_words(check):
        lines.append(labelled("range", ranges, width))
    lines += ["", *aligned(depth_rows(check)), "", *aligned(growth_rows(check))]
    if check.resolution:
        lines += ["", labelled("resolved", check.resolution.words, width)]
    if check.faults:
        lines += ["", *(labelled(_label(check, fault), fault.words, width) for fault in check.faults)]
    lines += ["", *textwrap.wrap(verdict_words(check), width)]
    lines += [line for note in check.notes for line in textwrap.wrap(f"Note: {note}.", width)]
    return "\n".join(lines)


def markdown(check: Findings) -> str:
    """Return the check as Markdown."""
    said = _SAID[check.found]
    lines = [f"### Depth check: {check.verdict}", "", f"{said[0].upper()}{said[1:]}.", ""]
    for rows in (depth_rows(check), growth_rows(check)):
        lines += ["| " + " | ".join(row) + " |" for row in rows[:1]]
        lines += ["|" + " --- |" * len(rows[0])]
        lines += ["| " + " | ".join(row) + " |" for row in rows[1:]]
        lines.append("")
    lines += [f"- {_label(check, fault)}: {fault.words}" for fault in check.faults]
    return "\n".join([*lines, *([""] if check.faults else []), verdict_words(check), ""])


def depth_rows(check: Findings) -> list[tuple[str, ...]]:
    """Return the table of depths: head, then a row a depth."""
    rows: list[tuple[str, ...]] = [("depth", "stream grows", "theory", "gradient grows", "theory", "source")]
    for j, (L, theory) in enumerate(zip(check.depths, check.theory, strict=True)):
        back = number(check.gradient.levels[j]) if check.gradient is not None else "—"
        rows.append(
            (str(L), number(check.stream.levels[j]), number(theory.stream), back, number(theory.gradient),
             theory.source or "no theory")
        )  # fmt: skip
    return rows


def growth_rows(check: Findings) -> list[tuple[str, ...]]:
    """Return the table of exponents: head, then a row a quantity."""
    rows: list[tuple[str, ...]] = [("quantity", "exponent in depth", "interval", "class")]
    for growth in (check.branches, check.stream, check.gradient):
        if growth is not None:
            found = growth.found
            if growth.quantity != "branches":
                found = {"critical": "of order one", "undecided": "open"}.get(found, found)
            rows.append((growth.quantity, _plain(growth.exponent), _interval(growth), found))
    return rows


def range_words(check: Findings) -> str:
    """Return at which block models leave float16, and float32, and from which depth on; "" if none does."""
    said = []
    for name, largest in (("float16", 65504.0), ("float32", 3.4e38)):
        for j, L in enumerate(check.depths):
            tops = np.array([row[j].log_largest for row in check.measured])
            beyond = np.flatnonzero(~(np.max(tops, axis=0) <= math.log(largest)))
            if beyond.size:
                said.append(f"with {L} blocks entries leave {name} at block {beyond[0]}")
                break
    return "; ".join(said)


def verdict_words(check: Findings) -> str:
    """Return the verdict in a sentence."""
    claim = "" if check.expect is None else f" {check.expect!r} was claimed;"
    against = len(check.refuted)
    warned = len(check.faults) - against
    promise = f"; {_counted(against, 'fault')}" if against else ""
    promise += f"; {_counted(warned, 'warning')}" if warned else ""
    verdict = check.verdict.upper() if check.verdict == "refuted" else check.verdict
    depths = ", ".join(map(str, check.depths))
    return (
        f"{verdict}:{claim} found {check.found}{promise}. {len(check.seeds)} seeds at depths {depths}; "
        f"false alarm {check.false_alarm:g}."
    )


def _label(check: Findings, fault: Fault) -> str:
    return "fault" if fault in check.refuted else "warning"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def record(check: Findings) -> dict[str, Any]:
    """Return the check as JSON-serialisable values."""
    growths = [growth for growth in (check.branches, check.stream, check.gradient) if growth is not None]
    curves = [
        {name: _listed(curve) for name, curve in check.curves(j).items()} for j in range(len(check.depths))
    ]
    structure = check.structure
    return {
        "class": check.found, "verdict": check.verdict, "expect": check.expect,
        "depths": list(check.depths), "seeds": list(check.seeds), "false_alarm": check.false_alarm,
        "structure": {
            "residual": structure.residual,
            "norm": structure.norm, "degree": finite(structure.degree), "misfit": finite(structure.misfit),
        },
        "growth": [growth.record() for growth in growths],
        "theory": [
            {
                "log_stream": finite(t.stream), "log_gradient": finite(t.gradient), "source": t.source,
                "kind": t.kind,
            }
            for t in check.theory
        ],
        "faults": [fault.record() for fault in check.faults],
        "resolution": None if check.resolution is None else check.resolution._asdict(),
        "curves": curves, "notes": list(check.notes),
        "promise": [repr(resnet) for resnet in check.promise],
    }  # fmt: skip


def _listed(curve: Any) -> list[float | None]:
    return [finite(float(x)) for x in curve]


def _plain(value: float) -> str:
    return "—" if math.isnan(value) else f"{value:.3f}"


def _interval(growth: Growth) -> str:
    low, high = growth.interval
    return f"[{low:.2f}, {high:.2f}]" if math.isfinite(low) else "—"
