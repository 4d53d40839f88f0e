"""``largedepth combine``: one line on success, one on errors, and one for each damaged file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import command
from store_examples import record, rows

from montecarlo.store import Piece, Store


def run(*arguments):
    done = command("combine", *arguments)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


@pytest.fixture
def folders(tmp_path):
    """Return the results folders of two hosts: rows 0 ... 5 and 4 ... 9 of a run."""
    for name, start, stop in (("a", 0, 6), ("b", 4, 10)):
        store = Store.open(tmp_path / name)
        (key,) = store.add_runs([record(columns={"x": []})])
        store.write([Piece(key, start, {"x": rows(start, stop)["x"]})])
    return tmp_path / "a", tmp_path / "b"


def test_table_and_folder(folders, tmp_path: Path) -> None:
    for out in ("all.csv", "all.parquet", "all"):
        code, lines = run(*folders, "--out", tmp_path / out)
        assert code == 0
        assert lines == [f"combine: {tmp_path / out} holds 10 rows of 1 runs (2 repeats dropped)"]
    np.testing.assert_allclose(pd.read_csv(tmp_path / "all.csv").x, rows(0, 10)["x"], rtol=1e-15)
    pd.testing.assert_frame_equal(
        Store.open(tmp_path / "all").to_pandas(), pd.read_parquet(tmp_path / "all.parquet")
    )


def test_errors_are_one_line(folders, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    for arguments, words in (
        (("--out", out), "DIR: must be at least one results folder"),
        ((folders[0],), "--out: must be given"),
        ((folders[0], tmp_path / "none", "--out", out), "none: is no results folder (does not exist)"),
        ((folders[0], "--out", tmp_path), "holds other things"),
        ((folders[0], "--out", tmp_path / "no" / "t.csv"), "--out"),
    ):
        code, lines = run(*arguments)
        assert (code, len(lines)) == (2, 1), lines
        assert words in lines[0]
    assert not out.exists()
    out.write_text("mine")
    code, (line,) = run(*folders, "--out", out)
    assert (code, out.read_text()) == (2, "mine")
    assert "(--overwrite)" in line
    assert run(*folders, "--out", out, "--overwrite")[0] == 0


def test_different_rows_are_refused(folders, tmp_path: Path) -> None:
    store = Store.open(folders[1])
    (key,) = store.runs()
    store.write([Piece(key, 0, {"x": np.zeros(1)}), Piece(key, 1, {"x": np.zeros(1)})])
    code, (line,) = run(*folders, "--out", tmp_path / "t.csv")
    assert code == 2
    assert "hold different x" in line
    assert not (tmp_path / "t.csv").exists()


def test_damaged_files_are_named(folders, tmp_path: Path) -> None:
    (shard,) = (folders[0] / "shards").iterdir()
    shard.write_bytes(shard.read_bytes()[:-1])
    # Another process: pytest has warnings of its own.
    command = [sys.executable, "-m", "largedepth", "combine", *folders, "--out", tmp_path / "t.csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == (0, 2), lines
    assert lines[0].startswith(f"largedepth: {shard}: not a whole Parquet file")
    assert "holds 6 rows" in lines[1]
