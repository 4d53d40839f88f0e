"""`Sample`: one row a network, with the specification that made it; Parquet and CSV."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common.files import check_writable, replaced_file
from montecarlo.networks._specification import ResNet
from montecarlo.samples._sample import Labels, RowSample
from montecarlo.samples._tables import read_table

LOG_RATIOS = (
    "log_hidden_ratio",
    "log_hidden_difference",
    "log_gradient_ratio",
    "log_gradient_difference",
)
"""Columns of every sample: log ‖h_L‖/‖h_0‖, log ‖h_L-h_0‖/‖h_0‖, log ‖p_0‖/‖p_L‖, log ‖p_0-p_L‖/‖p_L‖
(natural logs)."""


@dataclass(frozen=True, eq=False, repr=False)
class Sample(RowSample):
    """Networks of one specification, one row each, in the order of their replica index.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    seed : int
        The seed; row i is a function of (specification, seed, i).
    engine : str
        The engine that drew them.
    first_replica : int
        Index of the first row.
    columns : dict of str to array
        ``log_hidden_ratio``, ``log_hidden_difference``, ``log_gradient_ratio``, ``log_gradient_difference``
        of shape (n,): natural logs of ratios of Euclidean norms; on request ``log_hidden_path``,
        ``log_gradient_path`` of shape (n, L + 1): log ‖h_k‖/‖h_0‖, log ‖p_k‖/‖p_L‖, k = 0..L; and
        ``log_weight_gradient_v``, ``log_weight_gradient_w`` of shape (n, L): log ‖∂loss/∂V_k‖/(‖p_L‖‖h_0‖)
        and the same for W_k, k = 1..L; and ``log_tangent_kernel`` of shape (n,): log K/(‖p_L‖²‖h_0‖²), K the
        sum of ‖∂loss/∂V_k‖² and ‖∂loss/∂W_k‖² over the layers, without those of A and B, which are ‖p_0‖²‖x‖²
        and ‖h_L‖². NaN marks a network that left the finite numbers (its path is kept up to there), -inf an
        exact zero.

    Examples
    --------
    >>> from montecarlo import ResNet, simulate
    >>> sample = simulate(ResNet(width=8, depth=4, beta=0.5), replicas=3, seed=1)
    >>> sample
    Sample(ResNet(width=8, depth=4, beta=0.5), replicas=3, seed=1, engine='gaussian')
    >>> sample["log_hidden_ratio"].shape
    (3,)
    """

    kind = "sample"

    resnet: ResNet
    seed: int
    engine: str
    first_replica: int
    columns: dict[str, npt.NDArray[np.float64]]

    @property
    def _said(self) -> dict[str, object]:
        return super()._said | self.details

    @property
    def details(self) -> dict[str, Any]:
        """The engine."""
        return {"engine": self.engine}

    @property
    def n_nonfinite(self) -> int:
        """Number of networks that left the finite numbers (rows with NaN)."""
        scalars = [c for c in self.columns.values() if c.ndim == 1]
        return int(np.any([np.isnan(c) for c in scalars], axis=0).sum())

    @property
    def labels(self) -> Labels:
        """The columns with their dimensions: replica, and layer (0..L) or weight_layer (1..L)."""
        depth = self.resnet.depth
        coordinates = {
            "replica": self.replica, "layer": np.arange(depth + 1), "weight_layer": np.arange(1, depth + 1),
        }  # fmt: skip
        along = {depth + 1: "layer", depth: "weight_layer"}
        variables = {
            name: (("replica",) if c.ndim == 1 else ("replica", along[c.shape[1]]), c)
            for name, c in self.columns.items()
        }
        return Labels(("replica",), coordinates, variables)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a ``.parquet`` or ``.csv`` file, whole or not at all.

        Parquet keeps float64 exactly, the paths as lists, and the metadata; CSV has the one-dimensional
        columns with 17 significant digits.

        Raises
        ------
        InvalidFieldError
            For another ending, or if the file cannot be written.
        """
        target = Path(path)
        if target.suffix == ".parquet":
            super().write(target)
            return
        check_writable(target)
        with replaced_file(target) as temporary:
            self.to_pandas().to_csv(temporary, index=False, float_format="%.17g")


def read_sample(path: str | os.PathLike[str], resnet: ResNet | None = None) -> Sample:
    """Read the Parquet file of a sample.

    Parameters
    ----------
    path : path
        As `Sample.write` or `sample_to_file` left it.
    resnet : ResNet, optional
        The specification that the sample must be of. Default: the one that the file holds; that of an
        activation of one's own must be given, because a file cannot hold its code.

    Returns
    -------
    Sample

    Raises
    ------
    ValueError
        If the file is torn or damaged, holds no sample, or one of another specification or stream format.

    Examples
    --------
    >>> from montecarlo import ResNet, simulate
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     simulate(ResNet(width=8, depth=4, beta=0.5), replicas=3, seed=1).write(f"{folder}/s.parquet")
    ...     read_sample(f"{folder}/s.parquet")
    Sample(ResNet(width=8, depth=4, beta=0.5), replicas=3, seed=1, engine='gaussian')
    """
    resnet, metadata, columns = read_table(
        path, kind="sample", needed={"engine", "first_replica"}, resnet=resnet
    )
    replica = columns.pop("replica")
    sample = Sample(resnet, metadata["seed"], metadata["engine"], metadata["first_replica"], columns)
    if not np.array_equal(replica, sample.replica):
        raise ValueError(
            f"{path}: its rows are not the replicas from {sample.first_replica} on: edited since?"
        )
    return sample
