"""`Store`: a results folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from montecarlo.common.rows import Columns, complement, record_key
from montecarlo.store._errors import StoreError, leave_out, written
from montecarlo.store._folder import MANIFEST, SHARDS, is_unused, open_folder, write_whole
from montecarlo.store._index import Index, Range
from montecarlo.store._manifest import Record, read_manifest, write_manifest
from montecarlo.store._shard import Piece, Shard, encode_shard, same_cells

if TYPE_CHECKING:
    import pandas as pd


class Store:
    """A results folder: rows of runs in Parquet shards, and a manifest of what they are of.

    ``FOLDER/shards/*.parquet`` can be read by anything that reads Parquet; ``FOLDER/manifest/*.json`` says
    what the keys in the column ``run`` stand for. Nothing in it is ever executed, and no text in it is used
    as a path.

    Every file is written under a temporary name, flushed to the disk and renamed, and is named by the SHA-256
    of its bytes. So a process that is killed leaves whole files only, and any number of processes may write
    to one folder at once without a lock: names are disjoint unless the content is the same. Rows that two of
    them drew are equal bit for bit, and count once.

    Files that are torn, damaged or foreign are left out with a `StoreWarning`, and their rows count as
    missing: a checksum is compared before the rows of its file are first said to be held, and again whenever
    they are read. Opening reads footers only, and sees what was there at that moment (`refresh`).

    One thread at a time may use a store. Open it with `Store.open`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> record = {"kind": "sample", "specification": {"width": 8}, "seed": 7, "columns": {"x": []}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store.open(folder)
    ...     (key,) = store.add_runs([record])
    ...     store.write([Piece(key, 10, {"x": np.array([0.5, 1.5])})])
    ...     again = Store.open(folder, create=False)
    ...     again.held(key), again.missing(key, 0, 12), again.read(key, 10, 12)
    ([(10, 12)], [(0, 10)], {'x': array([0.5, 1.5])})
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs: dict[str, Record] = {}
        self._manifests: set[Path] = set()
        self._index = Index()

    def __repr__(self) -> str:
        return f"Store.open({str(self.folder)!r})"

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = True, verify: bool = False) -> Store:
        """Return the store in a folder.

        Parameters
        ----------
        path : path
            The folder.
        create : bool, default True
            Whether a folder that is missing or empty becomes a store; it must then be one that can be
            written. With False nothing is written, and read-only folders can be read.
        verify : bool, default False
            Whether to compare all checksums now, at about 1 GB a second.

        Raises
        ------
        StoreError
            For a folder of other things or of a newer format, or one that cannot be made or written.
        """
        folder = Path(path)
        open_folder(folder, create=create)
        store = cls(folder)
        store.refresh()
        if verify:
            for shard in store._index.shards:
                store._index.is_sound(shard)
        return store

    @classmethod
    def peek(cls, path: str | os.PathLike[str]) -> Store | None:
        """Return the store in a folder, None where `open` would begin one; nothing is written.

        Raises
        ------
        StoreError
            For a file, a folder of other things or one of a newer format.
        """
        return None if is_unused(Path(path)) else cls.open(path, create=False)

    def refresh(self) -> None:
        """Look for what other processes have written since."""
        scan([self.folder], self._index, self._runs, self._manifests)

    def add_runs(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add runs to the manifest, those that are in it already excepted, and return their keys.

        One call writes one file, however many runs it adds.

        Parameters
        ----------
        records : iterable of mapping
            What each run is, as `montecarlo.runs.Run.record`: JSON-serialisable values.
        """
        by_key = [(record_key(record), dict(record)) for record in records]
        new = {key: record for key, record in by_key if key not in self._runs}
        if new:
            self._manifests.add(write_manifest(self.folder / MANIFEST, new))
            self._runs |= new
        return [key for key, _ in by_key]

    def write(self, pieces: Iterable[Piece]) -> None:
        """Write pieces with the same columns as one shard; when this returns, they are on the disk.

        Raises
        ------
        StoreError
            If it cannot be written (a full disk, say): nothing is left of it then, and all else is kept.
        ValueError
            For pieces whose columns differ from each other or from those of their run.
        """
        pieces = list(pieces)
        if not pieces:
            return
        for piece in pieces:
            if piece.key not in self._runs:
                raise StoreError(
                    f"{self.folder}: run {piece.key[:12]}... is not in the manifest; add it first"
                )
            if not same_cells(piece.cells, self._runs[piece.key]):
                raise ValueError(f"the columns {piece.cells} are not those of run {piece.key[:12]}...")
        shard, content = encode_shard(pieces, self.folder / SHARDS)
        with written(shard.path):
            write_whole(shard.path, content)
        self._index.add(shard)

    def runs(self) -> dict[str, Record]:
        """Return all runs in the manifest, by their keys."""
        return dict(self._runs)

    def held(self, key: str) -> list[Range]:
        """Return the rows of a run that are here, as sorted disjoint ranges (start, stop)."""
        return self._index.held(key) if key in self._runs else []

    def missing(self, key: str, start: int, stop: int) -> list[Range]:
        """Return which of the rows ``start ... stop - 1`` of a run are not here, as sorted ranges."""
        inside = [(max(start, a), min(stop, b)) for a, b in self.held(key) if a < stop and b > start]
        return complement(inside, start, stop)

    def read(self, key: str, start: int, stop: int) -> Columns:
        """Return the rows ``start ... stop - 1`` of a run, arrays of shape ``(stop - start, *cell)``.

        Raises
        ------
        StoreError
            If they are not all here, or two files have different rows for one replica.
        """
        return self._index.read([(key, start, stop)])[0]

    def iter_rows(self, key: str) -> Iterator[tuple[int, Columns]]:
        """Yield all rows of a run in their order, as (first replica, columns), 8 MiB at a time."""
        for batch in self._index.batches([(key, start, stop) for start, stop in self.held(key)]):
            for _, first, columns in batch:
                yield first, columns

    def to_pandas(self, **where: object) -> pd.DataFrame:
        """Return rows as a table, with the fields of their specifications as columns.

        Sorted by specification and replica. Lists and nulls as in `combine`.

        Parameters
        ----------
        **where : value, or list of values
            Keep runs with these values: ``store.to_pandas(width=40, beta=[0.5, 1.0])``.

        Raises
        ------
        InvalidFieldError
            For a field that no run has.
        """
        from montecarlo.store._table import RowTable

        return RowTable(self._index, self._runs, where).to_arrow().to_pandas()


def scan(folders: Iterable[Path], index: Index, runs: dict[str, Record], manifests: set[Path]) -> None:
    """Add what is new in results folders to an index and to the runs; warn of what is left out."""
    added: list[Shard] = []
    for folder in folders:
        # Manifests second: runs are in one before their first rows are in a shard.
        added += index.scan(folder / SHARDS)
        runs |= read_manifest(folder / MANIFEST, manifests)
    unknown = [
        (shard.path, key) for shard in added for key, _, _ in shard.pieces if key not in runs
        if index.is_sound(shard)
    ]  # fmt: skip
    if unknown:
        files, keys = {path for path, _ in unknown}, {key for _, key in unknown}
        what = f"here and in {len(files) - 1} more files are" if len(files) > 1 else "here are"
        reason = f"{what} rows of {len(keys)} run(s) that the manifest does not describe"
        leave_out(unknown[0][0], f"{reason}; they are left out, and count again once the runs are run again")
