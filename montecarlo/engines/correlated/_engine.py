"""The correlated engine as the registry knows it, and the paths that it runs on."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from montecarlo.engines._outputs import BLOCK_CODES, DUAL_REFUSAL, Array, Outputs
from montecarlo.engines.correlated._start import draw_biases, draw_inputs, draw_readout
from montecarlo.networks._dictionary import PLAIN
from montecarlo.networks._specification import ResNet
from montecarlo.processes import PATH_LIMIT, sample_paths
from montecarlo.streams._keys import ROLE_V, ROLE_W

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


@dataclass(frozen=True, eq=False)
class Paths:
    """Everything of one replica that its inputs share: weights along depth, standardised.

    Attributes
    ----------
    v, w : array of float32, shape (L, d²)
        √d V_k and √d W_k, row by row; w is empty for res-1.
    biases : array of float32, shape (L, d)
        b_k / bias_std; empty where there are none.
    """

    v: Float32
    w: Float32
    biases: Float32

    @classmethod
    def draw(cls, resnet: ResNet, key: tuple[int, int], replica: int) -> Paths:
        """Return the weights of a replica."""
        assert resnet.processes is not None
        d, L = resnet.width, resnet.depth
        none = np.empty((0, 0), np.float32)
        v, w = resnet.processes
        biased = resnet.bias_std > 0.0
        return cls(
            sample_paths(v, L, d * d, key, ROLE_V, replica),
            sample_paths(w, L, d * d, key, ROLE_W, replica) if resnet.has_w else none,
            draw_biases(resnet, key, replica) if biased else none,
        )


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
    outputs = Outputs.empty(resnet, request, replicas)
    nothing = np.empty((0, 0))
    scales = np.zeros(VECTOR)
    scales[0] = resnet.scaling
    for row in range(replicas):
        replica = first_replica + row
        starts, ends = np.zeros((2, resnet.width, VECTOR), np.float32)
        starts[:, 0] = draw_inputs(resnet, key, replica, 1)[:, 0]
        ends[:, 0] = draw_readout(resnet, key, replica)
        rows = [array[row : row + 1] if array.size else array for array in outputs.arrays]
        # No name for the paths: the next ones are drawn when these are gone.
        run(
            resnet, Paths.draw(resnet, key, replica), scales, starts, ends if request.gradients else ends[:0],
            rows, nothing, nothing,
        )  # fmt: skip
    return outputs.columns(resnet, request)


def final_states(resnet: ResNet, key: tuple[int, int], replica: int) -> tuple[Array, Array]:
    """Return h_L and p_0 of one replica, each up to a power of two."""
    from montecarlo.engines._request import Request

    outputs = Outputs.empty(resnet, Request(), 1)
    hidden, gradient = np.full((2, 1, resnet.width), np.nan)
    scales = np.zeros(VECTOR)
    scales[0] = resnet.scaling
    starts, ends = np.zeros((2, resnet.width, VECTOR), np.float32)
    starts[:, 0] = draw_inputs(resnet, key, replica, 1)[:, 0]
    ends[:, 0] = draw_readout(resnet, key, replica)
    run(
        resnet, Paths.draw(resnet, key, replica), scales, starts, ends, list(outputs.arrays), hidden, gradient
    )
    return hidden[0], gradient[0]


def run(
    resnet: ResNet,
    paths: Paths,
    scales: Array,
    starts: Float32,
    ends: Float32,
    outputs: list[Array],
    last_hidden: Array,
    first_gradient: Array,
) -> None:
    """Run networks that share their weights, a column each; see `run_columns` for the arguments."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.correlated._network import run_columns

    value, slope = resnet.activation_function.compiled()
    negative_slope = resnet.activation_function.negative_slope
    piecewise = negative_slope is not None and paths.biases.size == 0
    layers = resnet.depth if ends.size else 1
    tape = (layers, resnet.width * len(scales))
    run_columns(
        value, slope, math.nan if negative_slope is None else negative_slope, BLOCK_CODES[resnet.block],
        resnet.bias_std, resnet.width, paths.v, paths.w, paths.biases, scales, starts, ends,
        np.empty(tape if piecewise else (0, 0), np.uint8),
        np.empty((0, 0) if piecewise else tape, np.float32), *outputs, last_hidden, first_gradient,
    )  # fmt: skip
