"""`RowSample`: what all samples do with their rows: cut, pool, write and convert them."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from montecarlo.common import _html
from montecarlo.common._errors import check_whole
from montecarlo.common.files import check_writable, replaced_file
from montecarlo.runs import Specification
from montecarlo.samples._tables import table_metadata, write_table

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Labels:
    """The arrays of a sample with the names of their dimensions.

    Parameters
    ----------
    index : tuple of str
        The dimensions that tables have rows for.
    coordinates : mapping of str to array
        Values along dimensions, shape (n,).
    variables : mapping of str to (tuple of str, array)
        Arrays and their dimensions.
    """

    index: tuple[str, ...]
    coordinates: Mapping[str, npt.NDArray[Any]]
    variables: Mapping[str, tuple[tuple[str, ...], Array]]


class RowSample(ABC):
    """Rows in the order of the replica index; subclasses are frozen dataclasses that say in `labels` what
    their arrays are.

    Attributes
    ----------
    kind : str
        What a file of it says that it holds.
    seed : int
        The seed.
    first_replica : int
        Index of the first row.
    columns : dict of str to array
        Arrays whose first axis is that of the rows.
    """

    kind: ClassVar[str]
    seed: int
    first_replica: int
    columns: dict[str, Array]

    @property
    def specification(self) -> Specification:
        """What the networks are; a sample of residual networks has it in `resnet`."""
        return self.resnet  # type: ignore[attr-defined]

    @property
    def details(self) -> dict[str, Any]:
        """What else the rows are a function of, as JSON-serialisable values."""
        return {}

    @property
    @abstractmethod
    def labels(self) -> Labels:
        """The arrays with their dimensions."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, column: str) -> Array:
        try:
            return self.columns[column]
        except KeyError:
            raise KeyError(f"no column {column!r}; there are {', '.join(self.columns)}") from None

    def __repr__(self) -> str:
        said = self._said | ({"first_replica": self.first_replica} if self.first_replica else {})
        fields = ", ".join(f"{name}={value!r}" for name, value in said.items())
        return f"{type(self).__name__}({self.specification!r}, {fields})"

    @property
    def _said(self) -> dict[str, object]:
        """What the text of a sample says beside its specification."""
        return {"replicas": len(self), "seed": self.seed}

    def __add__(self, other: Self) -> Self:
        """Pool with the sample of the replicas that follow.

        Raises
        ------
        ValueError
            If the samples differ in more than their rows, or do not follow each other.
        """
        if not isinstance(other, type(self)):
            return NotImplemented
        ours, theirs = (
            s.specification.canonical() | {"seed": s.seed, **s.details, "columns": sorted(s.columns)}
            for s in (self, other)
        )
        differing = [name for name in ours | theirs if ours.get(name) != theirs.get(name)]
        if differing:
            a, b = (fields.get(differing[0]) for fields in (ours, theirs))
            raise ValueError(f"cannot pool: {differing[0]} must agree, and is {a!r} here, {b!r} there")
        if other.first_replica != self.first_replica + len(self):
            raise ValueError(f"cannot pool {self!r} with {other!r}: the replicas must follow each other")
        return self._with({name: np.concatenate([c, other[name]]) for name, c in self.columns.items()})

    def head(self, replicas: int) -> Self:
        """Return the first rows; all if there are fewer.

        Raises
        ------
        InvalidFieldError
            For anything but a whole number of at least 0.
        """
        replicas = check_whole("replicas", replicas, 0, 2**63, 100)
        return self._with({name: column[:replicas] for name, column in self.columns.items()})

    def _with(self, columns: dict[str, Array]) -> Self:
        """Return the sample with other columns."""
        return replace(self, columns=columns)  # type: ignore[type-var]

    @property
    def replica(self) -> npt.NDArray[np.int64]:
        """Index of the network of each row, 0-based."""
        return np.arange(self.first_replica, self.first_replica + len(self))

    @property
    def metadata(self) -> dict[str, Any]:
        """What a file needs to be recognised."""
        return table_metadata(
            self.kind, self.specification, self.seed, first_replica=self.first_replica, **self.details
        )

    def table(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of a file."""
        return {"replica": self.replica, **self.columns}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a ``.parquet`` file, whole or not at all: float64 exactly, cells as lists.

        Raises
        ------
        InvalidFieldError
            For another ending, or if the file cannot be written.
        """
        target = Path(path)
        check_writable(target, (".parquet",))
        with replaced_file(target) as temporary:
            write_table(temporary, self.table(), self.metadata)

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with one row a network, and a row for each scaling, input or layer in it.

        Columns that have more dimensions than the rows, such as paths along depth, are left out:
        `to_xarray` has them. Numbers of a whole network are repeated in its rows.
        """
        import pandas as pd

        labels = self.labels
        grid = np.meshgrid(*(labels.coordinates[name] for name in labels.index), indexing="ij")
        columns = {name: axis.ravel() for name, axis in zip(labels.index, grid, strict=True)}
        for name, (dims, array) in labels.variables.items():
            if dims == labels.index[: len(dims)]:
                rest = (1,) * (len(labels.index) - len(dims))
                columns[name] = np.broadcast_to(array.reshape(array.shape + rest), grid[0].shape).ravel()
        return pd.DataFrame(columns)

    def to_xarray(self) -> Any:
        """Return an xarray Dataset with every array; needs the package xarray.

        Raises
        ------
        ModuleNotFoundError
            If xarray is not installed.
        """
        try:
            import xarray as xr  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError:
            raise ModuleNotFoundError("to_xarray needs xarray: pip install xarray") from None
        labels = self.labels
        used = {dim for dims, _ in labels.variables.values() for dim in dims}
        return xr.Dataset(
            {name: (list(dims), array) for name, (dims, array) in labels.variables.items()},
            coords={name: values for name, values in labels.coordinates.items() if name in used},
            attrs={"specification": repr(self.specification), "seed": str(self.seed)},
        )

    def _repr_html_(self) -> str:
        rows: list[list[object]] = [["column", "shape", "2.5 %", "median", "97.5 %", "not finite"]]
        for name, (dims, array) in self.labels.variables.items():
            shape = " × ".join(f"{n:,} {dim}" for n, dim in zip(array.shape, dims, strict=True))
            kept = array[np.isfinite(array)]
            quantiles = np.quantile(kept, [0.025, 0.5, 0.975]).tolist() if kept.size else [float("nan")] * 3
            rows.append([name, shape, *quantiles, int(array.size - kept.size)])
        return _html.table(repr(self), rows)
