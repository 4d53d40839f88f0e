"""G1: mean squares with schedules, factors of the stream and hidden widths, for every weight law."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments._rows import non_negative, square
from montecarlo.verification.experiments.schedules._layers import (
    ScheduleMoments,
    kept_difference,
    scalings_of,
)

What = Literal["ratio", "difference", "gradient"]


def _mean_square(name: str, what: What, **fields: Any) -> NumberExperiment:
    resnet = ResNet(**fields)
    moments = ScheduleMoments.of(resnet)
    size = {"depth": resnet.depth, "alpha": scalings_of(resnet), "skip": resnet.skip}
    predicted = theory.schedule_second_moment(**size)
    quantity, observable, bound = "E‖h_L‖²/‖h_0‖²", square("log_hidden_ratio"), moments.ratio
    if what == "gradient":
        quantity, observable = "E‖p_0‖²/‖p_L‖²", square("log_gradient_ratio")
    if what == "difference":
        quantity, observable = "E‖h_L − (∏ b_k) h_0‖²/‖h_0‖²", kept_difference(resnet)
        predicted, bound = theory.schedule_difference_second_moment(**size), moments.difference
    fine = 0.01 if resnet.law.gaussian else 0.015  # dense networks take longer
    return NumberExperiment(
        theorem="G1", name=f"{what}, {name}", quantity=quantity, predicted=predicted,
        resolution=fine * predicted, relative_to=predicted, first_rows=10_000, resnet=resnet,
        observable=observable, request=Request(gradients=what == "gradient"), sequence=non_negative(bound),
    )  # fmt: skip


_DECAY: dict[str, Any] = {
    "width": 8, "depth": 8, "alpha": 0.7, "hidden_width": 11, "schedule": "power:0.5"
}  # fmt: skip
_PRESERVING: dict[str, Any] = {"width": 8, "depth": 6, "alpha": 0.5, "skip": math.sqrt(0.875)}
_TURNED: dict[str, Any] = {
    "width": 12, "depth": 3, "alpha": 0.5, "hidden_width": 5, "skip": -1.1, "schedule": (1.0, 0.5, 0.8)
}  # fmt: skip
_NARROW: dict[str, Any] = {
    "width": 6, "depth": 2, "alpha": 0.5, "hidden_width": 7, "skip": 0.9, "schedule": (1.0, 0.6),
    "weights": "rademacher",
}  # fmt: skip


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    return [
        _mean_square("a_k = 0.7/√k, M = 11", "ratio", **_DECAY),
        _mean_square("a_k = 0.7/√k, M = 11", "difference", **_DECAY),
        _mean_square("b² + a²/2 = 1, M = 3", "ratio", hidden_width=3, **_PRESERVING),
        _mean_square("b = 0", "ratio", width=12, depth=2, alpha=1.2, hidden_width=24, skip=0.0),
        _mean_square("b = −1.1, M = 5", "difference", **_TURNED),
        _mean_square("Rademacher, M = 7", "difference", **_NARROW),
        _mean_square("b² + a²/2 = 1, M = 24", "gradient", hidden_width=24, **_PRESERVING),
        _mean_square("b = −1.1, M = 5", "gradient", **_TURNED),
    ]


def _off(experiment: NumberExperiment, predicted: float) -> NumberExperiment:
    # a bound that any of the claimed means allows: relative variances of the rows are below 3
    bound = 4.0 * max(predicted, experiment.predicted) ** 2
    return replace(experiment, predicted=predicted, sequence=non_negative(bound))


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    decay, kept, _, _, turned, rademacher, gradient, _ = experiments()
    a, L = decay.resnet.scaling, decay.resnet.depth
    harmonic = math.fsum(1.0 / k for k in range(1, L + 1))
    own = scalings_of(turned.resnet)
    plain = math.prod(1.0 + x * x / 2.0 for x in own)
    faulty = _mean_square("faulty", "ratio", width=4, depth=3, alpha=0.7, hidden_width=11)
    return [
        Mutant("hidden width counted: a² M/(2d)", "theory",
               _off(decay, math.prod(1.0 + a * a * 11 / (16.0 * k) for k in range(1, L + 1)))),
        Mutant("the exponential of half of Σ a_k²", "theory", _off(decay, math.exp(a * a * harmonic / 2.0))),
        Mutant("the last a_k at all layers", "theory",
               _off(kept, math.expm1(L * math.log1p(a * a / (2.0 * L))))),
        Mutant("no factor b", "theory", _off(turned, plain - 1.0)),
        Mutant("1 in place of ∏ b_k²", "theory", _off(rademacher, abs(
            rademacher.predicted + rademacher.resnet.skip ** (2 * rademacher.resnet.depth) - 1.0))),
        Mutant("the mean square of gradients grows", "theory",
               _off(gradient, (1.0 + gradient.resnet.scaling**2 / 2.0) ** gradient.resnet.depth)),
        Mutant("b 2 % too large", "simulator",
               replace(gradient, resnet=replace(gradient.resnet, skip=1.02 * gradient.resnet.skip))),
        Mutant("power 0.45 of the schedule", "simulator",
               replace(kept, resnet=replace(kept.resnet, schedule="power:0.45"))),
        Mutant("V of variance 1/d", "simulator",
               with_faults(faulty, FaultySimulator(as_wide=True))),
        Mutant("V not centred", "simulator", with_faults(faulty, FaultySimulator(mean=0.15))),
    ]  # fmt: skip
