"""I8, I9, I9b: independent layers at the critical scaling β = 1/2."""

from __future__ import annotations

import math
from dataclasses import replace

import theory
from montecarlo import Request, ResNet
from montecarlo.estimates import Estimate
from montecarlo.sequential import Claim
from montecarlo.verification._experiment import (
    EstimateExperiment,
    Experiment,
    LawExperiment,
    NumberExperiment,
)
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments._rows import above, below, column, non_negative, probability, square
from montecarlo.verification.experiments.independent._fourth_moments import Branch, FourthMoments

_FORWARD = Request(gradients=False)

# I8


def _near(width: int, depth: int, claim: Claim) -> LawExperiment:
    distance, _ = theory.distances_to_limit(width=width, depth=depth)
    return LawExperiment(
        theorem="I8", name=f"limit law, d = {width}, L = {depth}", resolution=0.01, first_rows=20_000,
        quantity="distance of the law of log(‖h_L‖/‖h_0‖) to N(1/4 − 1/(2d), 1/(2d))", distance=distance,
        resnet=ResNet(width=width, depth=depth, beta=0.5), observable=column("log_hidden_ratio"),
        request=_FORWARD, cdf=theory.critical_log_norm_law(width=width).cdf, claim=claim,
    )  # fmt: skip


def _near_laws() -> list[LawExperiment]:
    # measured distances at small depths, where they are large, are those that the exact law has: they halve
    # as the depth doubles; from L = 100 on the resolution does not see them any more
    return [
        *(_near(40, depth, "equal") for depth in (2, 4, 8)),
        _near(40, 200, "at most"),
        _near(4, 100, "at most"),
        _near(2, 100, "at most"),
    ]


def _order() -> EstimateExperiment:
    width = 16

    def measure(seed: int, rows: int, confidence: float, threads: int | None) -> Estimate:
        # Of the exact law, without sampling: its error, below 1e-10, is nothing beside distances of 1e-4.
        # Orders from octave to octave tend to their limit like 1/L: the last one is nearer to it than it is
        # to the first one.
        del seed, threads
        distances = [theory.distances_to_limit(width=width, depth=L)[0] for L in (32, 64, 256, 512)]
        first, last = (math.log2(distances[j] / distances[j + 1]) for j in (0, 2))
        reach = abs(last - first)
        return Estimate(
            value=last, lower=last - reach, upper=last + reach, confidence=confidence, n=rows,
            method="exact law (I6)",
        )  # fmt: skip

    return EstimateExperiment(
        theorem="I8", name="order of convergence", quantity="order in 1/L of the distance of the exact law",
        predicted=1.0, resolution=0.05, networks=(ResNet(width=width, depth=512, beta=0.5),), measure=measure,
        networks_a_row=0, first_rows=1,
    )  # fmt: skip


def _limit_of_mean_square(
    theorem: str, kind: str, width: int, depth: int, weights: str, claim: Claim, *, gradients: bool = False
) -> NumberExperiment:
    """Return the experiment on one side of E‖h_L − h_0‖²/‖h_0‖² → e^c − 1, or that of gradients.

    (1 + c/L)^L is below e^c, and above ``e^{c − c²/(2L)} >= e^c (1 − c²/(2L))``.
    """
    linear = kind == "linear res-1"
    branch = Branch.linear_res_1() if linear else Branch.behind_w(width=width)
    resnet = ResNet(width=width, depth=depth, beta=0.5, weights=weights)
    if linear:
        resnet = replace(resnet, block="res-1", activation="identity")
    c = branch.gain
    limit = float(theory.critical_difference_second_moment(gain=c))
    if theorem == "I9b":
        limit = theory.critical_gradient_bounds()[1 if linear else 0]
    short = math.exp(c) * c**2 / (2.0 * depth) if claim == "at least" else 0.0
    # fourth moments: exact for Gaussian weights, bounds for uniform ones
    bound = FourthMoments.of(branch, width=width, depth=depth, alpha=resnet.scaling).difference
    side, end, start = ("gradient", "p_0", "p_L") if gradients else ("hidden", "h_L", "h_0")
    return NumberExperiment(
        theorem=theorem, name=f"mean square, {kind}, {weights}, {claim}", predicted=limit - short,
        quantity=f"E‖{end} − {start}‖²/‖{start}‖²", resolution=0.01 * limit, relative_to=limit,
        first_rows=10_000, resnet=resnet, observable=square(f"log_{side}_difference"),
        request=Request(gradients=gradients), sequence=non_negative(bound), claim=claim,
    )  # fmt: skip


_SIDES: tuple[Claim, ...] = ("at most", "at least")


def _limits() -> list[NumberExperiment]:
    found = [_limit_of_mean_square("I8", "res-3", 40, 100, "gaussian", claim) for claim in _SIDES]
    found += [_limit_of_mean_square("I8", "res-3", 16, 30, "uniform", claim) for claim in _SIDES]
    return [*found, *(_limit_of_mean_square("I8", "linear res-1", 24, 30, "uniform", c) for c in _SIDES)]


def _limit_mutants() -> list[Mutant]:
    near = _near(40, 200, "at most")
    high, low, *_ = _limits()
    normal = theory.critical_log_norm_law

    def beta(value: float) -> ResNet:
        return replace(near.resnet, beta=value)

    small = replace(near, resnet=replace(near.resnet, width=2, depth=30), cdf=normal(width=2).cdf)
    return [
        Mutant("mean without −1/d", "theory",
               replace(near, cdf=lambda x: normal(width=40).cdf(x - 1.0 / 80.0))),
        Mutant("variance 2/d taken 20 % larger", "theory",
               replace(near, cdf=lambda x: normal(width=40).cdf(0.2375 + (x - 0.2375) / math.sqrt(1.2)))),
        Mutant("mean 5 % too large", "theory",
               replace(near, cdf=lambda x: normal(width=40).cdf(x - 0.05 * 0.2375))),
        Mutant("distance falls like L^-1.2", "theory", replace(_order(), predicted=1.2)),
        Mutant("mean square e^{0.515} − 1 at least", "theory",
               replace(low, predicted=math.expm1(0.515))),
        Mutant("mean square e^{0.485} − 1 at most", "theory", replace(high, predicted=math.expm1(0.485))),
        Mutant("β = 0.52", "simulator", replace(near, resnet=beta(0.52))),
        Mutant("V and W one stream", "simulator", with_faults(small, FaultySimulator(shared=True))),
    ]  # fmt: skip


# I9


def _bounds(width: int, depth: int, delta: float, kind: str) -> list[NumberExperiment]:
    """Return the experiments on ‖h_L − h_0‖²/‖h_0‖² leaving I9's bounds above and below, each at most δ."""
    low, high = theory.critical_difference_bounds(width=width, failure_probability=delta)
    resnet = ResNet(width=width, depth=depth, beta=0.5)
    if kind == "linear res-1":
        resnet = replace(resnet, block="res-1", activation="identity")
    sides = [("above", above("log_hidden_difference", 0.5 * math.log(float(high))))]
    if low > 0.0:
        sides.append(("below", below("log_hidden_difference", 0.5 * math.log(float(low)))))
    return [
        NumberExperiment(
            theorem="I9", name=f"{side}, {kind}, d = {width}, δ = {delta:g}", predicted=delta,
            quantity=f"P(‖h_L − h_0‖²/‖h_0‖² {side} its bound)", resolution=0.01, resnet=resnet,
            observable=event, request=_FORWARD, sequence=probability, claim="at most",
        )
        for side, event in sides
    ]  # fmt: skip


def _all_bounds() -> list[NumberExperiment]:
    return [
        *_bounds(64, 100, 0.05, "res-3"),
        *_bounds(400, 50, 0.5, "res-3"),
        *_bounds(64, 50, 0.05, "linear res-1"),
    ]


def _bound_mutants() -> list[Mutant]:
    # the constants are loose by far: a few per cent on them leave the statement true, so these mutants are
    # errors of its form
    *_, linear = _bounds(64, 50, 0.05, "linear res-1")
    _, lower = _bounds(400, 50, 0.5, "res-3")

    def at_most(high: float) -> NumberExperiment:
        return replace(linear, observable=above("log_hidden_difference", 0.5 * math.log(high)))

    d, delta = 64, 0.05
    low = math.exp(1.0 - math.sqrt(22.0 / (400 * 0.5))) - 1.0
    return [
        Mutant("√(10δ/d) for √(10/(dδ)), and −1 for +1", "theory",
               at_most(math.exp(1.0 + math.sqrt(10.0 * delta / d)) - 1.0)),
        Mutant("e^{1/2} − 1 without the term of δ", "theory", at_most(math.expm1(0.5))),
        Mutant("lower exponent 1 for 3/8", "theory",
               replace(lower, observable=below("log_hidden_difference", 0.5 * math.log(low)))),
        Mutant("β = 1/4", "simulator", replace(linear, resnet=replace(linear.resnet, beta=0.25))),
    ]  # fmt: skip


# I9b


def _gradient_bounds() -> list[NumberExperiment]:
    return [
        _limit_of_mean_square("I9b", kind, 24, 30, weights, claim, gradients=True)
        for kind, weights in (("res-3", "gaussian"), ("linear res-1", "uniform"))
        for claim in _SIDES
    ]


def _gradient_bound_mutants() -> list[Mutant]:
    low_at_most, low_at_least, high_at_most, _ = _gradient_bounds()
    return [
        Mutant("upper end e^{0.97} − 1", "theory", replace(high_at_most, predicted=math.expm1(0.97))),
        Mutant("lower end e^{0.515} − 1", "theory", replace(low_at_least, predicted=math.expm1(0.515))),
        Mutant("variance of V 5 % too large", "simulator",
               replace(low_at_most, resnet=replace(low_at_most.resnet, beta=None,
                                                   alpha=math.sqrt(1.05) * low_at_most.resnet.scaling))),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [*_near_laws(), _order(), *_limits(), *_all_bounds(), *_gradient_bounds()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_limit_mutants(), *_bound_mutants(), *_gradient_bound_mutants()]
