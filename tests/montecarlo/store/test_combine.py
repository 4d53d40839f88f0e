"""Pooling results folders: into a table or a folder, each row once, in one order."""

from __future__ import annotations

import csv
import errno
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_examples import record, rows, same

from montecarlo import InvalidFieldError
from montecarlo.store import Combined, Piece, Store, StoreError, StoreWarning, combine
from montecarlo.store import _index as index_module


def write(folder: Path, *pieces: tuple[int, int, int], **others: object) -> list[str]:
    """Write pieces (number of the run, start, stop), a shard each, and return the keys."""
    store = Store.open(folder)
    keys = store.add_runs(record(number, **others) for number in range(3))
    for number, start, stop in pieces:
        store.write([Piece(keys[number], start, rows(start, stop, number))])
    return keys


def test_two_hosts_into_a_table(tmp_path: Path) -> None:
    write(tmp_path / "a", (2, 0, 4), (0, 5, 9))
    write(tmp_path / "b", (0, 0, 7), (1, 2, 3))
    out = tmp_path / "all.parquet"
    assert combine([tmp_path / "a", tmp_path / "b"], out) == Combined(runs=3, rows=14, repeats=2)
    table = pd.read_parquet(out)
    assert table.depth.tolist() == [10] * 9 + [11] + [12] * 4
    assert table.replica.tolist() == [*range(9), 2, *range(4)]
    expected = [rows(0, 9), rows(2, 3, 1), rows(0, 4, 2)]
    assert table.x.to_numpy().tobytes() == np.concatenate([part["x"] for part in expected]).tobytes()
    path = np.concatenate([part["path"] for part in expected])
    assert np.stack(table.path.tolist()).tobytes() == path.tobytes()
    assert {name: set(table[name]) for name in ("width", "beta", "weights", "seed")} == {
        "width": {8}, "beta": {0.5}, "weights": {"gaussian"}, "seed": {7},
    }  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == ["a", "all.parquet", "b"]


def test_csv_has_the_same_numbers(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a")
    (key,) = store.add_runs([record(columns={"x": []}, seed=2**100)])
    store.write([Piece(key, 0, {"x": rows(0, 9)["x"]})])
    combine([tmp_path / "a"], tmp_path / "all.csv")
    with open(tmp_path / "all.csv", newline="") as handle:
        lines = list(csv.DictReader(handle))
    np.testing.assert_array_equal([float(line["x"]) for line in lines], rows(0, 9)["x"])
    assert [int(line["replica"]) for line in lines] == list(range(9))
    assert {(line["seed"], line["alpha"]) for line in lines} == {(str(2**100), "")}


def test_csv_holds_no_lists(tmp_path: Path) -> None:
    write(tmp_path / "a", (0, 0, 3))
    with pytest.raises(InvalidFieldError, match=r"out='.*all.csv': needs Parquet: cells of path hold lists"):
        combine([tmp_path / "a"], tmp_path / "all.csv")
    assert os.listdir(tmp_path) == ["a"]


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(1, 9)), min_size=1, max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.sampled_from([1, 100, 1000, 1 << 20]),
)
def test_the_table_depends_on_the_rows_alone(
    pieces: list[tuple[int, int, int]], hosts: list[bool], size: int
) -> None:
    with tempfile.TemporaryDirectory() as path, pytest.MonkeyPatch.context() as patch:
        folder = Path(path)
        ranges = [(number, start, start + count) for number, start, count in pieces]
        # The same piece again in one folder is the same file.
        written: dict[str, int] = {}
        for name, chosen in (("a", [True]), ("b", [False]), ("one", [True, False])):
            mine = {piece for piece, where in zip(ranges, hosts, strict=False) if where in chosen}
            written[name] = sum(stop - start for _, start, stop in mine)
            write(folder / name, *mine)
        tables = []
        for sources in (("a", "b"), ("b", "a"), ("one",)):
            # Batches and cache of any size.
            patch.setattr(index_module, "_CACHE_BYTES", size)
            patch.setattr(index_module.Index.batches, "__defaults__", (size,))
            out = folder / "out.parquet"
            done = combine([folder / source for source in sources], out, overwrite=True)
            tables.append(pq.read_table(out))
            assert done.rows == len(tables[-1])
            assert done.rows + done.repeats == sum(written[source] for source in sources)
        # Compared as text: NaN equals itself, and -0.0 is not 0.0.
        assert len({repr(table.to_pylist()) for table in tables}) == 1


def test_into_a_folder_which_can_be_continued(tmp_path: Path) -> None:
    keys = write(tmp_path / "a", *((0, 5 * i, 5 * i + 5) for i in range(6)), (2, 0, 4))
    write(tmp_path / "b", (0, 28, 40), (1, 0, 2))
    out = tmp_path / "all"
    assert combine([tmp_path / "a", tmp_path / "b"], out) == Combined(3, 46, 2)
    assert len(os.listdir(out / "shards")) == 1
    store = Store.open(out)
    assert [store.held(key) for key in keys] == [[(0, 40)], [(0, 2)], [(0, 4)]]
    assert same(store.read(keys[0], 0, 40), rows(0, 40))
    # Again, and with more: nothing that is there is written again.
    write(tmp_path / "a", (1, 1, 6))
    assert combine([tmp_path / "a"], out) == Combined(3, 50, 35)
    assert Store.open(out).held(keys[1]) == [(0, 6)]
    assert len(os.listdir(out / "shards")) == 2
    assert combine([out, tmp_path / "a", tmp_path / "a"], out).rows == 50
    assert len(os.listdir(out / "shards")) == 2


def test_a_folder_named_twice_is_no_repeat(tmp_path: Path) -> None:
    write(tmp_path / "a", (0, 0, 5))
    os.symlink(tmp_path / "a", tmp_path / "link")
    done = combine(
        [tmp_path / "a", tmp_path / "a" / "shards" / "..", tmp_path / "link"], tmp_path / "t.parquet"
    )
    assert done == Combined(1, 5, 0)
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    assert combine([tmp_path / "a", tmp_path / "copy"], tmp_path / "u.parquet") == Combined(1, 5, 5)


@pytest.mark.parametrize("out", ["all", "all.parquet"])
def test_differing_rows_are_refused(tmp_path: Path, out: str) -> None:
    keys = write(tmp_path / "a", (0, 0, 9), (1, 0, 3))
    wrong = rows(4, 6, 1)
    store = Store.open(tmp_path / "b")
    store.add_runs([record(0)])
    store.write([Piece(keys[0], 4, wrong)])
    with pytest.raises(StoreError, match=r"hold different x for its rows from 4 on") as caught:
        combine([tmp_path / "a", tmp_path / "b"], tmp_path / out)
    assert str(tmp_path / "a" / "shards") in str(caught.value)
    assert str(tmp_path / "b" / "shards") in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_differing_rows_in_the_folder_itself_are_refused(tmp_path: Path) -> None:
    keys = write(tmp_path / "a", (0, 0, 9), (1, 0, 3))
    store = Store.open(tmp_path / "out")
    store.add_runs([record(0)])
    store.write([Piece(keys[0], 4, rows(4, 6, 1))])
    with pytest.raises(StoreError, match="one of the two is wrong"):
        combine([tmp_path / "a"], tmp_path / "out")
    assert len(os.listdir(tmp_path / "out" / "shards")) == 1


def test_damaged_rows_come_from_another_host(tmp_path: Path) -> None:
    write(tmp_path / "a", (0, 0, 9))
    write(tmp_path / "b", (0, 0, 9))
    (shard,) = (tmp_path / "a" / "shards").iterdir()
    worn = bytearray(shard.read_bytes())
    worn[len(worn) // 4] ^= 4
    shard.write_bytes(worn)
    with pytest.warns(StoreWarning, match=str(shard)):
        done = combine([tmp_path / "a", tmp_path / "b"], tmp_path / "t.parquet")
    assert done == Combined(runs=1, rows=9, repeats=0)  # what is left out is no repeat
    with pytest.warns(StoreWarning, match=str(shard)):
        assert combine([tmp_path / "a", tmp_path / "b"], tmp_path / "pooled") == done
    assert pd.read_parquet(tmp_path / "t.parquet").x.to_numpy().tobytes() == rows(0, 9)["x"].tobytes()


def test_runs_of_several_kinds_share_a_table(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a")
    one, two, three = store.add_runs(
        [
            record(0, columns={"x": []}, engine="gaussian"),
            record(0, kind="coupled", columns={"y": [2], "x": [2]}, depths=[5, 10], seed=-1),
            {"specification": {"width": 9}, "width": "wide", "seed": 1.5, "columns": {"width": []}},
        ]
    )  # fmt: skip
    store.write([Piece(one, 0, {"x": np.array([1.0, 2.0])})])
    store.write([Piece(two, 0, {"y": np.array([[1.0, 2.0]]), "x": np.array([[3.0, 4.0]])})])
    store.write([Piece(three, 0, {"width": np.array([-1.0])})])
    combine([tmp_path / "a"], tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet").to_pydict()
    assert table["x"] == [[3.0, 4.0], [1.0], [2.0], None]
    assert table["y"] == [[1.0, 2.0], None, None, None]
    assert table["engine"] == [None, "gaussian", "gaussian", None]
    assert table["depths"] == ["[5, 10]", None, None, None]
    assert table["seed"] == [-1.0, 7.0, 7.0, 1.5]
    assert (table["width"], table["run_width"]) == ([8, 8, 8, 9], [None, None, None, "wide"])
    assert table["row_width"] == [None, None, None, -1.0]


def test_bad_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a")
    out = tmp_path / "t.parquet"
    with pytest.raises(InvalidFieldError, match="at least one results folder"):
        combine([], out)
    with pytest.raises(StoreError, match="is no results folder"):
        combine([tmp_path / "a", tmp_path], out)
    with pytest.raises(StoreError, match="no rows to write"):
        combine([tmp_path / "a"], out)
    write(tmp_path / "a", (0, 0, 9))
    out.write_text("mine")
    with pytest.raises(InvalidFieldError, match="is there already"):
        combine([tmp_path / "a"], out)
    with pytest.raises(StoreError, match="holds other things"):
        combine([tmp_path / "a"], tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        combine([tmp_path / "a"], out, overwrite=True)
    assert out.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["a", "t.parquet"]
