"""G6: DeepNorm's feed-forward blocks as post-norm networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import theory
from montecarlo import Request, ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.verification._experiment import Array, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import non_negative, overlap

_WIDTH, _UNITS = 6, 10


def _turned(sample: Sample) -> Array:
    """Return 1 − cos∠(h_0, h_L)."""
    return np.maximum(1.0 - overlap(sample) / np.exp(sample["log_hidden_ratio"]), 0.0)


def _network(layers: int) -> ResNet:
    own = theory.deepnorm(layers=layers)
    return ResNet(
        width=_WIDTH, depth=own.depth, alpha=own.weights**2, skip=own.stream, hidden_width=_UNITS,
        norm="post-rms",
    )  # fmt: skip


def _cosines(depth: int, alpha: float) -> tuple[float, float]:
    """Return E(1 − cos) and E(1 − cos)², of N10."""
    first, second = (
        theory.mean_cosine(width=_WIDTH, depth=depth, alpha=alpha, hidden_width=_UNITS, order=k)
        for k in (1, 2)
    )
    square = (1.0 + (_WIDTH - 1.0) * second) / _WIDTH
    return 1.0 - first, 1.0 - 2.0 * first + square


def _direction(layers: int) -> NumberExperiment:
    own = theory.deepnorm(layers=layers)
    predicted, bound = _cosines(own.depth, own.alpha)
    return NumberExperiment(
        theorem="G6", name=f"N = {layers}", quantity="1 − E cos∠(h_0, h_L)", predicted=predicted,
        resolution=0.01 * predicted, relative_to=predicted, first_rows=20_000, resnet=_network(layers),
        observable=_turned, request=Request(gradients=False),
        # rounding of a cosine near 1 adds 1e-7 to rows of 1e-2
        sequence=non_negative(bound * 1.001),
    )  # fmt: skip


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    return [_direction(4), _direction(1)]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    deep, _ = experiments()
    own = theory.deepnorm(layers=4)

    def claiming(depth: int, alpha: float) -> NumberExperiment:
        predicted, bound = _cosines(depth, alpha)
        right = _cosines(own.depth, own.alpha)[1]
        return replace(deep, predicted=predicted, sequence=non_negative(4.0 * max(bound, right)))

    return [
        Mutant("β/α for β²/α", "theory", claiming(own.depth, own.weights / own.stream)),
        Mutant("N blocks for 2N", "theory", claiming(own.depth // 2, own.alpha)),
        Mutant("the factor α of the stream left out", "theory", claiming(own.depth, own.weights**2)),
        Mutant("a 2 % larger", "theory", claiming(own.depth, 1.02 * own.alpha)),
        Mutant("stream of the factor 1", "simulator", replace(
            claiming(own.depth, own.alpha), resnet=replace(deep.resnet, skip=1.0))),
        Mutant("a norm of the branch's input", "simulator", replace(
            claiming(own.depth, own.alpha), resnet=replace(deep.resnet, norm="pre-rms"))),
    ]  # fmt: skip
