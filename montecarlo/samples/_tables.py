"""Tables on disk: Parquet files that know which specification, seed and stream format they are of."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Specification
from montecarlo.streams import STREAM_FORMAT

_METADATA_KEY = b"largedepth"

Network = TypeVar("Network", bound=Specification)


def table_metadata(kind: str, specification: Specification, seed: int, **others: Any) -> dict[str, Any]:
    """Return what a file needs to be recognised; `others` are JSON-serialisable."""
    return {
        "kind": kind,
        "specification": specification.canonical(),
        "digest": specification.digest,
        "seed": seed,
        "stream_format": STREAM_FORMAT,
        **others,
    }


def write_table(path: Path, arrays: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Write columns of equal length to a Parquet file, float64 exactly; matrices as lists a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        columns[name] = _flat(np.ascontiguousarray(array).ravel())
        for length in array.shape[:0:-1]:
            columns[name] = pa.FixedSizeListArray.from_arrays(columns[name], length)
    text = json.dumps(metadata, sort_keys=True).encode()
    table = pa.table(columns).replace_schema_metadata({_METADATA_KEY: text})
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)


def _flat(array: Any) -> Any:
    """Return an array as arrow's, whose own way from numpy's imports pandas: a quarter of a short run."""
    import pyarrow as pa

    if not np.issubdtype(array.dtype, np.number):
        return pa.array(array)
    return pa.Array.from_buffers(pa.from_numpy_dtype(array.dtype), array.size, [None, pa.py_buffer(array)])


def read_table(
    path: str | os.PathLike[str],
    *,
    kind: str,
    needed: set[str],
    resnet: Network | None,
    keys: tuple[str, ...] = ("replica",),
    make: Callable[..., Network] = ResNet,
) -> tuple[Network, dict[str, Any], dict[str, Any]]:
    """Return specification, metadata and columns of a file that `write_table` left.

    Parameters
    ----------
    path : path
        The file.
    kind : str
        What it must hold.
    needed : set of str
        Metadata it must have beside those of every table.
    resnet : ResNet or None
        The specification it must be of; None for the one that the file holds.
    keys : tuple of str
        Columns it must have.
    make : callable
        Makes a specification of its canonical fields.

    Raises
    ------
    ValueError
        If the file is torn or damaged, or holds something else; the message begins with the path.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"{path}: not a whole Parquet file ({error})") from error
    text = (table.schema.metadata or {}).get(_METADATA_KEY)
    if text is None:
        raise ValueError(f"{path}: a Parquet file, but not a sample written by largedepth")
    metadata = json.loads(text)
    found = metadata.get("kind", "sample")
    if found != kind:
        raise ValueError(f"{path}: holds a table of the kind {found}, not {kind}")
    missing = {"specification", "digest", "seed", "stream_format", *needed} - metadata.keys()
    if missing:
        raise ValueError(f"{path}: its metadata lack {', '.join(sorted(missing))}")
    stream_format = metadata["stream_format"]
    if stream_format != STREAM_FORMAT:
        raise ValueError(
            f"{path}: its random streams have format {stream_format}, this version's {STREAM_FORMAT}"
        )
    if resnet is None:
        resnet = _specification_of(path, metadata, make)
    elif metadata["digest"] != resnet.digest:
        raise ValueError(f"{path}: holds a sample of another specification than {resnet!r}")
    lacking = set(keys) - set(table.column_names)
    if lacking:
        raise ValueError(f"{path}: it lacks the columns {', '.join(sorted(lacking))}: edited since?")
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        shape = [len(column)]
        while hasattr(column.type, "list_size"):
            shape.append(column.type.list_size)
            column = column.flatten()
        columns[name] = column.to_numpy(zero_copy_only=False).reshape(shape)
    return resnet, metadata, columns


def _specification_of(
    path: str | os.PathLike[str], metadata: dict[str, Any], make: Callable[..., Network]
) -> Network:
    """Return the specification in a file's metadata."""
    fields = metadata["specification"]
    try:
        resnet = make(**fields)
    except (TypeError, ValueError) as error:
        if isinstance(error, InvalidFieldError) and "#" in str(error.value):
            reason = (
                f"its {error.field} is one's own, which a file cannot hold: give read_sample the ResNet, too"
            )
        else:
            reason = f"this version cannot read its specification ({error})"
        raise ValueError(f"{path}: {reason}") from error
    if resnet.digest != metadata["digest"]:
        raise ValueError(f"{path}: its specification and its digest differ: edited since?")
    return resnet
