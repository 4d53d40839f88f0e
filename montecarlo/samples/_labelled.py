"""What all samples can do with their arrays: pandas, xarray and a summary for notebooks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common import _html


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
    variables: Mapping[str, tuple[tuple[str, ...], npt.NDArray[np.float64]]]


class Labelled(ABC):
    """Conversions of samples; a sample says in `labels` what its arrays are."""

    seed: int

    @property
    def specification(self) -> object:
        """What the networks are; a sample of residual networks has it in `resnet`."""
        return self.resnet  # type: ignore[attr-defined]

    @property
    @abstractmethod
    def labels(self) -> Labels:
        """The arrays with their dimensions."""

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with one row a network, and a row for each scaling, input or layer in it.

        Columns that have more dimensions than the rows, such as paths along depth, are left out:
        `to_xarray` has them.
        """
        import pandas as pd

        labels = self.labels
        grid = np.meshgrid(*(labels.coordinates[name] for name in labels.index), indexing="ij")
        columns = {name: axis.ravel() for name, axis in zip(labels.index, grid, strict=True)}
        for name, (dims, array) in labels.variables.items():
            if dims == labels.index:
                columns[name] = array.ravel()
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
