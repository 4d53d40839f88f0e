"""The correlated engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from montecarlo.engines._outputs import DUAL_REFUSAL, Array, columns_of, constants_of, empty_outputs
from montecarlo.engines.correlated._start import Paths, draw_inputs, draw_readout
from montecarlo.kernels._records import Outputs
from montecarlo.networks._dictionary import PLAIN
from montecarlo.networks._specification import ResNet
from montecarlo.processes import PATH_LIMIT

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns

VECTOR = 8
"""Columns come in multiples of this."""

TILE = 24
"""Columns that the products like best in multiples of this."""

_SCALING_LIMIT = 2.0**20
_SCALE_LIMIT = 2.0**30

Float32 = npt.NDArray[np.float32]

WORDS = PLAIN
"""What the engine can perform."""


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return why it cannot give what is asked."""
    if resnet.processes is None:
        return "must be another for independent layers: the correlated engine draws processes along depth"
    if request.dual:
        return DUAL_REFUSAL
    if resnet.scaling > _SCALING_LIMIT:
        return "must not be correlated for a scaling above 2**20: its states are float32"
    if not 1.0 / _SCALE_LIMIT <= resnet.input_scale <= _SCALE_LIMIT:
        return "must not be correlated for an input_scale outside 2**-30 ... 2**30: its states are float32"
    if resnet.depth * resnet.width**2 > PATH_LIMIT:
        return "must not be correlated for depth * width**2 above 2**27: it holds all the layers at once"
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    # Paths take most of it. The products run on eight columns, seven of them idle: other networks have
    # other matrices.
    matrices = 2 if resnet.has_w else 1
    return resnet.depth * resnet.width**2 * matrices * 6e-9 + 1e-4


def prepare(resnet: ResNet) -> None:
    """Compile and factorise what `sample` needs."""
    importlib.import_module("montecarlo.engines.correlated._network")
    resnet.activation_function.compiled()
    for process in resnet.processes or ():
        process.factor(resnet.depth)


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks, each with paths of its own; the columns of `montecarlo.Sample`."""
    outputs = empty_outputs(resnet, request, replicas)
    for row in range(replicas):
        _run_one(resnet, key, first_replica + row, outputs.part(row, row + 1), gradients=request.gradients)
    return columns_of(outputs, resnet, request)


def final_states(resnet: ResNet, key: tuple[int, int], replica: int) -> tuple[Array, Array]:
    """Return h_L and p_0 of one replica, each up to a power of two."""
    from montecarlo.engines._request import Request

    outputs = empty_outputs(resnet, Request(), 1, states=True)
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


def run(
    resnet: ResNet, paths: Paths, scales: Array, starts: Float32, ends: Float32, outputs: Outputs
) -> None:
    """Run networks that share their weights, a column each; see `run_columns` for the arguments."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.correlated._network import run_columns

    functions = resnet.activation_function.compiled()
    run_columns(*functions, constants_of(resnet), paths, scales, starts, ends, outputs)
