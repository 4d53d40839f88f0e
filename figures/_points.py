"""What a figure samples: points, each a specification and how many networks of it, and their samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from montecarlo import (
    CoupledSample,
    JacobianSample,
    JointSample,
    Request,
    ResNet,
    Sample,
    SharedSample,
    coupled_to_file,
    jacobians_to_file,
    joint_to_file,
    sample_to_file,
    shared_to_file,
)
from montecarlo.samples.depths._run import CoupledRun
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.samples.inputs._run import JointRun
from montecarlo.samples.jacobians._run import JacobianRun
from montecarlo.samples.shared._run import SharedRun


def ignore(networks: int) -> None:
    """Report to nobody."""
    del networks


@dataclass(frozen=True)
class Report:
    """Who is told of networks as they are sampled, and of those that saved samples hold already."""

    sampled: Callable[[int], None] = ignore
    reused: Callable[[int], None] = ignore


class SamplePoint(Protocol):
    """What a figure simulates at one specification.

    Three attributes are optional. For the report: `varied`, the fields of the specification that take several
    values with them, and `engine`, how it is sampled, where the sample does not know. For `prepared_ahead`:
    `run`, what its rows are of.
    """

    @property
    def resnet(self) -> ResNet:
        """The specification."""
        ...

    @property
    def stem(self) -> str:
        """Start of the name of its samples' file: equal for points that can share their rows."""
        ...

    @property
    def networks(self) -> int:
        """How many networks it has."""
        ...

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> Any:
        """Return the sample, from a file as far as that has it."""
        ...


@dataclass(frozen=True)
class Point:
    """One specification that a figure needs, and how many networks of it.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replicas : int
        Networks.
    engine : str, default "auto"
        As in `montecarlo.simulate`.
    request : Request, optional
        What to observe; the four ratios by default.
    """

    resnet: ResNet
    replicas: int
    engine: str = "auto"
    request: Request = field(default_factory=Request)

    @property
    def stem(self) -> str:
        """Start of the name of its samples' file: equal for points that can share their rows."""
        tags = [self.engine] if self.engine != "auto" else []
        if self.request != Request():
            flags = ("gradients", "dual", "trajectories", "weight_gradients")
            tags.append("".join(str(int(getattr(self.request, flag))) for flag in flags))
        tags += ["kernel"] if self.request.tangent_kernel else []
        tags += ["gates"] if self.request.gate_gradients else []
        return "-".join([self.resnet.digest[:16], *tags])

    @property
    def networks(self) -> int:
        """Networks."""
        return self.replicas

    @property
    def run(self) -> NetworkRun:
        """What its rows are of, whatever the seed."""
        return NetworkRun.find(self.resnet, 0, engine=self.engine, request=self.request)

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> Sample:
        """Return the sample, its rows from a file as far as that has them."""
        return sample_to_file(
            self.resnet, path, replicas=self.replicas, seed=seed, engine=self.engine, threads=threads,
            request=self.request, progress=report.sampled, overwrite=True,
            on_found=lambda networks: report.reused(min(networks, self.networks)),
        )  # fmt: skip


@dataclass(frozen=True)
class JacobianPoint:
    """Jacobians of one specification.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replicas : int
        Networks.
    """

    resnet: ResNet
    replicas: int

    @property
    def stem(self) -> str:
        """Start of the name of its samples' file."""
        return f"{self.resnet.digest[:16]}-jacobian-{self.replicas}"

    @property
    def networks(self) -> int:
        """Networks."""
        return self.replicas

    @property
    def run(self) -> JacobianRun:
        """What its rows are of, whatever the seed."""
        return JacobianRun.find(self.resnet, 0, engine="auto", singular_values=True)

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> JacobianSample:
        """Return the sample, its rows from a file as far as that has them."""
        return jacobians_to_file(
            self.resnet, path, replicas=self.replicas, seed=seed, threads=threads, overwrite=True,
            progress=report.sampled,
            on_found=lambda networks: report.reused(min(networks, self.networks)),
        )  # fmt: skip


@dataclass(frozen=True)
class SharedPoint:
    """Sets of correlated weights, each with many scalings and inputs.

    Parameters
    ----------
    resnet : ResNet
        The specification; its scaling is not used.
    replicas : int
        Sets of weights.
    betas : tuple of float
        Scaling exponents.
    inputs : int
        Inputs of a set of weights.
    """

    resnet: ResNet
    replicas: int
    betas: tuple[float, ...]
    inputs: int

    @property
    def stem(self) -> str:
        """Start of the name of its samples' file."""
        return f"{self.resnet.digest[:16]}-shared-{self.replicas}-{len(self.betas)}-{self.inputs}"

    @property
    def varied(self) -> dict[str, Any]:
        """What its networks differ in."""
        return {"beta": list(self.betas)}

    @property
    def engine(self) -> str:
        """How they are sampled, in words."""
        return f"correlated, {self.inputs} inputs and all scalings on each of {self.replicas} sets of weights"

    @property
    def networks(self) -> int:
        """Networks."""
        return self.replicas * len(self.betas) * self.inputs

    @property
    def run(self) -> SharedRun:
        """What its rows are of, whatever the seed."""
        return SharedRun.find(self.resnet, 0, betas=self.betas, inputs=self.inputs, gradients=True)

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> SharedSample:
        """Return the sample, its rows from a file as far as that has them."""
        return shared_to_file(
            self.resnet, path, replicas=self.replicas, seed=seed, betas=self.betas, inputs=self.inputs,
            threads=threads, overwrite=True, progress=report.sampled,
            on_found=lambda networks: report.reused(min(networks, self.networks)),
        )  # fmt: skip


@dataclass(frozen=True)
class DepthsPoint:
    """Networks of several depths on common paths of weights.

    Parameters
    ----------
    resnet : ResNet
        The specification of the deepest network.
    depths : tuple of int
        The depths, each of which divides the next.
    replicas : int
        Paths.
    """

    resnet: ResNet
    depths: tuple[int, ...]
    replicas: int

    @property
    def stem(self) -> str:
        """Start of the name of its samples' file: equal for points that can share their rows."""
        return "-".join([self.resnet.digest[:16], "depths", *map(str, self.depths)])

    @property
    def varied(self) -> dict[str, Any]:
        """What its networks differ in."""
        return {"depth": list(self.depths)}

    @property
    def engine(self) -> str:
        """How they are sampled, in words."""
        return "coupled, all depths on one path of weights"

    @property
    def networks(self) -> int:
        """Networks."""
        return self.replicas * len(self.depths)

    @property
    def run(self) -> CoupledRun:
        """What its rows are of, whatever the seed."""
        return CoupledRun.find(self.resnet, 0, self.depths)

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> CoupledSample:
        """Return the sample, its rows from a file as far as that has them."""
        return coupled_to_file(
            self.resnet, self.depths, path, replicas=self.replicas, seed=seed, threads=threads,
            overwrite=True, progress=report.sampled,
            on_found=lambda networks: report.reused(min(networks, self.networks)),
        )  # fmt: skip


@dataclass(frozen=True)
class PairPoint:
    """Two inputs of one mean square through each network, at some of its layers.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    cosine : float
        Of the inputs.
    layers : tuple of int
        The layers that are recorded, increasing.
    replicas : int
        Networks.
    """

    resnet: ResNet
    cosine: float
    layers: tuple[int, ...]
    replicas: int

    @property
    def stem(self) -> str:
        """Start of the name of its samples' file: equal for points that can share their rows."""
        layers = f"{self.layers[0]}-{self.layers[-1]}-{len(self.layers)}"
        return f"{self.resnet.digest[:16]}-pair-{self.cosine:g}-{layers}"

    @property
    def engine(self) -> str:
        """How they are sampled, in words."""
        return "gaussian, two inputs of each network"

    @property
    def networks(self) -> int:
        """Networks."""
        return self.replicas

    @property
    def run(self) -> JointRun:
        """What its rows are of, whatever the seed."""
        return JointRun.find(self.resnet, 0, self._gram, None, self.layers, "gaussian")

    @property
    def _gram(self) -> npt.NDArray[np.float64]:
        return self.resnet.width * np.array([[1.0, self.cosine], [self.cosine, 1.0]])

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> JointSample:
        """Return the sample, its rows from a file as far as that has them."""
        return joint_to_file(
            self.resnet, self._gram, path, replicas=self.replicas, seed=seed, layers=self.layers,
            engine="gaussian", threads=threads, overwrite=True, progress=report.sampled,
            on_found=lambda networks: report.reused(min(networks, self.networks)),
        )  # fmt: skip


Samples = Mapping[ResNet, Any]
"""Samples by specification, as the points' `saved` returned them; a figure has one point a specification."""
