"""F2d: wide networks with correlated weights, at every order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

import theory
from montecarlo import Request, ResNet, Sample
from montecarlo.verification._experiment import NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import bounded

Array = npt.NDArray[np.float64]
_OVERLAP = {"width": 64, "depth": 4, "beta": 0.4}
_HURST = 0.7
_CUT = 4.0
"""Nine standard deviations of the relative mean square above its mean."""


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    return [_overlaps()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    (overlaps,) = experiments()
    independent = ResNet(**_OVERLAP, weights=f"fbm:{_HURST - 0.1:g}")
    return [
        Mutant("mean square 5 % too large", "theory", replace(overlaps, predicted=1.05)),
        Mutant("independent layers", "theory", replace(overlaps, predicted=_independent_share())),
        Mutant("H smaller by 0.1", "simulator", replace(overlaps, resnet=independent)),
    ]  # fmt: skip


def _overlaps() -> NumberExperiment:
    """Return the experiment at a scaling where a third of the mean square is beyond the first order."""
    resnet = ResNet(**_OVERLAP, weights=f"fbm:{_HURST:g}")
    mean_square = _correlated(theory.fractional_noise_covariance(np.arange(resnet.depth), _HURST))

    def relative(sample: Sample) -> Array:
        return np.minimum(np.exp(2.0 * sample["log_hidden_difference"]) / mean_square, _CUT)

    return NumberExperiment(
        theorem="F2d", name="persistent", quantity="E ‖h_L − h_0‖²/‖h_0‖² over the prediction", predicted=1.0,
        resolution=0.03, resnet=resnet, observable=relative, request=Request(gradients=False),
        sequence=bounded(0.0, _CUT),
    )  # fmt: skip


def _correlated(gamma: npt.ArrayLike) -> float:
    depth = _OVERLAP["depth"]
    alpha = depth ** -_OVERLAP["beta"]
    path = theory.correlated_mean_square(depth=int(depth), alpha=alpha, gamma_v=gamma, gamma_w=gamma)
    return float(path[-1])


def _independent_share() -> float:
    """Return the mean square for independent layers over that of persistent ones."""
    lags = np.arange(_OVERLAP["depth"])
    return _correlated((lags == 0) * 1.0) / _correlated(theory.fractional_noise_covariance(lags, _HURST))
