"""`JointRun`: rows of `montecarlo.JointSample`, one network applied to several vectors each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_sequence, check_whole
from montecarlo.engines._outputs import constants_of
from montecarlo.engines.gaussian._engine import WORDS
from montecarlo.kernels._records import Draw
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.networks._dictionary import PLAIN, require_words
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import (
    BRANCH_NORM,
    HIDDEN_WIDTH,
    NORM,
    SCHEDULE,
    SIGNED_ACTIVATION,
    SKIP,
)
from montecarlo.runs import Columns, ResNetRun
from montecarlo.streams import derive_key

VECTOR_LIMIT = 64
"""Inputs and tangents together, at most: the cost of a layer grows with their square."""

IMAGES = WORDS - {SIGNED_ACTIVATION}
"""The words of images of d numbers."""

CHAIN = PLAIN | {NORM, HIDDEN_WIDTH, SKIP, SCHEDULE}
"""The words of the chain of Gram matrices."""

_LANES = 16
_GRAM_ERROR = 1e-12  # of a correlation matrix: what rounding may do to a Gram matrix that a user computes
_PIVOT = 64.0 * 2.0**-52

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class JointRun(ResNetRun):
    """Networks applied to several inputs and tangents.

    Parameters
    ----------
    resnet, seed
        As in `montecarlo.runs.ResNetRun`.
    gram : tuple of tuple of float
        Gram matrix of the vectors at layer 0.
    tangents : tuple of int
        The inputs that the last vectors are attached to.
    layers : tuple of int, or None
        The layers to record; None for all of them.
    engine : {"gaussian", "gram"}
        Images of d numbers, or the chain of Gram matrices.
    """

    gram: tuple[tuple[float, ...], ...]
    tangents: tuple[int, ...]
    layers: tuple[int, ...] | None
    engine: str = "gaussian"

    @classmethod
    def find(
        cls,
        resnet: ResNet,
        seed: int,
        inputs: npt.ArrayLike,
        tangents: Sequence[int] | None,
        layers: Sequence[int] | None,
        engine: str = "auto",
    ) -> JointRun:
        """Return the run, its arguments checked.

        Raises
        ------
        InvalidFieldError
            A ValueError whose one line names the field, the value, the rule and the fix.
        """
        engine = _engine(resnet, engine)
        if resnet.processes is not None or not resnet.law.gaussian:
            rule = "must be gaussian for joint inputs, layers being independent"
            raise InvalidFieldError("weights", resnet.weights, rule, "take weights='gaussian'")
        gram = _matrix(inputs)
        rows = tuple(tuple(row) for row in gram.tolist())
        run = cls(resnet, seed, rows, _tangents(len(gram), tangents), _layers(resnet, layers), engine)
        _ = run._factor
        if engine == "gram":
            _check_chain(run)
        return run

    @property
    def matrix(self) -> Array:
        """The Gram matrix."""
        return np.array(self.gram)

    @property
    def recorded(self) -> npt.NDArray[np.int64]:
        """The layers to record."""
        if self.layers is None:
            return np.arange(self.resnet.depth + 1, dtype=np.int64)
        return np.array(self.layers, np.int64)

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """The input of each vector that is a tangent, -1 for inputs."""
        inputs = len(self.gram) - len(self.tangents)
        return np.array([-1] * inputs + list(self.tangents), np.int64)

    @property
    def kind(self) -> str:
        """Rows of `JointSample`."""
        return "joint"

    @property
    def details(self) -> dict[str, Any]:
        """Vectors and layers."""
        found = {
            "gram": [list(row) for row in self.gram],
            "tangents": list(self.tangents),
            "layers": None if self.layers is None else list(self.layers),
        }
        return found if self.engine == "gaussian" else found | {"engine": self.engine}

    @property
    def cells(self) -> dict[str, tuple[int, ...]]:
        """Norms of all vectors, and cosines of all pairs, at the recorded layers."""
        m = len(self.gram)
        layers = self.resnet.depth + 1 if self.layers is None else len(self.layers)
        return {"log_norm": (layers, m), "cosine": (layers, m, m)}

    @property
    def seconds(self) -> float:
        """Rough time of one network."""
        m, chain = len(self.gram), self.engine == "gram"
        per_unit = 1.5e-9 * m * (2 if self.resnet.has_w else 1) + 2e-10 * m**2
        if self.resnet.activation_function.negative_slope is None:
            per_unit += 1.5e-8 * m
        if chain:
            per_unit += 4e-9 * m**2
        units = self.resnet.inner_width if chain else self.resnet.width
        return self.resnet.depth * (units * per_unit + (1e-7 if not chain else 1e-7 * m**2)) + 1e-6

    @property
    def lanes(self) -> int:
        """Networks side by side."""
        return 1 if self.engine == "gram" else _LANES

    def prepare(self) -> None:
        """Compile the activation."""
        self.resnet.activation_function.compiled()

    def sample(self, first: int, count: int) -> Columns:
        """Return the rows of consecutive networks."""
        # Compiled on first use: `import montecarlo` must stay light.
        from montecarlo.engines.gaussian._gram_chain import run_chain
        from montecarlo.engines.gaussian._input_records import Rows, Vectors
        from montecarlo.engines.gaussian._inputs import run_block

        rows = {name: np.empty((count, *cell)) for name, cell in self.cells.items()}
        resnet = self.resnet
        vectors = Vectors(*self._factor, self.owners, self.recorded)
        # Networks of one width share their streams, as in `ResNet.stream_key`.
        chain = self.engine == "gram"
        key = derive_key(self.seed, {"engine": "gram" if chain else "joint", "width": resnet.width})
        (run_chain if chain else run_block)(
            *resnet.activation_function.compiled(), constants_of(resnet), Draw.of(key, first), vectors,
            Rows(**rows),
        )  # fmt: skip
        return rows

    @cached_property
    def _factor(self) -> tuple[Array, npt.NDArray[np.int64]]:
        return _factor(self.resnet, self.matrix, self.owners)


def _engine(resnet: ResNet, name: str) -> str:
    """Return the engine that samples a network's vectors: images, which know all that the chain knows."""
    if name not in ("auto", "gaussian", "gram"):
        raise InvalidFieldError("engine", name, "must be auto, gaussian or gram", "take engine='auto'")
    if name != "gram":
        require_words(resnet, IMAGES, "simulate_inputs")
        return "gaussian"
    require_words(resnet, CHAIN, "the chain of Gram matrices")
    if not resnet.has_w:
        rule = "must have a matrix W before its activation for the chain of Gram matrices"
        raise InvalidFieldError("block", resnet.block, rule, "take block='res-2', or engine='gaussian'")
    if resnet.normalisation.kind not in ("none", "rms") or BRANCH_NORM in resnet.words:
        rule = "must be none or pre-rms for the chain of Gram matrices"
        raise InvalidFieldError("norm", resnet.norm, rule, "take norm='pre-rms'")
    return "gram"


def _check_chain(run: JointRun) -> None:
    """Refuse vectors that the chain does not take."""
    m, resnet = len(run.gram), run.resnet
    if m > resnet.width:
        rule = f"must be at most as many vectors as the width {resnet.width} for the chain of Gram matrices"
        raise InvalidFieldError("inputs", f"{m} vectors", rule, "take engine='gaussian'")
    if run.tangents and NORM in resnet.words:
        rule = "must be left out where the chain of Gram matrices has a norm"
        raise InvalidFieldError("tangents", list(run.tangents), rule, "sample inputs alone")


def _tangents(vectors: int, tangents: Sequence[int] | None) -> tuple[int, ...]:
    """Return the inputs that tangents are attached to."""
    attached = [] if tangents is None else check_sequence("tangents", tangents, "give tangents=[0], say")
    n_inputs = vectors - len(attached)
    if n_inputs < 1:
        rule = f"must leave at least one of the {vectors} vectors an input"
        raise InvalidFieldError("tangents", attached, rule, "add rows to the Gram matrix")
    return tuple(check_whole("tangents", owner, 0, n_inputs - 1, 0) for owner in attached)


def _matrix(inputs: npt.ArrayLike) -> Array:
    fix = "give [[1.0, 0.5], [0.5, 1.0]], say"
    try:
        gram = np.array(inputs, np.float64)
    except (TypeError, ValueError):
        raise InvalidFieldError("inputs", inputs, "must be a matrix of numbers", fix) from None
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or not 1 <= len(gram) <= VECTOR_LIMIT:
        rule = f"must be a square matrix of 1 to {VECTOR_LIMIT} vectors"
        raise InvalidFieldError("inputs", f"array of shape {gram.shape}", rule, fix)
    if not np.isfinite(gram).all():
        raise InvalidFieldError("inputs", gram.tolist(), "must be finite", fix)
    return gram


def _factor(
    resnet: ResNet, gram: Array, owners: npt.NDArray[np.int64]
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return B and e with ``G_ij = 2^(e_i + e_j) (B Bᵀ)_ij`` for a Gram matrix; copies have equal rows."""
    squares = np.diag(gram)
    fix = "give the Gram matrix of vectors, X @ X.T"
    if squares.min() < 0.0:
        raise InvalidFieldError("inputs", gram.tolist(), "must have squared norms on its diagonal", fix)
    exponents = np.frexp(np.sqrt(squares))[1].astype(np.int64)
    scaled = np.ldexp(np.ldexp(gram, -exponents[:, None]), -exponents[None, :])
    if not np.allclose(scaled, scaled.T, rtol=0.0, atol=_GRAM_ERROR):
        raise InvalidFieldError("inputs", gram.tolist(), "must be symmetric", fix)
    if np.linalg.eigvalsh(scaled)[0] < -_GRAM_ERROR * len(gram):
        raise InvalidFieldError("inputs", gram.tolist(), "must be positive semidefinite", fix)
    if resnet.activation_function.negative_slope is None or resnet.bias_std > 0.0:
        tame = (squares == 0.0) | (np.abs(exponents) <= EVALUATION_LIMIT) | (owners >= 0)
        if not tame.all():
            rule = "must have norms between 2**-100 and 2**100, or zero, for this network"
            fix = "rescale them, or take a homogeneous activation without bias"
            raise InvalidFieldError("inputs", gram.tolist(), rule, fix)
    m = len(gram)
    mixing, units, pivots = np.zeros((m, m)), np.eye(m), np.zeros(m)
    for i in range(m):
        # As in the kernel: a row ends where the vectors before it leave nothing but rounding.
        residual = scaled[i, i]
        for j in range(i):
            if residual > _PIVOT * scaled[i, i] and pivots[j] > 0.0:
                known = scaled[i, j]
                for l in range(j):
                    known -= (units[i, l] * units[j, l]) * pivots[l]
                units[i, j] = known / pivots[j]
                residual -= (units[i, j] * units[i, j]) * pivots[j]
        pivots[i] = residual if residual > _PIVOT * scaled[i, i] else 0.0
        mixing[i, : i + 1] = units[i, : i + 1] * np.sqrt(pivots[: i + 1])
    rank = int((pivots > 0.0).sum())
    if rank > resnet.width:
        raise InvalidFieldError(
            "inputs", gram.tolist(), f"must have rank at most the width, and has {rank}", f"take width={rank}"
        )
    return mixing, exponents


def _layers(resnet: ResNet, layers: Sequence[int] | None) -> tuple[int, ...] | None:
    """Return the layers to record, None for all of them."""
    if layers is None:
        return None
    fix = f"give layers=[0, {resnet.depth}], say"
    given = check_sequence("layers", layers, fix)
    checked = tuple(check_whole("layers", k, 0, resnet.depth, resnet.depth) for k in given)
    if not checked or any(k >= after for k, after in itertools.pairwise(checked)):
        raise InvalidFieldError("layers", list(checked), "must be increasing, and at least one", fix)
    return None if len(checked) == resnet.depth + 1 else checked
