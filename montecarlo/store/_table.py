"""Rows of many runs as one table, with the fields of their specifications as columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from montecarlo.common._errors import unknown_name
from montecarlo.common.rows import Columns
from montecarlo.store._index import Index
from montecarlo.store._manifest import Record
from montecarlo.store._shard import to_arrow

_METADATA = {b"largedepth": b'{"kind": "combined"}'}


class RowTable:
    """A table of all held rows of some runs, sorted by specification and replica.

    Columns: the fields of the specifications, seed, what else tells runs apart, ``replica``, and the data.
    A field or column that a run does not have is null there. Fields are int64, float64, bool or text; whole
    numbers beyond int64 and lists become text, as JSON. Data are float64, or lists of float64 in C order.

    Parameters
    ----------
    index : Index
        Where the rows are.
    runs : mapping of str to mapping
        The records of the runs, by their keys.
    where : mapping, optional
        Keep runs whose fields have these values, each a value or a list of values.

    Raises
    ------
    InvalidFieldError
        For a field in `where` that no run has.
    """

    def __init__(
        self, index: Index, runs: Mapping[str, Record], where: Mapping[str, object] | None = None
    ) -> None:
        self._index = index
        fields = {key: _fields(record) for key, record in runs.items()}
        names = [*dict.fromkeys(name for record in fields.values() for name in record)]
        for name, value in (where or {}).items():
            if names and name not in names:
                raise unknown_name("where", name, names)
            wanted = value if isinstance(value, list | tuple | set | frozenset) else [value]
            fields = {key: record for key, record in fields.items() if record.get(name) in wanted}
        held = {key: index.held(key) for key in fields}
        self._fields = {key: record for key, record in fields.items() if held[key]}
        self._types = {
            name: _field_type([record.get(name) for record in self._fields.values()])
            for name in names
            if any(name in record for record in self._fields.values())
        }
        self.keys = sorted(self._fields, key=self._place)
        self._requests = [(key, start, stop) for key in self.keys for start, stop in held[key]]
        self._lists: dict[str, bool] = {}
        for key in self.keys:
            for name, cell in index.cells(key).items():
                self._lists[name] = bool(cell) or self._lists.get(name, False)

    def _place(self, key: str) -> tuple[object, ...]:
        """Return what a run is sorted by: its fields in the order of the columns."""
        return (*(_order(self._fields[key].get(name)) for name in self._types), key)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(stop - start for _, start, stop in self._requests)

    @property
    def lists(self) -> list[str]:
        """Data columns whose cells are lists."""
        return [name for name, many in self._lists.items() if many]

    @property
    def schema(self) -> Any:
        """The Arrow schema."""
        import pyarrow as pa

        kinds = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "text": pa.string()}
        fields = [(name, kinds[kind]) for name, kind in self._types.items()]
        number = pa.float64()
        taken = {*self._types, "replica"}
        data = [
            (f"row_{name}" if name in taken else name, pa.list_(number) if many else number)
            for name, many in self._lists.items()
        ]
        return pa.schema([*fields, ("replica", pa.int64()), *data], _METADATA)

    def batches(self) -> Iterator[Any]:
        """Yield the rows as Arrow record batches of some MB."""
        schema = self.schema
        for parts in self._index.batches(self._requests):
            yield self._batch(parts, schema)

    def to_arrow(self) -> Any:
        """Return the whole table."""
        import pyarrow as pa

        return pa.Table.from_batches(self.batches(), self.schema)

    def write_parquet(self, path: Path) -> None:
        """Write the table to a Parquet file, a batch at a time."""
        import pyarrow.parquet as pq

        # Dictionaries would make one NaN of all.
        own = [*self._types]
        compression = {name: "zstd" if name in {*own, "replica"} else "none" for name in self.schema.names}
        with pq.ParquetWriter(path, self.schema, use_dictionary=own, compression=compression) as writer:  # type: ignore[arg-type]
            for batch in self.batches():
                writer.write_batch(batch)

    def write_csv(self, path: Path) -> None:
        """Write the table to a CSV file, a batch at a time; numbers as short as they can be exact."""
        from pyarrow import csv

        with csv.CSVWriter(path, self.schema) as writer:
            for batch in self.batches():
                writer.write_batch(batch)

    def _batch(self, parts: Sequence[tuple[str, int, Columns]], schema: Any) -> Any:
        import pyarrow as pa

        counts = [len(next(iter(columns.values()))) for _, _, columns in parts]
        part_of_row = pa.array(np.repeat(np.arange(len(parts)), counts))
        arrays = []
        for name, kind in self._types.items():
            values = [_field_value(self._fields[key].get(name), kind) for key, _, _ in parts]
            arrays.append(pa.array(values, schema.field(name).type).take(part_of_row))
        firsts = zip(parts, counts, strict=True)
        arrays.append(pa.array(np.concatenate([np.arange(p[1], p[1] + count) for p, count in firsts])))
        for name, many in self._lists.items():
            kind = pa.list_(pa.float64()) if many else pa.float64()
            chunks = []
            for (_, _, columns), count in zip(parts, counts, strict=True):
                column = columns.get(name)
                if column is None:
                    chunks.append(pa.nulls(count, kind))
                else:
                    chunks.append(to_arrow(column.reshape(count, -1) if many else column).cast(kind))
            arrays.append(pa.concat_arrays(chunks))
        return pa.record_batch(arrays, schema=schema)


def _fields(record: Record) -> dict[str, object]:
    """Return what tells a run apart, flat: the specification's fields first."""
    fields = dict(record.get("specification", {}))
    for name, value in record.items():
        if name not in ("specification", "columns"):
            fields[f"run_{name}" if name in fields else name] = value
    return fields


def _field_type(values: Sequence[object]) -> str:
    """Return the narrowest type of a column of fields."""
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, bool) for value in given):
        return "bool"
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in given):
        return "text"
    if any(isinstance(value, float) for value in given) or not given:
        return "float"
    return "int" if all(-(2**63) <= value < 2**63 for value in given) else "text"  # type: ignore[operator]


def _field_value(value: object, kind: str) -> object:
    if kind == "float" and value is not None:
        return float(value)  # type: ignore[arg-type]
    if kind == "text" and value is not None and not isinstance(value, str):
        return json.dumps(value)
    return value


def _order(value: object) -> tuple[object, ...]:
    """Return what a field is sorted by: absent ones first, then numbers, then others as text."""
    if value is None:
        return (0,)
    if isinstance(value, int | float):
        return (1, value)
    return (2, value if isinstance(value, str) else json.dumps(value))
