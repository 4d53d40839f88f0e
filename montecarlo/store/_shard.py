"""Shards: Parquet files of pieces of runs, named by the SHA-256 of their bytes.

Columns are ``run`` (the key in the manifest), ``replica``, and the data as float64, lists where a cell holds
several numbers. The name is the checksum, so that a file that was torn, edited or worn by its disk is found
out, and two writers never have different things for one name. The data lie there uncompressed: random
mantissas do not compress, and reading is ten times as fast.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from montecarlo.common.rows import REPLICA_LIMIT, Columns

Cells = dict[str, tuple[int, ...]]

_METADATA_KEY = b"largedepth"
_FORMAT = 1
_OWN = ("run", "replica")


@dataclass(frozen=True, eq=False)
class Piece:
    """Consecutive rows of a run.

    Parameters
    ----------
    key : str
        The run's key.
    first_replica : int
        Index of the first row.
    columns : dict of str to array, shape (count, *cell)
        The rows, float64.
    """

    key: str
    first_replica: int
    columns: Columns

    def __post_init__(self) -> None:
        counts = {len(column) for column in self.columns.values()}
        if len(counts) != 1 or 0 in counts:
            raise ValueError("a piece needs columns of one length, of at least one row")
        for name, column in self.columns.items():
            if column.dtype != np.float64 or 0 in column.shape or name in _OWN:
                raise ValueError(f"the column {name} of a piece must hold float64 numbers")
        if not 0 <= self.first_replica <= self.stop - 1 < REPLICA_LIMIT:
            raise ValueError("the replicas of a piece must be between 0 and 2**63 - 1")

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))

    @property
    def stop(self) -> int:
        """Index after the last row."""
        return self.first_replica + self.count

    @property
    def cells(self) -> Cells:
        """Shape of one row's cell in each column."""
        return {name: column.shape[1:] for name, column in self.columns.items()}


class ShardError(Exception):
    """What is wrong with a shard."""


@dataclass(eq=False)
class Shard:
    """A shard as its footer describes it.

    Parameters
    ----------
    path : Path
        The file.
    pieces : list of (str, int, int)
        Key, first replica and count of each piece, in the order of the rows.
    cells : dict of str to tuple of int
        Shape of one row's cell in each column.
    checked : bool
        Whether its checksum was found right.
    """

    path: Path
    pieces: list[tuple[str, int, int]]
    cells: Cells
    checked: bool = field(default=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(count for _, _, count in self.pieces)

    def check(self) -> None:
        """Raise `ShardError` unless the bytes have the checksum that is the file's name; once."""
        if not self.checked:
            try:
                with open(self.path, "rb") as handle:
                    digest = hashlib.file_digest(handle, "sha256").hexdigest()
            except OSError as error:
                raise ShardError(error.strerror or str(error)) from error
            self._compare(digest)
            self.checked = True

    def load(self) -> Columns:
        """Return the rows, from bytes that have the right checksum; raise `ShardError` if they do not."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ShardError(error.strerror or str(error)) from error
        self._compare(hashlib.sha256(content).hexdigest())
        table = pq.ParquetFile(pa.BufferReader(content)).read(columns=list(self.cells))
        columns = {}
        for name, cell in self.cells.items():
            column = table[name].combine_chunks()
            flat = column.flatten() if cell else column
            columns[name] = flat.to_numpy(zero_copy_only=False).reshape(self.rows, *cell)
        return columns

    def _compare(self, digest: str) -> None:
        if digest != self.path.stem:
            raise ShardError("its bytes do not have the checksum that is its name")


def encode_shard(pieces: Sequence[Piece], folder: Path) -> tuple[Shard, memoryview]:
    """Return the shard of pieces with the same columns, and the bytes of its file.

    Rows are sorted by key and replica, so that the same pieces in any order give the same file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    pieces = sorted(pieces, key=lambda piece: (piece.key, piece.first_replica))
    cells = pieces[0].cells
    if any(piece.cells != cells for piece in pieces):
        raise ValueError("the pieces of a shard must have the same columns")
    keys = sorted({piece.key for piece in pieces})
    position = {key: i for i, key in enumerate(keys)}
    counts = [piece.count for piece in pieces]
    codes = np.repeat(np.array([position[piece.key] for piece in pieces], np.int32), counts)
    replica = np.concatenate([np.arange(p.first_replica, p.stop, dtype=np.int64) for p in pieces])
    arrays: dict[str, Any] = {
        "run": pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(keys, pa.string())),
        "replica": pa.array(replica),
    }
    fields = [pa.field(name, array.type, nullable=False) for name, array in arrays.items()]
    for name, cell in cells.items():
        arrays[name] = to_arrow(np.concatenate([piece.columns[name] for piece in pieces]))
        fields.append(pa.field(name, _cell_type(cell), nullable=False))
    extents = _join([(piece.key, piece.first_replica, piece.count) for piece in pieces])
    metadata = {"kind": "shard", "format": _FORMAT, "cells": cells, "pieces": extents}
    schema = pa.schema(fields, {_METADATA_KEY: json.dumps(metadata, separators=(",", ":")).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(list(arrays.values()), schema=schema),
        sink,
        # Dictionaries would make one NaN of all.
        use_dictionary=["run"],  # type: ignore[arg-type]
        column_encoding={"replica": "DELTA_BINARY_PACKED"},
        compression={name: "zstd" if name in _OWN else "none" for name in arrays},  # type: ignore[arg-type]
        write_statistics=list(_OWN),  # type: ignore[arg-type]
    )
    content = memoryview(sink.getvalue())
    path = folder / f"{hashlib.sha256(content).hexdigest()}.parquet"
    return Shard(path, extents, cells, checked=True), content


def read_footer(path: Path) -> Shard:
    """Return what a shard's footer says, before its checksum was compared.

    Raises
    ------
    ShardError
        If the file is torn, or no shard.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
        text = (footer.metadata or {}).get(_METADATA_KEY)
    except (OSError, pa.ArrowException, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "torn or damaged"
        raise ShardError(f"not a whole Parquet file ({reason})") from error
    if text is None:
        raise ShardError("a Parquet file, but not a shard written by largedepth")
    try:
        metadata = json.loads(text)
        if (metadata["kind"], metadata["format"]) != ("shard", _FORMAT):
            raise ShardError(f"a {metadata['kind']} of format {metadata['format']}, not a shard of {_FORMAT}")
        pieces = [_extent(*piece) for piece in metadata["pieces"]]
        cells = {str(name): tuple(map(_count, cell)) for name, cell in metadata["cells"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ShardError("its description is damaged") from error
    shard = Shard(path, pieces, cells)
    lacking = [name for name in (*_OWN, *cells) if name not in footer.schema.to_arrow_schema().names]
    if lacking:
        raise ShardError(f"it lacks the column {lacking[0]}")
    if footer.num_rows != shard.rows:
        raise ShardError(f"it holds {footer.num_rows} rows and should hold {shard.rows}")
    return shard


def to_arrow(column: np.ndarray) -> Any:
    """Return a column as an Arrow array; cells of several numbers as flat lists, in C order.

    Lists of any length, not of a fixed one: files of paths of several depths can be read as one table.
    """
    import pyarrow as pa

    if column.ndim == 1:
        return pa.array(np.ascontiguousarray(column))
    flat = np.ascontiguousarray(column).reshape(-1)
    offsets = np.arange(len(column) + 1, dtype=np.int64) * (flat.size // len(column))
    kind = _cell_type(column.shape[1:])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(flat), type=kind)


def _cell_type(cell: tuple[int, ...]) -> Any:
    import pyarrow as pa

    number = pa.float64()
    return pa.list_(pa.field("element", number, nullable=False)) if cell else number


def _join(extents: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Join sorted pieces that follow one another."""
    joined: list[tuple[str, int, int]] = []
    for key, first, count in extents:
        last_key, last_first, last_count = joined[-1] if joined else ("", 0, 0)
        if key == last_key and first == last_first + last_count:
            joined[-1] = (key, last_first, last_count + count)
        else:
            joined.append((key, first, count))
    return joined


def _extent(key: object, first: object, count: object) -> tuple[str, int, int]:
    if not isinstance(key, str):
        raise ValueError("a key is a text")
    return key, _count(first), _count(count)


def _count(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < REPLICA_LIMIT:
        raise ValueError("not a count")
    return value


def same_cells(cells: Cells, record: Mapping[str, Any]) -> bool:
    """Whether columns are those that a run's record names, if it names any."""
    named = record.get("columns")
    return named is None or {name: tuple(cell) for name, cell in named.items()} == cells
