"""The README's code runs and prints what the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from theory.catalogue import markdown_table

README = Path(__file__).parents[1] / "README.md"


def test_example_prints_what_it_says() -> None:
    text = README.read_text(encoding="utf-8")
    code, printed = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.S)[0]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == printed


def test_other_snippets_run(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(snippets) >= 2
    for code in snippets[1:]:
        check = "\nfrom montecarlo import simulate\nassert len(simulate(net, replicas=2, seed=0)) == 2\n"
        whole = code + check * ("net = " in code)
        subprocess.run([sys.executable, "-c", whole], capture_output=True, check=True, cwd=tmp_path)


def test_commands_exist() -> None:
    text = README.read_text(encoding="utf-8")
    verbs = set(re.findall(r"^largedepth (\w+)", text, re.M))
    assert verbs == {
        "combine", "completion", "diagnose", "figures", "report", "reproduce", "simulate", "sweep",
        "theorems", "train", "verify",
    }  # fmt: skip
    for verb in verbs:
        subprocess.run([sys.executable, "-m", "largedepth", verb, "--help"], capture_output=True, check=True)


def test_figures_of_the_paper_stand_beside_it() -> None:
    text = README.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| `largedepth figures (\d)` \| .+ \| agrees.+ \|$", text, re.M)
    assert rows == [(str(n), str(n)) for n in range(1, 10)]


def test_table_of_theorems_is_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    first, last = (
        "<!-- theorems: written by `largedepth theorems --markdown` -->\n",
        "<!-- end of theorems -->",
    )
    assert text.count(first) == text.count(last) == 1
    assert text.split(first)[1].split(last)[0] == markdown_table()


def test_diagnosis_is_what_the_command_prints() -> None:
    text = README.read_text(encoding="utf-8")
    command, printed = re.findall(r"```\nlargedepth (diagnose .*?)\n```\n\n```\n(.*?)```", text, re.S)[0]
    done = subprocess.run(
        [sys.executable, "-m", "largedepth", *command.split()], capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    assert done.stdout == printed
