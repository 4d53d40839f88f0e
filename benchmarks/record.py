"""Numbers of a run of the benchmarks, kept as JSON and held against those of an earlier run."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

FALL = 0.15
"""A number that is worse by more than that is flagged."""


@dataclass(frozen=True)
class Number:
    """One measured number.

    Parameters
    ----------
    name : str
        What was measured.
    value : float
        The number.
    unit : str
        Its unit.
    yardstick : float, default 1
        What the machine could do in the same run, in the same unit or not: numbers are compared as shares of
        it, so that a slower machine is not taken for a slower program.
    lower : bool, default False
        Whether less is better.
    """

    name: str
    value: float
    unit: str
    yardstick: float = 1.0
    lower: bool = False

    @property
    def score(self) -> float:
        """The share of the yardstick, the larger the better."""
        share = self.value / self.yardstick
        return 1.0 / share if self.lower else share


def load(path: Path) -> dict[str, Number]:
    """Return the numbers of an earlier run by name; none where there is no file."""
    if not path.exists():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))["numbers"]
    return {row["name"]: Number(**row) for row in rows}


def save(path: Path, numbers: list[Number]) -> None:
    """Keep numbers, with the facts of the machine."""
    from montecarlo.common.files import replaced_file

    facts = {
        "processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
        "python": platform.python_version(),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": facts, "numbers": [asdict(number) for number in numbers]}, indent=1)
    with replaced_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def falls(before: dict[str, Number], now: list[Number]) -> list[tuple[Number, float]]:
    """Return the numbers that fell by more than `FALL`, each with its change.

    Examples
    --------
    >>> falls({"a": Number("a", 10.0, "/s")}, [Number("a", 8.0, "/s"), Number("b", 1.0, "/s")])
    [(Number(name='a', value=8.0, unit='/s', yardstick=1.0, lower=False), -0.2)]
    >>> falls({"a": Number("a", 10.0, "/s", yardstick=2.0)}, [Number("a", 8.0, "/s", yardstick=1.6)])
    []
    """
    found = []
    for number in now:
        if number.name in before:
            change = number.score / before[number.name].score - 1.0
            if change < -FALL:
                found.append((number, round(change, 12)))
    return found
