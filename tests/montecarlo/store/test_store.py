"""Results folders: what is written is read, in any order, by this version and by plain pandas."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_examples import record, rows, same

from montecarlo import InvalidFieldError, ResNet, simulate
from montecarlo.runs import record_key, running
from montecarlo.store import Piece, Store, StoreError, _index

stretches = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(1, 12)), max_size=12)


def filled(folder: Path, *pieces: tuple[int, int, int]) -> tuple[Store, list[str]]:
    """Return a store of pieces (number of the run, start, stop) in one shard, and the keys."""
    store = Store.open(folder)
    keys = store.add_runs(record(number) for number in range(3))
    store.write(Piece(keys[number], start, rows(start, stop, number)) for number, start, stop in pieces)
    return store, keys


@settings(max_examples=30)
@given(stretches, st.lists(st.integers(1, 4), min_size=12, max_size=12), st.randoms())
def test_any_pieces_in_any_order_give_the_same_rows(
    pieces: list[tuple[int, int, int]], sizes: list[int], order
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        keys = store.add_runs(record(number) for number in range(3))
        order.shuffle(pieces)
        expected = {key: np.zeros(50, bool) for key in keys}
        left = list(pieces)
        for size in sizes:
            shard, left = left[:size], left[size:]
            store.write(Piece(keys[n], start, rows(start, start + count, n)) for n, start, count in shard)
            for n, start, count in shard:
                expected[keys[n]][start : start + count] = True
        for found in (store, Store.open(folder, create=False)):
            for number, key in enumerate(keys):
                held = found.held(key)
                assert held == sorted(held)
                assert all(a[1] < b[0] for a, b in itertools.pairwise(held))
                inside = np.zeros(50, bool)
                for start, stop in held:
                    inside[start:stop] = True
                    assert same(found.read(key, start, stop), rows(start, stop, number))
                assert (inside == expected[key]).all()
                gaps = np.zeros(50, bool)
                for start, stop in found.missing(key, 0, 50):
                    gaps[start:stop] = True
                assert (gaps == ~expected[key]).all()
                blocks = dict(found.iter_rows(key))
                assert all(same(block, rows(a, a + len(block["x"]), number)) for a, block in blocks.items())
                assert sum(len(block["x"]) for block in blocks.values()) == inside.sum()


def test_rows_across_shards_and_parts_of_them(tmp_path: Path) -> None:
    store, (key, *_) = filled(tmp_path, (0, 0, 5))
    store.write([Piece(key, 5, rows(5, 9))])
    store.write([Piece(key, 8, rows(8, 20))])
    assert store.held(key) == [(0, 20)]
    for start in range(20):
        for stop in range(start + 1, 21):
            assert same(store.read(key, start, stop), rows(start, stop))
    with pytest.raises(StoreError, match=r"rows 10 \.\.\. 20 are not all held; held: 0 \.\.\. 19"):
        store.read(key, 10, 21)


def test_overlapping_pieces_of_one_shard_in_several_requests(tmp_path: Path) -> None:
    store, (key, *_) = filled(tmp_path, (0, 0, 20), (0, 5, 25))
    for requests in ([(key, 0, 10), (key, 10, 25)], [(key, 6, 8), (key, 7, 25), (key, 6, 8)]):
        for (_, start, stop), found in zip(requests, store._index.read(requests), strict=True):
            assert same(found, rows(start, stop))


def test_shards_in_memory_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, (key, *_) = filled(tmp_path)
    for start in range(0, 100, 10):
        store.write([Piece(key, start, rows(start, start + 10))])
    size = sum(column.nbytes for column in rows(0, 10).values())
    monkeypatch.setattr(_index, "_CACHE_BYTES", 3 * size)
    for start in (*range(0, 100, 10), 0, 90, 90):
        assert same(store.read(key, start, start + 10), rows(start, start + 10))
        held = sum(column.nbytes for shard in store._index._decoded.values() for column in shard.values())
        assert held == store._index._decoded_bytes <= 3 * size
    assert same(store.read(key, 0, 100), rows(0, 100))


def test_every_bit_comes_back(tmp_path: Path) -> None:
    words = np.random.default_rng(1).integers(0, 2**64, 5000, dtype=np.uint64)
    words[:3000] |= np.uint64(0x7FF0000000000001)  # NaNs of all kinds, quiet and signalling
    words[3000:3002] = [0, 1 << 63]
    store = Store.open(tmp_path)
    (key,) = store.add_runs([record(columns={"x": [], "m": [2, 5]})])
    column = words.view(np.float64)
    store.write([Piece(key, 0, {"x": column[:500], "m": column[:5000].reshape(500, 2, 5)})])
    found = Store.open(tmp_path).read(key, 0, 500)
    assert found["x"].tobytes() == column[:500].tobytes()
    assert found["m"].shape == (500, 2, 5)
    assert found["m"].tobytes() == column.tobytes()


def test_the_same_pieces_are_the_same_file(tmp_path: Path) -> None:
    filled(tmp_path / "a", (0, 0, 5), (1, 3, 9), (0, 5, 6))
    filled(tmp_path / "b", (0, 5, 6), (1, 3, 9), (0, 0, 5))
    assert os.listdir(tmp_path / "a" / "shards") == os.listdir(tmp_path / "b" / "shards")
    assert os.listdir(tmp_path / "a" / "manifest") == os.listdir(tmp_path / "b" / "manifest")


def test_runs_are_added_once(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    keys = store.add_runs([record(0), record(1), record(0)])
    assert keys == [record_key(record(0)), record_key(record(1)), record_key(record(0))]
    assert Store.open(tmp_path).add_runs([record(1), record(0)]) == [keys[1], keys[0]]
    (file,) = (tmp_path / "manifest").iterdir()
    assert json.loads(file.read_text()) == store.runs() == {keys[0]: record(0), keys[1]: record(1)}
    store.add_runs([record(2)])
    assert len(Store.open(tmp_path).runs()) == 3


def test_what_others_wrote_is_seen_after_refresh(tmp_path: Path) -> None:
    one = Store.open(tmp_path)
    _, keys = filled(tmp_path, (0, 0, 5))
    assert one.held(keys[0]) == []
    one.refresh()
    assert one.held(keys[0]) == [(0, 5)]


def test_pieces_must_be_of_a_known_run_and_its_columns(tmp_path: Path) -> None:
    store, keys = filled(tmp_path, (0, 0, 5))
    with pytest.raises(StoreError, match="is not in the manifest"):
        store.write([Piece("f" * 64, 0, rows(0, 3))])
    with pytest.raises(ValueError, match="are not those of run"):
        store.write([Piece(keys[0], 5, {"x": np.zeros(3)})])
    with pytest.raises(ValueError, match="float64"):
        Piece(keys[0], 5, {"x": np.zeros(3, np.float32)})
    with pytest.raises(ValueError, match="one length"):
        Piece(keys[0], 5, {"x": np.zeros(3), "y": np.zeros(4)})
    assert len(os.listdir(tmp_path / "shards")) == 1


def test_plain_pandas_reads_the_shards(tmp_path: Path) -> None:
    store, keys = filled(tmp_path, (0, 0, 5), (1, 3, 9))
    # Paths of another length: another depth.
    (other,) = store.add_runs([record(5, columns={"x": [], "path": [2]})])
    store.write([Piece(other, 0, {"x": np.zeros(4), "path": np.ones((4, 2))})])
    Path(tmp_path, "shards", ".left.parquet.x.part").write_bytes(b"torn")
    table = pd.read_parquet(tmp_path / "shards")
    assert list(table.columns) == ["run", "replica", "x", "path"]
    assert len(table) == 15
    mine = table[table.run == keys[1]].sort_values("replica")
    assert mine.replica.tolist() == list(range(3, 9))
    assert mine.x.to_numpy().tobytes() == rows(3, 9, 1)["x"].tobytes()
    assert np.stack(mine.path.tolist()).tobytes() == rows(3, 9, 1)["path"].tobytes()
    assert {len(path) for path in table[table.run == other].path} == {2}


def test_table_has_the_fields_of_specifications_and_filters(tmp_path: Path) -> None:
    store, _ = filled(tmp_path, (2, 0, 2), (0, 4, 6), (1, 0, 1), (0, 0, 3))
    table = store.to_pandas()
    assert list(table.columns) == [
        "width", "depth", "beta", "alpha", "weights", "kind", "seed", "stream_format", "replica", "x", "path",
    ]  # fmt: skip
    assert table.depth.tolist() == [10] * 5 + [11] + [12] * 2
    assert table.replica.tolist() == [0, 1, 2, 4, 5, 0, 0, 1]
    assert table.alpha.isna().all()
    expected = np.concatenate([rows(0, 3)["x"], rows(4, 6)["x"], rows(0, 1, 1)["x"], rows(0, 2, 2)["x"]])
    assert table.x.to_numpy().tobytes() == expected.tobytes()
    assert store.to_pandas(depth=12, width=8).depth.tolist() == [12, 12]
    assert store.to_pandas(depth=[11, 12], seed=7).depth.tolist() == [11, 12, 12]
    assert store.to_pandas(depth=99).empty
    with pytest.raises(InvalidFieldError, match="did you mean 'depth'"):
        store.to_pandas(dpeth=12)


def test_samplers_read_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = ResNet(width=4, depth=3, beta=0.5)
    bare = simulate(net, replicas=30, seed=3)
    with running(store=Store.open(tmp_path)):
        simulate(net, replicas=20, seed=3)
    with running(store=Store.open(tmp_path)):
        extended = simulate(net, replicas=30, seed=3)
    assert same(extended.columns, bare.columns)
    store = Store.open(tmp_path, create=False)
    (key,) = store.runs()
    assert store.held(key) == [(0, 30)]
    assert store.to_pandas(engine="gaussian").log_hidden_ratio.tolist() == bare["log_hidden_ratio"].tolist()


WRITER = """
import sys, time
from pathlib import Path
from store_examples import record, rows
from montecarlo.store import Piece, Store
folder, me, other, length = *map(Path, sys.argv[1:4]), int(sys.argv[4])
me.touch()
while not other.exists():
    time.sleep(0.001)
store = Store.open(folder)
keys = store.add_runs(record(number) for number in range(3))
for i in range(20):
    store.write([Piece(keys[i % 3], 10 * i, rows(10 * i, 10 * i + length, i % 3))])
    store.write([Piece(keys[i % 3], 10 * i + 2, rows(10 * i + 2, 10 * i + 4, i % 3))])
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, folder, tmp_path / me, tmp_path / other, str(length)],
            env={**os.environ, "PYTHONPATH": paths},
        )
        for me, other, length in (("a", "b", 5), ("b", "a", 7))
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    store = Store.open(folder, create=False, verify=True)
    assert len(os.listdir(folder / "manifest")) == 1  # the same content, the same name
    assert len(os.listdir(folder / "shards")) == 20 + 20 + 20  # and so for the short pieces
    for number, key in enumerate(store.runs()):
        held = [(10 * i, 10 * i + 7) for i in range(20) if i % 3 == number]
        assert store.held(key) == held
        for start, stop in held:
            assert same(store.read(key, start, stop), rows(start, stop, number))


def test_what_dead_processes_left_is_removed_in_time(tmp_path: Path) -> None:
    filled(tmp_path, (0, 0, 5))
    old, new = tmp_path / "shards" / ".a.parquet.x.part", tmp_path / "shards" / ".b.parquet.x.part"
    old.write_bytes(b"torn")
    new.write_bytes(b"torn")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    os.utime(new, (time.time() - 6 * 3600,) * 2)  # of a host whose clock is hours behind
    Store.open(tmp_path, create=False)
    assert old.exists()
    Store.open(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_import_is_light() -> None:
    code = "import sys, montecarlo.store; print({'pyarrow', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
