"""What kernels are told of a network, the arrays that they fill for one block, and their way into columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from montecarlo.kernels import _records
from montecarlo.kernels._records import Constants
from montecarlo.kernels._state import RES1, RES2, RES3
from montecarlo.kernels._words import BIAS, NORM_KINDS, encode
from montecarlo.networks._specification import ResNet

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns

BLOCK_CODES = {"res-1": RES1, "res-2": RES2, "res-3": RES3}
"""How kernels are told of the block."""

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
    )


def empty_outputs(
    resnet: ResNet, request: Request, replicas: int, *, states: bool = False
) -> _records.Outputs:
    """Return unfilled arrays for a block of `replicas` networks, with `states` for h_L and p_0, too."""
    L = resnet.depth
    path, layers = (L + 1) * request.trajectories, L * request.weight_gradients
    width = resnet.width * states
    columns = (4, path, path, layers, layers, width, width)
    return _records.Outputs(*(np.empty((replicas, n)) for n in columns))


def columns_of(outputs: _records.Outputs, resnet: ResNet, request: Request) -> Columns:
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
    }
    return {name: arrays[name] for name in request.columns(resnet)}


@dataclass(frozen=True)
class Outputs:
    """What a kernel writes: the four log-ratios; paths and weight-gradient norms where asked for."""

    rows: Array
    hidden_path: Array
    gradient_path: Array
    weight_v: Array
    weight_w: Array

    @classmethod
    def empty(cls, resnet: ResNet, request: Request, replicas: int) -> Outputs:
        """Return unfilled arrays for a block of `replicas` networks."""
        L = resnet.depth
        paths = (replicas, L + 1) if request.trajectories else (0, 0)
        layers = (replicas, L) if request.weight_gradients else (0, 0)
        return cls(np.empty((replicas, 4)), *(np.empty(shape) for shape in (paths, paths, layers, layers)))

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays in the order of the kernels' arguments."""
        return self.rows, self.hidden_path, self.gradient_path, self.weight_v, self.weight_w

    @staticmethod
    def words(key: tuple[int, int]) -> tuple[Any, Any]:
        """Return the key as the kernels take it."""
        return np.uint32(key[0]), np.uint32(key[1])

    @staticmethod
    def first(replica: int) -> Any:
        """Return the index of the first replica as the kernels take it."""
        return np.uint64(replica)

    def columns(self, resnet: ResNet, request: Request) -> Columns:
        """Return the columns that were asked for."""
        arrays = {
            "log_hidden_ratio": self.rows[:, 0],
            "log_hidden_difference": self.rows[:, 1],
            "log_gradient_ratio": self.rows[:, 2],
            "log_gradient_difference": self.rows[:, 3],
            "log_hidden_path": self.hidden_path,
            "log_gradient_path": self.gradient_path,
            "log_weight_gradient_v": self.weight_v,
            "log_weight_gradient_w": self.weight_w,
        }
        return {name: arrays[name] for name in request.columns(resnet)}
