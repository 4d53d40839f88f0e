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
    empty_outputs,
)
from montecarlo.engines.dense import _words
from montecarlo.engines.dense._block import build_block
from montecarlo.kernels._images import Image
from montecarlo.kernels._records import Draw, Outputs
from montecarlo.networks._specification import ResNet

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns


WORDS = _words.WORDS
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


def prepare(resnet: ResNet) -> None:
    """Compile what `sample` needs."""
    _kernel(resnet)
    resnet.law.kernels()
    resnet.activation_function.compiled()


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    outputs = empty_outputs(resnet, request, replicas)
    _run(resnet, key, first_replica, outputs, gradients=request.gradients)
    return columns_of(outputs, resnet, request)


def final_states(resnet: ResNet, key: tuple[int, int], replica: int) -> tuple[Array, Array]:
    """Return h_L and p_0 of one replica, each up to a power of two."""
    from montecarlo.engines._request import Request

    outputs = empty_outputs(resnet, Request(), 1, states=True)
    _run(resnet, key, replica, outputs, gradients=True)
    return outputs.last_hidden[0], outputs.first_gradient[0]


def _run(
    resnet: ResNet, key: tuple[int, int], first_replica: int, outputs: Outputs, *, gradients: bool
) -> None:
    from montecarlo.engines.dense._network import segment_length

    kept = resnet.inner_width + resnet.width * len(resnet.normalisation.words)
    block = build_block(
        resnet.law.kernels(), resnet.activation_function.compiled(), constants_of(resnet),
        Draw.of(key, first_replica), segment_length(kept, resnet.depth), gradients, outputs,
    )  # fmt: skip
    Image(block).run(_kernel(resnet))


def _kernel(resnet: ResNet) -> Any:
    """Return what samples a block: compiled on first use, since `import montecarlo` must stay light."""
    name = "_normalised" if resnet.normalisation.words else "_plain"
    return importlib.import_module(f"montecarlo.engines.dense.{name}").run_block
