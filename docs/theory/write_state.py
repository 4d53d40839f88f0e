"""Write the page *State of the theory* again: python docs/theory/write_state.py

Claims are those of `theory.catalogue`, verdicts those of docs/evidence/verdicts.md, proofs those of the pages
beside this file. Commit what comes out, after a change of any of them.
"""

from __future__ import annotations

import re
from pathlib import Path

from theory.catalogue import RELATIONS, THEOREMS, state_of_theory

HERE = Path(__file__).parent
PAGE = HERE / "state.md"
VERDICTS = HERE.parent / "evidence" / "verdicts.md"
_ROW = re.compile(r"^\| `largedepth verify (\w+)` \S+ \| \d+ \| (\w+) \| (.*?) \| ([\d,]+) \|$", re.M)
_OPENING = """# State of the theory

What publications say of random residual networks at initialisation, and what this project's statements do
with it: a row a claim. Claims are in our words, and each says how we know: the abstract
or the text, read beside the row; a result as it is commonly cited, from memory; or textbooks. Where a paper
names a hypothesis it stands beside ours, and a claim is never taken to speak of more.

{relations}

*Networks* says what the stored run of all experiments found: a verdict, the error of our prediction that
could not have passed, and what it took ([verdicts](../evidence/verdicts.md)). `largedepth theorems --paper
2206.06929` prints the claims of one paper, `--block` and `--regime` choose statements. This page is written
by `docs/theory/write_state.py`.

"""


def verdicts() -> dict[str, str]:
    """Return what the stored run says of each theorem."""
    found = {}
    for id, verdict, resolution, networks in _ROW.findall(VERDICTS.read_text(encoding="utf-8")):
        found[id] = f"{verdict}; {resolution}; {networks} networks"
    return found


def proofs() -> dict[str, str]:
    """Return the addresses of proofs: labels before headings of the pages of chapters."""
    by_label = {id.lower(): id for id in THEOREMS}
    found = {}
    for page in sorted(HERE.glob("*.md")):
        for label in re.findall(r"^\(proof-([a-z0-9]+)\)=$", page.read_text(encoding="utf-8"), re.M):
            if label in by_label:
                found[by_label[label]] = f"{page.name}#proof-{label}"
    return found


def page() -> str:
    """Return the page."""
    relations = "\n".join(f"- **{word}**: {meaning}." for word, meaning in RELATIONS.items())
    opening = _OPENING.format(relations=f"What ours does with a claim:\n\n{relations}")
    return opening + state_of_theory(verdicts(), proofs())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
