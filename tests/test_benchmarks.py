"""Records of benchmarks: kept exactly, and a fall is seen whichever way a number is better."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.planted.__main__ import ROOT, areas, bugs_of
from benchmarks.record import Number, falls, load, save

BEFORE = {"rate": Number("rate", 100.0, "/s", 50.0), "time": Number("time", 2.0, "s", lower=True)}


def test_what_is_kept_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "numbers.json"
    assert load(path) == {}
    save(path, list(BEFORE.values()))
    assert load(path) == BEFORE
    assert json.loads(path.read_text())["machine"]["cores"] >= 1


@pytest.mark.parametrize(
    ("now", "fell"),
    [
        (Number("rate", 84.0, "/s", 50.0), True),
        (Number("rate", 86.0, "/s", 50.0), False),
        (Number("rate", 84.0, "/s", 42.0), False),  # on a slower machine
        (Number("time", 2.4, "s", lower=True), True),
        (Number("time", 2.3, "s", lower=True), False),
        (Number("time", 1.0, "s", lower=True), False),
        (Number("new", 1.0, "s"), False),
    ],
)
def test_falls(now: Number, fell: bool) -> None:
    assert [number for number, _ in falls(BEFORE, [now])] == [now] * fell


def test_a_fall_is_an_error_and_the_old_numbers_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "numbers.json"
    save(path, list(BEFORE.values()))
    numbers = [Number("rate", 50.0, "/s", 50.0)]
    monkeypatch.setattr(command, "measure", lambda *_: numbers)
    monkeypatch.setattr("sys.argv", ["benchmarks", "--out", str(path)])
    assert command.main() == 1
    assert "FELL by more than 15%: rate (-50.0%)" in capsys.readouterr().err
    assert load(path) == BEFORE
    assert load(tmp_path / "numbers.new.json") == {"rate": numbers[0]}
    numbers[:] = [Number("rate", 120.0, "/s", 50.0)]
    assert command.main() == 0
    assert load(path) == {"rate": numbers[0]}


@pytest.mark.parametrize("area", areas())
def test_planted_bugs_fit_the_code(area: str) -> None:
    for bug in bugs_of(area):
        assert (ROOT / bug.file).read_text(encoding="utf-8").count(bug.old) == 1, bug.seen
        assert [test for test in bug.tests if not (ROOT / test.partition("::")[0]).exists()] == [], bug.seen
