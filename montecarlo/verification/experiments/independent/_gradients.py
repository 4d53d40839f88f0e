"""I4, I4b, I5: the law of gradients is that of hidden states, and weight gradients are flat over layers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

import theory
from montecarlo import Request, ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.verification._experiment import (
    Array,
    Experiment,
    LawExperiment,
    NumberExperiment,
    Observable,
    SameLawExperiment,
)
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments._rows import (
    bounded,
    column,
    gradient_overlap,
    non_negative,
    overlap,
)
from montecarlo.verification.experiments.independent._fourth_moments import Branch

_GRADIENTS = Request()

# I4


def _duality() -> list[SameLawExperiment | LawExperiment]:
    narrow = ResNet(width=3, depth=4, alpha=0.5)
    linear = ResNet(width=3, depth=4, alpha=0.5, block="res-2", activation="identity")
    ratios = column("log_gradient_ratio"), column("log_hidden_ratio")
    differences = column("log_gradient_difference"), column("log_hidden_difference")
    # overlaps are functions of both ratios: their law is a statement on the joint one
    overlaps = "⟨p_0, p_L⟩/‖p_L‖² and ⟨h_L, h_0⟩/‖h_0‖²"
    pairs: tuple[tuple[str, str, ResNet, Observable, Observable], ...] = (
        ("ratio", "‖p_0‖/‖p_L‖ and ‖h_L‖/‖h_0‖", narrow, *ratios),
        ("difference", "‖p_0 − p_L‖/‖p_L‖ and ‖h_L − h_0‖/‖h_0‖", narrow, *differences),
        ("overlap", overlaps, narrow, gradient_overlap, overlap),
        ("overlap, linear res-2", overlaps, linear, gradient_overlap, overlap),
    )
    found: list[SameLawExperiment | LawExperiment] = [
        SameLawExperiment(
            theorem="I4", name=name, quantity=f"distance between the laws of {quantity}", resolution=0.02,
            first_rows=20_000, resnet=resnet, other=resnet, observable=ours, other_observable=theirs,
            request=_GRADIENTS,
        )
        for name, quantity, resnet, ours, theirs in pairs
    ]  # fmt: skip
    exact = theory.ExactNormLaw(width=narrow.width, depth=narrow.depth, alpha=narrow.scaling)
    found.append(
        LawExperiment(
            theorem="I4", name="exact law", quantity="distance of the law of ‖p_0‖/‖p_L‖ to the one of I6",
            resolution=0.01, first_rows=20_000, resnet=narrow, observable=column("log_gradient_ratio"),
            request=_GRADIENTS, cdf=exact.cdf,
        )
    )  # fmt: skip
    return found


def _duality_mutants() -> list[Mutant]:
    ratio, difference, joint, *_ = [e for e in _duality() if isinstance(e, SameLawExperiment)]

    def squared(sample: Sample) -> Array:
        return 2.0 * sample["log_hidden_difference"]

    def independent_parts(sample: Sample) -> Array:
        # the ratio of one network beside the difference of another: right marginal laws, wrong joint law
        swapped = {"log_hidden_difference": np.roll(sample["log_hidden_difference"], 1)}
        return overlap(replace(sample, columns=sample.columns | swapped))

    tied = ResNet(width=2, depth=1, alpha=1.0, weights="rademacher")
    ties = replace(ratio, resnet=tied, other=tied)
    small = replace(ratio, resnet=replace(ratio.resnet, width=2), other=replace(ratio.other, width=2))
    return [
        Mutant("gradients as of one layer more", "theory",
               replace(ratio, other=replace(ratio.other, depth=ratio.other.depth + 1))),
        Mutant("gradients of a width less", "theory",
               replace(ratio, other=replace(ratio.other, width=ratio.other.width - 1))),
        Mutant("squared differences", "theory", replace(difference, other_observable=squared)),
        Mutant("ratio and difference independent", "theory",
               replace(joint, other_observable=independent_parts)),
        Mutant("ties allowed: Rademacher weights from (1, 1)", "theory",
               with_faults(ties, FaultySimulator(law="rademacher", gradients=True))),
        Mutant("V not centred", "simulator", with_faults(small, FaultySimulator(mean=0.6, gradients=True))),
        Mutant("scaling of the other networks 8 % too large", "simulator",
               replace(ratio, other=replace(ratio.other, alpha=1.08 * ratio.other.scaling))),
    ]  # fmt: skip


# I4b: networks of correlated layers cost a hundred times as much as others, so that one network serves both
# laws: the difference of two events of one threshold has mean 0 if the laws are equal there, whatever the
# dependence between them.


def _events(hidden: str, gradient: str, threshold: float, other: float | None = None) -> Observable:
    """Return 1{hidden > threshold} − 1{gradient > other threshold}, thresholds of ratios."""
    other = threshold if other is None else other

    def observable(sample: Sample) -> Array:
        ours, theirs = sample[hidden], sample[gradient]
        events = (ours > np.log(threshold)).astype(np.float64) - (theirs > np.log(other))
        return np.where(np.isnan(ours) | np.isnan(theirs), np.nan, events)

    return observable


_THRESHOLD = 6.0  # exceeded by one network in six: most pairs of events agree


def _linear_duality() -> NumberExperiment:
    return NumberExperiment(
        theorem="I4b", name="linear res-1, fbm:0.8", predicted=0.0, resolution=0.02, first_rows=5000,
        quantity=f"P(‖h_L‖/‖h_0‖ > {_THRESHOLD:g}) − P(‖p_0‖/‖p_L‖ > {_THRESHOLD:g})",
        resnet=ResNet(width=2, depth=3, alpha=1.0, block="res-1", activation="identity", weights="fbm:0.8"),
        observable=_events("log_hidden_ratio", "log_gradient_ratio", _THRESHOLD), request=_GRADIENTS,
        sequence=bounded(-1.0, 1.0),
    )  # fmt: skip


_LOG_CUT = 3.0  # equal laws have equal means of clipped logs, wherever they are clipped


def _mean_logs() -> NumberExperiment:
    """Return the experiment that sees a factor of the gradients: an event hardly does."""

    def row(sample: Sample) -> Array:
        ours, theirs = (
            np.clip(sample[name], -_LOG_CUT, _LOG_CUT) for name in ("log_hidden_ratio", "log_gradient_ratio")
        )
        return ours - theirs

    own = _linear_duality()
    return replace(
        own, name="mean log, linear res-1, fbm:0.8", resolution=0.03, observable=row,
        resnet=replace(own.resnet, alpha=0.5),
        quantity="E log(‖h_L‖/‖h_0‖) − E log(‖p_0‖/‖p_L‖)", sequence=bounded(-2.0 * _LOG_CUT, 2.0 * _LOG_CUT),
    )  # fmt: skip


def _linear_duality_mutants() -> list[Mutant]:
    own, logs = _linear_duality(), _mean_logs()
    names = ("log_hidden_ratio", "log_gradient_ratio")
    independent = replace(own, resnet=replace(own.resnet, weights="gaussian"))
    return [
        Mutant("gradients a third larger", "theory",
               replace(own, observable=_events(*names, _THRESHOLD, 4.0 / 3.0 * _THRESHOLD))),
        Mutant("gradients 4 % larger", "theory", replace(logs, predicted=-math.log(1.04))),
        Mutant("difference of gradients for their ratio", "theory",
               replace(own, observable=_events(names[0], "log_gradient_difference", _THRESHOLD / 2.0))),
        Mutant("p_L in the direction of h_L", "simulator",
               with_faults(independent, FaultySimulator(follow=True, gradients=True))),
    ]  # fmt: skip


# I5


def _layer(matrix: str, layer: int) -> Observable:
    return lambda sample: np.exp(2.0 * sample[f"log_weight_gradient_{matrix}"][:, layer - 1])


def _flat_weight_gradients() -> list[NumberExperiment]:
    width, depth, alpha = 12, 4, 0.35
    branch = Branch.behind_w(width=width)
    predicted = float(theory.weight_gradient_second_moment(depth=depth, alpha=alpha))
    # The squared norm is a²‖p_k‖²‖g(h_{k−1})‖² for V_k and a²‖D Vᵀp_k‖²‖h_{k−1}‖² for W_k, whose factors are
    # independent by I4: fourth moments multiply, those of laws of kurtosis below 3 are below these.
    layer = float(theory.radial_moment(order=2, width=width, alpha=alpha))
    bound = alpha**4 * branch.fourth * layer ** (depth - 1)
    return [
        NumberExperiment(
            theorem="I5", name=f"{matrix.upper()}_{k} {law}", predicted=predicted,
            quantity=f"E‖∂loss/∂{matrix.upper()}_{k}‖²/(‖p_L‖²‖h_0‖²)", resolution=0.01 * predicted,
            relative_to=predicted, first_rows=10_000,
            resnet=ResNet(width=width, depth=depth, alpha=alpha, weights=law), observable=_layer(matrix, k),
            request=Request(weight_gradients=True), sequence=non_negative(bound),
        )
        for matrix, k, law in (
            ("v", 1, "gaussian"), ("v", depth, "gaussian"), ("w", 1, "gaussian"), ("w", depth, "gaussian"),
            ("v", 2, "uniform"), ("w", 3, "uniform"),
        )
    ]  # fmt: skip


def _flat_mutants() -> list[Mutant]:
    first, last, *_ = _flat_weight_gradients()
    a, L, d = first.resnet.scaling, first.resnet.depth, first.resnet.width
    bound = float(theory.radial_moment(order=2, width=d, alpha=1.01 * a)) ** L * a**4
    return [
        Mutant("a layer more", "theory", replace(first, predicted=first.predicted * (1.0 + a**2 / 2.0))),
        Mutant("falls with depth like hidden states", "theory",
               replace(last, predicted=last.predicted / (1.0 + a**2 / 2.0) ** (L - 1))),
        Mutant("constant 3 % too large", "theory", replace(first, predicted=1.03 * first.predicted)),
        Mutant("α to the power 2.1", "theory", replace(first, predicted=a**0.1 * first.predicted)),
        Mutant("scaling of the simulator 2 % too large", "simulator",
               replace(first, resnet=replace(first.resnet, alpha=1.02 * a), sequence=non_negative(bound))),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [*_duality(), _linear_duality(), _mean_logs(), *_flat_weight_gradients()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_duality_mutants(), *_linear_duality_mutants(), *_flat_mutants()]
