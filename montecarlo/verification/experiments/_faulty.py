"""A plain simulator of res-3 and linear res-1 with faults on purpose: the row source of simulator mutants.

It knows hidden widths, factors of the stream and schedules, and no norms.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import numpy.typing as npt

from montecarlo.networks._specification import ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.verification._experiment import (
    Array,
    LawExperiment,
    NetworkExperiment,
    NumberExperiment,
    SameLawExperiment,
)

Law = Literal["gaussian", "rademacher"]
_CHUNK = 4096


@dataclass(frozen=True, kw_only=True)
class FaultySimulator:
    """Networks from (1, ..., 1) with that direction of p_L, by numpy's random numbers and matrix products.

    Parameters
    ----------
    law : {"gaussian", "rademacher"}
        Weight law.
    mean : float, default 0
        Mean of the entries of √d V: not zero is a fault.
    shared : bool, default False
        Whether V_k is W_k, the fault of one random stream for both.
    as_wide : bool, default False
        Whether V has the variance 1/d of square networks at every hidden width M, and not 1/M.
    follow : bool, default False
        Whether p_L has the direction of h_L, the fault of a read-out that depends on the hidden layers.
    gradients : bool, default False
        Whether to fill the gradient columns, with hidden ones of the same networks.
    """

    law: Law = "gaussian"
    mean: float = 0.0
    shared: bool = False
    as_wide: bool = False
    follow: bool = False
    gradients: bool = False

    def sample(self, resnet: ResNet, *, seed: int, first: int, count: int) -> Sample:
        """Return so many networks; a function of all arguments."""
        rng = np.random.default_rng([seed, first])
        sizes = [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]
        rows = np.concatenate([self._chunk(resnet, rng, size) for size in sizes])
        names = ("log_hidden_ratio", "log_hidden_difference", "log_gradient_ratio", "log_gradient_difference")
        columns = {name: rows[:, j] for j, name in enumerate(names[: rows.shape[1]])}
        return Sample(resnet, seed, "faulty", first, columns)

    def _chunk(self, resnet: ResNet, rng: np.random.Generator, count: int) -> Array:
        d, M, b = resnet.width, resnet.inner_width, resnet.skip
        start = h = np.ones((count, d))
        layers = []
        for a in resnet.scaling * (np.ones(resnet.depth) if resnet.factors is None else resnet.factors):
            w = self._matrices((count, M, d), rng) / np.sqrt(d)
            v = w if self.shared else self._matrices((count, d, M), rng) / np.sqrt(d if self.as_wide else M)
            v = v + self.mean / np.sqrt(M)
            if not resnet.has_w:
                w = np.broadcast_to(np.eye(d), w.shape)
            z = np.einsum("nij,nj->ni", w, h)
            active = (z > 0.0) | (resnet.activation == "identity")
            h = b * h + a * np.einsum("nij,nj->ni", v, active * z)
            layers.append((a, v, w, active))
        states = [(h, start), (h - start, start)]
        if self.gradients:
            end = p = h if self.follow else start
            for a, v, w, active in reversed(layers):
                p = b * p + a * np.einsum("nji,nj->ni", w, active * np.einsum("nji,nj->ni", v, p))
            states += [(p, end), (p - end, end)]
        with np.errstate(divide="ignore"):
            logs = [[np.log(np.linalg.norm(x, axis=1)) for x in pair] for pair in states]
        return np.stack([top - bottom for top, bottom in logs], 1)

    def _matrices(self, shape: tuple[int, int, int], rng: np.random.Generator) -> npt.NDArray[np.float64]:
        if self.law == "gaussian":
            return rng.standard_normal(shape)
        return np.asarray(2.0 * rng.integers(0, 2, shape) - 1.0, np.float64)


@dataclass(frozen=True, kw_only=True)
class _Faulty(NetworkExperiment):
    """Rows from the faulty simulator."""

    simulator: FaultySimulator

    def rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows of the networks ``first ... first + count - 1``; threads are not used."""
        del threads
        sample = self.simulator.sample(self.resnet, seed=seed, first=first, count=count)
        return np.asarray(self.observable(sample), np.float64)


@dataclass(frozen=True, kw_only=True)
class _FaultyNumber(_Faulty, NumberExperiment):
    pass


@dataclass(frozen=True, kw_only=True)
class _FaultyLaw(_Faulty, LawExperiment):
    pass


@dataclass(frozen=True, kw_only=True)
class _FaultySameLaw(_Faulty, SameLawExperiment):
    """Both laws from the faulty simulator."""

    def other_rows(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        """Return the rows of the other networks; threads are not used."""
        del threads
        sample = self.simulator.sample(self.other, seed=seed, first=first, count=count)
        return np.asarray(self.other_observable(sample), np.float64)


_CLASSES: dict[type[NetworkExperiment], type[NetworkExperiment]] = {
    NumberExperiment: _FaultyNumber,
    LawExperiment: _FaultyLaw,
    SameLawExperiment: _FaultySameLaw,
}


def with_faults(experiment: NetworkExperiment, simulator: FaultySimulator) -> NetworkExperiment:
    """Return the experiment with its rows drawn by the faulty simulator."""
    values = {field.name: getattr(experiment, field.name) for field in fields(experiment)}
    faulty = _CLASSES[type(experiment)]
    return faulty(**values, simulator=simulator)  # type: ignore[call-arg]
