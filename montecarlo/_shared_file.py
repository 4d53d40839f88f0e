"""Samples with shared weights on disk: read again what a file holds, else draw and write it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from montecarlo._shared import SharedSample, simulate_shared
from montecarlo._simulate import Progress
from montecarlo._specification import ResNet
from montecarlo._tables import read_table
from montecarlo.files import exclusive


def read_shared_sample(path: str | os.PathLike[str], resnet: ResNet | None = None) -> SharedSample:
    """Read the Parquet file of a sample with shared weights.

    Parameters
    ----------
    path : path
        As `SharedSample.write` left it.
    resnet : ResNet, optional
        The specification that it must be of; that of one's own activation or process must be given.

    Raises
    ------
    ValueError
        If the file is torn or damaged, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> net = ResNet(width=4, depth=20, beta=1, weights="fbm:0.7")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     simulate_shared(net, replicas=3, inputs=2, betas=[0.5, 1], seed=1).write(f"{folder}/s.parquet")
    ...     read_shared_sample(f"{folder}/s.parquet")["log_hidden_ratio"].shape
    (3, 2, 2)
    """
    needed = {"first_replica", "betas", "inputs"}
    resnet, metadata, columns = read_table(path, kind="shared", needed=needed, resnet=resnet)
    betas = np.array(metadata["betas"], np.float64)
    shape = (-1, len(betas), metadata["inputs"])
    keys = [columns.pop(name) for name in ("replica", "beta", "input")]
    ratios = {name: column.reshape(shape) for name, column in columns.items()}
    sample = SharedSample(resnet, metadata["seed"], metadata["first_replica"], betas, ratios)
    expected = sample.table()
    for name, found in zip(("replica", "beta", "input"), keys, strict=True):
        if not np.array_equal(found, expected[name]):
            raise ValueError(f"{path}: its rows are not those of its metadata: edited since?")
    return sample


def shared_to_file(
    resnet: ResNet,
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    betas: Sequence[float],
    inputs: int,
    threads: int | None = None,
    progress: Progress | None = None,
    on_found: Progress | None = None,
) -> SharedSample:
    """Return `simulate_shared`'s sample, from the file if it is there, else drawn and left in it.

    A file that holds anything else is replaced. Arguments as in `simulate_shared`; `progress` is told of
    what is sampled, `on_found` of the number of networks found in the file.
    """
    target = Path(path)
    with exclusive(target):
        found = _found(target, resnet, replicas, seed, betas, inputs)
        if found is not None:
            if on_found is not None:
                on_found(found["log_hidden_ratio"].size)
            return found
        sample = simulate_shared(
            resnet,
            replicas=replicas,
            seed=seed,
            betas=betas,
            inputs=inputs,
            threads=threads,
            progress=progress,
        )
        sample.write(target)
    return sample


def _found(
    path: Path, resnet: ResNet, replicas: int, seed: int, betas: Sequence[float], inputs: int
) -> SharedSample | None:
    try:
        found = read_shared_sample(path, resnet)
    except (OSError, ValueError):
        return None
    weights, _, there = found["log_hidden_ratio"].shape
    same = (found.seed, found.first_replica, weights, there) == (seed, 0, replicas, inputs)
    return found if same and np.array_equal(found.betas, np.asarray(betas)) else None
