"""Tables of several runs: sorted by the numbers that fields are, with every seed in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from store_examples import record

from montecarlo.store import Piece, Store, combine


def table_of(folder: Path, *records: dict) -> dict[str, list]:
    """Return the table of runs with two rows each, which hold the number of the run."""
    store = Store.open(folder / "a")
    for number, key in enumerate(store.add_runs(records)):
        store.write([Piece(key, 0, {"x": np.full(2, float(number))})])
    combine([folder / "a"], folder / "t.parquet")
    table = pq.read_table(folder / "t.parquet").to_pydict()
    frame = Store.open(folder / "a").to_pandas()
    for name in ("depth", "seed", "replica", "x"):
        assert frame[name].tolist() == table[name]
    return table


def test_numbers_are_sorted_as_numbers(tmp_path: Path) -> None:
    depths = [100, 9, -1, 20, 10]
    records = [record(depth - 10, columns={"x": []}) for depth in depths]
    table = table_of(tmp_path, *records)
    assert table["depth"] == sorted(2 * depths)
    assert table["x"] == [float(depths.index(depth)) for depth in table["depth"]]
    assert table["replica"] == [0, 1] * 5


@pytest.mark.parametrize("seed", [2**63 - 1, 2**63, 2**64 - 1, 2**128 - 1])
def test_seeds_of_any_size(tmp_path: Path, seed: int) -> None:
    table = table_of(tmp_path, record(seed=seed, columns={"x": []}))
    assert [int(each) for each in table["seed"]] == [seed, seed]
