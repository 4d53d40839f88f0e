"""J3: traces of JᵀJ and of its square."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import theory
from montecarlo import ResNet
from montecarlo.verification._experiment import Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows
from montecarlo.verification.experiments._rows import non_negative
from montecarlo.verification.experiments.jacobians._moments import radial_moment
from montecarlo.verification.experiments.jacobians._power_sums import power_sum_moments
from montecarlo.verification.experiments.jacobians._rows import (
    jacobian_source,
    size_of,
    square_trace,
    trace_square,
)


def _spread(name: str, resnet: ResNet, which: str = "tr (JᵀJ)²/d", engine: str = "auto") -> NumberOfRows:
    moments = theory.log_trace_moments(**size_of(resnet))
    if which == "tr (JᵀJ)²/d":
        predicted, read, row = math.exp(moments.log_square_trace), square_trace, (2, 2)
    else:
        predicted, read, row = math.exp(moments.log_trace_square), trace_square, (1, 1, 1, 1)
    bound = power_sum_moments(resnet, 4)[row] / resnet.width ** len(row)
    return NumberOfRows(
        theorem="J3", name=f"{which}, {name}", quantity=f"E {which}", predicted=predicted,
        resolution=0.02 * predicted, relative_to=predicted, first_rows=10_000, resnet=resnet, engine=engine,
        source=jacobian_source(resnet, read, engine=engine, singular_values=True),
        sequence=non_negative(bound),
    )  # fmt: skip


_TEN = ResNet(width=10, depth=10, alpha=0.06**0.5)
_SMALL: dict[str, Any] = {"width": 3, "depth": 3, "alpha": 0.35, "hidden_width": 5}


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return _spreads()


def _spreads() -> list[Any]:
    return [
        _spread("d = 10", _TEN),
        _spread("d = 3, M = 5, explicit matrices", ResNet(**_SMALL), engine="dense"),
        _spread("d = 3, M = 5", ResNet(**_SMALL), "(tr JᵀJ)²/d²"),
        _spread("linear res-1, d = 5", ResNet(width=5, depth=4, alpha=0.25, block="res-1",
                                              activation="identity")),
    ]  # fmt: skip


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    ten, small, squared, linear = _spreads()
    wide = theory.log_trace_moments(**{**size_of(_TEN), "width": 10**6, "hidden_width": 10**6})
    signs = ResNet(**_SMALL, weights="rademacher")
    own = size_of(linear.resnet)
    length = theory.volume_second_moment(order=1, **own)
    return [
        Mutant("the value of infinite width", "theory",
               replace(ten, predicted=math.exp(wide.log_square_trace))),
        Mutant("limit at infinite width, Biane's", "theory",
               replace(ten, predicted=theory.wide_trace_moment(order=2, time=0.6))),
        Mutant("the square of the trace for the trace of the square", "theory",
               replace(squared, predicted=small.predicted)),
        Mutant("q_1 alone", "theory",
               replace(linear, predicted=radial_moment(2, linear.resnet) ** linear.resnet.depth)),
        Mutant("the square of the mean", "theory", replace(linear, predicted=length**2)),
        Mutant("Rademacher weights: q_1 is Gaussian", "simulator",
               replace(small, resnet=signs,
                       source=jacobian_source(signs, square_trace, singular_values=True))),
    ]  # fmt: skip
