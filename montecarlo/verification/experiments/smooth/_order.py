"""O1: order of convergence to the neural ODE."""

from __future__ import annotations

from dataclasses import replace

import theory
from montecarlo import ResNet
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import (
    NumberOfRows,
    depths_source,
    order_experiment,
    path_order,
)

_DEPTHS = (64, 128, 256, 512)
_BROWNIAN_DEPTHS = (64, 128, 512, 1024)


def experiments() -> list[NumberOfRows]:
    """Return the experiments."""
    return [_smooth("res-1", "tanh"), _smooth("res-3", "relu")]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    smooth, _ = experiments()
    brownian = ResNet(width=16, depth=_BROWNIAN_DEPTHS[-1], beta=0.5, block="res-1", activation="tanh")
    return [
        Mutant("order 1.03 of the ODE", "theory", replace(smooth, predicted=1.03)),
        Mutant("order 0.97 of the ODE", "theory", replace(smooth, predicted=0.97)),
        Mutant(
            "Brownian weights at β = 1/2", "simulator",
            replace(smooth, resnet=brownian, source=depths_source(brownian, _BROWNIAN_DEPTHS, path_order)),
        ),
    ]  # fmt: skip


def _smooth(block: str, activation: str) -> NumberOfRows:
    resnet = ResNet(width=4, depth=512, beta=1.0, block=block, activation=activation, weights="rbf:0.1")
    order = theory.convergence_order("smooth").strong
    return replace(order_experiment("O1", block, resnet, _DEPTHS, order), resolution=0.01)
