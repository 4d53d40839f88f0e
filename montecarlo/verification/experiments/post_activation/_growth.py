"""P1, P2: the flow of post-activation networks at β = 1, and their growth below it.

h_0 of a network is isotropic, its angle with (1, …, 1) not a column. Where the flow has moved the state along
(1, …, 1) alone, the norms of a network tell it: ‖h_L‖² − ‖h_0‖² − ‖h_L − h_0‖² is 2 cos γ ‖h_0‖ ‖h_L − h_0‖.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import integrate

import theory
from montecarlo import Request, ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.verification._experiment import Array, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import bounded, square

_FORWARD = Request(gradients=False)


def _isotropic_mean(width: int, value: Callable[[float], float]) -> float:
    """Return the mean of a function of cos γ over isotropic h_0, of density (1 − c²)^{(d−3)/2}."""

    def weighted(angle: float) -> float:
        return math.sin(angle) ** (width - 2) * value(math.cos(angle))

    ends = (0.0, math.pi)
    return integrate.quad(weighted, *ends)[0] / integrate.quad(lambda x: math.sin(x) ** (width - 2), *ends)[0]


# P1


def _cosine(sample: Sample) -> tuple[Array, Array]:
    """Return cos γ as the flow has it, and ‖h_L − h_0‖/‖h_0‖."""
    moved = np.exp(sample["log_hidden_difference"])
    ratio = square("log_hidden_ratio")(sample)
    with np.errstate(invalid="ignore"):  # NaN where nothing moved, as in networks that are not these
        return (ratio - 1.0 - moved**2) / (2.0 * moved), moved


def _flow(width: int, depth: int) -> NumberExperiment:
    # In units of ‖h_0‖/√d the mean coordinate goes from cos γ to cos γ cosh m + sinh m: without cos γ (cosh m
    # − 1) the way is sinh m in each network.
    resnet = ResNet(width=width, depth=depth, beta=1.0, block="post-activation")
    still = theory.post_activation_flow(mean=0.0, variance=1.0).mean
    turn = theory.post_activation_flow(mean=1.0, variance=0.0).mean - still - 1.0

    def row(sample: Sample) -> Array:
        cosine, moved = _cosine(sample)
        return np.clip(moved - turn * cosine, still - 0.4, still + 0.4)

    return NumberExperiment(
        theorem="P1", name=f"mean coordinate, d = {width}, L = {depth}", predicted=still,
        quantity="change of the mean coordinate over ‖h_0‖/√d, at cos γ = 0", resolution=0.01 * still,
        relative_to=still, first_rows=300, resnet=resnet, observable=row, request=_FORWARD,
        sequence=bounded(still - 0.4, still + 0.4),
    )  # fmt: skip


def _frozen(width: int, depth: int) -> NumberExperiment:
    """Return the experiment that the change is along (1, …, 1): its cosine with h_0 is the start's."""
    resnet = ResNet(width=width, depth=depth, beta=1.0, block="post-activation")

    def row(sample: Sample) -> Array:
        return np.clip(_cosine(sample)[0] ** 2, 0.0, 1.0)

    return NumberExperiment(
        theorem="P1", name=f"centred part, d = {width}, L = {depth}", predicted=1.0 / width, resolution=0.02,
        quantity="mean square of ⟨h_L − h_0, h_0⟩/(‖h_L − h_0‖‖h_0‖)", first_rows=1000, resnet=resnet,
        observable=row, request=_FORWARD, sequence=bounded(0.0, 1.0),
    )  # fmt: skip


def _flow_mutants() -> list[Mutant]:
    narrow, _ = _flow(2, 1000), _frozen(2, 1000)
    still = narrow.predicted
    half = math.sinh(0.5)

    def claiming(experiment: NumberExperiment, predicted: float) -> NumberExperiment:
        return replace(experiment, predicted=predicted)

    def changed(**fields: float | str | None) -> NumberExperiment:
        return replace(narrow, resnet=replace(narrow.resnet, **fields))  # type: ignore[arg-type]

    return [
        Mutant("m = 1/2", "theory", claiming(narrow, half)),
        Mutant("m in place of sinh m", "theory", claiming(narrow, math.asinh(still))),
        Mutant("the mean coordinate grows by e^m, so stays at 0", "theory", claiming(narrow, still - 0.4)),
        Mutant("the change is along h_0", "theory", claiming(_frozen(2, 1000), 1.0)),
        Mutant("a 3 % too large", "simulator", changed(beta=None, alpha=1.03e-3)),
        Mutant("β = 1/2 of an odd activation", "simulator", changed(beta=0.5, activation="tanh")),
        Mutant("the activation before the matrix", "simulator", changed(block="res-1")),
    ]  # fmt: skip


# P2


def _rate(width: int, depth: int, beta: float) -> NumberExperiment:
    resnet = ResNet(width=width, depth=depth, beta=beta, block="post-activation")
    length = resnet.scaling * depth
    predicted = _mean_growth(resnet) / length
    low, high = predicted - 0.15, predicted + 0.15

    def row(sample: Sample) -> Array:
        return np.clip(sample["log_hidden_ratio"] / length, low, high)

    return NumberExperiment(
        theorem="P2", name=f"rate, β = {beta:g}, d = {width}, L = {depth}", predicted=predicted,
        quantity="L^{β−1} E log(‖h_L‖/‖h_0‖)", resolution=0.01 * predicted, relative_to=predicted,
        first_rows=100, resnet=resnet, observable=row, request=_FORWARD, sequence=bounded(low, high),
    )  # fmt: skip


def _mean_growth(resnet: ResNet, *, correction: bool = True) -> float:
    """Return P2's expansion of E log(‖h_L‖/‖h_0‖) over isotropic h_0."""
    growth = theory.post_activation_log_growth(
        width=resnet.width, depth=resnet.depth, alpha=resnet.scaling, cosine=1.0, correction=correction
    )
    return growth + _isotropic_mean(resnet.width, lambda c: math.log(0.5 + 0.5 * c))


def _centred(width: int, depth: int, resolution: float, *, transient: bool = True) -> NumberExperiment:
    """Return the experiment on E log(‖h_L‖/‖h_0‖) − m√L − log((1 + c)/2) at β = 1/2.

    c = cos∠(h_0, h_L), which tends to cos γ: rows without the spread of h_0's directions. Not `transient`
    leaves the logarithm of c out.
    """
    resnet = ResNet(width=width, depth=depth, beta=0.5, block="post-activation")
    drift = theory.post_activation_rate(beta=0.5) * math.sqrt(depth)
    law = theory.post_activation_law(width=width, cosine=1.0)
    predicted, reach = float(law.mean()), 8.0 * float(law.std())

    def row(sample: Sample) -> Array:
        ratio = np.exp(sample["log_hidden_ratio"])
        cosine = (ratio**2 + 1.0 - square("log_hidden_difference")(sample)) / (2.0 * ratio)
        value = sample["log_hidden_ratio"] - drift
        if transient:
            value = value - np.log(np.maximum(0.5 + 0.5 * cosine, 1e-300))
        return np.clip(value, predicted - reach, predicted + reach)

    return NumberExperiment(
        theorem="P2", name=f"beside m√L, d = {width}, L = {depth}", predicted=predicted,
        quantity="E log(‖h_L‖/‖h_0‖) − m√L − log((1 + cos γ)/2)", resolution=resolution, first_rows=200,
        allowance=resnet.scaling,  # the next term is O(a³L) = O(a)
        resnet=resnet, observable=row, request=_FORWARD,
        sequence=bounded(predicted - reach, predicted + reach),
    )  # fmt: skip


def _fluctuation(width: int, depth: int) -> NumberExperiment:
    """Return the experiment on the mean square of the growth from half of the depth on, beside its drift."""
    resnet = ResNet(width=width, depth=depth, beta=0.5, block="post-activation")
    half = theory.post_activation_rate(beta=0.5) * math.sqrt(depth) / 2.0
    law = theory.post_activation_law(width=width, cosine=1.0, total=0.5)
    predicted = float(law.var() + law.mean() ** 2)
    reach = 50.0 * predicted

    def row(sample: Sample) -> Array:
        path = sample["log_hidden_path"]
        return np.minimum((path[:, depth] - path[:, depth // 2] - half) ** 2, reach)

    return NumberExperiment(
        theorem="P2", name=f"fluctuation, d = {width}, L = {depth}", predicted=predicted,
        quantity="E (log(‖h_L‖/‖h_{L/2}‖) − m√L/2)²", resolution=0.15 * predicted, relative_to=predicted,
        first_rows=500, resnet=resnet, observable=row,
        request=Request(gradients=False, trajectories=True), sequence=bounded(0.0, reach),
    )  # fmt: skip


def _growth_mutants() -> list[Mutant]:
    slow, rate, noise = _centred(*_CENTRED), _rate(*_RATE), _fluctuation(*_NOISE)
    length = rate.resnet.scaling * rate.resnet.depth
    return [
        Mutant("m = 1/2", "theory",
               replace(rate, predicted=rate.predicted + 0.5 - 1 / math.sqrt(2 * math.pi))),
        Mutant("without log((1 + cos γ)/2)", "theory", _centred(*_CENTRED, transient=False)),
        Mutant("E ReLU(Z)² for the variance", "theory",
               replace(noise, predicted=noise.predicted * 0.5 / (0.5 - 0.5 / math.pi))),
        Mutant("fluctuation of every width alike", "theory",
               replace(noise, predicted=noise.predicted * noise.resnet.width)),
        Mutant("without the term of a²L", "theory",
               replace(rate, predicted=_mean_growth(rate.resnet, correction=False) / length)),
        Mutant("1 + cos γ for its half", "theory",
               replace(slow, predicted=slow.predicted + math.log(2.0))),
        Mutant("a 3 % too large", "simulator", replace(
            rate, resnet=replace(rate.resnet, beta=None, alpha=1.03 * rate.resnet.scaling))),
        Mutant("the activation before the matrix", "simulator",
               replace(rate, resnet=replace(rate.resnet, block="res-1"))),
    ]  # fmt: skip


_RATE = (5, 6400, 0.25)
_CENTRED = (5, 6400, 0.075)
_NOISE = (2, 6400)


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    flow = [_flow(2, 1000), _flow(20, 1000), _frozen(2, 1000)]
    return [*flow, _rate(*_RATE), _centred(*_CENTRED), _fluctuation(*_NOISE)]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_flow_mutants(), *_growth_mutants()]
