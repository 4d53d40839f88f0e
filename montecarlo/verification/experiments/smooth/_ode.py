"""O2 to O4: smooth weights. O1 is an order of convergence, in `_orders`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import stats

import theory
from montecarlo import Request, ResNet, Sample
from montecarlo.engines._replay import matrices
from montecarlo.verification._experiment import Cdf, Experiment, LawExperiment, NumberExperiment, network_rows
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source, median
from montecarlo.verification.experiments._rows import bounded, probability

Array = npt.NDArray[np.float64]
_HIDDEN = Request(gradients=False)
_VARIANCE = 0.1
_SMOOTH = f"rbf:{_VARIANCE:g}"
_CUT = {"res-1": 4.0, "res-3": 12.0}
"""What relative squares are cut at; of their mean less than 1e-4 lies beyond, by the first-order law.

Given W the first order is a Gaussian vector, its square a mean square times χ²_d/d. For res-1 the mean square
is fixed and 4 is eight deviations of χ²_16/16 above 1; for res-3 it is an average of ReLU(W_j h)·ReLU(W_k h)
over pairs of layers, at most the largest of ‖ReLU(W_k h)‖² by Cauchy and Schwarz.
"""


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [_constant("res-1"), _constant("res-3"), *_bounds(), _explosion(), _volume()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    linear, growth, volume = _constant("res-1"), _explosion(), _volume()
    unit, matrices = _bounds()
    below = 1.1
    quiet = replace(growth.resnet, beta=below)
    double = replace(linear.resnet, beta=None, alpha=1.02 * linear.resnet.scaling)
    deviation = theory.ode_log_volume_deviation(depth=volume.resnet.depth, beta=1.0, covariance_v=_covariance)
    return [
        Mutant("constant 5 % too large", "theory", replace(linear, predicted=1.05)),
        Mutant("constant 1, without the integral", "theory", replace(linear, predicted=1.0 / _integral())),
        Mutant("exponent 1.9 − 2β", "theory", replace(linear, predicted=float(linear.resnet.depth) ** -0.1)),
        Mutant("weights 2 % too large", "simulator", replace(linear, resnet=double)),
        Mutant(
            "a twentieth of the norms", "theory",
            replace(unit, source=_excess_source(_STABLE, norm=lambda v: 0.05 * _operator_norm(v))),
        ),
        Mutant("bound of one layer less", "theory", replace(unit, source=_excess_source(_STABLE, skip=1))),
        Mutant(
            "weights of another network", "simulator",
            replace(unit, source=_excess_source(_STABLE, lag=1)),
        ),
        Mutant(
            "quadratic mean of singular values for the largest", "theory",
            replace(matrices, source=_excess_source(_STABLE_MATRICES, norm=_quadratic_mean)),
        ),
        Mutant(
            "norms of V alone", "theory",
            replace(matrices, source=_excess_source(_STABLE_MATRICES, inner=False)),
        ),
        Mutant(
            "weights of another network", "simulator",
            replace(matrices, source=_excess_source(_STABLE_MATRICES, lag=1)),
        ),
        Mutant("no explosion", "theory", replace(growth, claim="at most")),
        Mutant("growth of L^0.8 at least", "theory", replace(growth, predicted=0.8)),
        Mutant("scaling L^-1.1", "simulator", replace(growth, resnet=quiet, source=_growth_source(below))),
        Mutant("deviation 15 % too large", "theory", replace(volume, cdf=_normal_cdf(1.15 * deviation))),
        Mutant("deviation of constant weights", "theory", replace(volume, cdf=_normal_cdf(1.0))),
        Mutant(
            "scaling 15 % too large", "simulator",
            replace(volume, resnet=replace(volume.resnet, beta=None, alpha=1.15 * volume.resnet.scaling)),
        ),
    ]  # fmt: skip


_covariance = partial(theory.rbf_covariance, variance=_VARIANCE)


def _integral() -> float:
    return theory.ode_identity_constant(_covariance)


def _constant(block: str) -> NumberExperiment:
    linear = block == "res-1"
    # β = 1.6 and L = 64 keep what the Riemann sum and the second order add below a percent.
    resnet = ResNet(
        width=16,
        depth=64,
        beta=1.6,
        block=block,
        activation="identity" if linear else "relu",
        weights=_SMOOTH,
    )
    constant = theory.ode_identity_constant(_covariance, None if linear else _covariance)
    mean_square = constant * resnet.depth ** (2.0 - 2.0 * 1.6)

    def relative(sample: Sample) -> Array:
        return np.minimum(np.exp(2.0 * sample["log_hidden_difference"]) / mean_square, _CUT[block])

    return NumberExperiment(
        theorem="O2", name="linear res-1" if linear else block,
        quantity="L^(2β−2) E ‖h_L − h_0‖²/‖h_0‖² over the constant", predicted=1.0, resolution=0.03,
        resnet=resnet, observable=relative, request=_HIDDEN, sequence=bounded(0.0, _CUT[block]),
        first_rows=4000,
    )  # fmt: skip


def _bounds() -> list[NumberOfRows]:
    return [_stable(_STABLE, "one unit", 1e-3), _stable(_STABLE_MATRICES, "matrices", 2e-3)]


_STABLE = ResNet(width=1, depth=4, beta=1.0, block="res-1", activation="tanh", weights=_SMOOTH)
_STABLE_MATRICES = ResNet(width=2, depth=2, beta=1.0, weights=_SMOOTH)
_Norm = Callable[[Array], Array]
"""Matrices (networks, layers, d, d) to numbers (networks, layers)."""


def _stable(resnet: ResNet, name: str, resolution: float) -> NumberOfRows:
    return NumberOfRows(
        theorem="O3", name=name, predicted=0.0, claim="at most", resolution=resolution, resnet=resnet,
        quantity="probability that ‖h_L − h_0‖/‖h_0‖ or ‖p_0 − p_L‖/‖p_L‖ exceeds the bound",
        source=_excess_source(resnet), sequence=probability, first_rows=2000,
    )  # fmt: skip


def _operator_norm(matrices: Array) -> Array:
    return np.linalg.norm(matrices, ord=2, axis=(-2, -1))


def _quadratic_mean(matrices: Array) -> Array:
    """Return the quadratic mean of singular values."""
    return np.linalg.norm(matrices, axis=(-2, -1)) / np.sqrt(matrices.shape[-1])


def _excess_source(
    resnet: ResNet, *, norm: _Norm = _operator_norm, inner: bool = True, skip: int = 0, lag: int = 0
) -> Source:
    """Return whether networks exceed the bound from the norms of their weights.

    The bound is computed from the arrays of network ``i + lag`` but for the first `skip` layers, and without
    those of W unless `inner`.
    """

    def largest(sample: Sample) -> Array:
        return np.maximum(sample["log_hidden_difference"], sample["log_gradient_difference"])

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        differences = network_rows(resnet, largest, seed=seed, first=first, count=count, threads=threads)
        arrays = [matrices(resnet, replica=i + lag, seed=seed) for i in range(first, first + count)]
        norms_v = norm(np.array([v for v, _ in arrays])[:, skip:])
        norms_w = norm(np.array([w for _, w in arrays])[:, skip:]) if inner and resnet.has_w else 1.0
        bounds = theory.log_gronwall_bound(alpha=resnet.scaling, norms_v=norms_v, norms_w=norms_w)
        return np.asarray(differences > bounds + 1e-5, np.float64)  # float32 networks

    return rows


_GROWTH_DEPTHS = (16, 128)


def _explosion() -> NumberOfRows:
    """Return the experiment of O4's growth, a median slope that is at least 0.

    Width 8 stands for weights that do not contract: smooth Gaussian ones have directions that expand.
    """
    beta = 0.7
    return NumberOfRows(
        theorem="O4", name="growth", claim="at least", predicted=0.0, resolution=0.05,
        quantity="median slope of log(‖h_L − h_0‖/‖h_0‖) against log L",
        resnet=_growth_network(_GROWTH_DEPTHS[-1], beta), source=_growth_source(beta), sequence=median,
        first_rows=500,
    )  # fmt: skip


def _growth_network(depth: int, beta: float) -> ResNet:
    return ResNet(width=8, depth=depth, beta=beta, weights=_SMOOTH)


def _growth_source(beta: float) -> Source:
    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        ends = [
            network_rows(
                _growth_network(depth, beta), lambda sample: sample["log_hidden_difference"], seed=seed,
                first=first, count=count, threads=threads, request=_HIDDEN,
            )
            for depth in _GROWTH_DEPTHS
        ]  # fmt: skip
        return (ends[1] - ends[0]) / np.log(_GROWTH_DEPTHS[1] / _GROWTH_DEPTHS[0])

    return rows


def _normal_cdf(deviation: npt.ArrayLike) -> Cdf:
    return stats.norm(0.0, float(np.asarray(deviation))).cdf


def _volume() -> LawExperiment:
    # log|h_L/h_0| has the mean −1/(2L) beside a deviation of 0.7, and L must not cost more.
    resnet = ResNet(width=1, depth=64, beta=1.0, block="res-1", activation="identity", weights=_SMOOTH)
    deviation = theory.ode_log_volume_deviation(depth=64, beta=1.0, covariance_v=_covariance)
    distance = 0.006  # of 90,000 networks: 0.0050(29)
    return LawExperiment(
        theorem="O4b", name="width 1", quantity="law of log|h_L/h_0|", resolution=0.03 - distance,
        distance=distance,
        cdf=_normal_cdf(deviation), resnet=resnet, observable=lambda sample: sample["log_hidden_ratio"],
        request=_HIDDEN, first_rows=10_000,
    )  # fmt: skip
