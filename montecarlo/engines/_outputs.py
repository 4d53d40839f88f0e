"""What kernels are told of a network, the arrays that they fill for one block, and their way into columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from montecarlo.kernels._records import Constants, Outputs
from montecarlo.kernels._words import BIAS, NORM_KINDS, encode
from montecarlo.networks._specification import ResNet

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns

DUAL_REFUSAL = "must be radial for dual gradients: other engines sample gradients jointly"

CORRELATED_REFUSAL = "must be correlated for processes along depth: it samples independent layers alone"

Array = npt.NDArray[np.float64]


def constants_of(resnet: ResNet) -> Constants:
    """Return a network's constants; a bias without spread is no word of its sentence."""
    slope, norm = resnet.activation_function.negative_slope, resnet.normalisation
    sentence = encode(resnet.words)
    return Constants(
        sentence=sentence[sentence != BIAS] if resnet.bias_std == 0.0 else sentence,
        width=resnet.width,
        depth=resnet.depth,
        alpha=resnet.scaling,
        bias_std=resnet.bias_std,
        negative_slope=math.nan if slope is None else slope,
        input_dim=resnet.input_dim,
        input_scale=resnet.input_scale,
        norm=NORM_KINDS[norm.kind],
        norm_eps=resnet.norm_eps,
        norm_gamma=norm.gamma,
        vanishes=resnet.law.vanishes,
        alphas=np.array([resnet.scaling]) if resnet.factors is None else resnet.scaling * resnet.factors,
        skip=resnet.skip,
        hidden_width=resnet.inner_width,
    )


def nan_outputs(resnet: ResNet, request: Request, replicas: int, *, states: bool = False) -> Outputs:
    """Return arrays of NaN for a block of `replicas` networks, with `states` for h_L and p_0, too.

    Kernels leave the row of a network that leaves the finite numbers as it is.
    """
    L = resnet.depth
    path, layers = (L + 1) * request.trajectories, L * request.any_weight_gradients
    width, gates = resnet.width * states, L * request.gate_gradients
    columns = (4, path, path, layers, layers, gates, width, width)
    return Outputs(*(np.full((replicas, n), np.nan) for n in columns))


def columns_of(outputs: Outputs, resnet: ResNet, request: Request) -> Columns:
    """Return the columns that were asked for."""
    arrays = {
        "log_hidden_ratio": outputs.rows[:, 0],
        "log_hidden_difference": outputs.rows[:, 1],
        "log_gradient_ratio": outputs.rows[:, 2],
        "log_gradient_difference": outputs.rows[:, 3],
        "log_hidden_path": outputs.hidden_path,
        "log_gradient_path": outputs.gradient_path,
        "log_weight_gradient_v": outputs.weight_v,
        "log_weight_gradient_w": outputs.weight_w,
        "log_gate_gradient": outputs.gates,
    }
    if request.tangent_kernel:
        layers = [outputs.weight_v, outputs.weight_w] if resnet.has_w else [outputs.weight_v]
        squares = 2.0 * np.concatenate(layers, axis=1)
        with np.errstate(invalid="ignore"):  # NaN marks a network that left the finite numbers
            arrays["log_tangent_kernel"] = np.logaddexp.reduce(squares, axis=1)
    return {name: arrays[name] for name in request.columns(resnet)}
