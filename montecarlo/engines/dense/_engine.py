"""The dense engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from montecarlo.engines._outputs import (
    CORRELATED_REFUSAL,
    DUAL_REFUSAL,
    Array,
    columns_of,
    constants_of,
    nan_outputs,
)
from montecarlo.engines.dense._block import build_block
from montecarlo.kernels._images import Image
from montecarlo.kernels._records import Draw, Outputs
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
    SIGNED_ACTIVATION,
    SKIP,
    STREAM_NORM,
)

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns


WORDS = frozenset(
    {
        NORM, LINEAR_W, BIAS, ACTIVATION, LINEAR_V, BRANCH_NORM,
        STREAM_NORM, SKIP, SCHEDULE, HIDDEN_WIDTH, OUTER_ACTIVATION,
        SIGNED_ACTIVATION,
    }
)  # fmt: skip
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
    width, inner = (-(-n // 8) * 8 for n in (resnet.width, resnet.inner_width))
    per_layer = matrices * inner * (width + 8) * resnet.law.cost * 1e-9 + 2e-7
    per_layer += len(resnet.normalisation.words) * resnet.width * 6e-9
    return resnet.depth * per_layer + 1e-6


def prepare(resnet: ResNet, request: Request) -> None:
    """Compile what `sample` needs."""
    _kernel(resnet, request)
    resnet.law.kernels()
    resnet.activation_function.compiled()


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    outputs = nan_outputs(resnet, request, replicas)
    _run(resnet, request, key, first_replica, outputs)
    return columns_of(outputs, resnet, request)


def final_states(resnet: ResNet, key: tuple[int, int], replica: int) -> tuple[Array, Array]:
    """Return h_L and p_0 of one replica, each up to a power of two."""
    from montecarlo.engines._request import Request

    request = Request()
    outputs = nan_outputs(resnet, request, 1, states=True)
    _run(resnet, request, key, replica, outputs)
    return outputs.last_hidden[0], outputs.first_gradient[0]


def _run(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, outputs: Outputs
) -> None:
    block = build_block(
        resnet.law.kernels(), resnet.activation_function.compiled(), constants_of(resnet),
        Draw.of(key, first_replica), request.gradients, outputs,
    )  # fmt: skip
    Image(block).run(_kernel(resnet, request))


def _kernel(resnet: ResNet, request: Request) -> Any:
    """Return what samples a block: compiled on first use, since `import montecarlo` must stay light."""
    name = "_plain" if request.plain(resnet) else "_full"
    return importlib.import_module(f"montecarlo.engines.dense.{name}").run_block
