"""I6, I7: the exact law of the norm and its moments, Gaussian weights."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import Experiment, LawExperiment, NumberExperiment, Observable
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments._rows import bounded, column, non_negative

_FORWARD = Request(gradients=False)

# I6


def _law(name: str, engine: str, **fields: Any) -> LawExperiment:
    resnet = ResNet(**fields)
    exact = theory.ExactNormLaw(width=resnet.width, depth=resnet.depth, alpha=resnet.scaling)
    return LawExperiment(
        theorem="I6", name=name, quantity="distance of the law of ‖h_L‖/‖h_0‖ to the exact one",
        resolution=0.01, first_rows=20_000, resnet=resnet, observable=column("log_hidden_ratio"),
        request=_FORWARD, engine=engine, cdf=exact.cdf,
    )  # fmt: skip


def _laws() -> list[LawExperiment]:
    return [
        _law("dense engine", "dense", width=3, depth=3, alpha=0.7),
        _law("gaussian engine", "gaussian", width=6, depth=5, alpha=0.5),
        _law("radial engine", "radial", width=6, depth=5, alpha=0.5),
        _law("one unit", "gaussian", width=1, depth=2, alpha=1.0),
        _law("res-2", "gaussian", width=6, depth=5, alpha=0.5, block="res-2"),
        _law("L = 100", "radial", width=40, depth=100, beta=0.5),
    ]


def _law_mutants() -> list[Mutant]:
    by_name = {experiment.name: experiment for experiment in _laws()}
    wide, narrow, dense = by_name["L = 100"], by_name["radial engine"], by_name["dense engine"]
    small = replace(by_name["gaussian engine"], engine="dense", resnet=replace(dense.resnet, width=2))
    exact = theory.ExactNormLaw(width=2, depth=3, alpha=0.7).cdf

    def in_the_limit(experiment: LawExperiment) -> LawExperiment:
        d, L, a = experiment.resnet.width, experiment.resnet.depth, experiment.resnet.scaling
        law = theory.critical_log_norm_law(width=d, time=L * a**2)
        return replace(experiment, cdf=law.cdf)

    def as_of(experiment: LawExperiment, **changed: Any) -> LawExperiment:
        fields = {
            "width": experiment.resnet.width, "depth": experiment.resnet.depth,
            "alpha": experiment.resnet.scaling,
        }  # fmt: skip
        return replace(experiment, cdf=theory.ExactNormLaw(**(fields | changed)).cdf)

    return [
        Mutant("a² taken 5 % larger", "theory", as_of(wide, alpha=math.sqrt(1.05) * wide.resnet.scaling)),
        Mutant("d + 1 coordinates", "theory", as_of(narrow, width=narrow.resnet.width + 1)),
        Mutant("the limit of many layers", "theory", in_the_limit(narrow)),
        Mutant("variance of V 4 % too large", "simulator",
               replace(wide, resnet=replace(wide.resnet, beta=None, alpha=1.02 * wide.resnet.scaling))),
        Mutant("uniform weights", "simulator",
               replace(small, resnet=replace(small.resnet, weights="uniform"), cdf=exact)),
        Mutant("V and W one stream", "simulator",
               with_faults(replace(small, cdf=exact), FaultySimulator(shared=True))),
    ]  # fmt: skip


# I7


def _power(order: int) -> Observable:
    return lambda sample: np.exp(2.0 * order * sample["log_hidden_ratio"])


def _moment(order: int, activation: str, **fields: Any) -> NumberExperiment:
    """Return the experiment on E (‖h_L‖/‖h_0‖)^{2 order}, whose second moment is that of twice the order."""
    block = "res-1" if activation == "identity" else "res-3"
    resnet = ResNet(block=block, activation=activation, **fields)
    size = {
        "width": resnet.width, "depth": resnet.depth, "alpha": resnet.scaling, "activation": activation
    }  # fmt: skip
    predicted, bound = (math.exp(theory.log_norm_moment(order=m, **size)) for m in (order, 2 * order))
    return NumberExperiment(
        theorem="I7", name=f"m = {order}, {activation}, d = {resnet.width}", predicted=predicted,
        quantity=f"E(‖h_L‖/‖h_0‖)^{2 * order}", resolution=0.01 * predicted, relative_to=predicted,
        first_rows=20_000, resnet=resnet, observable=_power(order), request=_FORWARD,
        sequence=non_negative(bound),
    )  # fmt: skip


def _relative_variance() -> NumberExperiment:
    width, depth, alpha = 16, 4, 0.5
    size = {"width": width, "depth": depth, "alpha": alpha}
    mean = math.exp(theory.log_norm_moment(order=1, **size))
    predicted = float(theory.relative_variance(**size))
    # E(R/m − 1)⁴ from the moments of R/m; their cancellation costs digits, not the bound
    _, second, third, fourth = (
        math.exp(theory.log_norm_moment(order=m, **size)) / mean**m for m in (1, 2, 3, 4)
    )
    bound = (fourth - 4.0 * third + 6.0 * second - 3.0) * (1.0 + 1e-6)

    def row(sample):
        return np.square(np.expm1(2.0 * sample["log_hidden_ratio"] - math.log(mean)))

    return NumberExperiment(
        theorem="I7", name="relative variance", quantity="Var(‖h_L‖²)/(E‖h_L‖²)²", predicted=predicted,
        resolution=0.02 * predicted, relative_to=predicted, first_rows=20_000, resnet=ResNet(**size),
        observable=row, request=_FORWARD, sequence=non_negative(bound),
    )  # fmt: skip


_REACH = 10.0


def log_moment_experiment(
    theorem: str, name: str, quantity: str, resnet: ResNet, power: int, resolution: float,
    predicted: float, unit: float = 1.0,
) -> NumberExperiment:  # fmt: skip
    """Return the experiment on the mean (power 1) or the variance (2) of log ‖h_L‖²/‖h_0‖², over `unit`.

    Rows are cut where the exact law (I6) has less than 1e-12 beyond on either side, ten deviations from its
    mean: that moves their mean by less than 1e-10 of a deviation, and makes them bounded.
    """
    law = theory.ExactNormLaw(width=resnet.width, depth=resnet.depth, alpha=resnet.scaling)
    mean, deviation = 2.0 * law.mean(), 2.0 * law.std()

    def row(sample):
        standard = np.clip((2.0 * sample["log_hidden_ratio"] - mean) / deviation, -_REACH, _REACH)
        return (mean + deviation * standard) / unit if power == 1 else (deviation * standard) ** 2 / unit

    if power == 1:
        low, high = (mean - _REACH * deviation) / unit, (mean + _REACH * deviation) / unit
    else:
        low, high = 0.0, (_REACH * deviation) ** 2 / unit
    margin = 1e-9 * (high - low)
    return NumberExperiment(
        theorem=theorem, name=name, quantity=quantity, predicted=predicted,
        resolution=resolution * predicted, relative_to=predicted, first_rows=20_000, resnet=resnet,
        observable=row, request=_FORWARD, sequence=bounded(low - margin, high + margin),
    )  # fmt: skip


def _log_variance() -> NumberExperiment:
    resnet = ResNet(width=24, depth=4, alpha=0.5)
    law = theory.ExactNormLaw(width=24, depth=4, alpha=0.5)
    return log_moment_experiment(
        "I7", "variance of the log", "Var log(‖h_L‖²/‖h_0‖²)", resnet, 2, 0.02, 4.0 * law.var()
    )


def _moments() -> list[NumberExperiment]:
    return [
        _moment(2, "relu", width=16, depth=4, alpha=0.35),
        _moment(2, "relu", width=2, depth=2, alpha=0.3),
        _moment(2, "relu", width=400, depth=1000, beta=0.5),
        _moment(3, "relu", width=24, depth=4, alpha=0.35),
        _moment(2, "identity", width=24, depth=4, alpha=0.35),
        _relative_variance(),
        _log_variance(),
    ]


def _moment_mutants() -> list[Mutant]:
    first, narrow, _, third, linear, variance, log_variance = _moments()

    def claiming(experiment: NumberExperiment, moment: float) -> NumberExperiment:
        return replace(experiment, predicted=moment**experiment.resnet.depth)

    d, a = first.resnet.width, first.resnet.scaling
    quartic = a**4 * (d + 2) * (d + 5) / (4 * d * d)
    return [
        Mutant("without 2/d", "theory", claiming(first, 1.0 + a**2 + quartic)),
        Mutant("without the term a⁴", "theory", claiming(first, 1.0 + a**2 * (1.0 + 2.0 / d))),
        Mutant("coefficient of a² taken 3 % larger", "theory",
               claiming(first, 1.0 + 1.03 * a**2 * (1.0 + 2.0 / d) + quartic)),
        Mutant("power of the second moment", "theory",
               replace(third, predicted=(1.0 + third.resnet.scaling**2 / 2.0) ** (3 * third.resnet.depth))),
        Mutant("leading order of the variance", "theory",
               replace(variance, predicted=2.0 * variance.resnet.depth * variance.resnet.scaling**2
                       / variance.resnet.width)),
        Mutant("variance of the log 5 % too large", "theory",
               replace(log_variance, predicted=1.05 * log_variance.predicted)),
        Mutant("ReLU in place of the identity", "simulator",
               replace(linear, resnet=replace(first.resnet, width=24))),
        Mutant("variance of V 3 % too large", "simulator",
               replace(first, resnet=replace(first.resnet, alpha=math.sqrt(1.03) * a))),
        Mutant("V and W one stream", "simulator",
               with_faults(narrow, FaultySimulator(shared=True))),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [*_laws(), *_moments()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_law_mutants(), *_moment_mutants()]
