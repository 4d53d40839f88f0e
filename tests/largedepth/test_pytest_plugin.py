"""The pytest plugin as a user's test files meet it, in sessions of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import junitparser
import pytest

ROOT = Path(__file__).parents[2]

SIMULATOR = """
import numpy as np

def rows(seed, first, count):
    # mean 1/2
    return np.random.default_rng([seed, first]).random(count)
"""

CLAIMS = (
    SIMULATOR
    + """
def test_right(theory_claims):
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, relative_resolution=0.02)

def test_wrong_by_three_per_cent(theory_claims):
    theory_claims.mean(rows, 0.515, low=0.0, high=1.0, relative_resolution=0.02, quantity="E U")

def test_too_little_time(theory_claims):
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, relative_resolution=1e-9, budget=0.3)

def test_same_name_twice(theory_claims):
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, resolution=0.1, name="a")
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, resolution=0.1, name="a")
"""
)

SHARING = (
    SIMULATOR
    + """
def test_one(theory_claims):
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, resolution=0.05)
    theory_claims.probability(lambda *batch: rows(*batch) < 0.5, 0.5, resolution=0.05)
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, resolution=0.05)

def test_two(theory_claims):
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, resolution=0.05)
"""
)


@dataclass
class Session:
    """What a session of pytest printed, and the verdicts of each test from its JUnit file."""

    text: str
    cases: dict[str, junitparser.TestCase]

    def estimates(self, test: str) -> list[float]:
        (properties,) = self.cases[test].iterchildren(junitparser.Properties)
        return [json.loads(each.value)["estimate"] for each in properties]

    def message(self, test: str) -> str:
        (failure,) = self.cases[test].result
        return failure.text


def run(folder: Path, *arguments: str) -> Session:
    """Run pytest as a user does, warnings as errors; a session inside this one would share its modules."""
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "largedepth.pytest_plugin"]
    command += ["-p", "no:cacheprovider", "--junitxml=junit.xml", *arguments]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    suites = junitparser.JUnitXml.fromfile(str(folder / "junit.xml"))
    return Session(done.stdout, {case.name: case for suite in suites for case in suite})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = (ROOT / "docs" / "howto" / "verdicts.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", page, re.S)
    (code,) = (snippet for snippet in snippets if "theory_claims" in snippet)
    wrong = code.replace("squares, moment,", "squares, 1.03 * moment,").replace(
        "def test_", "def test_wrong_"
    )
    folder = tmp_path_factory.mktemp("user")
    files = {"pytest.ini": "[pytest]\n", "test_claims.py": CLAIMS, "test_sharing.py": SHARING}
    for name, text in {**files, "test_my_theory.py": code, "test_wrong_theory.py": wrong}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Session:
    return run(folder)


def test_outcomes(whole: Session) -> None:
    passed = {name for name, case in whole.cases.items() if case.is_passed}
    assert passed == {"test_right", "test_one", "test_two", "test_second_moment"}
    assert set(whole.cases) - passed == {
        "test_wrong_by_three_per_cent", "test_too_little_time", "test_same_name_twice",
        "test_wrong_second_moment",
    }  # fmt: skip


def test_a_wrong_claim_says_all_that_is_known(whole: Session) -> None:
    message = whole.message("test_wrong_by_three_per_cent")
    lines = [line.removeprefix("E").strip() for line in message.splitlines()]
    (title,) = (line for line in lines if "ClaimRefuted: " in line)
    assert "test_claims.py::test_wrong_by_three_per_cent claim 1: refuted: 0.515 is predicted" in title
    for start in (
        "quantity    E U", "predicted   0.515", "estimate    0.", "resolution  0.", "sampled     ",
        "false alarm 1e-06",
    ):  # fmt: skip
        assert any(line.startswith(start) for line in lines), message
    # The line that fails is the user's, not one of ours.
    assert "pytest_plugin.py" not in whole.text
    assert "_claims.py:" not in whole.text.replace("test_claims.py:", "")


def test_too_little_time_is_a_failure_of_its_own(whole: Session) -> None:
    message = whole.message("test_too_little_time")
    assert "ClaimUndecided: " in message
    assert "it was stopped at a resolution of" in message


def test_two_claims_of_one_name_are_refused(whole: Session) -> None:
    assert "name='a': must differ from those before it" in whole.message("test_same_name_twice")


def test_the_documented_example_passes_and_fails_as_it_says(whole: Session) -> None:
    message = whole.message("test_wrong_second_moment")
    assert re.search("ClaimRefuted: .*: refuted: 2.6428 is predicted, and 2.5", message)
    assert re.search("sampled .* networks in", message)


def test_the_end_of_the_session_sums_false_alarms(whole: Session) -> None:
    found = re.search(r"(.*); probability that a right one is refuted: at most (\S+) in all", whole.text)
    assert found is not None, whole.text
    assert found[1] == "7 consistent, 2 refuted, 1 undecided"
    assert float(found[2]) == pytest.approx(1e-5)


def test_claims_share_no_rows_and_repeat_alone(whole: Session, folder: Path) -> None:
    first, second = whole.estimates("test_one"), whole.estimates("test_two")
    assert len({*first, *second, *whole.estimates("test_right")}) == 5
    assert run(folder, "test_sharing.py", "-k", "test_two").estimates("test_two") == second
    other = run(folder, "test_sharing.py", "--theory-seed", "1")
    assert set(other.estimates("test_one")).isdisjoint(first)
    assert other.estimates("test_two") != second


RUN_TWICE = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    # as pytest-rerunfailures does
    for _ in range(2):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            item.ihook.pytest_runtest_logreport(report=report)
        item._initrequest()
    return True
"""


def test_claims_have_the_same_networks_from_any_folder_and_count_once(tmp_path: Path) -> None:
    package = tmp_path / "tests" / "laws"
    package.mkdir(parents=True)
    for name, text in {"__init__.py": "", "conftest.py": RUN_TWICE, "test_sharing.py": SHARING}.items():
        (package / name).write_text(text, encoding="utf-8")
    (tmp_path / "test_sharing.py").write_text(SHARING, encoding="utf-8")
    sessions = []
    for folder, place in ((tmp_path, "tests"), (package, "test_sharing.py")):
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n", encoding="utf-8")
        sessions.append(run(folder, place))
    first, second = (session.estimates("test_one") for session in sessions)
    assert first == second
    assert len(first) == 3
    for session in sessions:
        assert "4 consistent, 0 refuted, 0 undecided; probability" in session.text
    # Of the same name in another package: other networks.
    assert set(run(tmp_path, "test_sharing.py").estimates("test_one")).isdisjoint(first)


DEPTH = """
import numpy as np

def build(depth, seed):
    rng = np.random.default_rng([seed, depth])
    V = rng.normal(size=(depth, 16, 16)) / 4
    if depth == 24:
        V[5] *= 2.0
    def stream():
        states = [np.random.default_rng(1).normal(size=(4, 16))]
        for k in range(depth):
            states.append(states[-1] + depth**-0.5 * np.tanh(states[-1]) @ V[k].T)
        return states
    return stream

def test_critical(depth_claims):
    depth_claims.check(build, expect="critical", seeds=16, depths=(6, 12, 24))

def test_two_checks(depth_claims):
    depth_claims.check(build, seeds=16, depths=(6, 12, 24))
    depth_claims.check(build, expect="exponential", seeds=16, depths=(6, 12, 24))
"""


def test_the_end_of_the_session_lists_depth_checks_with_their_warnings(tmp_path: Path) -> None:
    for name, text in {"pytest.ini": "[pytest]\n", "conftest.py": RUN_TWICE, "test_depth.py": DEPTH}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    session = run(tmp_path)
    lines = session.text[session.text.index("= depth checks =") :].splitlines()[1:8]
    warnings = [line for line in lines if line.startswith("  ")]
    assert [line for line in lines if line not in warnings] == [
        "test_depth.py::test_critical: consistent, critical, critical claimed",
        "test_depth.py::test_two_checks: consistent, critical",
        "test_depth.py::test_two_checks: refuted, critical, exponential claimed",
        "2 consistent, 1 refuted, 0 undecided; probability that one is wrong: at most 0.003 in all",
    ]
    assert len(warnings) == 3
    assert all("the branch of block 6 is" in line for line in warnings)
    assert "claims of theory" not in session.text


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys\nimport largedepth.pytest_plugin\n"
        "assert not {'numpy', 'numba', 'montecarlo', 'click'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
