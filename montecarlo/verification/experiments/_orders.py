"""S1, O1, F4, F4b: orders of convergence on one path of weights.

The scaled error of a path converges in law, so the median over paths of ``log(e_L/e_L')/log(L'/L)`` tends to
the order: a median needs no moments.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import integrate, stats

import theory
from montecarlo import CoupledSample, Request, ResNet
from montecarlo.verification._experiment import network_rows
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import (
    NumberOfRows,
    Source,
    depths_source,
    median,
    path_order,
)
from montecarlo.verification.experiments._rows import bounded

Array = npt.NDArray[np.float64]
_SLOPE = 0.05
_HURST = 0.7
_STRONG_DEPTHS = (64, 128, 512, 1024)
_WEAK_DEPTHS = (8, 16, 32)
_YOUNG_DEPTHS = (256, 512, 1024, 2048)


def experiments() -> list[NumberOfRows]:
    """Return the experiments."""
    return [_strong(), _weak(), _smooth("res-1", "tanh"), _smooth("res-3", "relu"), _young(), _young_error()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    strong, weak, smooth, _, young, error = experiments()
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
        Mutant("order 1.03 of the ODE", "theory", replace(smooth, predicted=1.03)),
        Mutant("order 0.97 of the ODE", "theory", replace(smooth, predicted=0.97)),
        Mutant(
            "Brownian weights at β = 1/2", "simulator",
            replace(smooth, resnet=strong.resnet, source=strong.source),
        ),
        Mutant("order H of persistent weights", "theory", replace(young, predicted=_HURST)),
        Mutant("order 2H − 0.9", "theory", replace(young, predicted=2.0 * _HURST - 0.9)),
        Mutant(
            "H smaller by 0.1", "simulator",
            replace(
                young, resnet=_linear(_HURST - 0.1, _YOUNG_DEPTHS[-1]), source=_young_source(_HURST - 0.1)
            ),
        ),
        Mutant("lag without the 1/d", "theory", replace(error, predicted=error.predicted * 2.0)),
        Mutant("lag 6 % too large", "theory", replace(error, predicted=error.predicted * 1.06)),
        Mutant("lag with exponent 1.95 − 2H", "theory", replace(error, predicted=error.predicted * 0.8)),
        Mutant(
            "H smaller by 0.05", "simulator",
            replace(error, resnet=_linear(_HURST - 0.05), source=_lag_source(_HURST - 0.05)),
        ),
    ]  # fmt: skip


def _order(
    theorem: str, name: str, resnet: ResNet, depths: tuple[int, ...], predicted: float
) -> NumberOfRows:
    return NumberOfRows(
        theorem=theorem, name=name, quantity="median over paths of the order in 1/L", predicted=predicted,
        resolution=_SLOPE, resnet=resnet, source=depths_source(resnet, depths, path_order), sequence=median,
        first_rows=500,
    )  # fmt: skip


def _strong() -> NumberOfRows:
    # Order 1/2 is attained where the noise does not commute: not at width 1.
    resnet = ResNet(width=16, depth=_STRONG_DEPTHS[-1], beta=0.5, block="res-1", activation="tanh")
    order = theory.convergence_order("independent").strong
    return replace(_order("S1", "strong order", resnet, _STRONG_DEPTHS, order), resolution=0.04)


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


def _smooth(block: str, activation: str) -> NumberOfRows:
    resnet = ResNet(width=4, depth=512, beta=1.0, block=block, activation=activation, weights="rbf:0.1")
    order = theory.convergence_order("smooth").strong
    return replace(_order("O1", block, resnet, (64, 128, 256, 512), order), resolution=0.01)


def _linear(hurst: float, depth: int = 1024) -> ResNet:
    return ResNet(
        width=1, depth=depth, beta=hurst, block="res-1", activation="identity", weights=f"fbm:{hurst:g}"
    )


def _young() -> NumberOfRows:
    # Width 1 shows the order at once: in wide networks other terms exceed the slow one up to large depth. The
    # median's distance from it falls slowly: −0.0129(34), −0.0146(25), −0.0135(14) from depth 128, 256, 512.
    order = theory.convergence_order("fractional", hurst=_HURST).strong
    return replace(
        _order("F4", "linear res-1", _linear(_HURST, _YOUNG_DEPTHS[-1]), _YOUNG_DEPTHS, order),
        source=_young_source(_HURST), allowance=0.018,
    )  # fmt: skip


def _young_source(hurst: float) -> Source:
    return depths_source(_linear(hurst, _YOUNG_DEPTHS[-1]), _YOUNG_DEPTHS, path_order)


_LAG_DEPTHS = (64, 1024)


def _young_error() -> NumberOfRows:
    shallow, deep = (theory.young_log_error(width=1, depth=depth, hurst=_HURST) for depth in _LAG_DEPTHS)
    predicted = shallow - deep
    return NumberOfRows(
        theorem="F4b", name="lag", quantity="mean of log ‖h_64‖ − log ‖h_1024‖ on one path",
        predicted=predicted, resolution=0.04 * abs(predicted), relative_to=predicted,
        resnet=_linear(_HURST), source=_lag_source(_HURST), sequence=bounded(-0.4, 0.4), first_rows=500,
    )  # fmt: skip


def _lag_source(hurst: float) -> Source:
    def lag(sample: CoupledSample) -> Array:
        return np.clip(sample.log_hidden_ratio[:, 0] - sample.log_hidden_ratio[:, 1], -0.4, 0.4)

    return depths_source(_linear(hurst), _LAG_DEPTHS, lag)
