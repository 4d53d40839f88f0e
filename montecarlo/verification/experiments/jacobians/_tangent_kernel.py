"""J4: both moments of the tangent kernel."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import non_negative
from montecarlo.verification.experiments.jacobians._moments import kernel_bound

_REQUEST = Request(tangent_kernel=True)


def _moments(resnet: ResNet) -> tuple[float, float]:
    size: dict[str, Any] = {
        "width": resnet.width, "depth": resnet.depth, "alpha": resnet.scaling,
        "hidden_width": resnet.inner_width,
    }  # fmt: skip
    first, second = theory.log_tangent_kernel_mean(**size), theory.log_tangent_kernel_second_moment(**size)
    return math.exp(first), math.exp(second)


def _mean(resnet: ResNet, name: str, engine: str = "auto") -> NumberExperiment:
    # entries of kurtosis below 3 have a smaller second moment than Gaussian ones
    predicted, square = _moments(resnet)
    return NumberExperiment(
        theorem="J4", name=f"mean, {name}", quantity="E K/(‖p_L‖² ‖h_0‖²)", predicted=predicted,
        resolution=0.01 * predicted, relative_to=predicted, first_rows=10_000, resnet=resnet,
        observable=lambda sample: np.exp(sample["log_tangent_kernel"]), request=_REQUEST, engine=engine,
        sequence=non_negative(square),
    )  # fmt: skip


def _square(resnet: ResNet, name: str) -> NumberExperiment:
    _, predicted = _moments(resnet)
    return NumberExperiment(
        theorem="J4", name=f"second moment, {name}", quantity="E K²/(‖p_L‖⁴ ‖h_0‖⁴)", predicted=predicted,
        resolution=0.015 * predicted, relative_to=predicted, first_rows=10_000, resnet=resnet,
        observable=lambda sample: np.exp(2.0 * sample["log_tangent_kernel"]), request=_REQUEST,
        sequence=non_negative(kernel_bound(resnet)),
    )  # fmt: skip


_NARROW = ResNet(width=6, depth=5, alpha=0.4, hidden_width=3)
_WIDE = ResNet(width=10, depth=4, alpha=0.5, hidden_width=30)


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    return [
        _mean(_NARROW, "M = 3"),
        _mean(ResNet(width=5, depth=12, alpha=0.3, hidden_width=9), "M = 9, explicit matrices", "dense"),
        _mean(ResNet(width=4, depth=3, alpha=0.4, hidden_width=7, weights="rademacher"), "Rademacher, M = 7"),
        _square(_WIDE, "d = 10, M = 30"),
        _square(ResNet(width=8, depth=2, alpha=0.7, hidden_width=24), "d = 8, M = 24"),
    ]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    narrow, wide, signs, square, _ = experiments()
    mean, _ = _moments(_WIDE)
    d, tau = _WIDE.width, _WIDE.depth * _WIDE.scaling**2
    growth = 1.0 + narrow.resnet.scaling**2 / 2.0
    limit = 1.0 + theory.tangent_kernel_variance_limit(width=d, time=tau)

    def claiming(experiment: NumberExperiment, predicted: float) -> NumberExperiment:
        bound = 6.0 * max(predicted, experiment.predicted) ** 2  # the rows' relative variances are below 5
        return replace(experiment, predicted=predicted, sequence=non_negative(bound))

    return [
        Mutant("2L for L(1 + M/d)", "theory", claiming(narrow, narrow.predicted * 2.0 / 1.5)),
        Mutant("a layer's own growth, too", "theory", claiming(narrow, narrow.predicted * growth)),
        Mutant("mean 3 % too large", "theory", claiming(signs, 1.03 * signs.predicted)),
        Mutant("relative variance 2τ/d", "theory", claiming(square, mean**2 * (1.0 + 2.0 * tau / d))),
        Mutant("the variance of the limit at L = 4", "theory", claiming(square, mean**2 * limit)),
        Mutant("layers independent of each other", "theory", claiming(square, mean**2)),
        Mutant("a unit more", "simulator",
               replace(claiming(wide, wide.predicted), resnet=replace(wide.resnet, hidden_width=10))),
        Mutant("scaling of the simulator 2 % too large", "simulator",
               replace(claiming(square, square.predicted), resnet=replace(_WIDE, alpha=0.51))),
    ]  # fmt: skip
