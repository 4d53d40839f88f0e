"""G1b, G1c, G2: the law of the norm with schedules, its limit, and V of variance 1/d."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np

import theory
from montecarlo import Request, ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.verification._experiment import Array, Experiment, LawExperiment, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments._row_sources import LawOfRows, Source
from montecarlo.verification.experiments._rows import column, non_negative
from montecarlo.verification.experiments.schedules._layers import radial_power, scalings_of

Side = Literal["hidden", "gradient"]


def _exact(resnet: ResNet, **changed: Any) -> theory.ScheduleNormLaw:
    fields = {
        "width": resnet.width, "depth": resnet.depth, "hidden_width": resnet.inner_width,
        "alpha": scalings_of(resnet), "skip": resnet.skip,
    }  # fmt: skip
    return theory.ScheduleNormLaw(**(fields | changed))


# G1b


def _law(name: str, side: Side, engine: str, **fields: Any) -> LawExperiment:
    resnet = ResNet(**fields)
    end, start = ("h_L", "h_0") if side == "hidden" else ("p_0", "p_L")
    return LawExperiment(
        theorem="G1b", name=name, quantity=f"distance of the law of ‖{end}‖/‖{start}‖ to the exact one",
        resolution=0.01, first_rows=20_000, resnet=resnet, observable=column(f"log_{side}_ratio"),
        request=Request(gradients=side == "gradient"), engine=engine, cdf=_exact(resnet).cdf,
    )  # fmt: skip


_STEPS: dict[str, Any] = {
    "width": 6, "depth": 4, "alpha": 0.9, "hidden_width": 16, "skip": -0.8, "schedule": (1.0, 0.6, 0.6, 0.3)
}  # fmt: skip


def _laws() -> list[LawExperiment]:
    small: dict[str, Any] = {
        "width": 3, "depth": 2, "alpha": 0.8, "hidden_width": 5, "skip": 0.9, "schedule": (1.0, 0.5),
        "input_dim": 3,
    }  # fmt: skip
    return [
        _law("dense engine", "hidden", "dense", **small),
        _law("gaussian engine, gradients", "gradient", "gaussian", **_STEPS),
        _law("radial engine", "hidden", "radial", **_STEPS),
        _law("two units", "hidden", "radial", width=6, depth=4, alpha=0.7, hidden_width=2),
    ]


def _fourth_moment() -> NumberExperiment:
    resnet = ResNet(width=16, depth=2, alpha=0.8, hidden_width=8, skip=0.9, schedule=(1.0, 0.6))
    log_moment = theory.log_schedule_fourth_moment(
        width=16, depth=2, alpha=scalings_of(resnet), hidden_width=8, skip=0.9
    )
    predicted = math.exp(log_moment)
    return NumberExperiment(
        theorem="G1b", name="fourth moment", quantity="E‖h_L‖⁴/‖h_0‖⁴", predicted=predicted,
        resolution=0.01 * predicted, relative_to=predicted, first_rows=20_000, resnet=resnet,
        observable=lambda sample: np.exp(4.0 * sample["log_hidden_ratio"]), request=Request(gradients=False),
        sequence=non_negative(radial_power(resnet, 4)),
    )  # fmt: skip


def _law_mutants() -> list[Mutant]:
    dense, gradients, radial, two = _laws()
    moment = _fourth_moment()
    resnet = moment.resnet
    small = replace(dense, resnet=replace(dense.resnet, weights="uniform"))

    def layers(crossed: float, units: float = 5.0) -> float:
        d, M, b = 16.0, 8.0, resnet.skip
        return math.prod(
            b**4 + crossed * a**2 * b**2 * (1.0 + 2.0 / d) + a**4 * (d + 2.0) * (M + units) / (4.0 * d * M)
            for a in scalings_of(resnet)
        )

    return [
        Mutant("N binomial of d units", "theory", replace(two, cdf=_exact(two.resnet, hidden_width=6).cdf)),
        Mutant("a² taken 5 % larger", "theory", replace(
            radial, cdf=_exact(radial.resnet, alpha=math.sqrt(1.05) * scalings_of(radial.resnet)).cdf)),
        Mutant("all layers with the mean of a_k²", "theory", replace(gradients, cdf=_exact(
            gradients.resnet, alpha=float(np.sqrt(np.mean(scalings_of(gradients.resnet) ** 2)))).cdf)),
        Mutant("no factor b of the stream", "theory",
               replace(radial, cdf=_exact(radial.resnet, skip=1.0).cdf)),
        Mutant("fourth moment without its term b² a²", "theory",
               replace(moment, predicted=layers(0.0))),
        Mutant("fourth moment with 1.04 a² b²", "theory",
               replace(moment, predicted=layers(1.04))),
        Mutant("fourth moment with M + 2 for M + 5", "theory",
               replace(moment, predicted=layers(1.0, 2.0))),
        Mutant("uniform weights", "simulator", small),
        Mutant("V of variance 1/d", "simulator", with_faults(dense, FaultySimulator(as_wide=True))),
        Mutant("a layer short", "simulator", replace(
            radial, resnet=replace(radial.resnet, depth=3, schedule=(0.3, 0.6, 0.6)))),
    ]  # fmt: skip


# G1c


def _limit(name: str, total: float, *, preserving: bool = False, **fields: Any) -> LawExperiment:
    resnet = ResNet(**fields)
    limit = theory.schedule_limit_law(width=resnet.width, total=total, preserving=preserving)
    points = limit.mean() + limit.std() * np.linspace(-5.0, 5.0, 2001)
    # the distance of this depth's exact law to the limit, with the rounding of a grid
    distance = float(np.max(np.abs(_exact(resnet).cdf(points) - limit.cdf(points)))) + 1e-4
    return LawExperiment(
        theorem="G1c", name=name, resolution=0.01 + distance, first_rows=10_000,
        quantity="distance of the law of log(‖h_L‖/‖h_0‖) to its limit", distance=distance, resnet=resnet,
        observable=column("log_hidden_ratio"), request=Request(gradients=False), cdf=limit.cdf,
    )  # fmt: skip


def _limits() -> list[LawExperiment]:
    steps = tuple(math.sqrt(x) for x in [1.5] * 50 + [0.5] * 50)
    square = 1.0 / 100.0
    return [
        _limit("M = 2, d = 6, steps", 1.0, width=6, depth=100, beta=0.5, hidden_width=2, schedule=steps),
        _limit("b² + a²/2 = 1", 1.0, preserving=True, width=4, depth=100, beta=0.5, hidden_width=16,
               skip=math.sqrt(1.0 - square / 2.0)),
    ]  # fmt: skip


def _limit_mutants() -> list[Mutant]:
    steps, kept = _limits()
    d = kept.resnet.width
    law = theory.schedule_limit_law
    return [
        Mutant("variance 20 % larger", "theory", replace(steps, cdf=law(width=5, total=1.0).cdf)),
        Mutant("drift times M/d", "theory", replace(
            steps, cdf=lambda x: law(width=6, total=1.0).cdf(x + (1.0 - 1.0 / 3.0) / 6.0))),
        Mutant("mean square kept, so mean 0", "theory",
               replace(kept, cdf=lambda x: law(width=d, total=1.0, preserving=True).cdf(x - 0.5 / d))),
        Mutant("b = 1", "simulator", replace(kept, resnet=replace(kept.resnet, skip=1.0))),
        Mutant("factors squared", "simulator", replace(
            steps, resnet=replace(steps.resnet, schedule=tuple(2.0 * x for x in np.ones(100))))),
    ]  # fmt: skip


# G2: rows of plain matrices, V of variance 1/d as it is drawn

_BLOCK = 4096


def _plain_rows(resnet: ResNet, *, as_wide: bool = True) -> Source:
    """Return log(‖h_L‖/‖h_0‖) of networks whose V has entries of variance 1/d."""
    simulator = FaultySimulator(as_wide=as_wide)

    def block(seed: int, index: int) -> Array:
        sample: Sample = simulator.sample(resnet, seed=seed, first=index, count=_BLOCK)
        return sample["log_hidden_ratio"]

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        del threads
        start, stop = first // _BLOCK, -(-(first + count) // _BLOCK)
        whole = np.concatenate([block(seed, index) for index in range(start, stop)])
        return whole[first - start * _BLOCK :][:count]

    return rows


def _value_scaling() -> LawOfRows:
    resnet = ResNet(width=3, depth=2, alpha=0.6, hidden_width=8, skip=0.9)
    scaled = float(theory.value_scaling(alpha=resnet.scaling, width=3, hidden_width=8))
    return LawOfRows(
        theorem="G2", name="M = 8, d = 3", resolution=0.02, first_rows=10_000, resnet=resnet,
        quantity="distance of the law of ‖h_L‖/‖h_0‖, V of variance 1/d, to that of a√(M/d)",
        source=_plain_rows(resnet), cdf=_exact(resnet, alpha=scaled).cdf,
    )  # fmt: skip


def _value_scaling_mutants() -> list[Mutant]:
    own = _value_scaling()
    a, ratio = own.resnet.scaling, 8.0 / 3.0
    return [
        Mutant("d/M for M/d", "theory", replace(own, cdf=_exact(own.resnet, alpha=a / math.sqrt(ratio)).cdf)),
        Mutant("a scaled by M/d, not by its root", "theory",
               replace(own, cdf=_exact(own.resnet, alpha=a * ratio).cdf)),
        Mutant("a² M/d taken 8 % larger", "theory",
               replace(own, cdf=_exact(own.resnet, alpha=a * math.sqrt(1.08 * ratio)).cdf)),
        Mutant("V of variance 1/M", "simulator",
               replace(own, source=_plain_rows(own.resnet, as_wide=False))),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [*_laws(), _fourth_moment(), *_limits(), _value_scaling()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_law_mutants(), *_limit_mutants(), *_value_scaling_mutants()]
