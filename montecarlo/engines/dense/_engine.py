"""The dense engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING

import numpy as np

from montecarlo.engines._outputs import BLOCK_CODES, CORRELATED_REFUSAL, DUAL_REFUSAL, Array, Outputs
from montecarlo.networks._dictionary import PLAIN
from montecarlo.networks._specification import ResNet

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns


WORDS = PLAIN
"""What the engine can perform."""


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return why it cannot give what is asked; the law may be any independent one."""
    if request.dual:
        return DUAL_REFUSAL
    if resnet.processes is not None:
        return CORRELATED_REFUSAL
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    matrices = 1.5 if resnet.has_w else 1.0
    if request.gradients:
        matrices += 1.0 if resnet.has_w else 0.5
    padded = -(-resnet.width // 8) * 8
    per_layer = matrices * padded * (padded + 8) * resnet.law.cost * 1e-9 + 2e-7
    return resnet.depth * per_layer + 1e-6


def prepare(resnet: ResNet) -> None:
    """Compile what `sample` needs."""
    importlib.import_module("montecarlo.engines.dense._network")
    resnet.law.kernels()
    resnet.activation_function.compiled()


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    outputs = Outputs.empty(resnet, request, replicas)
    empty = np.empty((0, 0))
    _run(resnet, request, key, first_replica, outputs, empty, empty)
    return outputs.columns(resnet, request)


def final_states(resnet: ResNet, key: tuple[int, int], replica: int) -> tuple[Array, Array]:
    """Return h_L and p_0 of one replica, each up to a power of two."""
    from montecarlo.engines._request import Request

    outputs = Outputs.empty(resnet, Request(), 1)
    last_hidden, first_gradient = np.full((2, 1, resnet.width), np.nan)
    _run(resnet, Request(), key, replica, outputs, last_hidden, first_gradient)
    return last_hidden[0], first_gradient[0]


def _run(
    resnet: ResNet,
    request: Request,
    key: tuple[int, int],
    first_replica: int,
    outputs: Outputs,
    last_hidden: Array,
    first_gradient: Array,
) -> None:
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.dense._network import run_block, segment_length

    project, combine = resnet.law.kernels()
    value, slope = resnet.activation_function.compiled()
    negative_slope = resnet.activation_function.negative_slope
    run_block(
        project, combine, value, slope, math.nan if negative_slope is None else negative_slope,
        BLOCK_CODES[resnet.block], resnet.bias_std, resnet.width, resnet.depth, resnet.scaling,
        resnet.input_dim, resnet.input_scale, *Outputs.words(key), outputs.first(first_replica),
        segment_length(resnet.width, resnet.depth), request.gradients, resnet.law.vanishes, *outputs.arrays,
        last_hidden, first_gradient,
    )  # fmt: skip
