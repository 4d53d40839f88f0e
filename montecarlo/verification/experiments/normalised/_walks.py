"""N1 to N3, N11: hidden states behind a norm, exact at every size."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import Array, Cdf, Experiment, LawExperiment, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import non_negative
from montecarlo.verification.experiments.normalised._explicit import (
    Columns,
    ExplicitLaw,
    ExplicitNetworks,
    ExplicitNumber,
)
from montecarlo.verification.experiments.normalised._start import (
    LawFromStart,
    NumberFromStart,
    log_difference,
    squared,
    squared_difference,
)

FORWARD = Request(gradients=False)
_UNIT = math.sqrt(3.0)
"""Upper end of the entries of x at which E‖h_0‖² = d."""


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        *_laws(), _mean(_net()), _fourth(_few_units()), _direction(), _rademacher_mean(), _rademacher_v(),
        _layer_law(), _centred_law(), _limit(), _limit("pre-layer"), *(_power(beta) for beta in (0.25, 1.0)),
        _scheduled(), _scaled(),
    ]  # fmt: skip


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_walk_mutants(), *_law_mutants(), *_schedule_mutants()]


def walk_of(resnet: ResNet, **changed: object) -> theory.NormalisedWalk:
    """Return the walk of a specification."""
    factors = 1.0 if resnet.factors is None else resnet.factors
    fields: dict[str, object] = {
        "width": resnet.width, "depth": resnet.depth, "alpha": resnet.scaling * factors,
        "hidden_width": resnet.inner_width, "activation": resnet.activation,
    }  # fmt: skip
    return theory.NormalisedWalk(**(fields | changed))  # type: ignore[arg-type]


def _net(**changed: object) -> ResNet:
    fields: dict[str, object] = {
        "width": 16, "depth": 10, "alpha": 0.5, "hidden_width": 12, "norm": "pre-rms", "input_scale": _UNIT,
    }  # fmt: skip
    return ResNet(**(fields | changed))  # type: ignore[arg-type]


def _few_units() -> ResNet:
    """Return networks whose variance is mostly that of the energies of their few units."""
    return _net(width=12, depth=4, hidden_width=3)


def second_moment(walk: theory.NormalisedWalk, excess_kurtosis: float = 0.0) -> float:
    """Return E‖h_L − h_0‖⁴."""
    mean = walk.difference_second_moment()
    return walk.difference_variance(excess_kurtosis=excess_kurtosis) + mean**2


def _mean(resnet: ResNet, theorem: str = "N1", name: str = "mean square") -> NumberFromStart:
    walk = walk_of(resnet)
    predicted = walk.difference_second_moment()
    return NumberFromStart(
        theorem=theorem, name=name, quantity="E‖h_L − h_0‖²", predicted=predicted,
        resolution=0.01 * predicted, relative_to=predicted, first_rows=20_000, resnet=resnet,
        measure=squared_difference, request=FORWARD, sequence=non_negative(second_moment(walk)),
    )  # fmt: skip


def _eighth_moment(resnet: ResNet) -> float:
    """Return E‖h_L − h_0‖⁸ for ReLU, one scaling and Gaussian weights."""
    n = np.arange(resnet.depth * resnet.inner_width + 1)
    active = stats.binom.pmf(n, n[-1], 0.5)
    energy = float(active @ (n * (n + 2.0) * (n + 4.0) * (n + 6.0)))
    d = resnet.width
    return (resnet.scaling**2 / resnet.inner_width) ** 4 * energy * d * (d + 2) * (d + 4) * (d + 6)


def _fourth(resnet: ResNet) -> NumberFromStart:
    predicted = second_moment(walk_of(resnet))
    return NumberFromStart(
        theorem="N1", name="fourth moment", quantity="E‖h_L − h_0‖⁴", predicted=predicted,
        resolution=0.03 * predicted, relative_to=predicted, first_rows=20_000, resnet=resnet,
        measure=squared(squared_difference), request=FORWARD, sequence=non_negative(_eighth_moment(resnet)),
    )  # fmt: skip


def _law(theorem: str, name: str, resnet: ResNet, engine: str, resolution: float = 0.02) -> LawFromStart:
    return LawFromStart(
        theorem=theorem, name=name, quantity="distance of the law of ‖h_L − h_0‖ to the exact one",
        resolution=resolution, first_rows=20_000, resnet=resnet, engine=engine, measure=log_difference,
        request=FORWARD, cdf=_tabulated(walk_of(resnet).log_difference_law()),
    )  # fmt: skip


def _tabulated(law: theory.PanelDistribution) -> Cdf:
    """Return the distribution function from a table: to 1e-5, and quick for many rows."""
    grid = np.linspace(law.mean() - 8 * law.std(), law.mean() + 8 * law.std(), 4001)
    levels = np.asarray(law.cdf(grid))

    def cdf(x: npt.ArrayLike) -> Array:
        return np.interp(np.asarray(x, np.float64), grid, levels)

    return cdf


def _laws() -> list[LawFromStart]:
    tanh = {"block": "res-2", "activation": "tanh"}
    return [
        _law("N1", "radial engine", _net(width=6, depth=5), "radial", 0.01),
        _law("N1", "dense engine", _net(width=3, depth=4, hidden_width=4), "dense"),
        _law("N1", "gaussian engine, tanh", _net(width=3, depth=8, hidden_width=6, **tanh), "gaussian"),
    ]


def _direction() -> LawExperiment:
    """Return the experiment of the cosine of h_0 and h_L − h_0, in which lengths do not enter."""
    resnet = _net(width=3, depth=6, hidden_width=3, block="res-2", activation="tanh")

    def cosine(sample):
        ratio, difference = (np.exp(sample[f"log_hidden_{name}"]) for name in ("ratio", "difference"))
        return (ratio**2 - 1.0 - difference**2) / (2.0 * difference)

    return LawExperiment(
        theorem="N1", name="direction", quantity="law of the cosine of h_0 and h_L − h_0", resolution=0.02,
        first_rows=20_000, resnet=resnet, observable=cosine, request=FORWARD,
        cdf=_cosine_law(resnet.width).cdf,
    )  # fmt: skip


def _cosine_law(width: int):
    """Return the law of a coordinate of a uniform direction."""
    return stats.beta(0.5 * (width - 1), 0.5 * (width - 1), loc=-1.0, scale=2.0)


# N1b


def _rademacher_mean() -> NumberFromStart:
    """Return the experiment of the mean square, whose second moment is below that of Gaussian weights."""
    resnet = _net(width=6, depth=4, hidden_width=6, weights="rademacher")
    own = _mean(resnet, "N1b", "mean square, Rademacher weights")
    return replace(own, resolution=0.02 * own.predicted)


def _difference(columns: Columns) -> Array:
    return columns["difference"]


def _rademacher_v() -> ExplicitNumber:
    resnet = _net(width=4, depth=2, hidden_width=2, input_dim=1)
    predicted = second_moment(walk_of(resnet), -2.0)
    return ExplicitNumber(
        theorem="N1b", name="fourth moment, Rademacher V", quantity="E‖h_L − h_0‖⁴", predicted=predicted,
        resolution=0.08 * predicted, relative_to=predicted, first_rows=20_000, resnet=resnet,
        networks=ExplicitNetworks(law_v="rademacher"), read=lambda columns: _difference(columns) ** 2,
        sequence=non_negative(_eighth_moment(resnet)),
    )  # fmt: skip


# N1L


def _layer_law() -> LawFromStart:
    return _law("N1L", "whole", _net(width=3, depth=6, hidden_width=6, norm="pre-layer"), "gaussian")


def _log_centred(columns: Columns) -> Array:
    with np.errstate(divide="ignore"):  # no unit was active: the atom at −∞
        return 0.5 * np.log(columns["centred"])


def _centred_law() -> ExplicitLaw:
    resnet = _net(width=3, depth=3, hidden_width=3, norm="pre-layer", input_dim=1)
    return ExplicitLaw(
        theorem="N1L", name="centred part", quantity="distance of the law of ‖C(h_L − h_0)‖ to the exact one",
        resolution=0.02, first_rows=20_000, resnet=resnet, networks=ExplicitNetworks(),
        read=_log_centred,
        cdf=_tabulated(walk_of(resnet).log_difference_law(part="centred")),
    )  # fmt: skip


# N2, N3


def _limit(norm: str = "pre-rms") -> LawFromStart:
    resnet = _net(width=16, depth=100, alpha=None, beta=0.5, hidden_width=16, norm=norm)
    distance = theory.walk_limit_distance(dimension=16, units=1600)
    return LawFromStart(
        theorem="N2", name="law" if norm == "pre-rms" else "law, LayerNorm",
        quantity="law of ‖h_L − h_0‖²", resolution=0.02 - distance, distance=1.05 * distance,
        first_rows=20_000, resnet=resnet, measure=squared_difference, request=FORWARD,
        cdf=theory.walk_limit_law(dimension=16, time=1.0).cdf,
    )  # fmt: skip


def _power(beta: float) -> NumberFromStart:
    resnet = _net(depth=100, alpha=None, beta=beta, hidden_width=16)
    return replace(
        _mean(resnet, "N3", f"β = {beta:g}"),
        predicted=0.5 * resnet.width * resnet.depth ** (1.0 - 2.0 * beta),
    )


# N11


def _scheduled() -> NumberFromStart:
    return _mean(_net(schedule="power:0.5"), "N11", "a_k falling like 1/√k")


def _scales(depth: int) -> tuple[float, ...]:
    """Return the factors of LayerNorm scaling."""
    return tuple((1.0 / np.sqrt(np.arange(1.0, depth + 1.0))).tolist())


def _scaled() -> ExplicitNumber:
    resnet = _net(width=4, depth=12, alpha=1.0, hidden_width=4, block="res-2", activation="tanh", input_dim=1)
    walk = walk_of(resnet, input_scale=_scales(resnet.depth))
    predicted = walk.difference_second_moment()
    return ExplicitNumber(
        theorem="N11", name="LayerNorm scaling, tanh", quantity="E‖h_L − h_0‖²", predicted=predicted,
        resolution=0.03 * predicted, relative_to=predicted, first_rows=20_000, resnet=resnet,
        networks=ExplicitNetworks(input_scale=_scales(resnet.depth)), read=_difference,
        sequence=non_negative(second_moment(walk)),
    )  # fmt: skip


# Wrong variants


def _claiming(experiment: NumberExperiment, predicted: float) -> NumberExperiment:
    """Return the experiment with another number, whose square may exceed the bound of the rows' one."""
    bound = 8.0 * max(predicted, experiment.predicted) ** 2
    return replace(experiment, predicted=predicted, sequence=non_negative(bound))


def _walk_mutants() -> list[Mutant]:
    mean, fourth, direction, moments = _mean(_net()), _fourth(_few_units()), _direction(), _rademacher_v()
    few, v = walk_of(fourth.resnet), walk_of(moments.resnet)
    d, square = few.width, few.difference_second_moment() ** 2
    without = 2 * d * few.mean_energy**2 + square
    tanh = replace(
        _rademacher_mean(), resnet=_net(
            width=2, depth=4, hidden_width=6, weights="rademacher", block="res-2", activation="tanh"
        ),
    )  # fmt: skip
    tanh = _claiming(tanh, walk_of(tanh.resnet).difference_second_moment())
    return [
        Mutant("c 3 % too large", "theory", _claiming(mean, 1.03 * mean.predicted)),
        Mutant("a for a²", "theory", _claiming(mean, mean.predicted / mean.resnet.scaling)),
        Mutant("without v", "theory", replace(fourth, predicted=without)),
        Mutant("d² v for d(d + 2) v", "theory",
               replace(fourth, predicted=without + d**2 * few.energy_variance)),
        Mutant("one coordinate more", "theory", replace(direction, cdf=_cosine_law(4).cdf)),
        Mutant("scaling 2 % too large", "simulator",
               _claiming(replace(mean, resnet=_net(alpha=1.02 * mean.resnet.scaling)), mean.predicted)),
        Mutant("plain layers", "simulator",
               _claiming(replace(mean, resnet=_net(norm="none")), mean.predicted)),
        Mutant("kurtosis of V left out", "theory", replace(moments, predicted=second_moment(v))),
        Mutant("kurtosis of uniform V", "theory", replace(moments, predicted=second_moment(v, -1.2))),
        Mutant("mean square 5 % too large", "theory",
               _claiming(_rademacher_mean(), 1.05 * _rademacher_mean().predicted)),
        Mutant("tanh behind Rademacher W", "simulator", tanh),
        Mutant("V not centred", "simulator",
               replace(moments, networks=ExplicitNetworks(law_v="rademacher", mean=0.2))),
    ]  # fmt: skip


def _law_mutants() -> list[Mutant]:
    radial, dense, tanh = _laws()
    layer, centred, limit = _layer_law(), _centred_law(), _limit()

    def shifted(experiment: LawExperiment, **changed: object) -> LawExperiment:
        return replace(experiment, cdf=_tabulated(walk_of(experiment.resnet, **changed).log_difference_law()))

    def whole(part: str) -> Cdf:
        resnet = (layer if part == "centred" else centred).resnet
        return _tabulated(walk_of(resnet).log_difference_law(part=part))  # type: ignore[arg-type]

    low, high = _power(0.25), _power(1.0)
    return [
        Mutant("one degree of freedom more", "theory", shifted(radial, width=7)),
        Mutant("Gamma of its mean alone", "theory",
               replace(dense, cdf=_log_chi(3, walk_of(dense.resnet).mean_energy))),
        Mutant("the law of ReLU", "theory", shifted(tanh, activation="gelu")),
        Mutant("V 5 % too large", "simulator", replace(radial, resnet=_net(width=6, depth=5, alpha=0.525))),
        Mutant("d − 1 for the whole", "theory", replace(layer, cdf=whole("centred"))),
        Mutant("d for the centred part", "theory", replace(centred, cdf=whole("whole"))),
        Mutant("V 10 % too large", "simulator", replace(centred, resnet=replace(centred.resnet, alpha=0.55))),
        Mutant("without c", "theory",
               replace(limit, cdf=theory.walk_limit_law(dimension=16, time=1.1).cdf)),
        Mutant("d − 1 degrees of freedom", "theory",
               replace(limit, cdf=theory.walk_limit_law(dimension=15, time=1.0).cdf)),
        Mutant("scaling 5 % too large", "simulator", replace(
            limit, resnet=_net(width=16, depth=100, alpha=0.105, hidden_width=16))),
        Mutant("exponent 1 − β", "theory", _claiming(low, 0.5 * 16 * 100**0.75)),
        Mutant("exponent off by 0.01", "theory", _claiming(low, low.predicted * 100**0.01)),
        Mutant("exponent off by −0.01", "theory", _claiming(high, high.predicted * 100**-0.01)),
        Mutant("β 0.01 smaller", "simulator", _claiming(
            replace(low, resnet=replace(low.resnet, beta=0.24)), low.predicted)),
    ]  # fmt: skip


def _log_chi(width: int, energy: float) -> Cdf:
    def cdf(x: npt.ArrayLike) -> Array:
        return np.asarray(stats.chi2(width).cdf(np.exp(2.0 * np.asarray(x, np.float64)) / energy))

    return cdf


def _schedule_mutants() -> list[Mutant]:
    schedule, scaled = _scheduled(), _scaled()
    c_over_k = 0.394294 * sum(1.0 / np.arange(1.0, 13.0)) * scaled.resnet.width
    linear = schedule.predicted * sum(np.arange(1.0, 11.0) ** -0.5) / sum(np.arange(1.0, 11.0) ** -1.0)
    return [
        Mutant("c/k for tanh", "theory", _claiming(scaled, c_over_k)),
        Mutant("mean square 5 % too large", "theory", _claiming(scaled, 1.05 * scaled.predicted)),
        Mutant("a_k for a_k²", "theory", _claiming(schedule, linear)),
        Mutant("exponent 0.52 of the schedule", "simulator", _claiming(
            replace(schedule, resnet=_net(schedule="power:0.52")), schedule.predicted)),
        Mutant("factors left out", "simulator", replace(scaled, networks=ExplicitNetworks())),
    ]  # fmt: skip
