"""Networks with explicit matrices and tangents, by numpy: what samples do not hold, and wrong networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from montecarlo import ResNet
from montecarlo.verification._experiment import (
    Array,
    LawExperiment,
    NetworkExperiment,
    NumberExperiment,
    SameLawExperiment,
)
from montecarlo.verification.experiments._row_sources import no_observable

Law = Literal["gaussian", "rademacher"]
Columns = dict[str, Array]
_BLOCK = 1024  # networks drawn from one generator: rows do not depend on how they are cut


def _relu(z: Array) -> tuple[Array, Array]:
    return np.maximum(z, 0.0), (z > 0.0).astype(np.float64)


def _tanh(z: Array) -> tuple[Array, Array]:
    value = np.tanh(z)
    return value, 1.0 - value * value


_ACTIVATIONS: dict[str, Callable[[Array], tuple[Array, Array]]] = {"relu": _relu, "tanh": _tanh}


@dataclass(frozen=True, kw_only=True)
class ExplicitNetworks:
    """Networks of a specification with ReLU or tanh, and a norm before the branch, around it or none.

    Parameters
    ----------
    law_v, law_w : {"gaussian", "rademacher"}
        Laws of V and W, which specifications have in common.
    mean : float, default 0
        Mean of the entries of √M V: not zero is a fault.
    input_scale : tuple of float, optional
        Factors between the norm and W, one a layer.
    tangent : {"isotropic", "constant", "input"}
        v: uniform on the sphere, (1, ..., 1)/√d, or the direction of h_0.
    slope_of_norm : bool, default True
        Whether tangents see the derivative of the norm; not to see it is a fault.
    """

    law_v: Law = "gaussian"
    law_w: Law = "gaussian"
    mean: float = 0.0
    input_scale: tuple[float, ...] = ()
    tangent: Literal["isotropic", "constant", "input"] = "isotropic"
    slope_of_norm: bool = True

    def columns(self, resnet: ResNet, *, seed: int, first: int, count: int) -> Columns:
        """Return squares of norms and logs of tangents' lengths; row i is a function of (seed, i)."""
        blocks = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        parts = [self._block(resnet, np.random.default_rng([seed, block])) for block in blocks]
        cut = slice(first - blocks[0] * _BLOCK, first - blocks[0] * _BLOCK + count)
        return {name: np.concatenate([part[name] for part in parts])[cut] for name in parts[0]}

    def _block(self, resnet: ResNet, rng: np.random.Generator) -> Columns:
        d, M, n, count = resnet.width, resnet.inner_width, resnet.input_dim, _BLOCK
        factors = np.ones(resnet.depth) if resnet.factors is None else resnet.factors
        scales = self.input_scale or (1.0,) * resnet.depth
        x = rng.uniform(0.0, resnet.input_scale, (count, n))
        h = start = np.linalg.norm(x, axis=1, keepdims=True) / math.sqrt(n) * rng.standard_normal((count, d))
        v = t = self._tangent(rng, h)
        for k in range(resnet.depth):
            z, u = self._normalised(resnet.norm, h, t)
            w = _matrices(self.law_w, rng, (count, M, d)) * (scales[k] / math.sqrt(d))
            if not resnet.has_w:
                w = np.broadcast_to(np.eye(d), (count, d, d))
            value, slope = _ACTIVATIONS[str(resnet.activation)](np.einsum("nij,nj->ni", w, z))
            outer = (_matrices(self.law_v, rng, (count, d, M)) + self.mean) / math.sqrt(M)
            a = resnet.scaling * factors[k]
            t = t + a * np.einsum("nij,nj->ni", outer, slope * np.einsum("nij,nj->ni", w, u))
            h = h + a * np.einsum("nij,nj->ni", outer, value)
        step = h - start
        with np.errstate(divide="ignore"):
            return {
                "start": _square(start),
                "hidden": _square(h),
                "difference": _square(step),
                "centred": _square(step - step.mean(1, keepdims=True)),
                "log_tangent": 0.5 * np.log(_square(t)),
                "log_tangent_difference": 0.5 * np.log(_square(t - v)),
            }

    def _tangent(self, rng: np.random.Generator, h: Array) -> Array:
        v = rng.standard_normal(h.shape)
        if self.tangent == "constant":
            v = np.ones(h.shape)
        elif self.tangent == "input":
            v = h
        return v / np.linalg.norm(v, axis=1, keepdims=True)

    def _normalised(self, norm: str, h: Array, t: Array) -> tuple[Array, Array]:
        """Return n(h) and the image of t under its derivative."""
        if norm == "none":
            return h, t
        if norm == "pre-layer":
            h, t = h - h.mean(1, keepdims=True), t - t.mean(1, keepdims=True)
        length = np.linalg.norm(h, axis=1, keepdims=True)
        unit = h / length
        if self.slope_of_norm:
            t = t - unit * np.sum(unit * t, axis=1, keepdims=True)
        root = math.sqrt(h.shape[1])
        return root * unit, root / length * t


def _matrices(law: Law, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    if law == "gaussian":
        return rng.standard_normal(shape)
    return np.asarray(2.0 * rng.integers(0, 2, shape) - 1.0, np.float64)


def _square(x: Array) -> Array:
    return np.einsum("ni,ni->n", x, x)


@dataclass(frozen=True, kw_only=True)
class _Explicit(NetworkExperiment):
    """An experiment on explicit networks.

    Parameters
    ----------
    networks : ExplicitNetworks
        How they are drawn.
    read : callable
        Columns to rows.
    """

    networks: ExplicitNetworks
    read: Callable[[Columns], Array]
    observable: Callable[[Any], Array] = no_observable

    def rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows of the networks ``first ... first + count - 1``; threads are not used."""
        del threads
        return self.read(self.networks.columns(self.resnet, seed=seed, first=first, count=count))


@dataclass(frozen=True, kw_only=True)
class ExplicitNumber(_Explicit, NumberExperiment):
    """A `NumberExperiment` on explicit networks."""


@dataclass(frozen=True, kw_only=True)
class ExplicitLaw(_Explicit, LawExperiment):
    """A `LawExperiment` on explicit networks."""


@dataclass(frozen=True, kw_only=True)
class GradientsAndTangents(SameLawExperiment):
    """Gradients of an engine's networks beside tangents of explicit ones.

    Parameters
    ----------
    networks : ExplicitNetworks
        How the others are drawn.
    read : callable
        Their columns to rows.
    """

    networks: ExplicitNetworks
    read: Callable[[Columns], Array]

    def other_rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the tangents' rows; threads are not used."""
        del threads
        return self.read(self.networks.columns(self.other, seed=seed, first=first, count=count))
