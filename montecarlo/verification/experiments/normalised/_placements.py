"""N9, N10: norms around the branch, and on the stream."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import Array, Cdf, Experiment, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import bounded
from montecarlo.verification.experiments.normalised._start import (
    LawFromStart,
    Measure,
    NumberFromStart,
    squared,
    squared_difference,
)

_FORWARD = Request(gradients=False)
_UNIT = math.sqrt(3.0)


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [_dead(), _rademacher(), _spread(), _law(), _tanh_law(), _cosine("post-rms"), _cosine("none")]


# N9


def _peri(**changed: object) -> ResNet:
    fields: dict[str, object] = {
        "width": 5, "depth": 4, "alpha": 0.5, "norm": "peri-rms", "input_scale": _UNIT,
    }  # fmt: skip
    return ResNet(**(fields | changed))  # type: ignore[arg-type]


def _bounded_step(
    name: str, quantity: str, resnet: ResNet, predicted: float, measure: Measure, power: int = 1
) -> NumberFromStart:
    """Return an experiment on a power of ‖h_L − h_0‖², which is at most (aL)²d; the 1.001 is for float32."""
    most = 1.001 * (resnet.scaling * resnet.depth) ** 2 * resnet.width
    return NumberFromStart(
        theorem="N9", name=name, quantity=quantity, predicted=predicted, resolution=0.01 * predicted,
        relative_to=predicted, first_rows=10_000, resnet=resnet, measure=measure, request=_FORWARD,
        sequence=bounded(0.0, most**power),
    )  # fmt: skip


def _mean_square(resnet: ResNet, dead: float = 0.0) -> float:
    return theory.peri_second_moment(
        width=resnet.width, depth=resnet.depth, alpha=resnet.scaling, initial_square=0.0, dead=dead
    )


def _dead() -> NumberFromStart:
    resnet = _peri(hidden_width=3)
    return _bounded_step(
        "mean square, three units", "E‖h_L − h_0‖²", resnet, _mean_square(resnet, 0.125), squared_difference
    )


def _rademacher() -> NumberFromStart:
    resnet = _peri(weights="rademacher", block="res-2", activation="tanh")
    return replace(
        _bounded_step(
            "mean square, Rademacher weights", "E‖h_L − h_0‖²", resnet, _mean_square(resnet),
            squared_difference,
        ), resolution=0.02 * _mean_square(resnet),
    )  # fmt: skip


def _spread() -> NumberFromStart:
    resnet = _peri(hidden_width=64)
    variance = theory.peri_difference_variance(width=5, depth=4, alpha=resnet.scaling)
    return replace(
        _bounded_step(
            "fourth moment", "E‖h_L − h_0‖⁴", resnet, variance + _mean_square(resnet) ** 2,
            squared(squared_difference), 2,
        ), resolution=0.02 * (variance + _mean_square(resnet) ** 2),
    )  # fmt: skip


# N10


def _post(**changed: object) -> ResNet:
    fields: dict[str, object] = {
        "width": 8, "depth": 6, "alpha": 0.5, "hidden_width": 5, "norm": "post-rms", "input_scale": _UNIT,
    }  # fmt: skip
    return ResNet(**(fields | changed))  # type: ignore[arg-type]


def _on_the_sphere(sample, starts: Array) -> Array:
    """Return log(‖p_0‖/‖p_L‖) as from ‖h_0‖² = d: σ is 1-homogeneous, and p_0 falls with ‖h_0‖."""
    return sample["log_gradient_ratio"] + 0.5 * np.log(starts / sample.resnet.width)


def _after_one_layer(sample, starts: Array) -> Array:
    """Return log(‖p_1‖/‖p_L‖): h_1 is on the sphere."""
    del starts
    return sample["log_gradient_path"][:, 1]


def _lazily(**fields: object) -> Cdf:
    """Return the exact distribution function, made when it is first needed."""
    found: list[theory.PostnormLaw] = []

    def cdf(x: npt.ArrayLike) -> Array:
        if not found:
            found.append(theory.PostnormLaw(**fields))  # type: ignore[arg-type]
        return np.asarray(found[0].cdf(np.asarray(x, np.float64)))

    return cdf


def _gradient_law(name: str, resnet: ResNet, measure: Measure, request: Request, cdf: Cdf) -> LawFromStart:
    return LawFromStart(
        theorem="N10", name=name, quantity="distance of the law of ‖p_0‖/‖p_L‖ to the exact one",
        resolution=0.02, first_rows=20_000, resnet=resnet, measure=measure, request=request, cdf=cdf,
    )  # fmt: skip


def _law() -> LawFromStart:
    cdf = _lazily(width=8, depth=6, alpha=0.5, hidden_width=5, isotropic=True)
    return _gradient_law("law, relu", _post(), _on_the_sphere, Request(), cdf)


def _tanh_law() -> LawFromStart:
    resnet = _post(width=4, depth=5, alpha=0.7, hidden_width=4, block="res-2", activation="tanh")
    cdf = _lazily(width=4, depth=4, alpha=0.7, hidden_width=4, activation="tanh", isotropic=True)
    return _gradient_law("law, tanh", resnet, _after_one_layer, Request(trajectories=True), cdf)


def _angle(sample, starts: Array) -> Array:
    """Return the cosine of the angle of h_0 and h_L."""
    del starts
    ratio, difference = (np.exp(sample[f"log_hidden_{name}"]) for name in ("ratio", "difference"))
    return np.clip((1.0 + ratio**2 - difference**2) / (2.0 * ratio), -1.0, 1.0)


def _cosine(norm: str) -> NumberFromStart:
    """Return the experiment of the mean cosine, the same for post-norm networks and plain ones."""
    resnet = _post(width=4, depth=8, norm=norm)
    predicted = theory.mean_cosine(width=4, depth=8, alpha=0.5, hidden_width=5)
    return NumberFromStart(
        theorem="N10", name=f"mean cosine, norm {norm}", quantity="E cos of the angle of h_0 and h_L",
        predicted=predicted, resolution=0.01 * predicted, relative_to=predicted, first_rows=20_000,
        resnet=resnet, measure=_angle, request=_FORWARD, sequence=bounded(-1.0, 1.0),
    )  # fmt: skip


# Wrong variants


def _limit_with_read_out() -> Cdf:
    """Return the limit law at τ = 3/2 and d = 8 with the share of an isotropic p_L."""
    law = theory.postnorm_limit_law(width=8, time=1.5)
    levels = (np.arange(400) + 0.5) / 400
    shares = 0.5 * np.log(theory.read_out_law(width=8).ppf(levels))
    grid = np.linspace(-4.0, 4.0, 801)
    table = law.cdf(grid[:, None] - shares).mean(1)

    def cdf(x: npt.ArrayLike) -> Array:
        return np.interp(np.asarray(x, np.float64), grid, table)

    return cdf


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    dead, rademacher, spread = _dead(), _rademacher(), _spread()
    law, tanh, cosine, plain = _law(), _tanh_law(), _cosine("post-rms"), _cosine("none")
    size = {"width": 8, "depth": 6, "alpha": 0.5, "hidden_width": 5}
    small = {"width": 4, "alpha": 0.7, "hidden_width": 4, "activation": "tanh"}

    def claiming(experiment: NumberExperiment, predicted: float) -> NumberExperiment:
        return replace(experiment, predicted=predicted)

    square = _mean_square(spread.resnet) ** 2
    return [
        Mutant("branches never dead", "theory", claiming(dead, _mean_square(dead.resnet))),
        Mutant("c for 1", "theory", claiming(dead, 0.5 * dead.predicted)),
        Mutant("2a⁴dL² for the variance", "theory",
               claiming(spread, square + 2 * 0.5**4 * 5 * 4**2)),
        Mutant("no variance", "theory", claiming(spread, square)),
        Mutant("mean square 4 % too large", "theory", claiming(rademacher, 1.04 * rademacher.predicted)),
        Mutant("no norm of the output", "simulator", replace(
            dead, resnet=_peri(norm="pre-rms"), measure=_capped(dead))),
        Mutant("a layer norm of the output", "simulator", replace(
            spread, resnet=_peri(hidden_width=64, norm="peri-layer"))),
        Mutant("without the Beta factor", "theory", replace(law, cdf=_lazily(**size))),
        Mutant("the limit at six layers", "theory", replace(law, cdf=_limit_with_read_out())),
        Mutant("a 10 % too large", "theory",
               replace(law, cdf=_lazily(**(size | {"alpha": 0.55}), isotropic=True))),
        Mutant("one layer more", "theory", replace(tanh, cdf=_lazily(**small, depth=5, isotropic=True))),
        Mutant("without the Beta factor", "theory", replace(tanh, cdf=_lazily(**small, depth=4))),
        Mutant("exp(−(d − 1)τ/(4d))", "theory", claiming(cosine, math.exp(-3.0 * 2.0 / 16.0))),
        Mutant("2 % too large", "theory", claiming(plain, 1.02 * plain.predicted)),
        Mutant("‖h_0‖ not √d", "simulator", replace(law, measure=lambda s, _: s["log_gradient_ratio"])),
        Mutant("scaling 4 % too large", "simulator",
               replace(cosine, resnet=replace(cosine.resnet, alpha=0.52))),
        Mutant("norms before the branch", "simulator", replace(law, resnet=_post(norm="pre-rms"))),
    ]  # fmt: skip


def _capped(experiment: NumberFromStart) -> Measure:
    """Return ‖h_L − h_0‖² of networks whose steps have no fixed length, cut at the experiment's bound."""
    most = (experiment.resnet.scaling * experiment.resnet.depth) ** 2 * experiment.resnet.width
    return lambda sample, starts: np.minimum(squared_difference(sample, starts), most)
