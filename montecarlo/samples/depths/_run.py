"""`CoupledRun`: rows of `montecarlo.CoupledSample`, and what fills them for each kind of weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_sequence, check_whole
from montecarlo.engines._outputs import constants_of
from montecarlo.kernels._records import Draw
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.networks._dictionary import PLAIN, missing_word, require_words
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import BRANCH_NORM, HIDDEN_WIDTH, NORM, OUTER_ACTIVATION, STREAM_NORM
from montecarlo.processes import PATH_LIMIT
from montecarlo.runs import Columns, ResNetRun
from montecarlo.samples.depths._sample import COLUMNS
from montecarlo.streams import ROLE_V, ROLE_W, derive_key

_LANES = 16

WORDS = PLAIN | {NORM, BRANCH_NORM, STREAM_NORM, HIDDEN_WIDTH, OUTER_ACTIVATION}
"""What networks of several depths can perform: factors that change along depth have no common limit."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CoupledRun(ResNetRun):
    """Networks of several depths on common paths.

    Parameters
    ----------
    resnet, seed
        As in `montecarlo.runs.ResNetRun`; the deepest network.
    depths : tuple of int
        The depths.
    """

    depths: tuple[int, ...]

    @classmethod
    def find(cls, resnet: ResNet, seed: int, depths: Sequence[int]) -> CoupledRun:
        """Return the run, its arguments checked.

        Raises
        ------
        InvalidFieldError
            For depths that are not nested, or that have no common path or no limit.
        """
        run = cls(resnet, seed, check_depths(resnet, depths))
        _check_scale(resnet)
        _plan(resnet, run.depths)
        return run

    @property
    def kind(self) -> str:
        """Rows of `CoupledSample`."""
        return "coupled"

    @property
    def details(self) -> dict[str, Any]:
        """The depths."""
        return {"depths": list(self.depths)}

    @property
    def cells(self) -> dict[str, tuple[int, ...]]:
        """Errors compare neighbouring depths, one fewer than there are."""
        m = len(self.depths)
        return dict(zip(COLUMNS, ((m - 1,), (m - 1,), (m,), (m,)), strict=True))

    @property
    def networks(self) -> int:
        """One for each depth."""
        return len(self.depths)

    @property
    def seconds(self) -> float:
        """Rough time of one path with all its networks."""
        return _plan(self.resnet, self.depths).seconds

    @property
    def lanes(self) -> int:
        """Sixteen for images, drawn side by side."""
        return _plan(self.resnet, self.depths).lanes

    def prepare(self) -> None:
        """Build the factors of the processes."""
        for process in self.resnet.processes or ():
            process.factor(self.resnet.depth)

    def sample(self, first: int, count: int) -> Columns:
        """Return the rows of consecutive replicas."""
        rows = {name: np.empty((count, *cell)) for name, cell in self.cells.items()}
        key = stream_key(self.resnet, self.seed)
        _plan(self.resnet, self.depths).fill(key, first, *rows.values())
        lost = ~(rows["log_hidden_ratio"] < np.inf).all(axis=1)
        for column in rows.values():
            column[lost] = np.nan
        return rows


@dataclass(frozen=True)
class _Plan:
    """What fills the rows: ``fill(key, first_replica, strong, end, ratio, cosine)``."""

    lanes: int
    seconds: float
    fill: Callable[..., None]


@lru_cache(maxsize=32)
def _plan(resnet: ResNet, depths: tuple[int, ...]) -> _Plan:
    """Return the plan of a run; finding the coupling takes a while, and blocks of workers ask again."""
    return (_images if resnet.processes is None else _paths)(resnet, depths)


def check_depths(resnet: ResNet, depths: Sequence[int]) -> tuple[int, ...]:
    """Return the depths as a tuple of int; raise `InvalidFieldError` where they are not nested."""
    require_words(resnet, WORDS, "simulate_depths")
    fix = "give depths=[16, 32, 64] at depth=64, say"
    given = check_sequence("depths", depths, fix)
    levels = tuple(check_whole("depths", depth, 1, resnet.depth, resnet.depth) for depth in given)
    nested = all(deep > shallow and deep % shallow == 0 for shallow, deep in itertools.pairwise(levels))
    if len(levels) < 2 or not nested or levels[-1] != resnet.depth:
        rule = f"must be at least two, each a proper divisor of the next, up to the network's {resnet.depth}"
        raise InvalidFieldError("depths", list(levels), rule, fix)
    if resnet.beta is None:
        raise InvalidFieldError(
            "alpha", resnet.alpha, "must follow the depth for coupled depths", "give beta instead, 0.5 say"
        )
    return levels


def _check_scale(resnet: ResNet) -> None:
    if abs(math.log2(resnet.input_scale)) > EVALUATION_LIMIT:
        rule = f"must be between 2**-{EVALUATION_LIMIT} and 2**{EVALUATION_LIMIT} for coupled depths"
        raise InvalidFieldError("input_scale", resnet.input_scale, rule, "give input_scale=1, say")
    if resnet.bias_std > 0.0:
        raise InvalidFieldError(
            "bias_std", resnet.bias_std, "must be 0 for coupled depths: biases of layers have no common path",
            "leave it out",
        )  # fmt: skip


def _activation(resnet: ResNet) -> tuple[Any, float]:
    value, _ = resnet.activation_function.compiled()
    negative_slope = resnet.activation_function.negative_slope
    return value, math.nan if negative_slope is None else negative_slope


def stream_key(resnet: ResNet, seed: int) -> tuple[int, int]:
    """Return the key of the streams: other numbers than those of networks of one depth."""
    laws = ["gaussian", ""]
    if resnet.processes is not None:
        laws = [process.fingerprint for process in resnet.processes]
    fields = {"engine": "coupled", "width": resnet.width, "input_dim": resnet.input_dim}
    inner = laws[1] if resnet.has_w else ""
    return derive_key(seed, fields | {"weights": laws[0], "inner_weights": inner})


def _images(resnet: ResNet, depths: tuple[int, ...]) -> _Plan:
    if resnet.weights != "gaussian":
        raise InvalidFieldError(
            "weights", resnet.weights, "must be gaussian or a process for coupled depths: sums have another "
            "law", "take weights='gaussian'",
        )  # fmt: skip
    if missing_word(resnet, PLAIN) is not None:
        raise InvalidFieldError(
            "weights", resnet.weights, "must be a process for coupled depths of blocks beyond res-1",
            "give weights='fbm:0.5', whose layers are independent, too",
        )  # fmt: skip
    if resnet.has_w:
        raise InvalidFieldError(
            "weights", resnet.weights, f"must be a process for {resnet.block}: independent layers of W are "
            "drawn afresh at every depth, so that only laws converge", "take block='res-1', or give "
            "weights_w='rbf:0.01', say",
        )  # fmt: skip
    beta = float(resnet.beta or 0.0)
    if beta < 0.5:
        raise InvalidFieldError(
            "beta", beta, "must be at least 0.5 for gaussian weights: deeper networks explode below",
            "take beta=0.5",
        )  # fmt: skip
    from montecarlo.samples.depths._images import Depths, Rows, run_block

    levels = np.array(depths, np.int64)
    ratios = levels[-1] // levels
    chosen = Depths(ratios, levels**-beta / np.sqrt(ratios))
    value, negative_slope = _activation(resnet)
    constants = constants_of(resnet)

    def fill(key: tuple[int, int], first_replica: int, *columns: Array) -> None:
        run_block(value, constants, Draw.of(key, first_replica), chosen, Rows(*columns))

    m = len(depths)
    per_unit = m * (1.8e-9 + 2e-10 * m) + (3e-8 if math.isnan(negative_slope) else 0.0)
    return _Plan(_LANES, resnet.depth * (resnet.width * per_unit + 1e-7), fill)


def _paths(resnet: ResNet, depths: tuple[int, ...]) -> _Plan:
    from montecarlo.samples.depths._coupling import check_limit, find_coupling
    from montecarlo.samples.depths._fill import PathFiller

    assert resnet.processes is not None
    v, w = resnet.processes
    own = find_coupling(v, depths)
    inner = find_coupling(w, depths, field="weights_w") if resnet.has_w else None
    check_limit(resnet, own, inner)
    if resnet.depth * resnet.width * resnet.inner_width > PATH_LIMIT:
        rule = f"must give paths of at most {PATH_LIMIT:_} numbers, depth times width squared"
        raise InvalidFieldError("width", resnet.width, rule, "take a smaller width or depth")
    sources = [(v, own, ROLE_V)]
    if inner is not None:
        sources.append((w, inner, ROLE_W))
    value, _ = _activation(resnet)
    filler = PathFiller(resnet, depths, sources, value)
    per_number = 1.5e-8 * len(sources)
    seconds = resnet.depth * (resnet.width * resnet.inner_width * per_number + 1e-7) + 1e-4
    return _Plan(1, seconds, filler.fill)
