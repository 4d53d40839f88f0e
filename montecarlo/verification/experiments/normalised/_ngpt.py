"""N10: directions of nGPT, whose stream and branch are normalised and mixed, by explicit matrices."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

import theory
from montecarlo import ResNet
from montecarlo.verification._experiment import Array, Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source
from montecarlo.verification.experiments._rows import bounded

_BLOCK = 4096  # networks drawn from one generator: rows do not depend on how they are cut
_WIDTH, _DEPTH, _UNITS, _STEP = 5, 6, 5, 0.3


def _unit(x: Array) -> Array:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, length, out=np.zeros_like(x), where=length > 0.0)


def _cosines(step: float, rng: np.random.Generator) -> Array:
    """Return cos∠(h_0, h_L) of ``h ← unit((1-α) h + α unit(V ReLU(W h)))``."""
    d, M = _WIDTH, _UNITS
    h = np.zeros((_BLOCK, d))
    h[:, 0] = 1.0
    for _ in range(_DEPTH):
        w, v = rng.standard_normal((_BLOCK, M, d)), rng.standard_normal((_BLOCK, d, M))
        branch = _unit(np.einsum("nij,nj->ni", v, np.maximum(np.einsum("nij,nj->ni", w, h), 0.0)))
        h = _unit((1.0 - step) * h + step * branch)
    return h[:, 0]


def _source(step: float) -> Source:
    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        del threads
        blocks = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        drawn = np.concatenate([_cosines(step, np.random.default_rng([seed, block])) for block in blocks])
        return drawn[first - blocks[0] * _BLOCK :][:count]

    return rows


def _cosine() -> NumberOfRows:
    predicted = theory.ngpt_mean_cosine(width=_WIDTH, depth=_DEPTH, step=_STEP, dead=2.0**-_UNITS)
    # The size of the networks, and the norm of their stream; the branch's own norm is the source's.
    resnet = ResNet(width=_WIDTH, depth=_DEPTH, hidden_width=_UNITS, alpha=_STEP, norm="post-rms")
    return NumberOfRows(
        theorem="N10", name="mean cosine, nGPT", quantity="E cos of the angle of h_0 and h_L",
        predicted=predicted, resolution=0.01 * predicted, relative_to=predicted, first_rows=20_000,
        resnet=resnet, source=_source(_STEP), sequence=bounded(-1.0, 1.0),
    )  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiment."""
    return [_cosine()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    own = _cosine()
    wide = ((1.0 - _STEP) / math.hypot(1.0 - _STEP, _STEP)) ** _DEPTH
    return [
        Mutant("the wide limit", "theory", replace(own, predicted=wide)),
        Mutant("branches never dead", "theory",
               replace(own, predicted=theory.ngpt_mean_cosine(width=_WIDTH, depth=_DEPTH, step=_STEP))),
        Mutant("a step 5 % too large", "simulator", replace(own, source=_source(1.05 * _STEP))),
    ]  # fmt: skip
