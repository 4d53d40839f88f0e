"""The dense engine behind the interface of `montecarlo._engines`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from montecarlo._specification import ResNet

if TYPE_CHECKING:
    from montecarlo._engines import Columns, Request

_BLOCK_CODES = {"res-1": 1, "res-2": 2, "res-3": 3}


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return None: every independent law can be sampled with explicit weights."""
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    matrices = 1.0 if resnet.block == "res-1" else 1.5
    if request.gradients:
        matrices += 0.5 if resnet.block == "res-1" else 1.0
    padded = -(-resnet.width // 8) * 8
    per_layer = matrices * padded * (padded + 8) * resnet.law.cost * 1e-9 + 2e-7
    return resnet.depth * per_layer + 1e-6


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.dense._network import run_block, segment_length

    project, combine = resnet.law.kernels()
    activation = resnet.activation_function
    value, slope = activation.compiled()
    negative_slope = activation.negative_slope
    L = resnet.depth
    rows = np.empty((replicas, 4))
    empty = np.empty((0, 0))
    hidden = np.empty((replicas, L + 1)) if request.trajectories else empty
    gradient = np.empty((replicas, L + 1)) if request.trajectories else empty
    weight_v = np.empty((replicas, L)) if request.weight_gradients else empty
    weight_w = np.empty((replicas, L)) if request.weight_gradients else empty
    run_block(
        project, combine, value, slope,
        math.nan if negative_slope is None else negative_slope,
        _BLOCK_CODES[resnet.block], resnet.bias_std, resnet.width, L, resnet.scaling,
        resnet.input_dim, resnet.input_scale, np.uint32(key[0]), np.uint32(key[1]), np.uint64(first_replica),
        segment_length(resnet.width, L), request.gradients, rows, hidden, gradient, weight_v, weight_w,
    )  # fmt: skip
    arrays = {
        "log_hidden_ratio": rows[:, 0],
        "log_hidden_difference": rows[:, 1],
        "log_gradient_ratio": rows[:, 2],
        "log_gradient_difference": rows[:, 3],
        "log_hidden_path": hidden,
        "log_gradient_path": gradient,
        "log_weight_gradient_v": weight_v,
        "log_weight_gradient_w": weight_w,
    }
    return {name: arrays[name] for name in request.columns(resnet)}
