"""F4, F4b: order and error of convergence in the Young regime."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

import theory
from montecarlo import CoupledSample, ResNet
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
_HURST = 0.7
_DEPTHS = (256, 512, 1024, 2048)
_LAG_DEPTHS = (64, 1024)


def experiments() -> list[NumberOfRows]:
    """Return the experiments."""
    return [_young(), _young_error()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    young, error = experiments()
    return [
        Mutant("order H of persistent weights", "theory", replace(young, predicted=_HURST)),
        Mutant("order 2H − 0.9", "theory", replace(young, predicted=2.0 * _HURST - 0.9)),
        Mutant(
            "H smaller by 0.1", "simulator",
            replace(
                young, resnet=_linear(_HURST - 0.1, _DEPTHS[-1]), source=_young_source(_HURST - 0.1)
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


def _linear(hurst: float, depth: int = 1024) -> ResNet:
    return ResNet(
        width=1, depth=depth, beta=hurst, block="res-1", activation="identity", weights=f"fbm:{hurst:g}"
    )


def _young() -> NumberOfRows:
    # Width 1 shows the order at once: in wide networks other terms exceed the slow one up to large depth. The
    # median's distance from it falls slowly: −0.0129(34), −0.0146(25), −0.0135(14) from depth 128, 256, 512.
    order = theory.convergence_order("fractional", hurst=_HURST).strong
    return replace(
        order_experiment("F4", "linear res-1", _linear(_HURST, _DEPTHS[-1]), _DEPTHS, order),
        source=_young_source(_HURST), allowance=0.018,
    )  # fmt: skip


def _young_source(hurst: float) -> Source:
    return depths_source(_linear(hurst, _DEPTHS[-1]), _DEPTHS, path_order)


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
