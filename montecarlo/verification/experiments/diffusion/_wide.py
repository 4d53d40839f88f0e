"""S4, S5: wide networks, whose state is deterministic up to O(1/d) in mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

import theory
from montecarlo import ResNet, simulate_inputs
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source
from montecarlo.verification.experiments._rows import bounded, clipped_to

Array = npt.NDArray[np.float64]
_START = 2.0
"""Mean square of h_0."""
_COSINE = -0.5
_PAIR_WIDTH = 1000
_REACH = 0.3
"""How far from the prediction cosines are clipped, seven standard deviations: the limit is the same."""


def experiments() -> list[NumberOfRows]:
    """Return the experiments."""
    # Relative differences of a mean square are O(1/d): 0.1 % and below.
    return [
        _mean_square("tanh", 16, 1.0),
        _mean_square("sin", 16, 1.0),
        _flow("gelu"),
        _cosine("recursion", 16, 0.5),
        _cosine_flow(),
    ]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    tanh, _, gelu, cosine, cosine_flow = experiments()
    network = tanh.resnet
    wide = replace(network, alpha=1.02 * network.scaling)
    # Mean squares as if σ were the identity in ρ(S) = S, and the second step left out of the recursion.
    skipped = _recursion("tanh", network.depth - 1, network.scaling)
    plain = theory.cosine_recursion(cosine=_COSINE, depth=16, alpha=0.48)[-1]
    return [
        Mutant("constant 2 % too large", "theory", replace(tanh, predicted=1.02 * tanh.predicted)),
        Mutant("one layer less", "theory", replace(tanh, predicted=skipped)),
        Mutant("constant 2 % too small", "theory", replace(gelu, predicted=0.98 * gelu.predicted)),
        Mutant(
            "scaling 2 % too large", "simulator",
            replace(tanh, resnet=wide, source=_mean_square_source(wide, _bounds(tanh.predicted))),
        ),
        Mutant("scaling 4 % too small in the recursion", "theory", replace(cosine, predicted=float(plain))),
        Mutant(
            "without the −c/2 of the flow", "theory",
            replace(cosine_flow, predicted=_euler_without_decay(_COSINE)),
        ),
        Mutant(
            "weights 4 % too small", "simulator",
            replace(cosine, source=_cosine_source(
                replace(cosine.resnet, alpha=0.48), (cosine.predicted - _REACH, cosine.predicted + _REACH)
            )),
        ),
    ]  # fmt: skip


def _mean_square_experiment(name: str, resnet: ResNet, predicted: float) -> NumberOfRows:
    bounds = _bounds(predicted)
    return NumberOfRows(
        theorem="S4", name=name, quantity="E ‖h_L‖²/d", predicted=predicted, resolution=0.01 * predicted,
        relative_to=predicted, resnet=resnet, source=_mean_square_source(resnet, bounds),
        sequence=bounded(*bounds), first_rows=200,
    )  # fmt: skip


def _recursion(activation: str, depth: int, alpha: float) -> float:
    path = theory.mean_square_recursion(
        activation=activation, initial_mean_square=_START, depth=depth, alpha=alpha
    )
    return float(path[-1])


def _mean_square(activation: str, depth: int, alpha: float) -> NumberOfRows:
    resnet = ResNet(width=500, depth=depth, alpha=alpha, block="res-2", activation=activation)
    return _mean_square_experiment(f"{activation} recursion", resnet, _recursion(activation, depth, alpha))


def _flow(activation: str) -> NumberOfRows:
    resnet = ResNet(width=500, depth=128, beta=0.5, block="res-2", activation=activation)
    predicted = float(theory.mean_square_flow(activation=activation, initial_mean_square=_START))
    return _mean_square_experiment(f"{activation} flow", resnet, predicted)


def _bounds(predicted: float) -> tuple[float, float]:
    # Eight standard deviations and more.
    return 0.6 * predicted, 1.4 * predicted


def _mean_square_source(resnet: ResNet, bounds: tuple[float, float]) -> Source:
    """Return ‖h_L‖²/d from a start of exactly the mean square `_START`, which `simulate` does not fix."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_inputs(
            resnet, [[_START * resnet.width]], replicas=count, seed=seed, first_replica=first,
            threads=threads, layers=[resnet.depth],
        )  # fmt: skip
        return np.clip(np.exp(2.0 * sample.log_norm[:, 0, 0]) / resnet.width, *bounds)

    return rows


def _cosine_experiment(name: str, resnet: ResNet, predicted: float) -> NumberOfRows:
    bounds = predicted - _REACH, min(predicted + _REACH, 1.0)
    return NumberOfRows(
        theorem="S5", name=name, quantity=f"E cos of two hidden states {clipped_to(*bounds)}",
        predicted=predicted, resolution=0.01,
        resnet=resnet, source=_cosine_source(resnet, bounds), sequence=bounded(*bounds), first_rows=200,
    )  # fmt: skip


def _cosine(name: str, depth: int, alpha: float) -> NumberOfRows:
    predicted = theory.cosine_recursion(cosine=_COSINE, depth=depth, alpha=alpha)[-1]
    return _cosine_experiment(name, ResNet(width=_PAIR_WIDTH, depth=depth, alpha=alpha), float(predicted))


def _cosine_flow() -> NumberOfRows:
    resnet = ResNet(width=_PAIR_WIDTH, depth=128, beta=0.5)
    return _cosine_experiment("flow", resnet, float(theory.cosine_flow(cosine=_COSINE)))


def _euler_without_decay(cosine: float, steps: int = 1000) -> float:
    for _ in range(steps):
        cosine += float(theory.arc_cosine_kernel(cosine)) / steps
    return cosine


def _cosine_source(resnet: ResNet, bounds: tuple[float, float]) -> Source:
    gram = resnet.width * np.array([[1.0, _COSINE], [_COSINE, 1.0]])

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_inputs(
            resnet, gram, replicas=count, seed=seed, first_replica=first, threads=threads,
            layers=[resnet.depth],
        )  # fmt: skip
        return np.clip(sample.cosine[:, 0, 0, 1], *bounds)

    return rows
