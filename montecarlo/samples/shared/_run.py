"""`SharedRun`: rows of `montecarlo.SharedSample`, one set of correlated weights each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_flag, check_real, check_sequence, check_whole
from montecarlo.engines._outputs import nan_outputs
from montecarlo.engines._request import Request
from montecarlo.engines.correlated import _engine as correlated
from montecarlo.engines.correlated._start import draw_inputs, draw_readout
from montecarlo.kernels._product import TILE
from montecarlo.networks._dictionary import require_words
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Columns, ResNetRun

_TABLE_NUMBERS = 24_000  # of one table of states: a handful of them fit the second-level cache
_LARGEST_CHUNK = 240  # enough columns for the loads of a matrix to hide behind the products
_SECONDS_A_NUMBER = 1e-9  # of a network on given weights

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SharedRun(ResNetRun):
    """Sets of correlated weights, and many inputs and scalings on each.

    Parameters
    ----------
    resnet, seed
        As in `montecarlo.runs.ResNetRun`.
    betas : tuple of float, or None
        Scaling exponents; None for the specification's own scaling.
    inputs : int
        Inputs a set of weights.
    gradients : bool
        Whether to run backward, too.
    """

    betas: tuple[float, ...] | None
    inputs: int
    gradients: bool

    @classmethod
    def find(
        cls, resnet: ResNet, seed: int, *, betas: Sequence[float] | None, inputs: int, gradients: bool
    ) -> SharedRun:
        """Return the run, its arguments checked.

        Raises
        ------
        InvalidFieldError
            A ValueError whose one line names the field, the value, the rule and the fix.
        """
        require_words(resnet, correlated.WORDS, "simulate_shared")
        gradients = check_flag("gradients", gradients)
        exponents = None
        if betas is not None:
            fix = "give betas=[0.5], say"
            given = check_sequence("betas", betas, fix)
            exponents = tuple(check_real("betas", beta, 0.0, 30.0, 0.5) for beta in given)
            if not exponents:
                raise InvalidFieldError("betas", betas, "must be at least one exponent", fix)
        reason = correlated.refusal(resnet, Request(gradients=gradients))
        if reason is not None:
            raise InvalidFieldError("weights", resnet.weights, reason, "give weights='fbm:0.7', say")
        return cls(resnet, seed, exponents, check_whole("inputs", inputs, 1, 2**28 - 1, 10), gradients)

    @property
    def exponents(self) -> Array:
        """The scaling exponents; NaN for the scaling of a single layer."""
        if self.betas is not None:
            return np.array(self.betas)
        if self.resnet.beta is not None:
            return np.array([self.resnet.beta])
        depth = self.resnet.depth
        return np.array([-math.log(self.resnet.scaling) / math.log(depth) if depth > 1 else math.nan])

    @property
    def scalings(self) -> Array:
        """The scalings α."""
        if self.betas is None:
            return np.array([self.resnet.scaling])
        return float(self.resnet.depth) ** -np.array(self.betas)

    @property
    def kind(self) -> str:
        """Rows of `SharedSample`."""
        return "shared"

    @property
    def details(self) -> dict[str, Any]:
        """The exponents; inputs and gradients show in the columns."""
        return {"betas": None if self.betas is None else list(self.betas)}

    @property
    def cells(self) -> dict[str, tuple[int, ...]]:
        """A matrix of scalings and inputs in each column."""
        names = Request(gradients=self.gradients).columns(self.resnet)
        return dict.fromkeys(names, (len(self.scalings), self.inputs))

    @property
    def networks(self) -> int:
        """One for each scaling and input."""
        return len(self.scalings) * self.inputs

    @property
    def seconds(self) -> float:
        """The paths, and the networks on them."""
        matrices = self.resnet.depth * self.resnet.width**2 * (2 if self.resnet.has_w else 1)
        networks = _SECONDS_A_NUMBER * matrices * len(self.scalings) * self.inputs
        return correlated.seconds(self.resnet, Request(gradients=self.gradients)) + networks

    def prepare(self) -> None:
        """Compile and factorise."""
        correlated.prepare(self.resnet, Request(gradients=self.gradients))

    def sample(self, first: int, count: int) -> Columns:
        """Return the rows of consecutive sets of weights."""
        rows = {name: np.empty((count, *cell)) for name, cell in self.cells.items()}
        key = self.resnet.stream_key(self.seed)
        for row in range(count):
            # No name for the paths: the next ones are drawn when these are gone.
            ratios = self.run_networks(first + row, correlated.Paths.draw(self.resnet, key, first + row))
            for position, column in enumerate(rows.values()):
                column[row] = ratios[:, position].reshape(column[row].shape)
        return rows

    def run_networks(self, replica: int, paths: correlated.Paths) -> Array:
        """Return the log-ratios on one set of weights, shape (scalings * inputs, 4)."""
        resnet, key = self.resnet, self.resnet.stream_key(self.seed)
        starts = np.tile(draw_inputs(resnet, key, replica, self.inputs), (1, len(self.scalings)))
        scales = np.repeat(self.scalings, self.inputs)
        readout = draw_readout(resnet, key, replica)
        networks = len(scales)
        outputs = nan_outputs(resnet, Request(gradients=self.gradients), networks)
        size = chunk_of_columns(resnet.width, networks)
        for first in range(0, networks, size):
            last = min(first + size, networks)
            padded = -(-(last - first) // correlated.VECTOR) * correlated.VECTOR
            alphas = np.zeros(padded)
            alphas[: last - first] = scales[first:last]
            h, p = np.zeros((2, resnet.width, padded), np.float32)
            h[:, : last - first] = starts[:, first:last]
            p[:, : last - first] = readout[:, None]
            ends = p if self.gradients else p[:0]
            correlated.run(resnet, paths, alphas, h, ends, outputs.part(first, last))
        return outputs.rows


def chunk_of_columns(width: int, networks: int) -> int:
    """Return how many networks of one set of weights run at a time.

    Chunks are of nearly equal size, in whole tiles of the product, and a handful of their tables fits the
    second-level cache.
    """
    chunks = -(-networks // max(1, min(_LARGEST_CHUNK, _TABLE_NUMBERS // width)))
    size = -(-networks // chunks)
    return -(-size // TILE) * TILE if size > TILE else size
