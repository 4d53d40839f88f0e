"""I2: second moments, exact at every depth, for every weight law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import theory
from montecarlo import Request, ResNet
from montecarlo.sequential import NonNegativeMean
from montecarlo.verification._experiment import NumberExperiment
from montecarlo.verification._mutant import Mutant

_WIDTH, _DEPTH, _ALPHA = 16, 8, 0.5


def _square(sample):
    return np.exp(2.0 * sample["log_hidden_ratio"])


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    predicted = float(np.exp(theory.log_hidden_second_moment(depth=_DEPTH, alpha=_ALPHA)))
    bound = predicted**2 * (1.0 + float(theory.relative_variance(width=_WIDTH, depth=_DEPTH, alpha=_ALPHA)))
    return [
        NumberExperiment(
            theorem="I2", name=law, quantity="E‖h_L‖²/‖h_0‖²", predicted=predicted,
            # 1 % of the constant α²: the moment goes with its power L/2.
            resolution=0.01 * predicted, relative_to=predicted,
            resnet=ResNet(width=_WIDTH, depth=_DEPTH, alpha=_ALPHA, weights=law), observable=_square,
            request=Request(gradients=False),
            sequence=lambda false_alarm: NonNegativeMean(second_moment_bound=bound, false_alarm=false_alarm),
        )
        for law in ("gaussian", "uniform", "rademacher")
    ]  # fmt: skip


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    first = experiments()[0]
    return [
        Mutant("predicted moment 3 % too large", "theory", replace(first, predicted=1.03 * first.predicted)),
        Mutant(
            "simulator's scaling 1 % too large", "simulator",
            replace(first, resnet=replace(first.resnet, alpha=1.01 * _ALPHA)),
        ),
    ]  # fmt: skip
