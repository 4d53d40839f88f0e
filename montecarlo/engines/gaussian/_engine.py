"""The Gaussian engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from montecarlo.engines._outputs import (
    CORRELATED_REFUSAL,
    DUAL_REFUSAL,
    columns_of,
    constants_of,
    nan_outputs,
)
from montecarlo.engines.gaussian._block import build_block
from montecarlo.kernels._images import Image
from montecarlo.kernels._records import Draw
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

_BRANCH = (NORM, LINEAR_W, BIAS, ACTIVATION, SIGNED_ACTIVATION, LINEAR_V, OUTER_ACTIVATION, BRANCH_NORM)

WORDS = frozenset({*_BRANCH, HIDDEN_WIDTH, SKIP, SCHEDULE, STREAM_NORM})
"""What the engine can perform."""

_NORM_SECONDS = {"none": 0.0, "rms": 3e-10, "layer": 5e-10, "tanh": 1.5e-8}  # a unit


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return why it cannot sample this law, or None."""
    if request.dual:
        return DUAL_REFUSAL
    if resnet.processes is not None:
        return CORRELATED_REFUSAL
    if not resnet.law.gaussian:
        return f"must be dense for {resnet.weights} weights: only Gaussian matrices have normal images"
    word = misplaced([w for w in resnet.words if w in _BRANCH and (w != BIAS or resnet.bias_std > 0.0)])
    if word is not None:
        return f"cannot perform the word {word!r} where it stands in block={resnet.block!r}"
    return None


def misplaced(branch: Sequence[str]) -> str | None:
    """Return the first word of a branch that cannot be performed where it stands, or None.

    A bias is added by the activation behind it, a norm stands at one of the two ends, and a word that comes
    twice would draw its numbers twice.

    Examples
    --------
    >>> misplaced(["norm", "linear W", "bias", "activation", "linear V", "branch-norm"])
    >>> misplaced(["linear V", "bias"])
    'bias'
    """
    for position, word in enumerate(branch):
        before, after = branch[:position], branch[position + 1 :]
        if word in before:
            return word
        if word == BIAS and (not after or after[0] not in (ACTIVATION, OUTER_ACTIVATION)):
            return word
        if (word == NORM and before) or (word == BRANCH_NORM and (after or not before)):
            return word
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    inner = resnet.inner_width
    images = resnet.width + inner if resnet.has_w else resnet.width
    per_layer = 1.1e-9 * images * (2.2 if request.gradients else 1.0) + 2e-8
    if resnet.activation_function.negative_slope is None:
        per_layer += 1.5e-8 * inner
    kind, words = resnet.normalisation.kind, len(resnet.normalisation.words)
    return resnet.depth * (per_layer + resnet.width * words * _NORM_SECONDS[kind]) + 1e-6


def prepare(resnet: ResNet, request: Request) -> None:
    """Compile what `sample` needs."""
    _kernel(resnet, request)
    resnet.activation_function.compiled()


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    outputs = nan_outputs(resnet, request, replicas)
    block = build_block(
        *resnet.activation_function.compiled(), constants_of(resnet), Draw.of(key, first_replica),
        request.gradients, outputs,
    )  # fmt: skip
    Image(block).run(_kernel(resnet, request))
    return columns_of(outputs, resnet, request)


def _kernel(resnet: ResNet, request: Request) -> Any:
    """Return what samples a block: compiled on first use, since `import montecarlo` must stay light."""
    name = "_plain" if request.plain(resnet) else "_full"
    return importlib.import_module(f"montecarlo.engines.gaussian.{name}").run_block
