"""What experiments on two inputs share: their Gram matrix, and samples of it as rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from montecarlo import JointSample, ResNet, simulate_inputs
from montecarlo.verification._experiment import Array
from montecarlo.verification.experiments._row_sources import Source

Measure = Callable[[JointSample], Array]
"""A sample to one row a network."""


def pair(width: int, cosine: float, mean_square: float = 1.0) -> Array:
    """Return the Gram matrix of two inputs of one mean square."""
    return width * mean_square * np.array([[1.0, cosine], [cosine, 1.0]])


def joint_source(
    resnet: ResNet,
    gram: Array,
    measure: Measure,
    *,
    engine: str = "auto",
    tangents: tuple[int, ...] | None = None,
    paths: bool = False,
) -> Source:
    """Return the source of a measure of joint samples, of the last layer or of all with `paths`."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_inputs(
            resnet, gram, replicas=count, seed=seed, first_replica=first, threads=threads, engine=engine,
            tangents=tangents, layers=None if paths else [resnet.depth],
        )  # fmt: skip
        return measure(sample)

    return rows


def cosine(sample: JointSample) -> Array:
    """Return the cosine of the first two vectors at the last layer."""
    return sample.cosine[:, -1, 0, 1]


def overlaps(sample: JointSample) -> Array:
    """Return h·h'/d of the first two vectors, shape (networks, layers)."""
    norms = np.exp(sample.log_norm[:, :, 0] + sample.log_norm[:, :, 1])
    return norms * sample.cosine[:, :, 0, 1] / sample.resnet.width
