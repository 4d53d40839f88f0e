"""P3: gradients of post-activation networks grow like hidden states, but for the read-out's angle."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from montecarlo import Request, ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.verification._experiment import Array, NumberExperiment, Observable
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import probability

_CUT = 0.5


def _shorter(power: float = 1.0) -> Observable:
    """Return the event ‖p_0‖/‖p_L‖ < x (‖h_L‖/‖h_0‖)^power."""

    def row(sample: Sample) -> Array:
        short = sample["log_gradient_ratio"] - power * sample["log_hidden_ratio"]
        return np.where(np.isnan(short), np.nan, short < math.log(_CUT))

    return row


def _bound(beta: float, depth: int, engine: str = "auto") -> NumberExperiment:
    """Return the experiment on d = 3: P(|cos∠| < x) = x, the cosine of an isotropic p_L being uniform."""
    return NumberExperiment(
        theorem="P3", name=f"β = {beta:g}, L = {depth}", quantity="P(‖p_0‖/‖p_L‖ < ‖h_L‖/(2‖h_0‖))",
        predicted=_CUT, resolution=0.02, first_rows=2000, observable=_shorter(), claim="at most",
        resnet=ResNet(width=3, depth=depth, beta=beta, block="post-activation"), request=Request(),
        sequence=probability, engine=engine,
    )  # fmt: skip


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    return [_bound(0.5, 100), _bound(0.25, 30, "dense")]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    deep, _ = experiments()
    soft = replace(deep.resnet, activation="softplus", input_scale=1e-3)
    return [
        Mutant("half of the probability", "theory", replace(deep, predicted=_CUT / 2.0)),
        Mutant("gradients of the power 1.3 of hidden states", "theory",
               replace(deep, observable=_shorter(1.3))),
        Mutant("softplus from a small state", "simulator", replace(deep, resnet=soft)),
    ]  # fmt: skip
