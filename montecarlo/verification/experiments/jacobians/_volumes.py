"""J1, J1b: volumes and determinants."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import theory
from montecarlo import JacobianSample, ResNet
from montecarlo.verification._experiment import Array, Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import LawOfRows, NumberOfRows, SameLawOfRows
from montecarlo.verification.experiments._rows import non_negative
from montecarlo.verification.experiments.jacobians._moments import determinant_fourth_moment
from montecarlo.verification.experiments.jacobians._power_sums import power_sum_moments
from montecarlo.verification.experiments.jacobians._rows import (
    SHIFT,
    jacobian_source,
    shifted_determinant,
    size_of,
    volume,
    walk_source,
)

_LINEAR: dict[str, Any] = {"block": "res-1", "activation": "identity"}


def _volume(name: str, order: int, resnet: ResNet, engine: str = "dense") -> NumberOfRows:
    predicted = theory.volume_second_moment(order=order, **size_of(resnet))
    what = "(det J)²" if order == resnet.width else f"vol_{order}(J)²"
    return NumberOfRows(
        theorem="J1", name=f"{what}, {name}", quantity=f"E {what}", predicted=predicted,
        resolution=0.015 * predicted, relative_to=predicted, first_rows=10_000, resnet=resnet,
        source=jacobian_source(resnet, volume(order), engine=engine), engine=engine,
        sequence=non_negative(_fourth_moment(order, resnet)),
    )  # fmt: skip


def _fourth_moment(order: int, resnet: ResNet) -> float:
    """Return E vol_i(J)⁴ for Gaussian weights, a bound of it for others; i is 2 or the width."""
    if order == resnet.width:
        return determinant_fourth_moment(resnet)
    of = power_sum_moments(resnet, 4, rank=2)  # the square of an area is (p_1² − p_2)/2
    return (of[1, 1, 1, 1] - 2.0 * of[2, 1, 1] + of[2, 2]) / 4.0


def _mean_determinant() -> NumberOfRows:
    resnet = ResNet(width=4, depth=8, alpha=0.15)
    square, fourth = (
        theory.volume_second_moment(order=4, **size_of(resnet)),
        determinant_fourth_moment(resnet),
    )
    third = (square * fourth) ** 0.5  # Cauchy and Schwarz
    moments = 1.0, 1.0, square, third, fourth
    return NumberOfRows(
        theorem="J1", name="E det J = 1", resolution=0.02 * SHIFT, relative_to=2.0 * SHIFT, first_rows=10_000,
        quantity=f"E ({SHIFT:g} + det J)² = {SHIFT**2:g} + {2 * SHIFT:g} E det J + E (det J)²",
        predicted=SHIFT**2 + 2.0 * SHIFT + square, resnet=resnet,
        source=jacobian_source(resnet, shifted_determinant),
        sequence=non_negative(sum(math.comb(4, k) * SHIFT ** (4 - k) * moments[k] for k in range(5))),
    )  # fmt: skip


def _walk() -> SameLawOfRows:
    resnet = ResNet(width=3, depth=4, alpha=0.5, hidden_width=5, weights="uniform")
    return SameLawOfRows(
        theorem="J1", name="i.i.d. layers, uniform, M = 5", resolution=0.03, first_rows=20_000,
        quantity="distance between the laws of log|det J| and of a sum over single layers", resnet=resnet,
        other=replace(resnet, depth=1), engine="dense",
        source=jacobian_source(resnet, _log_determinant, engine="dense"),
        other_source=walk_source(replace(resnet, depth=1), 4, "log_abs_determinant"),
    )  # fmt: skip


def _log_determinant(sample: JacobianSample) -> Array:
    return sample["log_abs_determinant"]


_GAUSSIAN = ResNet(width=4, depth=12, alpha=0.02**0.5, hidden_width=9)


def _volumes() -> list[NumberOfRows]:
    return [
        _volume("Gaussian, M = 9", 4, _GAUSSIAN),
        _volume("uniform", 3, ResNet(width=3, depth=8, alpha=0.15, weights="uniform")),
        _volume("Rademacher, M = 6", 3, ResNet(width=3, depth=8, alpha=0.15, hidden_width=6,
                                              weights="rademacher")),
        _volume("linear res-1", 4, ResNet(width=4, depth=5, alpha=0.2, **_LINEAR), "auto"),
        _volume("M = 2", 2, ResNet(width=5, depth=8, alpha=0.02**0.5, hidden_width=2), "auto"),
    ]  # fmt: skip


def _limit(resnet: ResNet, name: str, gain: float) -> LawOfRows:
    return LawOfRows(
        theorem="J1b", name=name, quantity="distance of the law of log|det J| from N(−t/2, t)",
        resolution=0.02, first_rows=10_000, resnet=resnet, source=jacobian_source(resnet, _log_determinant),
        cdf=theory.log_determinant_limit_law(gain=gain).cdf, distance=0.004,
    )  # fmt: skip


_DEEP = ResNet(width=3, depth=300, beta=0.5, hidden_width=4)


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        *_volumes(),
        _mean_determinant(),
        _walk(),
        _limit(_DEEP, "res-3, M = 4", 0.5),
        _limit(ResNet(width=2, depth=400, beta=0.5, **_LINEAR), "linear res-1", 1.0),
    ]


def _claiming(experiment: NumberOfRows, predicted: float) -> NumberOfRows:
    bound = 4.0 * max(predicted, experiment.predicted) ** 2  # the rows' relative variances are below 3
    return replace(experiment, predicted=predicted, sequence=non_negative(bound))


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    gaussian, _, rademacher, linear, narrow = _volumes()
    ours = size_of(gaussian.resnet)
    halved = theory.volume_second_moment(order=4, **{**ours, "alpha": 2.0**0.5 * ours["alpha"]})
    square = theory.volume_second_moment(order=3, **{**size_of(rademacher.resnet), "hidden_width": 3})
    deeper = replace(linear.resnet, depth=6)
    limit, walk, mean = _limit(_DEEP, "res-3, M = 4", 0.5), _walk(), _mean_determinant()
    louder = replace(walk.resnet, depth=1, alpha=0.55)
    return [
        Mutant("(a²/(Md))^k: no half of the units", "theory", _claiming(gaussian, halved)),
        Mutant("the square of the mean for the mean square", "theory", _claiming(gaussian, 1.0)),
        Mutant("3 % too large", "theory", _claiming(rademacher, 1.03 * square)),
        Mutant("lengths to the power i", "theory",
               _claiming(narrow, theory.volume_second_moment(order=1, **size_of(narrow.resnet)) ** 2)),
        Mutant("E det J = 1 + t/2", "theory", replace(mean, predicted=mean.predicted + 0.09 * SHIFT)),
        Mutant("a layer more", "simulator",
               replace(_claiming(linear, linear.predicted), resnet=deeper,
                       source=jacobian_source(deeper, volume(4)))),
        Mutant("single layers of a larger α", "simulator",
               replace(walk, other=louder, other_source=walk_source(louder, 4, "log_abs_determinant"))),
        Mutant("variance t/d", "theory",
               replace(limit, cdf=theory.qr_diagonal_limit_law(mode=3, width=3, time=1.0).cdf)),
        Mutant("t = 1 for res-3", "theory",
               replace(limit, cdf=theory.log_determinant_limit_law(gain=1.0).cdf)),
        Mutant("α 10 % too large", "simulator", _off(limit)),
    ]  # fmt: skip


def _off(limit: LawOfRows) -> LawOfRows:
    louder = replace(limit.resnet, beta=None, alpha=1.1 * limit.resnet.scaling)
    return replace(limit, resnet=louder, source=jacobian_source(louder, _log_determinant))
