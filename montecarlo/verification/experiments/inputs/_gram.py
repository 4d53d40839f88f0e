"""C3, C4: Gram matrices of several inputs, and the exact error of the limits of width and depth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

import theory
from montecarlo import JointSample, Request, ResNet, Sample
from montecarlo.verification._experiment import Array, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source
from montecarlo.verification.experiments._rows import bounded
from montecarlo.verification.experiments.inputs._pairs import Measure, joint_source, overlaps

_BIAS = 0.6
_PHI = np.array([[1.0, 0.3, -0.2], [0.3, 2.0, 0.1], [-0.2, 0.1, 0.5]])
"""Gram matrix over d of three inputs."""
_SMALL = 0.05
"""Scaling at which the covariance of increments is the limit's up to 1 %."""
_REACH = 60.0
"""Some 20 deviations of a row."""
_HIDDEN = Request(gradients=False)


def experiments() -> list[NumberOfRows | NumberExperiment]:
    """Return the experiments."""
    return [
        _drift("tanh", "auto", None),
        _drift("gelu", "gram", 3),
        _growth("sin"),
        _covariance("tanh"),
        _error(32, 4),
        _error(4000, 2),
    ]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    tanh, gelu, growth, covariance, narrow, wide = experiments()
    assert isinstance(tanh, NumberOfRows)
    assert isinstance(gelu, NumberOfRows)
    assert isinstance(growth, NumberOfRows)
    assert isinstance(covariance, NumberOfRows)
    plain = theory.gram_drift(activation="tanh", gram=_PHI)[0, 1]
    half = theory.gram_covariance(activation="tanh", width=5, gram=_PHI, bias_std=_BIAS)[0, 1, 0, 0]
    strong = replace(gelu.resnet, bias_std=1.5 * _BIAS)
    exact = theory.commuting_error(width=4000, depth=2)
    return [
        Mutant("without biases", "theory", replace(tanh, predicted=float(plain))),
        Mutant("biases left out of K", "theory", replace(growth, source=_growth_source(growth.resnet, 0.0))),
        Mutant("half of the four products", "theory", replace(covariance, predicted=0.5 * float(half))),
        Mutant(
            "biases half as large again", "simulator",
            replace(
                gelu, resnet=strong,
                source=joint_source(strong, _gram(strong), _increment(0, 1, 30.0), engine="gram"),
            ),
        ),
        Mutant(
            "order 1/√L for the bias", "theory",
            replace(wide, predicted=exact.variance + exact.bias**2 * wide.resnet.depth),
        ),
        Mutant("2e/d alone", "theory", replace(wide, predicted=2 * math.e / 4000)),
        Mutant(
            "scaling 2 % too small", "simulator",
            replace(narrow, resnet=replace(narrow.resnet, beta=None, alpha=0.98 * narrow.resnet.scaling)),
        ),
    ]  # fmt: skip


def _gram(resnet: ResNet) -> Array:
    return resnet.width * _PHI


def _entries(sample: JointSample, a: int, b: int) -> Array:
    """Return Φ^{ab} at the last layer."""
    norms = np.exp(sample.log_norm[:, -1, a] + sample.log_norm[:, -1, b])
    return norms * sample.cosine[:, -1, a, b] / sample.resnet.width


def _increment(a: int, b: int, reach: float = np.inf) -> Measure:
    """Return the growth of an entry of Φ over a², inside a reach that networks do not leave."""

    def measure(sample: JointSample) -> Array:
        growth = (_entries(sample, a, b) - _PHI[a, b]) / sample.resnet.scaling**2
        return np.clip(growth, -reach, reach)

    return measure


def _layer(activation: str, alpha: float, hidden_width: int | None = None) -> ResNet:
    return ResNet(
        width=5, depth=1, alpha=alpha, block="res-2", activation=activation, bias_std=_BIAS,
        hidden_width=hidden_width,
    )  # fmt: skip


def _drift(activation: str, engine: str, hidden_width: int | None) -> NumberOfRows:
    """One layer of scaling 3: exact, too, with little of the noise that is linear in V."""
    resnet = _layer(activation, 3.0, hidden_width)
    predicted = float(theory.gram_drift(activation=activation, gram=_PHI, bias_std=_BIAS)[0, 1])
    reach = 30.0  # some 20 deviations
    return NumberOfRows(
        theorem="C3", name=f"{activation}, one layer", quantity="E of the growth of Φ^{12}, over a²",
        predicted=predicted, resolution=0.02 * predicted, relative_to=predicted, resnet=resnet,
        source=joint_source(resnet, _gram(resnet), _increment(0, 1, reach), engine=engine),
        sequence=bounded(-reach, reach), first_rows=50_000,
    )  # fmt: skip


def _growth(activation: str) -> NumberOfRows:
    resnet = ResNet(width=6, depth=6, alpha=0.4, block="res-2", activation=activation, bias_std=_BIAS)
    return NumberOfRows(
        theorem="C3", name=f"{activation}, six layers", quantity="E of (Φ^{12}_L − Φ^{12}_0)/a² − Σ K^{12}",
        predicted=0.0, resolution=0.05, resnet=resnet, source=_growth_source(resnet, _BIAS),
        sequence=bounded(-_REACH, _REACH), first_rows=20_000,
    )  # fmt: skip


def _growth_source(resnet: ResNet, bias_std: float) -> Source:
    """Return what Φ^{12} grows beyond its drift along the path, over a², with biases in the drift alone."""

    def measure(sample: JointSample) -> Array:
        q = overlaps(sample)
        squares = np.exp(2.0 * sample.log_norm[:, :-1, :2]) / resnet.width + bias_std**2
        drift = theory.dual_activation(
            resnet.activation_function.name, first=squares[..., 0], second=squares[..., 1],
            covariance=q[:, :-1] + bias_std**2,
        )  # fmt: skip
        rest = (q[:, -1] - q[:, 0]) / resnet.scaling**2 - np.asarray(drift).sum(axis=1)
        return np.clip(rest, -_REACH, _REACH)

    return joint_source(resnet, _gram(resnet)[:2, :2], measure, paths=True)


def _covariance(activation: str) -> NumberOfRows:
    """The product of two increments, of one layer of a small scaling, over a²."""
    resnet = _layer(activation, _SMALL)
    table = theory.gram_covariance(activation=activation, width=5, gram=_PHI, bias_std=_BIAS)
    predicted = float(table[0, 1, 0, 0])
    reach = 40.0

    def measure(sample: JointSample) -> Array:
        product = _increment(0, 1)(sample) * _increment(0, 0)(sample) * resnet.scaling**2
        return np.clip(product, -reach, reach)

    return NumberOfRows(
        theorem="C3", name=f"{activation}, covariance",
        quantity="E of the product of the growths of Φ^{12}, Φ^{11}, over a²",
        predicted=predicted, resolution=0.04 * predicted, relative_to=predicted, resnet=resnet,
        source=joint_source(resnet, _gram(resnet), measure), sequence=bounded(-reach, reach),
        first_rows=50_000, allowance=0.01 * predicted, quick=False,
    )  # fmt: skip


def _error(width: int, depth: int) -> NumberExperiment:
    predicted = theory.commuting_error(width=width, depth=depth).mean_square
    # Sixteen deviations of S_L and more: the clipped part of the mean square is below 1e-6 of it.
    reach = (math.exp(0.5) * (16.0 if width > 1000 else 24.0) * math.sqrt(2.0 / width)) ** 2

    def squared_error(sample: Sample) -> Array:
        found = (np.exp(2.0 * sample["log_hidden_ratio"]) - math.exp(0.5)) ** 2
        return np.minimum(found, reach)

    return NumberExperiment(
        theorem="C4", name=f"width {width}, depth {depth}", quantity="E(S_L/S_0 − e^{1/2})²",
        predicted=predicted, resolution=0.02 * predicted, relative_to=predicted,
        resnet=ResNet(width=width, depth=depth, beta=0.5),
        observable=squared_error, request=_HIDDEN, sequence=bounded(0.0, reach), first_rows=20_000,
    )  # fmt: skip
