"""Rows that lie in several files: any that differ are found, however the files overlap."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_examples import record, rows

from montecarlo.store import Piece, Store, StoreError, combine

COUNTED = 20  # rows of the run


def write_wrong(folder: Path, pieces: list[tuple[int, int]], wrong: int, row: int) -> None:
    """Write pieces (first, stop), a file each; the one numbered `wrong` has another number in one row."""
    store = Store.open(folder)
    (key,) = store.add_runs([record()])
    for number, (first, stop) in enumerate(pieces):
        columns = rows(first, stop)
        if number == wrong:
            columns["path"][row - first, 1] += 1e-15
        store.write([Piece(key, first, columns)])


def test_a_file_inside_a_longer_one_hides_nothing(tmp_path: Path) -> None:
    pieces = [(0, 20), (3, 5), (9, 11)]
    write_wrong(tmp_path / "a", pieces, wrong=2, row=10)
    for out in ("all", "all.parquet"):
        with pytest.raises(StoreError, match="hold different path for its rows from 9 on"):
            combine([tmp_path / "a"], tmp_path / out)
        assert not (tmp_path / out).exists()  # found before anything is written
    write_wrong(tmp_path / "b", pieces[1:], wrong=1, row=10)
    assert combine([tmp_path / "b"], tmp_path / "rest").rows == 4  # no two files have that row


@settings(max_examples=20)
@given(data=st.data())
def test_a_conflict_is_found_where_two_files_have_the_row(data: st.DataObject) -> None:
    ends = st.tuples(st.integers(0, COUNTED - 1), st.integers(1, COUNTED)).filter(lambda p: p[0] < p[1])
    pieces = data.draw(st.lists(ends, min_size=2, max_size=6, unique=True))
    wrong = data.draw(st.integers(0, len(pieces) - 1))
    row = data.draw(st.integers(pieces[wrong][0], pieces[wrong][1] - 1))
    twice = sum(first <= row < stop for first, stop in pieces) > 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_wrong(folder / "a", pieces, wrong, row)
        for out in ("all", "all.parquet"):
            if twice:
                with pytest.raises(StoreError, match="hold different path"):
                    combine([folder / "a"], folder / out)
            else:
                assert combine([folder / "a"], folder / out).rows == len(
                    {i for first, stop in pieces for i in range(first, stop)}
                )


def test_conflicts_are_found_in_every_run(tmp_path: Path) -> None:
    for conflicting in range(3):
        folder = tmp_path / str(conflicting)
        store = Store.open(folder)
        keys = store.add_runs(record(number) for number in range(3))
        for number, key in enumerate(keys):
            store.write([Piece(key, 0, rows(0, 5, number))])
        wrong = rows(2, 4, conflicting)
        wrong["path"][1, 2] += 1e-15
        store.write([Piece(keys[conflicting], 2, wrong)])
        with pytest.raises(StoreError, match="hold different path"):
            combine([folder], tmp_path / f"all {conflicting}")
        assert not (tmp_path / f"all {conflicting}").exists()
