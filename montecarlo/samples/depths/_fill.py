"""Rows of coupled depths from sampled paths, one replica after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.engines._outputs import constants_of
from montecarlo.kernels._state import input_of
from montecarlo.networks._specification import ResNet
from montecarlo.processes import WeightProcess, sample_paths
from montecarlo.samples.depths._coupling import Coupling
from montecarlo.samples.depths._paths import Float32, Float64, compare_states, run_network
from montecarlo.streams import normals
from montecarlo.streams._address import Address
from montecarlo.streams._keys import ROLE_IMAGE_START

Array = npt.NDArray[np.float64]


def half_log(square: float, reference: float) -> float:
    """Return the natural log of a ratio of norms from their squares; -inf for an exact zero."""
    if square == 0.0:
        return -math.inf
    return 0.5 * math.log(square / reference) if square / reference > 0.0 else math.nan


def draw_start(resnet: ResNet, key: tuple[int, int], replica: int) -> Float64:
    """Return h_0 = A x with Gaussian A of a replica: the numbers that the kernel of images takes."""
    low, high = replica & 0xFFFFFFFF, replica >> 32
    x = input_of(Address.of(key, replica), resnet.input_dim)
    scale = resnet.input_scale * math.sqrt(math.fsum(float(v) ** 2 for v in x) / x.size)
    entries = normals(key, -(-resnet.width // 4), high=(ROLE_IMAGE_START << 28, low, high)).ravel()
    return scale * entries[: resnet.width].astype(np.float64)


@dataclass(frozen=True)
class PathFiller:
    """Fills rows of `CoupledSample` for networks on sampled paths."""

    resnet: ResNet
    depths: tuple[int, ...]
    sources: Sequence[tuple[WeightProcess, Coupling, int]]
    value: Any

    def fill(
        self, key: tuple[int, int], first_replica: int, strong: Array, end: Array, ratio: Array, cosine: Array
    ) -> None:
        """Fill the rows of consecutive replicas."""
        for row in range(len(ratio)):
            states = self.all_states(key, first_replica + row)
            self.observe(states, strong[row], end[row], ratio[row], cosine[row])

    def all_states(self, key: tuple[int, int], replica: int) -> list[Float64]:
        """Return the states of all depths; the paths are gone before the next replica's are drawn."""
        paths = self.paths(key, replica)
        start = draw_start(self.resnet, key, replica)
        return [self.states(paths, start, position) for position in range(len(self.depths))]

    def paths(self, key: tuple[int, int], replica: int) -> list[Float32]:
        """Return the paths of the deepest network, for V and, where the block has one, W."""
        entries = self.resnet.width * self.resnet.inner_width
        return [
            sample_paths(process, self.resnet.depth, entries, key, role, replica)
            for process, _, role in self.sources
        ]

    def states(self, paths: list[Float32], start: Float64, position: int) -> Float64:
        """Return h_0 ... h_L of one depth, shape (L + 1, d)."""
        depth = self.depths[position]
        own = [
            coupling.at_depth(path, depth, position)
            for path, (_, coupling, _) in zip(paths, self.sources, strict=True)
        ]
        inner = own[1] if len(own) > 1 else np.empty((0, own[0].shape[1]), np.float32)
        states = np.empty((depth + 1, len(start)))
        states[0] = start
        alpha = float(depth) ** -float(self.resnet.beta or 0.0)
        run_network(self.value, constants_of(self.resnet), alpha, own[0], inner, states)
        return states

    def observe(self, states: list[Float64], strong: Array, end: Array, ratio: Array, cosine: Array) -> None:
        """Fill one row from the states of all depths."""
        start = states[0][0]
        reference = _dot(start, start)
        for v, shallow in enumerate(states):
            last = shallow[-1]
            square = _dot(last, last)
            ratio[v] = half_log(square, reference)
            both = math.sqrt(square) * math.sqrt(reference)
            cosine[v] = min(max(_dot(last, start) / both, -1.0), 1.0) if both > 0.0 else math.nan
            if v + 1 < len(states):
                largest, final = compare_states(shallow, states[v + 1])
                strong[v] = half_log(largest, reference)
                end[v] = half_log(final, reference)


def _dot(first: Float64, second: Float64) -> float:
    # In a fixed order: numpy's depends on the processor.
    return math.fsum((first * second).tolist())
