"""The pytest plugin as a user's test file meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

PLUGIN = ("-p", "largedepth.pytest_plugin", "-p", "no:cacheprovider")
README = Path(__file__).parents[2] / "README.md"

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
    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, relative_resolution=1e-9, budget=1e-3)
"""
)


# The child sessions run in this process: a fresh one would load every kernel again.
def test_each_verdict_has_its_own_outcome_and_message(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CLAIMS)
    result = pytester.runpytest_inprocess(*PLUGIN, "--junitxml=junit.xml")
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    refuted = re.search(r"ClaimRefuted: .*?false alarm 1e-06", text, re.S)
    assert refuted is not None, text
    for words in ("test_wrong_by_three_per_cent claim 1: refuted: 0.515 is predicted", "quantity    E U",
                  "predicted   0.515", "estimate    0.4", "not refuted: [0.", "resolution  0.",
                  "rows in"):  # fmt: skip
        assert words in refuted[0]
    assert "ClaimUndecided: " in text
    assert "it was stopped at a resolution of" in text
    assert "1 consistent, 1 refuted, 1 undecided; probability that a right one is refuted: at most 3e" in text
    # No line of ours in the traceback: the failing line is the user's.
    assert "largedepth/pytest_plugin.py" not in text
    junit = (pytester.path / "junit.xml").read_text(encoding="utf-8")
    assert junit.count('name="theory_claim"') == 3


def test_claims_share_no_rows_and_repeat_alone(pytester: pytest.Pytester) -> None:
    body = "    theory_claims.mean(rows, 0.5, low=0.0, high=1.0, relative_resolution=0.05)\n"
    pytester.makepyfile(
        SIMULATOR
        + f"\ndef test_one(theory_claims):\n{body}{body}"
        + f"\ndef test_two(theory_claims):\n{body}"
    )

    def estimates(*arguments: str) -> list[float]:
        record = pytester.inline_run(*PLUGIN, *arguments)
        reports = [
            report for report in record.getreports("pytest_runtest_logreport") if report.when == "call"
        ]
        assert all(report.passed for report in reports)
        return [json.loads(value)["estimate"] for report in reports for _, value in report.user_properties]

    together = estimates()
    assert len(set(together)) == 3
    assert estimates("-k", "test_two") == together[2:]
    assert set(estimates("--theory-seed", "1")).isdisjoint(together)


def test_a_specification_is_claimed_as_the_readme_shows(pytester: pytest.Pytester) -> None:
    (code,) = (
        snippet
        for snippet in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
        if "theory_claims" in snippet
    )
    pytester.makepyfile(code)
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=1)
    wrong = code.replace("squares, moment,", "squares, 1.03 * moment,")
    assert wrong != code
    pytester.makepyfile(wrong)
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ClaimRefuted: *refuted: 2.6428 is predicted*", "*sampled *networks in*"])


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys\nimport largedepth.pytest_plugin\n"
        "assert not {'numpy', 'numba', 'montecarlo', 'click'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_two_claims_of_one_name_are_refused(pytester: pytest.Pytester) -> None:
    claim = 'theory_claims.mean(rows, 0.5, low=0.0, high=1.0, resolution=0.1, name="a")'
    pytester.makepyfile(SIMULATOR + f"\ndef test_twice(theory_claims):\n    {claim}\n    {claim}\n")
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*InvalidFieldError: name='a': must differ from those before it*"])
