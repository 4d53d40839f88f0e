"""G5: Euler's identity, network by network, from the directions in which hidden states and gradients end.

A row says whether a network misses the identity by more than rounding: the probability of that is 0. A wrong
identity fails in nearly every network, so that few of the slow ones decide.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import Request, ResNet, final_states, simulate, weights
from montecarlo.verification._experiment import Array, Experiment, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source
from montecarlo.verification.experiments._rows import probability

_ROUNDING = 1e-3
"""Of float32, far below any wrong identity; relative to ‖p‖‖h‖ on the larger side."""


def _missed(ours: Array, theirs: Array) -> Array:
    return (np.abs(ours - theirs) > _ROUNDING * np.maximum(1.0, np.abs(theirs))).astype(np.float64)


# one unit of width: |p_0||h_0| = |p_L||h_L|, from the columns alone


def _one_dimension(name: str, factor: float = 0.0, **fields: Any) -> NumberExperiment:
    """Return the experiment that log(|p_0|/|p_L|) − log(|h_L|/|h_0|) is L times a number."""
    resnet = ResNet(width=1, **fields)

    def row(sample) -> Array:
        ours, theirs = sample["log_gradient_ratio"], sample["log_hidden_ratio"]
        return _missed(ours, theirs + resnet.depth * factor)

    return NumberExperiment(
        theorem="G5", name=name, quantity="P(|p_0 h_0| is not |p_L h_L|)", predicted=0.0, resolution=0.01,
        first_rows=2000, resnet=resnet, observable=row, request=Request(), sequence=probability,
        claim="at most",
    )  # fmt: skip


# wider ones: each network's arrays, read back


def _inner_products(resnet: ResNet, partner: str, seed: int, first: int, count: int, threads: int | None):
    """Return p_0 · h_0 and p_L · h_L (or p_L · h_0), over ‖p_L‖ ‖h_0‖."""
    sample = simulate(resnet, replicas=count, seed=seed, first_replica=first, engine="dense", threads=threads)
    ours, theirs = np.empty(count), np.empty(count)
    for j in range(count):
        own = weights(resnet, replica=first + j, seed=seed)
        ends = final_states(resnet, replica=first + j, seed=seed)
        h, p = own.A @ own.x, own.readout
        h, p = h / np.linalg.norm(h), p / np.linalg.norm(p)
        ours[j] = ends.gradient @ h * np.exp(sample["log_gradient_ratio"][j])
        theirs[j] = p @ h
        if partner == "p_{k+1}·h_{k+1}":
            theirs[j] = p @ ends.hidden * np.exp(sample["log_hidden_ratio"][j])
    return ours, theirs


def _pathwise(name: str, kind: Any, **fields: Any) -> NumberOfRows:
    resnet = ResNet(**fields)
    partner, ratio = theory.euler_overlap(homogeneous=kind, skip=resnet.skip)
    return NumberOfRows(
        theorem="G5", name=name, quantity="P(p_0 · h_0 is not what the identity says)", predicted=0.0,
        resolution=0.1, first_rows=250, resnet=resnet, source=_pathwise_rows(resnet, partner, ratio),
        sequence=probability, claim="at most", engine="dense",
    )  # fmt: skip


def _pathwise_rows(resnet: ResNet, partner: str, ratio: float) -> Source:
    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        ours, theirs = _inner_products(resnet, partner, seed, first, count, threads)
        return _missed(ours, ratio * theirs)

    return rows


_LAYER: dict[str, Any] = {"width": 3, "depth": 2, "alpha": 0.8, "hidden_width": 4, "input_dim": 3}
_BEHIND_NORM: dict[str, Any] = _LAYER | {"norm": "pre-rms", "depth": 1, "skip": 0.7}
_ONE: dict[str, Any] = {"depth": 5, "alpha": 0.5, "hidden_width": 12}


def _all() -> list[Any]:
    return [
        _one_dimension("d = 1", skip=0.8, schedule="power:0.5", **_ONE),
        _one_dimension("d = 1, uniform weights", weights="uniform", **_ONE),
        _pathwise("d = 3, b = −0.7, Rademacher", "layer", skip=-0.7, weights="rademacher", **_LAYER),
        _pathwise("d = 3, behind a norm", "branch-0", **_BEHIND_NORM),
    ]  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return _all()


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    one, _, layer, norm = _all()
    b = float(np.log(0.8))
    biased = ResNet(width=3, depth=2, alpha=0.8, block="res-2", bias_std=0.3, input_dim=3)
    product = theory.euler_overlap(homogeneous="layer")
    return [
        Mutant("the factors b once more", "theory",
               replace(_one_dimension("d = 1", b, skip=0.8, schedule="power:0.5", **_ONE), name=one.name)),
        Mutant("the product with h_0 where the layer is homogeneous", "theory",
               replace(layer, source=_pathwise_rows(layer.resnet, "p_{k+1}·h_k", layer.resnet.skip**2))),
        Mutant("the layer homogeneous of degree one behind a norm", "theory",
               replace(norm, source=_pathwise_rows(norm.resnet, *product))),
        Mutant("no factor b behind a norm", "theory",
               replace(norm, source=_pathwise_rows(norm.resnet, "p_{k+1}·h_k", 1.0))),
        Mutant("biases", "simulator",
               replace(layer, resnet=biased, source=_pathwise_rows(biased, *product))),
    ]  # fmt: skip
