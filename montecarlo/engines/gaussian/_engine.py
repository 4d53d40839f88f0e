"""The Gaussian engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from montecarlo.engines._outputs import (
    CORRELATED_REFUSAL,
    DUAL_REFUSAL,
    columns_of,
    constants_of,
    empty_outputs,
)
from montecarlo.kernels._records import Draw
from montecarlo.networks._dictionary import PLAIN
from montecarlo.networks._specification import ResNet

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns

WORDS = PLAIN
"""What the engine can perform."""

TAPE_BYTES = 32 << 20
"""Memory the tape of sixteen networks may take before depth is cut into segments."""


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return why it cannot sample this law, or None."""
    if request.dual:
        return DUAL_REFUSAL
    if resnet.processes is not None:
        return CORRELATED_REFUSAL
    if not resnet.law.gaussian:
        return f"must be dense for {resnet.weights} weights: only Gaussian matrices have normal images"
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    images = 2.0 if resnet.has_w else 1.0
    per_unit = 1.1e-9 * images * (2.2 if request.gradients else 1.0)
    if resnet.activation_function.negative_slope is None:
        per_unit += 1.5e-8
    return resnet.depth * (resnet.width * per_unit + 2e-8) + 1e-6


def prepare(resnet: ResNet) -> None:
    """Compile what `sample` needs."""
    importlib.import_module("montecarlo.engines.gaussian._network")
    resnet.activation_function.compiled()


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.gaussian._network import run_block

    outputs = empty_outputs(resnet, request, replicas)
    run_block(
        *resnet.activation_function.compiled(), constants_of(resnet), Draw.of(key, first_replica), TAPE_BYTES,
        request.gradients, outputs,
    )  # fmt: skip
    return columns_of(outputs, resnet, request)
