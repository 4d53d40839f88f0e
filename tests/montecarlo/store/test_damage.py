"""Results folders that were torn, worn, edited or filled up: named, left out, and the rest kept."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store_examples import record, rows, same

from montecarlo.common import files
from montecarlo.store import Piece, Store, StoreError, StoreWarning, combine

SHARDS = "shards"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a results folder with rows 0 ... 3 and 10 ... 13 of a run, in a shard each."""
    path = tmp_path / "results"
    store = Store.open(path)
    (key,) = store.add_runs([record()])
    store.write([Piece(key, 0, rows(0, 4))])
    store.write([Piece(key, 10, rows(10, 14))])
    return path


def shard_of(folder: Path, row: int) -> Path:
    """Return the shard that begins at a row."""
    (path,) = (p for p in (folder / SHARDS).iterdir() if pq.read_table(p)["replica"][0].as_py() == row)
    return path


def open_and_hold(folder: Path) -> list[tuple[int, int]]:
    """Open a folder and return which rows of its only run it holds, when they have been read."""
    store = Store.open(folder, create=False)
    (key,) = store.runs()
    held = store.held(key)
    for start, stop in held:
        assert same(store.read(key, start, stop), rows(start, stop))
    return held


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path, str]:
    """Return a results folder, its shard of a single row, and the key of the run."""
    store = Store.open(tmp_path / "small")
    (key,) = store.add_runs([record(columns={"x": []})])
    for replica in (0, 10):
        store.write([Piece(key, replica, {"x": np.array([0.5 + replica])})])
    return store.folder, shard_of(store.folder, 10), key


def test_shard_truncated_at_every_byte(small: tuple[Path, Path, str]) -> None:
    folder, victim, key = small
    content = victim.read_bytes()
    for length in range(len(content)):
        victim.write_bytes(content[:length])
        with pytest.warns(StoreWarning, match=victim.name):
            store = Store.open(folder, create=False)
        assert store.held(key) == [(0, 1)], length
    victim.write_bytes(content)
    assert Store.open(folder).held(key) == [(0, 1), (10, 11)]


def test_shard_with_a_flipped_bit_at_every_byte(small: tuple[Path, Path, str]) -> None:
    folder, victim, key = small
    content = victim.read_bytes()
    for position in range(len(content)):
        worn = bytearray(content)
        worn[position] ^= 1 << position % 8
        victim.write_bytes(worn)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            # Unless all is verified, a worn footer may give the rows to other replicas until they are asked
            # for; the checksum is compared before they count.
            store = Store.open(folder, create=False, verify=position % 2 == 0)
            assert store.held(key) == [(0, 1)], position
        assert caught, position
        assert all(victim.name in str(warning.message) for warning in caught)
        assert {warning.category for warning in caught} == {StoreWarning}


@pytest.mark.parametrize("change", ["grown", "swapped", "renamed"])
def test_shard_with_other_bytes(folder: Path, change: str) -> None:
    victim, other = shard_of(folder, 10), shard_of(folder, 0)
    if change == "grown":
        with open(victim, "ab") as handle:
            handle.write(bytes(100))
    elif change == "swapped":
        shutil.copy(other, victim)
    else:
        victim = victim.rename(victim.with_name("0" * 64 + ".parquet"))
    with pytest.warns(StoreWarning, match=victim.name):
        assert open_and_hold(folder) == [(0, 4)]


def test_shard_that_lacks_a_column_is_left_out(folder: Path, tmp_path: Path) -> None:
    """Also one whose name is the checksum of its new bytes."""
    victim = shard_of(folder, 10)
    table = pq.read_table(victim)
    changed = tmp_path / "changed.parquet"
    pq.write_table(table.drop_columns(table.column_names[-1]), changed)
    digest = hashlib.sha256(changed.read_bytes()).hexdigest()
    victim.unlink()
    shutil.move(changed, folder / SHARDS / f"{digest}.parquet")
    with pytest.warns(StoreWarning, match=f"{digest}.*lacks the column {table.column_names[-1]}"):
        assert open_and_hold(folder) == [(0, 4)]


def test_missing_rows_can_be_written_again(folder: Path) -> None:
    victim = shard_of(folder, 10)
    victim.write_bytes(victim.read_bytes()[:-9])
    with pytest.warns(
        StoreWarning, match=r"not a whole Parquet file.*left out, and its rows count as missing"
    ):
        store = Store.open(folder)
    (key,) = store.runs()
    assert store.missing(key, 0, 14) == [(4, 14)]
    store.write([Piece(key, 10, rows(10, 14))])
    assert store.held(key) == [(0, 4), (10, 14)]
    assert open_and_hold(folder) == [(0, 4), (10, 14)]  # the same rows, the same name: mended


def test_shard_damaged_while_in_use(folder: Path) -> None:
    store = Store.open(folder)
    (key,) = store.runs()
    assert store.held(key) == [(0, 4), (10, 14)]
    victim = shard_of(folder, 10)
    victim.write_bytes(victim.read_bytes()[::-1])
    with (
        pytest.warns(StoreWarning, match=victim.name),
        pytest.raises(StoreError, match=r"damaged while in use.*run again"),
    ):
        store.read(key, 10, 14)
    assert store.held(key) == [(0, 4)]
    victim.unlink()
    assert same(store.read(key, 1, 3), rows(1, 3))


def test_what_git_desktops_and_editors_leave_is_no_foreign_file(folder: Path, tmp_path: Path) -> None:
    names = (
        ".gitkeep", ".DS_Store", f"._{'a' * 64}.parquet", "Thumbs.db", ".nfs0001", "notes.txt~", ".a.swp",
        "lost+found",
    )  # fmt: skip
    new = tmp_path / "new"
    new.mkdir()
    for place in (new, folder, folder / SHARDS, folder / "manifest"):
        for name in names:
            (place / name).write_text("")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_and_hold(folder) == [(0, 4), (10, 14)]
        assert Store.peek(new) is None
        assert Store.open(new).runs() == {}
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / ".bashrc").write_text("")
    with pytest.raises(StoreError, match="holds other things"):
        Store.open(tmp_path / "own")


def test_foreign_files_are_named_and_left_out(folder: Path) -> None:
    shards = folder / SHARDS
    (shards / "notes.txt").write_text("mine")
    pq.write_table(pa.table({"x": [1.0]}), shards / "mine.parquet")
    pq.write_table(pa.table({"x": [1.0]}), shards / f"{'a' * 64}.parquet")
    (shards / f"{'b' * 64}.parquet").mkdir()
    os.mkfifo(shards / f"{'c' * 64}.parquet")
    (folder / "manifest" / "x.json").write_text("{}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert open_and_hold(folder) == [(0, 4), (10, 14)]
    text = "\n".join(str(warning.message) for warning in caught)
    for name in ("notes.txt", "mine.parquet", "aaaa.parquet", "bbbb.parquet", "cccc.parquet", "x.json"):
        assert name in text
    assert "not a shard written by largedepth" in text


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('"width":8', '"width":9'),
        lambda text: text.replace('"seed":7', '"seed":8'),
        lambda text: text[:-9],
        lambda text: "[" * 100_000,
        lambda text: "[]",
        lambda text: "\0\xff",
        lambda text: json.dumps({key[:-1] + "g": value for key, value in json.loads(text).items()}),
        lambda text: json.dumps({key: [value] for key, value in json.loads(text).items()}),
    ],
)
def test_edited_manifest(folder: Path, edit) -> None:
    (path,) = (folder / "manifest").iterdir()
    path.write_text(edit(path.read_text()))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        store = Store.open(folder)
    assert {warning.category for warning in caught} == {StoreWarning}
    text = [str(warning.message) for warning in caught]
    assert len(text) == 2
    assert path.name in text[0]
    assert "rows of 1 run(s) that the manifest does not describe" in text[1]
    assert store.runs() == {}
    assert store.to_pandas().empty
    # The same run again: its rows are still there.
    (key,) = store.add_runs([record()])
    assert store.held(key) == [(0, 4), (10, 14)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if text[0].count("is damaged") else "error")
        assert open_and_hold(folder) == [(0, 4), (10, 14)]


def test_one_edited_entry_leaves_the_others(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    keys = store.add_runs(record(number) for number in range(3))
    for number, key in enumerate(keys):
        store.write([Piece(key, 0, rows(0, 4, number))])
    (path,) = (tmp_path / "manifest").iterdir()
    path.write_text(path.read_text().replace('"depth":11', '"depth":12'))
    with pytest.warns(StoreWarning):
        store = Store.open(tmp_path)
    assert list(store.runs()) == [keys[0], keys[2]]
    assert store.to_pandas().depth.tolist() == [10] * 4 + [12] * 4


def test_names_in_a_manifest_are_no_paths(tmp_path: Path) -> None:
    outside = record(specification={"width": "../../outside", "weights": "/etc/passwd"}, engine="../up")
    store = Store.open(tmp_path / "results")
    (key,) = store.add_runs([outside])
    store.write([Piece(key, 0, rows(0, 2))])
    evil = {"../../outside": outside, "/etc/passwd": {}}
    (tmp_path / "results" / "manifest" / f"{'a' * 64}.json").write_text(json.dumps(evil))
    with pytest.warns(StoreWarning, match="were edited"):
        store = Store.open(tmp_path / "results")
    assert store.to_pandas().engine.tolist() == ["../up"] * 2
    assert os.listdir(tmp_path) == ["results"]


def test_two_files_with_different_rows_are_named(folder: Path) -> None:
    store = Store.open(folder)
    (key,) = store.runs()
    wrong = rows(2, 8)
    wrong["path"][0, 1] = np.nextafter(wrong["path"][0, 1], 2.0)
    store.write([Piece(key, 2, wrong)])
    for opened in (store, Store.open(folder)):
        for call in (lambda s: s.read(key, 0, 4), lambda s: list(s.iter_rows(key)), lambda s: s.to_pandas()):
            with pytest.raises(StoreError, match=r"different path for its rows from 2 on") as caught:
                call(opened)
            for path in (shard_of(folder, 0), shard_of(folder, 2)):
                assert str(path) in str(caught.value)
        # Rows that only one file has are not in doubt, and those that are equal count once.
        assert same(opened.read(key, 3, 8), rows(3, 8))
    with pytest.raises(StoreError, match="one of the two is wrong"):
        combine([folder], folder.parent / "out")
    assert not (folder.parent / "out").exists()


def test_nan_of_another_kind_is_a_difference(folder: Path) -> None:
    store = Store.open(folder)
    (key,) = store.runs()
    again = rows(2, 4)
    assert np.isnan(again["x"][1])
    again["x"].view(np.uint64)[1] ^= 1
    store.write([Piece(key, 2, again)])
    with pytest.raises(StoreError, match="different x"):
        store.read(key, 0, 4)


def test_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(folder)
    (key,) = store.runs()
    before = sorted(folder.rglob("*"))

    def full(path: Path, content: bytes) -> None:
        with open(path, "wb") as handle:
            handle.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoreError, match=r"No space left on device.*is kept; free space") as caught:
        store.write([Piece(key, 20, rows(20, 24))])
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match="No space left on device"):
        store.add_runs([record(1)])
    assert sorted(folder.rglob("*")) == before
    assert store.held(key) == [(0, 4), (10, 14)]
    monkeypatch.undo()
    (other,) = store.add_runs([record(1)])
    store.write([Piece(key, 20, rows(20, 24)), Piece(other, 0, rows(0, 1, 1))])
    assert Store.open(folder).held(key) == [(0, 4), (10, 14), (20, 24)]


def test_limit_of_the_system_on_the_size_of_files(folder: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from store_examples import rows\n"
        "from montecarlo.store import Piece, Store, StoreError\n"
        "store = Store.open(sys.argv[1])\n"
        "(key,) = store.runs()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "store.write([Piece(key, 20, rows(20, 24))])\n"
        "try: store.write([Piece(key, 100, rows(100, 1000))])\n"
        "except StoreError as error: print(error)\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        env={**os.environ, "PYTHONPATH": paths}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "cannot be written (File too large)" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]
    assert open_and_hold(folder) == [(0, 4), (10, 14), (20, 24)]


def test_read_only_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = (store := Store.open(folder)).runs()

    def refuse(*args: object, **named: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    # As a read-only mount would; root may write where modes forbid it.
    for name in ("mkstemp", "NamedTemporaryFile"):
        monkeypatch.setattr(files.tempfile, name, refuse)
    with pytest.raises(
        StoreError, match=r"cannot be written \(Read-only file system\).*choose another folder"
    ):
        Store.open(folder)
    with pytest.raises(StoreError, match="Read-only file system"):
        store.write([Piece(key, 20, rows(20, 24))])
    assert open_and_hold(folder) == [(0, 4), (10, 14)]


def test_folders_that_are_no_stores(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        Store.open(tmp_path / "none", create=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        Store.open(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be written"):
        Store.open(tmp_path / "file" / "below")
    with pytest.raises(StoreError, match="holds other things"):
        Store.open(tmp_path)
    assert os.listdir(tmp_path) == ["file"]
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / ".largedepth.json.abc.part").write_text("{")  # of a process that died
    with pytest.raises(StoreError, match="has no largedepth"):
        Store.open(empty, create=False)
    assert Store.peek(empty) is None
    assert Store.peek(tmp_path / "none") is None
    for other in (tmp_path, tmp_path / "file"):
        with pytest.raises(StoreError):
            Store.peek(other)
    Store.open(empty)
    peeked = Store.peek(empty)
    assert peeked is not None
    assert peeked.runs() == {}
    mark = empty / "largedepth.json"
    for content, words in (
        (
            '{"format": "largedepth results", "version": 2}',
            "has format 2, this version of largedepth reads 1",
        ),
        ('{"format": "photos", "version": 1}', "is of a folder of 'photos'"),
        ('{"format": ', "cannot be read; it should hold"),
        ("[]", "cannot be read; it should hold"),
    ):
        mark.write_text(content)
        with pytest.raises(StoreError, match=words):
            Store.open(empty)
