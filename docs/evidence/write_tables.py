"""Write the tables that follow from a run of all experiments, and the counts in the README.

    largedepth verify --seed 1 --json verdicts.json
    python docs/evidence/write_tables.py verdicts.json

Rows of docs/evidence/verdicts.md are those of the run; docs/theory/statements.md and docs/theory/state.md
follow from the catalogue and from them. Commit what comes out: tests hold the pages against the catalogue.
"""

from __future__ import annotations

import argparse
import json
import re
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from montecarlo.verification.experiments import mutants_of
from theory.catalogue import THEOREMS, markdown_table

DOCS = Path(__file__).parents[1]
README = DOCS.parent / "README.md"
VERDICTS = DOCS / "evidence" / "verdicts.md"
COMPARISON = DOCS / "evidence" / "comparison.md"
STATEMENTS = DOCS / "theory" / "statements.md"
STATE = DOCS / "theory" / "write_state.py"


def errors_caught(resolutions: Sequence[float]) -> str:
    """Return in words what errors could not have passed experiments; 0 stands for a loose inequality."""
    found = sorted(r for r in resolutions if r > 0)
    if not found:
        return "an inequality"
    least, most = (f"{100 * r:.2g} %" for r in (found[0], found[-1]))
    said = least if least == most else f"{least} to {most}"
    return said + ", and inequalities" * (len(found) < len(resolutions))


def verdict_rows(run: Sequence[dict[str, Any]]) -> str:
    """Return the rows of the table of verdicts, a line a theorem, in the catalogue's order."""
    rows = []
    for id, theorem in THEOREMS.items():
        own = [experiment for experiment in run if experiment["id"] == id]
        verdicts = sorted({experiment["verdict"] for experiment in own})
        caught = errors_caught([experiment["resolution"] for experiment in own])
        networks = sum(experiment["networks"] for experiment in own)
        rows.append(
            f"| `largedepth verify {id}` {theorem.name} | {len(own)} | {', '.join(verdicts)} | {caught} | "
            f"{networks:,} |\n"
        )
    return "".join(rows)


def replaced(path: Path, *changes: tuple[str, str]) -> None:
    """Replace what matches each pattern in a file; each must match once."""
    text = path.read_text(encoding="utf-8")
    for pattern, new in changes:
        text, times = re.subn(pattern, lambda _, new=new: new, text, flags=re.M)
        if times != 1:
            raise SystemExit(f"{path}: {pattern!r} is there {times} times")
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="What `verify --json` wrote of all theorems.")
    run = json.loads(parser.parse_args().run.read_text(encoding="utf-8"))
    missing = set(THEOREMS) - {experiment["id"] for experiment in run}
    if missing:
        raise SystemExit(f"the run has no experiment of {', '.join(sorted(missing))}: verify all theorems")
    mutants = sum(len(mutants_of(id)) for id in THEOREMS)
    replaced(
        VERDICTS,
        (r"\d+ experiments, none refuted", f"{len(run)} experiments, none refuted"),
        (r"(?:^\| `largedepth verify .*\n)+", verdict_rows(run)),
        (r"runs \d+ wrong variants", f"runs {mutants} wrong variants"),
    )
    replaced(
        README,
        (r"\d+ statements with", f"{len(THEOREMS)} statements with"),
        (r"refute it: \d+,", f"refute it: {len(run)},"),
        (r"\d+ mutants say so", f"{mutants} mutants say so"),
    )
    replaced(COMPARISON, (r"\d+ mutants say so", f"{mutants} mutants say so"))
    replaced(STATEMENTS, (r"(?s)(?<=--markdown` -->\n).*?(?=<!-- end of theorems)", markdown_table()))
    state = runpy.run_path(str(STATE))
    state["PAGE"].write_text(state["page"](), encoding="utf-8")


if __name__ == "__main__":
    main()
