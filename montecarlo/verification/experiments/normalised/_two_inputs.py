"""N4: two inputs behind an RMS norm, on the chain of Gram matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

import theory
from montecarlo import JointSample, ResNet
from montecarlo.verification._experiment import Array
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source
from montecarlo.verification.experiments._rows import bounded
from montecarlo.verification.experiments.inputs._pairs import Measure, cosine, joint_source, overlaps, pair

_COSINE = 0.2
_START = 0.2
"""Mean square of both inputs: a small one leaves less of the noise that is linear in V."""
_WIDE_START = 2.0
_REACH = 40.0


def experiments() -> list[NumberOfRows]:
    """Return the experiments."""
    return [_one_layer("relu"), _one_layer("gelu"), _growth(), _recursion()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    relu, _, growth, recursion = experiments()
    net = recursion.resnet
    other = theory.cosine_recursion(cosine=_COSINE, depth=net.depth, alpha=net.scaling)
    unnormed = replace(net, norm="none")
    return [
        Mutant("κ' for κ", "theory", replace(relu, predicted=float(_slope(_COSINE)))),
        Mutant(
            "κ' for κ along the path", "theory",
            replace(growth, source=_source(growth.resnet, _beyond(_slope), paths=True)),
        ),
        Mutant("the recursion without a norm", "theory", replace(recursion, predicted=float(other[-1]))),
        Mutant(
            "no norm", "simulator", replace(
                recursion, resnet=unnormed, source=_source(unnormed, cosine, start=_WIDE_START)
            ),
        ),
    ]  # fmt: skip


def _slope(c: Array | float) -> Array:
    """Return κ'(c)."""
    return (np.pi - np.arccos(c)) / (2.0 * np.pi)


def _source(resnet: ResNet, measure: Measure, *, start: float = _START, paths: bool = False) -> Source:
    return joint_source(resnet, pair(resnet.width, _COSINE, start), measure, engine="gram", paths=paths)


def _one_layer(activation: str) -> NumberOfRows:
    """One layer of scaling 1, which is exact, too."""
    resnet = ResNet(
        width=6, depth=1, alpha=1.0, block="res-2", activation=activation, norm="pre-rms", hidden_width=9
    )
    gram = pair(1, _COSINE, _START)
    predicted = float(theory.gram_drift(activation=activation, gram=gram, normalised=True)[0, 1])

    def growth(sample: JointSample) -> Array:
        return np.clip(overlaps(sample)[:, -1] - _START * _COSINE, -_REACH, _REACH)

    return NumberOfRows(
        theorem="N4", name=f"{activation}, one layer", quantity="E (q_1 − q_0)/a²", predicted=predicted,
        resolution=0.02 * predicted, relative_to=predicted, resnet=resnet,
        source=_source(resnet, growth), sequence=bounded(-_REACH, _REACH), first_rows=50_000,
    )  # fmt: skip


def _beyond(kappa: Callable[[Array], Array]) -> Measure:
    """Return what q grows beyond Σ a² κ along its path, over a²."""

    def measure(sample: JointSample) -> Array:
        q = overlaps(sample)
        drift = kappa(np.clip(sample.cosine[:, :-1, 0, 1], -1.0, 1.0)).sum(axis=1)
        return np.clip((q[:, -1] - q[:, 0]) / sample.resnet.scaling**2 - drift, -_REACH, _REACH)

    return measure


def _growth() -> NumberOfRows:
    resnet = ResNet(width=6, depth=8, alpha=0.7, norm="pre-rms", hidden_width=9)
    return NumberOfRows(
        theorem="N4", name="relu, eight layers", quantity="E of (q_L − q_0)/a² − Σ κ(c_k)", predicted=0.0,
        resolution=0.05, resnet=resnet,
        source=_source(resnet, _beyond(lambda c: np.asarray(theory.arc_cosine_kernel(c))), paths=True),
        sequence=bounded(-_REACH, _REACH), first_rows=50_000,
    )  # fmt: skip


def _recursion() -> NumberOfRows:
    """Wide networks: 0.1 % of the cosine is what width 1000 is worth."""
    resnet = ResNet(width=1000, depth=12, alpha=0.7, norm="pre-rms", hidden_width=500)
    path = theory.prenorm_cosine_recursion(
        cosine=_COSINE, depth=resnet.depth, alpha=resnet.scaling, initial_mean_square=_WIDE_START
    )
    return NumberOfRows(
        theorem="N4", name="wide recursion", quantity="E cos of two hidden states", predicted=float(path[-1]),
        resolution=0.01, resnet=resnet, source=_source(resnet, cosine, start=_WIDE_START),
        sequence=bounded(-1.0, 1.0),
        first_rows=500, quick=False,
    )  # fmt: skip
