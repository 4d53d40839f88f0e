"""C1, C2: the cosine of two inputs at fixed width, and how their angle closes in the end."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

import theory
from montecarlo import JointSample, ResNet
from montecarlo.verification._experiment import Array
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import LawOfRows, NumberOfRows
from montecarlo.verification.experiments._rows import bounded
from montecarlo.verification.experiments.inputs._pairs import Measure, cosine, joint_source, pair

_LAW_DISTANCE = 0.006
"""Of the law of the cosine at this depth; measured 0.004 with four times the networks."""
_TERMINAL_DISTANCE = 0.006
_START = 1e-5
"""Angle from which C2's networks start."""


def experiments() -> list[NumberOfRows | LawOfRows]:
    """Return the experiments."""
    return [
        _mean(5, 80, 1.0, 0.3),
        _mean(10, 240, 3.0, 0.8),
        # Another hidden width, on the chain of Gram matrices: C1 has no M.
        _mean(3, 40, 1.0, -0.5, hidden_width=7),
        _square(3, 80, 1.0, -0.5),
        _law(3, 80, 1.0, 0.5),
        _exponent(3, 0.2),
        _tangent_exponent(2, 0.4),
        _terminal_law(8, 0.1),
    ]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    mean, _, units, square, law, exponent, tangent, terminal = experiments()
    assert isinstance(mean, NumberOfRows)
    assert isinstance(square, NumberOfRows)
    assert isinstance(units, NumberOfRows)
    assert isinstance(exponent, NumberOfRows)
    assert isinstance(tangent, NumberOfRows)
    assert isinstance(law, LawOfRows)
    assert isinstance(terminal, LawOfRows)
    wide = float(theory.cosine_flow(cosine=0.3))
    heavy = replace(mean.resnet, alpha=1.1 * mean.resnet.scaling)
    other = theory.cosine_diffusion_law(width=4, cosine=-0.5, time=1.0)
    d, t = 8, 400 * 0.01
    steep = replace(tangent.resnet, alpha=0.8 * tangent.resnet.scaling)
    return [
        Mutant("S5, the limit of wide networks", "theory", replace(mean, predicted=wide)),
        Mutant("width 4 for 3", "theory", replace(square, predicted=_second_moment(other))),
        Mutant("width 4 for 3, hidden width 7", "theory", replace(units, predicted=float(other.mean()))),
        Mutant(
            "the law of a later time", "theory",
            replace(law, cdf=theory.cosine_diffusion_law(width=3, cosine=0.5, time=1.15).cdf),
        ),
        Mutant(
            "scaling 10 % too large", "simulator",
            replace(mean, resnet=heavy, source=joint_source(heavy, pair(5, 0.3), cosine)),
        ),
        Mutant("exponent −1/d", "theory", replace(exponent, predicted=-1.0 / 3.0)),
        Mutant("6π/t of wide networks", "theory", replace(exponent, predicted=0.0)),
        Mutant("the limit of small scalings", "theory", replace(tangent, predicted=-0.25)),
        Mutant(
            "variance 2/d", "theory",
            replace(terminal, cdf=stats.norm(-t / (2 * d), math.sqrt(2 * t / d)).cdf),
        ),
        Mutant(
            "scaling 20 % too small", "simulator",
            replace(
                tangent, resnet=steep, source=joint_source(steep, np.diag([2.0, 1.0]),
                _clipped(_tangent_slope, tangent.resnet), tangents=(0,)),
            ),
        ),
    ]  # fmt: skip


def _second_moment(law: theory.TabulatedLaw) -> float:
    return law.expect(np.square)


def _net(width: int, depth: int, time: float, hidden_width: int | None = None) -> ResNet:
    return ResNet(width=width, depth=depth, alpha=math.sqrt(time / depth), hidden_width=hidden_width)


def _mean(width: int, depth: int, time: float, start: float, hidden_width: int | None = None) -> NumberOfRows:
    resnet = _net(width, depth, time, hidden_width)
    predicted = theory.cosine_diffusion_law(width=width, cosine=start, time=time).mean()
    units = f", {hidden_width} units" * (hidden_width is not None)
    return NumberOfRows(
        theorem="C1", name=f"mean at width {width}{units}", quantity="E cos of two hidden states",
        predicted=predicted, resolution=0.02 * abs(predicted), relative_to=abs(predicted), resnet=resnet,
        source=joint_source(resnet, pair(width, start), cosine), sequence=bounded(-1.0, 1.0),
        first_rows=20_000,
    )  # fmt: skip


def _square(width: int, depth: int, time: float, start: float) -> NumberOfRows:
    resnet = _net(width, depth, time)
    predicted = _second_moment(theory.cosine_diffusion_law(width=width, cosine=start, time=time))
    return NumberOfRows(
        theorem="C1", name=f"square at width {width}", quantity="E cos² of two hidden states",
        predicted=predicted, resolution=0.02 * predicted, relative_to=predicted, resnet=resnet,
        source=joint_source(resnet, pair(width, start), lambda sample: cosine(sample) ** 2),
        sequence=bounded(0.0, 1.0), first_rows=20_000,
    )  # fmt: skip


def _law(width: int, depth: int, time: float, start: float) -> LawOfRows:
    resnet = _net(width, depth, time)
    law = theory.cosine_diffusion_law(width=width, cosine=start, time=time)
    return LawOfRows(
        theorem="C1", name=f"law at width {width}", quantity="law of the cosine of two hidden states",
        cdf=law.cdf, resolution=0.02 - _LAW_DISTANCE, distance=_LAW_DISTANCE, resnet=resnet,
        source=joint_source(resnet, pair(width, start), cosine), first_rows=20_000,
    )  # fmt: skip


def _time(resnet: ResNet) -> float:
    return resnet.depth * resnet.scaling**2


def _pair_slope(sample: JointSample) -> Array:
    """Return log(θ_L/θ_0) a unit of time, of two inputs."""
    c = np.minimum(sample.cosine[:, -1, 0, 1], 1.0)
    with np.errstate(divide="ignore"):  # an angle below rounding: clipped
        log_angle = np.log(2.0 * np.arcsin(np.sqrt(0.5 * (1.0 - c))))
    return (log_angle - math.log(_START)) / _time(sample.resnet)


def _tangent_slope(sample: JointSample) -> Array:
    """Return the same for an infinitesimal angle: the part of a tangent across h, over ‖h‖."""
    c = sample.cosine[:, -1, 0, 1]
    across = 0.5 * np.log1p(-np.minimum(c * c, 1.0 - 1e-15))
    growth = sample.log_norm[:, -1, 1] - sample.log_norm[:, -1, 0] + across
    start = 0.5 * math.log(sample.inputs[1, 1] / sample.inputs[0, 0])
    return (growth - start) / _time(sample.resnet)


def _clipped(measure: Measure, resnet: ResNet) -> Measure:
    """Return a slope inside eight deviations of what C2 says, which networks do not leave."""
    d, t = resnet.width, _time(resnet)
    middle, reach = -0.5 / d, 8.0 / math.sqrt(d * t)
    return lambda sample: np.clip(measure(sample), middle - reach, middle + reach)


def _bounds(resnet: ResNet) -> tuple[float, float]:
    d, reach = resnet.width, 8.0 / math.sqrt(resnet.width * _time(resnet))
    return -0.5 / d - reach, -0.5 / d + reach


def _exponent(width: int, alpha: float) -> NumberOfRows:
    """Two inputs at the angle 1e-5."""
    resnet = ResNet(width=width, depth=100, alpha=alpha)
    return _slope(f"two inputs at width {width}", resnet, pair(width, math.cos(_START)), _pair_slope)


def _tangent_exponent(width: int, alpha: float) -> NumberOfRows:
    """An input and a tangent across it."""
    resnet = ResNet(width=width, depth=100, alpha=alpha)
    return _slope(f"a tangent at width {width}", resnet, np.diag([2.0, 1.0]), _tangent_slope, tangents=(0,))


def _slope(
    name: str, resnet: ResNet, gram: Array, measure: Measure, tangents: tuple[int, ...] | None = None
) -> NumberOfRows:
    predicted = theory.terminal_angle_exponent(width=resnet.width, alpha=resnet.scaling)
    return NumberOfRows(
        theorem="C2", name=name, quantity="log(θ_L/θ_0)/(a²L)", predicted=predicted,
        resolution=0.03 * abs(predicted), relative_to=abs(predicted), resnet=resnet,
        source=joint_source(resnet, gram, _clipped(measure, resnet), tangents=tangents),
        sequence=bounded(*_bounds(resnet)), first_rows=20_000,
    )  # fmt: skip


def _terminal_law(width: int, alpha: float) -> LawOfRows:
    resnet = ResNet(width=width, depth=400, alpha=alpha)
    t = _time(resnet)
    return LawOfRows(
        theorem="C2", name=f"law at width {width}", quantity="law of log(θ_L/θ_0)",
        cdf=theory.terminal_angle_law(width=width, time=t).cdf, resolution=0.02 - _TERMINAL_DISTANCE,
        distance=_TERMINAL_DISTANCE, resnet=resnet,
        source=joint_source(
            resnet, np.diag([2.0, 1.0]), lambda sample: t * _tangent_slope(sample), tangents=(0,)
        ),
        first_rows=10_000,
    )  # fmt: skip
