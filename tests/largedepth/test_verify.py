"""``largedepth verify``: the table, the files, the exit codes, bad use, Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import junitparser
import pytest
from command import Done, command

from largedepth import _verdict_files, _verdict_table
from montecarlo.verification import MutantOutcome, MutantRun, Verdict, Verification

KEYS = {
    "id", "verdict", "quantity", "predicted", "estimate", "interval", "resolution", "false_alarm", "networks",
    "seconds", "specification",
}  # fmt: skip
MORE_KEYS = {"name", "claim", "resolution_asked", "rows_left_out"}


def call(*arguments: object) -> Done:
    return command("verify", *arguments)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave I2 two experiments that take a moment."""
    from montecarlo.verification import _catalogue, chosen_experiments

    quick = [replace(experiment, resolution=0.05) for experiment in chosen_experiments(["I2"])[:2]]
    monkeypatch.setattr(_catalogue, "experiments_of", lambda id: quick if id == "I2" else [])


def verdict(id: str, word: str, **other) -> Verdict:
    values = {
        "id": id, "name": "gaussian", "verdict": word, "quantity": "E‖h_L‖²/‖h_0‖² | given h_0",
        "claim": "at most", "predicted": 2.5, "estimate": 2.6, "interval": (2.55, 2.65), "resolution": 0.06,
        "false_alarm": 1e-7, "networks": 12_345, "seconds": 0.5, "specification": (),
        "resolution_asked": 0.01, **other,
    }  # fmt: skip
    return Verdict(**values)


MIXED = Verification(
    (
        verdict("I2", "consistent", name="a"), verdict("I2", "refuted", name="b"),
        verdict("I6", "undecided", interval=(float("-inf"), float("inf")), estimate=float("nan")),
        verdict("I7", "consistent"),
    ),
    7, 1e-6, 1.5,
)  # fmt: skip


@pytest.mark.usefixtures("few")
def test_a_run_fills_the_table_and_every_file(tmp_path: Path) -> None:
    paths = {kind: tmp_path / f"{kind}.out" for kind in ("json", "junit", "summary")}
    files = [part for kind, path in paths.items() for part in (f"--{kind}", str(path))]
    code, out, _ = call("I2", "--seed", "3", *files)
    assert code == 0
    rows = [line for line in out.splitlines() if line.startswith("I2 ")]
    assert rows
    assert all(line.endswith("consistent") for line in rows)
    assert max(map(len, rows)) <= 100
    assert "\x1b" not in out  # colour is for terminals
    records = json.loads(paths["json"].read_text(encoding="utf-8"))
    assert len(records) == len(rows)
    for record in records:
        assert set(record) == KEYS | MORE_KEYS
        assert record["verdict"] == "consistent"
        assert record["interval"][0] <= record["predicted"] <= record["interval"][1]
        assert record["specification"][0]["width"] > 0
    assert sum(record["false_alarm"] for record in records) == pytest.approx(1e-6)
    suites = junitparser.JUnitXml.fromfile(str(paths["junit"]))
    assert [(suite.tests, suite.failures, suite.errors) for suite in suites] == [(1, 0, 0)]
    assert paths["summary"].read_text(encoding="utf-8").startswith("## ✅ Theorems against simulation")
    assert sorted(tmp_path.iterdir()) == sorted(paths.values())


@pytest.mark.parametrize("width", [60, 70, 80, 100])
def test_tables_fit_the_terminal(width: int) -> None:
    calm = Verification((verdict("I2", "consistent"), verdict("I7", "undecided")), 7, 1e-6, 1.5)
    lines = _verdict_table.terminal_table(calm, width=width).splitlines()
    table = lines if width < 80 else lines[:-1]  # the counts are one line where many read them
    assert max(map(len, table)) <= width
    assert [line.split()[0] for line in lines[2:4]] == ["I2", "I7"]
    assert [line.split()[-1] for line in lines[2:4]] == ["consistent", "undecided"]


def test_files_are_written_before_anything_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> str:
        raise OSError("the terminal burns")

    mutants = MutantRun((MutantOutcome("I2", "a", "b", "c", "refuted", 10, 0.5),), 7, 0.5)
    monkeypatch.setattr("largedepth._verify.run_verify", lambda *_, **options: (MIXED, False))
    monkeypatch.setattr("largedepth._verify._run_mutants", lambda *_, **options: (mutants, False))
    monkeypatch.setattr(_verdict_table, "terminal_table", fail)
    monkeypatch.setattr(_verdict_table, "mutant_table", fail)
    for more in ((), ("--mutants",)):
        paths = [tmp_path / f"{kind}{len(more)}" for kind in ("json", "junit", "summary")]
        files = [part for path in paths for part in (f"--{path.name[:-1]}", str(path))]
        code, _, err = call("I2", *more, *files)
        assert (code, "the terminal burns" in err) == (2, True)
        assert all(path.stat().st_size for path in paths)


@pytest.mark.usefixtures("few")
def test_threads_never_change_a_verdict(tmp_path: Path) -> None:
    runs = []
    for threads in ("1", "2"):
        path = tmp_path / f"{threads}.json"
        arguments = ("I2", "--threads", threads, "--false-alarm", "1e-3", "--json", str(path))
        assert call(*arguments)[0] == 0
        runs.append([{**record, "seconds": 0} for record in json.loads(path.read_text(encoding="utf-8"))])
    assert runs[0] == runs[1]


def test_out_of_time_is_3() -> None:
    code, out, err = call("I2", "--budget", "1e-9")
    assert code == 3
    assert "undecided" in out
    assert "stopped before its first networks" in err


def test_a_refuted_theorem_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from montecarlo.verification import _catalogue, chosen_mutants

    wrong = chosen_mutants(["I2"])[0].experiment
    monkeypatch.setattr(_catalogue, "experiments_of", lambda id: [wrong] if id == "I2" else [])
    code, out, err = call("I2")
    assert code == 1
    assert "refuted" in out
    for line in ("predicted", "estimate", "resolution", "sampled", "false alarm"):
        assert re.search(rf"^  {line} ", out, re.M), out
    assert "verify: I2" in err


def test_mutants_are_caught_and_one_that_survives_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.json"
    code, out, _ = call("I2", "--mutants", "--json", str(path))
    assert code == 0
    assert "0 missed" in out
    assert all(record["caught"] for record in json.loads(path.read_text(encoding="utf-8")))
    from dataclasses import replace

    from montecarlo.verification import _catalogue, chosen_experiments, chosen_mutants

    true = replace(chosen_mutants(["I2"])[0], experiment=chosen_experiments(["I2"])[0])
    monkeypatch.setattr(_catalogue, "mutants_of", lambda id: [true])
    code, out, err = call("I2", "--mutants")
    assert code == 1
    assert "MISSED" in out
    assert "1 missed" in out
    assert "consistent" in err


@pytest.mark.parametrize(("word", "code"), [("consistent", 0), ("refuted", 1), ("undecided", 3)])
def test_reproduce_ends_like_its_verdicts(
    word: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from largedepth import _reproduce

    run = Verification((verdict("I2", "consistent"), verdict("I6", word)), 7, 1e-6, 1.5)
    monkeypatch.setattr(_reproduce, "sample_all", lambda *_, **__: None)
    monkeypatch.setattr(_reproduce, "run_verify", lambda *_, **__: (run, False))
    assert command("reproduce", "--out", tmp_path).returncode == code
    assert word in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_rows_that_were_left_out_are_counted() -> None:
    lost = Verification(
        (verdict("I2", "consistent", rows_left_out=3), verdict("I6", "consistent")), 7, 1e-6, 1.5
    )
    assert _verdict_table.counts(lost).endswith("; 3 rows not finite and left out")
    assert "left out" not in _verdict_table.counts(MIXED)


def test_junit_has_a_case_a_theorem() -> None:
    suites = junitparser.JUnitXml.fromstring(_verdict_files.verdicts_junit(MIXED).encode())
    (suite,) = suites
    assert (suite.tests, suite.failures, suite.errors) == (3, 1, 1)
    refuted, undecided, consistent = suite
    assert refuted.name.startswith("I2 ")
    (failure,) = refuted.result
    assert isinstance(failure, junitparser.Failure)
    assert "2.5 is predicted" in failure.message
    assert "I2 b" in failure.text
    assert "I2 a" not in failure.text  # what is consistent is no part of the failure
    (error,) = undecided.result
    assert isinstance(error, junitparser.Error)
    assert "it was stopped at a resolution of 0.06" in error.message
    assert consistent.result == []
    missed = MutantRun((MutantOutcome("I2", "a", "no −1/d", "theory", "consistent", 9, 0.1),), 7, 0.1)
    (suite,) = junitparser.JUnitXml.fromstring(_verdict_files.mutants_junit(missed).encode())
    assert suite.failures == 1


def test_json_has_no_infinities() -> None:
    records = json.loads(_verdict_files.verdicts_json(MIXED))
    assert records[2]["interval"] == [None, None]
    assert records[2]["estimate"] is None


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_keeps_to_the_width(width: int) -> None:
    lines = _verdict_table.terminal_table(MIXED, width=width).splitlines()
    table = lines[: 2 + len(MIXED.verdicts)]
    assert max(map(len, table)) <= width
    words = [line.split()[-1] for line in table[2:]]
    assert words == ["consistent", "refuted", "undecided", "consistent"]
    assert "≤ 2.5" in table[2]
    assert "4 experiments on 3 theorems: 2 consistent, 1 refuted, 1 undecided" in lines[-1]
    coloured = _verdict_table.terminal_table(MIXED, width=width, colour=True)
    assert "\x1b[31mrefuted\x1b[0m" in coloured


def test_the_summary_is_a_markdown_table() -> None:
    lines = _verdict_table.summary(MIXED).splitlines()
    assert lines[0] == "## ❌ Theorems against simulation: refuted"
    start = lines.index("| --- | --- | --- | --- | --- | --- |")
    for line in lines[start - 1 : start + 1 + len(MIXED.verdicts)]:
        assert len(re.findall(r"(?<!\\)\|", line)) == 7  # the bar of a quantity is no cell's end
    assert "I2 b: refuted: ≤ 2.5 is predicted" in "\n".join(lines)
    one = replace(MIXED, verdicts=(verdict("I8", "consistent", resolution=0.0),))
    assert "| – |" in _verdict_table.summary(one)
    assert "  –  " in _verdict_table.terminal_table(one, width=100, colour=False)
    assert json.loads(_verdict_files.verdicts_json(one))[0]["resolution"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("I22",), ("ID I22", "the id or the name of a theorem", "I2")),
        (("--budget", "0"), ("--budget 0", "above 0", "--budget 60")),
        (("--budget", "x"), ("--budget x", "a number", "--budget 60")),
        (("--false-alarm", "1"), ("--false-alarm 1.0", "at most 0.5", "--false-alarm 1e-06")),
        (("--false-alarm", "nan", "--mutants"), ("--false-alarm nan", "above 0", "--false-alarm 1e-06")),
        (("I2", "--seed", "-1"), ("--seed -1", "at least 0", "--seed 7")),
        (("I2", "--threads", "0"), ("--threads 0", "at least 1", "--threads 2")),
        (("I2", "--json", "no/such/a.json"), ("--json no/such/a.json", "existing folder", "make")),
        (("I2", "--junit", ""), ("--junit ''", "must name a file", "--junit junit.xml")),
        (("I2", "--summary", "."), ("--summary", "name a file", "summary.md")),
    ],
)
def test_bad_use_is_one_line(
    arguments: tuple[str, ...],
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err
    assert list(tmp_path.iterdir()) == []


ENDLESS = """
import sys
from largedepth import _verify_progress
from montecarlo.verification import _catalogue, chosen_experiments
from dataclasses import replace
done, endless = chosen_experiments(["I2"])[:2]
never = replace(endless, resolution=0.0)
quick = replace(done, resolution=1.0)
_verify_progress._QUIET_SECONDS = 0.1
_catalogue.experiments_of = lambda id: [quick, never] if id == "I2" else []
from largedepth.__main__ import main
main(["verify", "I2", "--json", sys.argv[1], "--threads", "1"])
"""


def test_ctrl_c_prints_the_verdicts_so_far(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    command = [sys.executable, "-c", ENDLESS, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "1 of 2 decided" in line:
            break
    process.send_signal(signal.SIGINT)
    time.sleep(0.03)
    process.send_signal(signal.SIGINT)  # as `timeout -s INT` does
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    words = [line.split()[-1] for line in out.splitlines() if line.startswith("I2 ")]
    assert words[:2] == ["consistent", "undecided"]
    assert "undecided stands for the rest" in err
    assert "Traceback" not in err
    assert [r["verdict"] for r in json.loads(path.read_text(encoding="utf-8"))] == ["consistent", "undecided"]
