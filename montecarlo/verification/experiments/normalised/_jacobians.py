"""J0: gradients of an engine's networks beside tangents of explicit ones."""

from __future__ import annotations

from dataclasses import replace

from montecarlo import Request, ResNet
from montecarlo.verification._experiment import Array, Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import column
from montecarlo.verification.experiments.normalised._explicit import (
    Columns,
    ExplicitNetworks,
    GradientsAndTangents,
)

_SIZE = {"width": 3, "depth": 3, "alpha": 0.6, "input_dim": 1}


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        _pair("plain res-1, tanh", "ratio", ResNet(**_SIZE, block="res-1", activation="tanh")),
        _pair("pre-LayerNorm", "difference", _layer_norm()),
        _pair("pre-RMSNorm", "ratio", _rms_norm()),
    ]


def _layer_norm() -> ResNet:
    return ResNet(**_SIZE, norm="pre-layer", hidden_width=4)


def _rms_norm() -> ResNet:
    return ResNet(**_SIZE, norm="pre-rms", block="res-2", activation="tanh", hidden_width=4)


def _pair(name: str, which: str, resnet: ResNet) -> GradientsAndTangents:
    source = "log_tangent" if which == "ratio" else "log_tangent_difference"

    def read(columns: Columns) -> Array:
        return columns[source]

    what = "‖p_0‖/‖p_L‖ and ‖Jv‖" if which == "ratio" else "‖p_0 − p_L‖/‖p_L‖ and ‖Jv − v‖"
    return GradientsAndTangents(
        theorem="J0", name=name, quantity=f"distance between the laws of {what}", resolution=0.03,
        first_rows=20_000, resnet=resnet, other=resnet, observable=column(f"log_gradient_{which}"),
        other_observable=column(f"log_gradient_{which}"), engine="dense", request=Request(),
        networks=ExplicitNetworks(), read=read,
    )  # fmt: skip


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    plain, layer, rms = (
        _pair("plain res-1, tanh", "ratio", ResNet(**_SIZE, block="res-1", activation="tanh")),
        _pair("pre-LayerNorm", "difference", _layer_norm()),
        _pair("pre-RMSNorm", "ratio", _rms_norm()),
    )

    def tangents(experiment: GradientsAndTangents, **fields: object) -> GradientsAndTangents:
        return replace(experiment, networks=ExplicitNetworks(**fields))  # type: ignore[arg-type]

    return [
        Mutant("v = (1, ..., 1)/√d", "theory", tangents(layer, tangent="constant")),
        Mutant("v in the direction of h_0", "theory", tangents(rms, tangent="input")),
        Mutant("‖Jv‖² for ‖Jv‖", "theory", replace(plain, read=lambda columns: 2.0 * columns["log_tangent"])),
        Mutant("tangents do not see the norm", "simulator", tangents(rms, slope_of_norm=False)),
        Mutant("gradients of one layer more", "simulator",
               replace(plain, resnet=replace(plain.resnet, depth=4))),
        Mutant("V not centred", "simulator", tangents(plain, mean=0.5)),
    ]  # fmt: skip
