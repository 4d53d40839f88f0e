"""I10, I10b, I11: independent layers above the critical exponent (identity) and below it (explosion)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

import theory
from montecarlo import Request, ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.verification._experiment import Array, Experiment, LawExperiment, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments._rows import above, probability
from montecarlo.verification.experiments.independent._exact_law import log_moment_experiment

_FORWARD = Request(gradients=False)

# I10


def _exceeds(bound: float):
    return above("log_hidden_difference", 0.5 * math.log(bound))


def _identity_bounds() -> list[NumberExperiment]:
    found = []
    for block, activation, law, delta in (
        ("res-3", "relu", "gaussian", 0.1),
        ("res-2", "tanh", "rademacher", 0.1),
        ("res-1", "identity", "uniform", 0.5),
    ):
        resnet = ResNet(width=2, depth=30, beta=0.6, block=block, activation=activation, weights=law)
        bound = theory.identity_bound(depth=30, alpha=resnet.scaling, failure_probability=delta)
        found.append(
            NumberExperiment(
                theorem="I10", name=f"{block} {activation} {law}, δ = {delta:g}", predicted=delta,
                quantity="P(‖h_L − h_0‖²/‖h_0‖² > 2Lα²/δ)", resolution=0.01, resnet=resnet,
                observable=_exceeds(float(bound)), request=_FORWARD, sequence=probability, claim="at most",
            )
        )  # fmt: skip
    one_unit = replace(found[0].resnet, width=1)
    sharper = theory.difference_markov_bound(depth=30, alpha=30**-0.6, failure_probability=0.5)
    return [
        *found,
        replace(
            found[0], name="Markov, one unit, δ = 0.5", predicted=0.5, resnet=one_unit,
            quantity="P(‖h_L − h_0‖²/‖h_0‖² > ((1 + α²/2)^L − 1)/δ)", observable=_exceeds(float(sharper)),
        ),
    ]  # fmt: skip


def _identity_mutants() -> list[Mutant]:
    # Markov's inequality is loose: a few per cent on its constant leave the statement true, so these mutants
    # are errors of its form
    first, *_, markov = _identity_bounds()
    step = first.resnet.depth * first.resnet.scaling**2
    return [
        Mutant("2Lα²δ for 2Lα²/δ", "theory", replace(first, observable=_exceeds(2.0 * step * 0.1))),
        Mutant("2α²/δ for 2Lα²/δ", "theory",
               replace(markov, predicted=0.1, observable=_exceeds(2.0 * step / 30.0 / 0.1))),
        Mutant("the median bounded by a tenth of the mean", "theory",
               replace(markov, observable=_exceeds(0.05 * step))),
        Mutant("β = 0.1", "simulator", replace(first, resnet=replace(first.resnet, beta=0.1))),
        Mutant("α without its power of L", "simulator",
               replace(markov, resnet=replace(markov.resnet, beta=0.0))),
    ]  # fmt: skip


# I10b


def _distance_to_identity_law(width: int, depth: int, alpha: float, *, linear: bool) -> float:
    """Return a bound of the distance of the law of ‖h_L − h_0‖²/(Lα²‖h_0‖²) to c χ²/d, Gaussian weights.

    To first order the difference is a Σ V_k g(W_k h_0), of squared norm cLα² s χ²/d given the W_k, with s the
    mean of n = dL independent terms 2z²1{z > 0} of mean 1, variance 5 and fourth central moment 633 (s = 1
    for linear res-1). By Taylor in s, whose first-order term has mean 0, the mixture is within ``M Var(s)/2``
    of the law at s = 1 plus what comes from |s − 1| > 1/5, bounded by fourth moments; M is the second
    derivative of the distribution function in s there. The rest of the difference has mean square at most
    r² = Lα²/2 (1 + o(1)) times that of the first order, since g is 1-Lipschitz, and moves its norm by more
    than ε with probability at most r²/ε², while the norm's density is below 0.8√d.
    """
    r2 = 0.5 * depth * alpha**2 * math.exp(depth * alpha**2)
    slope = 0.8 * math.sqrt(width)
    epsilon = (2.0 * r2 / slope) ** (1.0 / 3.0)
    rest = slope * epsilon + r2 / epsilon**2
    if linear:
        return rest
    n = width * depth
    fourth = 75.0 / n**2 + 633.0 / n**3
    x = np.linspace(0.0, 6.0, 6001)[1:]
    density = stats.chi2.pdf(x, width, scale=1.0 / width)
    curvature = float(np.abs(x**2 * np.gradient(density, x) + 2.0 * x * density).max()) / 0.8**2
    return rest + curvature * 5.0 / (2.0 * n) + fourth / 0.2**4 + 1.25 * fourth / 0.2**3


def _near_identity(width: int, depth: int, beta: float, *, linear: bool) -> LawExperiment:
    resnet = ResNet(width=width, depth=depth, beta=beta)
    if linear:
        resnet = replace(resnet, block="res-1", activation="identity")
    distance = _distance_to_identity_law(width, depth, resnet.scaling, linear=linear)

    def row(sample: Sample) -> Array:
        return np.exp(2.0 * sample["log_hidden_difference"] + (2.0 * beta - 1.0) * math.log(depth))

    return LawExperiment(
        theorem="I10b", name=f"{'linear res-1' if linear else 'res-3'}, d = {width}, β = {beta:g}",
        quantity="distance of the law of L^{2β−1}‖h_L − h_0‖²/‖h_0‖² to its limit", resolution=0.01,
        first_rows=20_000, resnet=resnet, observable=row, request=_FORWARD, distance=distance,
        cdf=theory.identity_limit_law(width, 1.0 if linear else 0.5).cdf,
    )  # fmt: skip


def _identity_laws() -> list[LawExperiment]:
    return [
        _near_identity(8, 20, 5.0, linear=True),
        _near_identity(1, 20, 5.0, linear=True),
        _near_identity(20, 200, 4.0, linear=False),
    ]


def _identity_law_mutants() -> list[Mutant]:
    linear, _, relu = _identity_laws()
    factor = linear.resnet.depth**0.05
    half = theory.identity_limit_law(20, 0.5)
    small = replace(relu, resnet=replace(relu.resnet, width=2), cdf=theory.identity_limit_law(2, 0.5).cdf)
    return [
        Mutant("gain 3 % too large", "theory",
               replace(linear, cdf=theory.identity_limit_law(8, 1.03).cdf)),
        Mutant("d − 1 degrees of freedom", "theory",
               replace(linear, cdf=lambda x: theory.identity_limit_law(7, 7.0 / 8.0).cdf(x))),
        Mutant("L^{2β−0.95}", "theory", replace(linear, cdf=lambda x: linear.cdf(np.asarray(x) / factor))),
        Mutant("gain of every unit, active or not", "theory",
               replace(relu, cdf=lambda x: half.cdf(np.asarray(x) / 2.0))),
        Mutant("variance of V 5 % too large", "simulator",
               replace(linear, resnet=replace(linear.resnet, beta=None,
                                              alpha=math.sqrt(1.05) * linear.resnet.scaling))),
        Mutant("V not centred", "simulator", with_faults(small, FaultySimulator(mean=0.1))),
    ]  # fmt: skip


# I11


def _growth(width: int, depth: int, beta: float) -> NumberExperiment:
    """Return the experiment on the mean of L^{2β−1} log(‖h_L‖²/‖h_0‖²), which tends to 1/2 − 1/d.

    At finite depth it is E log R/α², by the exact law: within 1e-5 of the limit at d = 4, whose second order
    vanishes.
    """
    resnet = ResNet(width=width, depth=depth, beta=beta)
    unit = depth * resnet.scaling**2
    mean = float(theory.explosion_log_mean(width=width, depth=depth, alpha=resnet.scaling))
    return log_moment_experiment(
        "I11",
        f"rate, d = {width}, β = {beta:g}",
        "E L^{2β−1} log(‖h_L‖²/‖h_0‖²)",
        resnet,
        1,
        0.01,
        mean / unit,
        unit,
    )


def _spread() -> NumberExperiment:
    """Return the experiment on the variance in units of Lα², which tends to 2/d; at finite depth exact."""
    resnet = ResNet(width=16, depth=128, beta=0.45)
    unit = 128 * resnet.scaling**2
    exact = theory.ExactNormLaw(width=16, depth=128, alpha=resnet.scaling)
    return log_moment_experiment(
        "I11", "variance", "L^{2β−1} Var log(‖h_L‖²/‖h_0‖²)", resnet, 2, 0.02, 4.0 * exact.var() / unit, unit
    )


def _chances() -> list[NumberExperiment]:
    """Return the experiments on P(‖h_L‖ > ‖h_0‖), which tends to 0, 1/2 and 1; at finite depth exact."""
    found = []
    for width in (1, 2, 3):
        resnet = ResNet(width=width, depth=64, beta=0.25)
        exact = theory.ExactNormLaw(width=width, depth=64, alpha=resnet.scaling)
        found.append(
            NumberExperiment(
                theorem="I11", name=f"probability, d = {width}", quantity="P(‖h_L‖ > ‖h_0‖)",
                predicted=float(exact.sf(0.0)), resolution=0.01, first_rows=20_000, resnet=resnet,
                observable=above("log_hidden_ratio", 0.0), request=_FORWARD, sequence=probability,
            )
        )  # fmt: skip
    return found


def _explosions() -> list[NumberExperiment]:
    return [
        _growth(4, 64, 0.3),
        _growth(16, 16, 0.25),
        _growth(16, 100, 0.4),
        _spread(),
        *_chances(),
    ]


def _explosion_mutants() -> list[Mutant]:
    narrow, wide, _, spread, one, two, three = _explosions()

    def scaled(resnet: ResNet, factor: float) -> ResNet:
        return replace(resnet, beta=None, alpha=factor * resnet.scaling)

    plain = replace(two, resnet=replace(two.resnet, depth=8, beta=0.25))
    exact = theory.ExactNormLaw(width=2, depth=8, alpha=plain.resnet.scaling)
    return [
        Mutant("rate without −1/d", "theory", replace(narrow, predicted=0.5)),
        Mutant("rate 1/2 − 1/(d + 1)", "theory", replace(narrow, predicted=0.5 - 1.0 / 5.0)),
        Mutant("rate 3 % too large", "theory", replace(narrow, predicted=1.03 * narrow.predicted)),
        Mutant("L^{2β−0.95}", "theory", replace(narrow, predicted=narrow.predicted / 64.0**0.05)),
        Mutant("first order at α = 1/2", "theory", replace(wide, predicted=0.5 - 1.0 / 16.0)),
        Mutant("variance 5 % too large", "theory", replace(spread, predicted=1.05 * spread.predicted)),
        Mutant("one unit explodes half of the time", "theory", replace(one, predicted=0.5)),
        Mutant("two units explode like three", "theory", replace(two, predicted=three.predicted)),
        Mutant("β = 0.32", "simulator", replace(narrow, resnet=replace(narrow.resnet, beta=0.32))),
        Mutant("variance of V 3 % too large", "simulator",
               replace(narrow, resnet=scaled(narrow.resnet, math.sqrt(1.03)))),
        Mutant("V and W one stream", "simulator",
               with_faults(replace(plain, predicted=float(exact.sf(0.0))), FaultySimulator(shared=True))),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [*_identity_bounds(), *_identity_laws(), *_explosions()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_identity_mutants(), *_identity_law_mutants(), *_explosion_mutants()]
