"""The correlated engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from montecarlo.engines._outputs import DUAL_REFUSAL, Array, columns_of, constants_of, nan_outputs
from montecarlo.engines.correlated._start import Paths, draw_inputs, draw_readout
from montecarlo.kernels._records import Outputs
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import (
    ACTIVATION,
    BIAS,
    BRANCH_NORM,
    HIDDEN_WIDTH,
    LINEAR_V,
    LINEAR_W,
    NORM,
    OUTER_ACTIVATION,
    SCHEDULE,
    SKIP,
    STREAM_NORM,
)
from montecarlo.processes import PATH_LIMIT

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns

VECTOR = 8
"""Columns come in multiples of this."""

_NARROW_NUMBERS = 1 << 19
"""Numbers of the paths of a matrix, layers times entries, up to which networks run in lanes."""

_PATHS_BYTES = 4 << 20
"""Memory of the paths of the networks that run at a time, where those of eight take less."""

_LARGEST_COLUMNS = 64

_SCALING_LIMIT = 2.0**20
_SCALE_LIMIT = 2.0**30

Float32 = npt.NDArray[np.float32]

WORDS = frozenset(
    {
        LINEAR_W, BIAS, ACTIVATION, LINEAR_V, NORM, BRANCH_NORM, STREAM_NORM, HIDDEN_WIDTH, SKIP, SCHEDULE,
        OUTER_ACTIVATION,
    }
)  # fmt: skip
"""What the engine can perform."""


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return why it cannot give what is asked."""
    if resnet.processes is None:
        return "must be another for independent layers: the correlated engine draws processes along depth"
    if request.dual:
        return DUAL_REFUSAL
    if resnet.scaling > _SCALING_LIMIT:
        return "must not be correlated for a scaling above 2**20: its states are float32"
    if resnet.skip != 0.0 and not 1.0 / _SCALING_LIMIT <= abs(resnet.skip) <= _SCALING_LIMIT:
        return "must not be correlated for a skip factor outside 2**-20 ... 2**20: its states are float32"
    if not 1.0 / _SCALE_LIMIT <= resnet.input_scale <= _SCALE_LIMIT:
        return "must not be correlated for an input_scale outside 2**-30 ... 2**30: its states are float32"
    if _numbers(resnet) > PATH_LIMIT:
        size = "width**2" if resnet.hidden_width is None else "width * hidden_width"
        return f"must not be correlated for depth * {size} above 2**27: it holds all the layers at once"
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    # Paths take most of it. Where weights are too many for lanes, Python takes a tenth of a millisecond for a
    # network, and the products run on eight columns, seven of them idle.
    numbers = _numbers(resnet) * (2 if resnet.has_w else 1)
    return 1e-8 * numbers + 5e-6 if columns_at_once(resnet) > 1 else 6e-9 * numbers + 1e-4


def columns_at_once(resnet: ResNet) -> int:
    """Return how many networks run at a time: a multiple of eight, with weights in lanes, or one wide one."""
    numbers = _numbers(resnet)
    if numbers > _NARROW_NUMBERS:
        return 1
    group = 4 * VECTOR * numbers * (2 if resnet.has_w else 1)
    return VECTOR * max(1, min(_LARGEST_COLUMNS // VECTOR, _PATHS_BYTES // group))


def _numbers(resnet: ResNet) -> int:
    """Return how many numbers the paths of a matrix have."""
    return resnet.depth * resnet.width * resnet.inner_width


def prepare(resnet: ResNet, request: Request) -> None:
    """Compile and factorise what `sample` needs."""
    importlib.import_module("montecarlo.engines.correlated._network")
    if columns_at_once(resnet) > 1:
        importlib.import_module("montecarlo.engines.correlated._lanes")
        resnet.law.kernels()
    resnet.activation_function.compiled()
    for process in resnet.processes or ():
        process.factor(resnet.depth)


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks, each with paths of its own; the columns of `montecarlo.Sample`."""
    outputs = nan_outputs(resnet, request, replicas)
    if columns_at_once(resnet) > 1:
        _run_lanes(resnet, key, first_replica, outputs, gradients=request.gradients)
    else:
        for row in range(replicas):
            part = outputs.part(row, row + 1)
            _run_one(resnet, key, first_replica + row, part, gradients=request.gradients)
    return columns_of(outputs, resnet, request)


def final_states(resnet: ResNet, key: tuple[int, int], replica: int) -> tuple[Array, Array]:
    """Return h_L and p_0 of one replica, each up to a power of two."""
    from montecarlo.engines._request import Request

    outputs = nan_outputs(resnet, Request(), 1, states=True)
    _run_one(resnet, key, replica, outputs, gradients=True)
    return outputs.last_hidden[0], outputs.first_gradient[0]


def _run_one(
    resnet: ResNet, key: tuple[int, int], replica: int, outputs: Outputs, *, gradients: bool
) -> None:
    """Run a replica's own network, in the first of eight columns."""
    scales = np.zeros(VECTOR)
    scales[0] = resnet.scaling
    starts, ends = np.zeros((2, resnet.width, VECTOR), np.float32)
    starts[:, 0] = draw_inputs(resnet, key, replica, 1)[:, 0]
    ends[:, 0] = draw_readout(resnet, key, replica)
    # No name for the paths: the next ones are drawn when these are gone.
    run(resnet, Paths.draw(resnet, key, replica), scales, starts, ends if gradients else ends[:0], outputs)


def _run_lanes(
    resnet: ResNet, key: tuple[int, int], first_replica: int, outputs: Outputs, *, gradients: bool
) -> None:
    """Run narrow networks, a column each."""
    from montecarlo.engines.correlated._lanes import LanePaths, draw_starts

    replicas = len(outputs.rows)
    columns = min(columns_at_once(resnet), _whole_lanes(replicas))
    starts, ends = draw_starts(resnet, key, first_replica, replicas)
    room = LanePaths(resnet, columns)
    row = 0
    while row < replicas:
        replica = first_replica + row
        # The low words of the replicas of a group must not wrap.
        last = row + min(columns, replicas - row, 2**32 - replica % 2**32)
        padded = _whole_lanes(last - row)
        scales = np.zeros(padded)
        scales[: last - row] = resnet.scaling
        h, p = np.zeros((2, resnet.width, padded), np.float32)
        h[:, : last - row], p[:, : last - row] = starts[:, row:last], ends[:, row:last]
        paths = room.draw(key, replica, last - row)
        run(resnet, paths, scales, h, p if gradients else p[:0], outputs.part(row, last))
        row = last


def _whole_lanes(networks: int) -> int:
    return -(-networks // VECTOR) * VECTOR


def run(
    resnet: ResNet, paths: Paths, scales: Array, starts: Float32, ends: Float32, outputs: Outputs
) -> None:
    """Run networks, a column each, on weights that they share or on their own; see `run_columns`."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.correlated._network import run_columns

    functions = resnet.activation_function.compiled()
    run_columns(*functions, constants_of(resnet), paths, scales, starts, ends, outputs)
