"""``largedepth train``: the table, the files, and what is said without the extra."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from largedepth.__main__ import main
from montecarlo import ResNet, weights
from montecarlo.training import TrainingItem, TrainingPlan, need_training

SMALL = ("--width", "8", "--depth", "20", "--epochs", "2", "--weights", "fbm:0.5")


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["train", *map(str, arguments)])
    return int(ended.value.code or 0)


@pytest.fixture
def extra() -> None:
    for package in ("jax", "optax", "sklearn"):
        pytest.importorskip(package)


@pytest.mark.usefixtures("extra")
def test_table_json_and_npz_hold_the_same_networks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = ("--lr", "0.01", "--lr", "0.1")
    assert run(*SMALL, *rates, "--out", tmp_path / "a.json") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table["rate"].tolist() == [0.01, 0.1]
    records = json.loads((tmp_path / "a.json").read_text())
    assert table["accuracy"].tolist() == pytest.approx([record["accuracy"] for record in records], rel=1e-5)
    assert run(*SMALL, *rates, "--out", tmp_path / "a.npz") == 0
    net = ResNet(width=8, depth=20, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=64)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert json.loads(str(stored["outcomes"])) == records
        assert stored["after_V"].shape == (2, 20, 8, 8)
        assert (stored["before_V"] == weights(net, replica=0, seed=0).V.astype(np.float32)).all()
        assert not (stored["after_V"][0] == stored["after_V"][1]).all()
    item = TrainingItem(resnet=net, rate=0.01, plan=TrainingPlan(epochs=2))
    assert records[0]["item"] == item.canonical()


@pytest.mark.usefixtures("extra")
def test_a_folder_is_continued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SMALL, "--beta", 0.5, "--lr", 0.01, "--out", tmp_path / "runs") == 0
    first = capsys.readouterr()
    assert "0 outcomes reused, 1 trained" in first.err
    assert run(*SMALL, "--beta", 0.5, "--beta", 0.9, "--lr", 0.01, "--out", tmp_path / "runs") == 0
    second = capsys.readouterr()
    assert "1 outcomes reused, 1 trained" in second.err
    assert second.out.splitlines()[:2] == first.out.splitlines()
    assert run(*SMALL, "--beta", 0.5, "--beta", 1, "--lr", 0.01, "--out", tmp_path / "runs", "--dry-run") == 0
    assert "(1 of them are in" in capsys.readouterr().out


@pytest.mark.usefixtures("extra")
def test_diverged_networks_are_said_and_have_no_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SMALL, "--beta", -3, "--lr", 1e20) == 0
    captured = capsys.readouterr()
    assert "1 of 1 networks diverged" in captured.err
    row = pd.read_csv(io.StringIO(captured.out)).iloc[0]
    assert np.isnan(row["accuracy"])
    assert row["diverged_at"] >= 0


@pytest.mark.usefixtures("extra")
def test_a_dry_run_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("montecarlo.training.train_item", None)
    monkeypatch.setattr("montecarlo.training.run_items", None)
    asked = ("--weights", "fbm:0.5", "--weights", "uniform", "--lr", 0.1, "--threads", 2, "--dry-run")
    assert run(*asked) == 0
    out = capsys.readouterr().out
    assert run(*asked, "--out", tmp_path) == 0  # a folder that is there, and empty
    assert capsys.readouterr().out == out
    assert not list(tmp_path.iterdir())
    assert out.startswith("2 networks of width 30 and depth 1,000, 10 epochs of digits in 12 steps: roughly ")
    assert out.endswith(" s on 2 workers\n")


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "digit"), "--data digit: must be one of cifar10, digits, mnist, mnist1d; did you mean"),
        (("--rate", "0"), "--rate 0.0: must be a finite number above 0"),
        (("--epochs", "0"), "--epochs 0: must be a whole number"),
        (("--out", "a.txt"), "--out a.txt: must be a .json or .npz file, or a folder"),
        (("--out", "a.npz", "--beta", "1", "--beta", "2"), "--out a.npz: must not be .npz for several"),
        (("--out", "/nowhere/a.json"), "--out /nowhere/a.json: must lie in a folder that can be written"),
        (("--weights", "fbm:2"), "--weights fbm:2"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"largedepth: {message}")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    "verb", [("train",), ("figures", "9", "--out", "unused"), ("reproduce", "--trained")]
)
def test_without_the_extra_the_message_names_it(
    verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        main(list(verb))
    assert ended.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("largedepth:")]
    assert len(lines) == 1
    assert "pip install 'largedepth[training]'" in lines[0]


def test_what_is_installed_is_not_asked_for() -> None:
    need_training("numpy")
    with pytest.raises(ImportError, match="training needs nothing_of_this_name"):
        need_training("numpy", "nothing_of_this_name")
