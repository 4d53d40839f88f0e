"""S1: strong and weak order of convergence to the diffusion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import integrate, stats

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import network_rows
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import (
    NumberOfRows,
    Source,
    depths_source,
    order_experiment,
    path_order,
)
from montecarlo.verification.experiments._rows import bounded

Array = npt.NDArray[np.float64]
_STRONG_DEPTHS = (64, 128, 512, 1024)
_WEAK_DEPTHS = (8, 16, 32)


def experiments() -> list[NumberOfRows]:
    """Return the experiments."""
    return [_strong(), _weak()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    strong, weak = experiments()
    brownian = replace(strong.resnet, beta=0.6)
    return [
        Mutant("strong order 0.6", "theory", replace(strong, predicted=0.6)),
        Mutant("strong order 0.4", "theory", replace(strong, predicted=0.4)),
        Mutant(
            "scaling L^-0.6 instead of L^-0.5", "simulator",
            replace(strong, resnet=brownian, source=depths_source(brownian, _STRONG_DEPTHS, path_order)),
        ),
        Mutant("weak order 1.05", "theory", replace(weak, predicted=1.05)),
        Mutant(
            "scaling 1 % too large", "simulator",
            replace(weak, source=_weak_source(1.01)),
        ),
    ]  # fmt: skip


def _strong() -> NumberOfRows:
    # Order 1/2 is attained where the noise does not commute: not at width 1.
    resnet = ResNet(width=16, depth=_STRONG_DEPTHS[-1], beta=0.5, block="res-1", activation="tanh")
    order = theory.convergence_order("independent").strong
    return replace(order_experiment("S1", "strong order", resnet, _STRONG_DEPTHS, order), resolution=0.04)


def _weak() -> NumberOfRows:
    """Return the experiment of the weak order, a number whose mean is the order to first order about 1.

    With the bias b_L of a bounded function at depth L, ``b_8 − 6 b_16 + 8 b_32`` is free of the terms 1/L and
    1/L² and changes by ``−0.693 b_8`` a unit of the order. Wide networks have next to no noise.
    """
    return NumberOfRows(
        theorem="S1", name="weak order", quantity="order in 1/L of the bias of a mean",
        predicted=theory.convergence_order("independent").weak, resolution=0.03, resnet=_weak_network(32),
        source=_weak_source(1.0), sequence=bounded(-12.0, 14.0), first_rows=20_000,
    )  # fmt: skip


def _weak_network(depth: int, factor: float = 1.0) -> ResNet:
    return ResNet(
        width=100_000, depth=depth, alpha=factor * depth**-0.5, block="res-1", activation="identity"
    )


def _bounded(log_ratio: Array) -> Array:
    return 1.0 / (1.0 + np.exp(2.0 * log_ratio))


def _weak_source(factor: float) -> Source:
    law = theory.critical_log_norm_law(width=100_000, gain=1.0)
    centre, spread = float(law.mean()), float(law.std())
    limit = float(
        integrate.quad(lambda z: float(_bounded(centre + spread * z) * stats.norm.pdf(z)), -9, 9)[0]
    )
    # The constant sets the unit alone; at this width the ratio of squares is (1 + 1/L)^L to 1e-5.
    bias = limit - 1.0 / (1.0 + (1.0 + 1.0 / _WEAK_DEPTHS[0]) ** _WEAK_DEPTHS[0])

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        biases = [
            limit
            - network_rows(
                _weak_network(depth, factor), lambda sample: _bounded(sample["log_hidden_ratio"]),
                seed=seed + i, first=first, count=count, threads=threads, request=Request(gradients=False),
            )
            for i, depth in enumerate(_WEAK_DEPTHS)
        ]  # fmt: skip
        free = (biases[0] - 6.0 * biases[1] + 8.0 * biases[2]) / (np.log(2.0) * bias)
        return np.clip(1.0 - free, -12.0, 14.0)  # of deviation 1.5

    return rows
