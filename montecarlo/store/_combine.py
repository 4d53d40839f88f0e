"""`combine`: pool results folders into a folder or a table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from montecarlo.common._errors import InvalidFieldError
from montecarlo.common.files import check_writable, replaced_file
from montecarlo.store._errors import StoreError, written
from montecarlo.store._folder import MARK, open_folder
from montecarlo.store._index import Index, Request
from montecarlo.store._manifest import Record
from montecarlo.store._shard import Piece
from montecarlo.store._store import Store, scan
from montecarlo.store._table import RowTable

_SHARD_BYTES = 32 << 20


@dataclass(frozen=True)
class Combined:
    """What `combine` left.

    Parameters
    ----------
    runs : int
        Runs with rows.
    rows : int
        Rows, each once.
    repeats : int
        Rows that were found once more, and dropped.
    """

    runs: int
    rows: int
    repeats: int


def combine(
    sources: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str], *, overwrite: bool = False
) -> Combined:
    """Pool results folders, of several hosts say, into a folder or a table.

    A few rows are in memory at a time, however many there are. Into a folder they are packed in large shards,
    so that the copy of a folder of very many small ones opens faster.

    Parameters
    ----------
    sources : sequence of paths
        Results folders; they are only read.
    out : path
        A table if it ends in ``.parquet`` or ``.csv``: a row a replica, sorted by specification and replica,
        with the fields of the specifications, the seed and what else tells runs apart as columns; what a run
        does not have is null. Lists (Parquet only) hold the numbers of a matrix row by row. Else a results
        folder, new or not; what it holds is kept.
    overwrite : bool, default False
        Whether a table that is there may be replaced.

    Returns
    -------
    Combined
        Counts.

    Raises
    ------
    StoreError
        If a source is no results folder, if two files have different rows for the same replica of a run, if
        there are no rows for a table, or if the result cannot be written. Then no table is left, and a
        folder holds nothing that is wrong.
    InvalidFieldError
        For an `out` that cannot be.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import ResNet, simulate
    >>> from montecarlo.runs import running
    >>> net = ResNet(width=8, depth=4, beta=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for host, replicas in (("a", 20), ("b", 30)):
    ...         with running(store=Store.open(f"{folder}/{host}")):
    ...             _ = simulate(net, replicas=replicas, seed=1)
    ...     combine([f"{folder}/a", f"{folder}/b"], f"{folder}/all.parquet")
    Combined(runs=1, rows=30, repeats=20)
    """
    if not sources:
        raise InvalidFieldError("sources", None, "must be at least one results folder", "name one")
    target = Path(out)
    is_table = target.suffix in (".parquet", ".csv")
    if is_table:
        check_writable(target)
        if target.exists() and not overwrite:
            fix = "choose another file, or let it be replaced (overwrite=True)"
            raise InvalidFieldError("out", str(target), "is there already", fix)
    folders = [Path(source) for source in sources]
    for folder in folders:
        open_folder(folder, create=False)
    if not is_table and (target / MARK).exists():
        folders.append(target)
    index, runs = Index(), dict[str, Record]()
    # A folder that is named twice is no repeat.
    scan({folder.resolve(): folder for folder in folders}.values(), index, runs, set())
    return (_to_table if is_table else _to_folder)(target, index, runs)


def _to_table(target: Path, index: Index, runs: dict[str, Record]) -> Combined:
    table = RowTable(index, runs)
    if not table.keys:
        raise StoreError(f"{target}: there are no rows to write; give a folder that has some")
    if target.suffix == ".csv" and table.lists:
        rule = f"needs Parquet: cells of {', '.join(table.lists)} hold lists, and those of CSV one number"
        raise InvalidFieldError("out", str(target), rule, f"give out={str(target.with_suffix('.parquet'))!r}")
    with written(target), replaced_file(target) as temporary:
        (table.write_csv if target.suffix == ".csv" else table.write_parquet)(temporary)
    return Combined(len(table.keys), table.rows, _counted(index, table.keys) - table.rows)


def _to_folder(target: Path, index: Index, runs: dict[str, Record]) -> Combined:
    held = {key: ranges for key in runs if (ranges := index.held(key))}
    for key in held:
        index.check_repeats(key)
    store = Store.open(target)
    store.add_runs(runs.values())
    requests: list[Request] = []
    for key, ranges in held.items():
        for start, stop in ranges:
            requests += [(key, first, last) for first, last in store.missing(key, start, stop)]
    for batch in index.batches(requests, _SHARD_BYTES):
        by_columns: dict[tuple[object, ...], list[Piece]] = {}
        for key, first, columns in batch:
            piece = Piece(key, first, columns)
            by_columns.setdefault((*piece.cells.items(),), []).append(piece)
        for pieces in by_columns.values():
            store.write(pieces)
    rows = sum(stop - start for ranges in held.values() for start, stop in ranges)
    return Combined(len(held), rows, _counted(index, held) - rows)


def _counted(index: Index, keys: Iterable[str]) -> int:
    """Return the rows of runs in all sound files, repeats counted; damaged files have left the index."""
    return sum(index.rows(key) for key in keys)
