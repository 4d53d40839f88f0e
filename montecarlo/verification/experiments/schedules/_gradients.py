"""G3, G4: gradients of weights and of gates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import Experiment, NumberExperiment, Observable
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import non_negative
from montecarlo.verification.experiments.schedules._layers import branch_fourth, scalings_of

# G3


def _layer(matrix: str, layer: int) -> Observable:
    return lambda sample: np.exp(2.0 * sample[f"log_weight_gradient_{matrix.lower()}"][:, layer - 1])


def _others(resnet: ResNet, layer: int) -> float:
    """Return the product over the other layers of E R_j²."""
    b, d, fourth = resnet.skip, resnet.width, branch_fourth(resnet)
    layers = b**4 + scalings_of(resnet) ** 2 * b**2 * (1.0 + 2.0 / d)
    layers = layers + scalings_of(resnet) ** 4 * fourth * (1.0 + 2.0 / d)
    return float(np.prod(np.delete(layers, layer - 1)))


def _weight_gradient(matrix: str, layer: int, law: str, **fields: Any) -> NumberExperiment:
    resnet = ResNet(weights=law, **fields)
    predicted = float(
        theory.schedule_weight_gradients(
            width=resnet.width, depth=resnet.depth, alpha=scalings_of(resnet), matrix=matrix,  # type: ignore[arg-type]
            hidden_width=resnet.inner_width, skip=resnet.skip,
        )[layer - 1]
    )  # fmt: skip
    # As for I5: a²‖p‖²‖g‖² for V, a²‖D Vᵀp‖²‖h‖² for W, of independent factors whose fourth moments are these
    # or, for laws of kurtosis below 3, lower.
    units = resnet.inner_width / resnet.width if matrix == "V" else 1.0
    a = float(scalings_of(resnet)[layer - 1])
    bound = a**4 * units**2 * branch_fourth(resnet) * _others(resnet, layer)
    fine = 0.01 if law == "gaussian" else 0.015  # dense networks take longer
    return NumberExperiment(
        theorem="G3", name=f"{matrix}_{layer} {law}, M = {resnet.inner_width}", predicted=predicted,
        quantity=f"E‖∂loss/∂{matrix}_{layer}‖²/(‖p_L‖²‖h_0‖²)", resolution=fine * predicted,
        relative_to=predicted, first_rows=10_000, resnet=resnet, observable=_layer(matrix, layer),
        request=Request(weight_gradients=True), sequence=non_negative(bound),
    )  # fmt: skip


_WIDE: dict[str, Any] = {
    "width": 8, "depth": 3, "alpha": 0.5, "hidden_width": 20, "skip": 0.9, "schedule": (1.0, 0.6, 0.4)
}  # fmt: skip
_NARROW: dict[str, Any] = {"width": 12, "depth": 2, "alpha": 0.4, "hidden_width": 8, "skip": -1.05}
_SIGNS: dict[str, Any] = {"width": 4, "depth": 2, "alpha": 0.4, "hidden_width": 7, "schedule": (0.5, 1.0)}


def _weight_gradients() -> list[NumberExperiment]:
    return [
        _weight_gradient("V", 1, "gaussian", **_WIDE),
        _weight_gradient("W", 1, "gaussian", **_WIDE),
        _weight_gradient("V", 3, "gaussian", **_WIDE),
        _weight_gradient("W", 2, "gaussian", **_NARROW),
        _weight_gradient("V", 1, "rademacher", **_SIGNS),
        _weight_gradient("W", 2, "rademacher", **_SIGNS),
    ]


def _weight_gradient_mutants() -> list[Mutant]:
    v, w, last, narrow, *_ = _weight_gradients()
    f = v.resnet.skip**2 + scalings_of(v.resnet) ** 2 / 2.0

    def claiming(experiment: NumberExperiment, predicted: float) -> NumberExperiment:
        bound = 6.0 * max(predicted, experiment.predicted) ** 2  # the rows' relative variances are below 5
        return replace(experiment, predicted=predicted, sequence=non_negative(bound))

    def changed(experiment: NumberExperiment, **fields: Any) -> NumberExperiment:
        wrong = replace(experiment.resnet, **fields)
        return replace(claiming(experiment, experiment.predicted), resnet=wrong)

    return [
        Mutant("V as W: no factor M/d", "theory", claiming(v, w.predicted)),
        Mutant("W as V: a factor M/d", "theory", claiming(w, v.predicted)),
        Mutant("flat over layers", "theory", claiming(last, v.predicted)),
        Mutant("the layer's own factor, too", "theory", claiming(v, v.predicted * float(f[0]))),
        Mutant("no factor b", "theory", claiming(narrow, narrow.predicted / narrow.resnet.skip**2)),
        Mutant("constant 3 % too large", "theory", claiming(v, 1.03 * v.predicted)),
        Mutant("a unit less", "simulator", changed(v, hidden_width=19)),
        Mutant("scaling of the simulator 2 % too large", "simulator", changed(w, alpha=0.51)),
    ]  # fmt: skip


# G4


def _gate_of(layer: int) -> Observable:
    return lambda sample: np.exp(2.0 * sample["log_gate_gradient"][:, layer - 1])


def _gate(layer: int, name: str, **fields: Any) -> NumberExperiment:
    resnet = ResNet(**fields)
    d = resnet.width
    predicted = float(
        theory.gate_gradient_second_moment(
            width=d, depth=resnet.depth, alpha=scalings_of(resnet), skip=resnet.skip
        )[layer - 1]
    )
    # Given the rest p · V g is normal of variance ‖p‖²‖g‖²/M, or of lower kurtosis.
    bound = 3.0 * branch_fourth(resnet) / d**2 * _others(resnet, layer)
    fine = 0.01 if resnet.weights == "gaussian" else 0.02  # dense networks take longer
    return NumberExperiment(
        theorem="G4", name=f"gate {layer}, {name}", quantity=f"E(∂loss/∂a_{layer})²/(‖p_L‖²‖h_0‖²)",
        predicted=predicted, resolution=fine * predicted, relative_to=predicted, first_rows=20_000,
        resnet=resnet, observable=_gate_of(layer), request=Request(gate_gradients=True),
        sequence=non_negative(bound),
    )  # fmt: skip


def _gates() -> list[NumberExperiment]:
    return [
        _gate(2, "M = 20", **_WIDE),
        _gate(1, "M = 20, a_1 = 0", **(_WIDE | {"schedule": (0.0, 1.0, 0.5)})),
        _gate(1, "M = 7, Rademacher", **_SIGNS),
    ]


def _gate_mutants() -> list[Mutant]:
    last, still, _ = _gates()
    resnet = last.resnet
    f = resnet.skip**2 + float(scalings_of(resnet)[1]) ** 2 / 2.0

    def claiming(experiment: NumberExperiment, factor: float) -> NumberExperiment:
        predicted = factor * experiment.predicted
        bound = 12.0 * max(predicted, experiment.predicted) ** 2  # the rows' relative variances are below 11
        return replace(experiment, predicted=predicted, sequence=non_negative(bound))

    return [
        Mutant("the layer's own factor, too", "theory", claiming(last, f)),
        Mutant("M in place of d", "theory", claiming(last, 8 / 20)),
        Mutant("0 at a = 0", "theory", replace(still, predicted=0.0)),
        Mutant("3 % too large", "theory", claiming(still, 1.03)),
        Mutant("b of the simulator 5 % too large", "simulator",
               replace(claiming(last, 1.0), resnet=replace(resnet, skip=1.05 * resnet.skip))),
        Mutant("the other gate's gradient", "simulator",
               replace(claiming(still, 1.0), observable=_gate_of(2))),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [*_weight_gradients(), *_gates()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_weight_gradient_mutants(), *_gate_mutants()]
