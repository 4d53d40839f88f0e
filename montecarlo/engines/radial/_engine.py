"""The radial engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from montecarlo.engines._outputs import CORRELATED_REFUSAL, columns_of, constants_of, nan_outputs
from montecarlo.engines.radial._tables import POPCOUNT_LIMIT, alias_table, chi_square_table
from montecarlo.kernels._records import Draw
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import (
    ACTIVATION,
    BRANCH_NORM,
    HIDDEN_WIDTH,
    LINEAR_V,
    LINEAR_W,
    NORM,
    SCHEDULE,
    SKIP,
    STREAM_NORM,
)

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns


WORDS = frozenset(
    {LINEAR_W, ACTIVATION, LINEAR_V, HIDDEN_WIDTH, SKIP, SCHEDULE, NORM, BRANCH_NORM, STREAM_NORM}
)
"""What the engine can perform."""

_NORMS = ("none", "pre-rms", "pre-layer", "peri-rms", "post-rms")
_JOINT_NORMS = ("pre-rms", "peri-rms", "post-rms")
_LARGEST_STEP = 1e100  # squares of a/‖h_0‖ must not overflow
_SMALLEST = 2.0**-400  # squares of a_k beside a skip factor must not underflow


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return why it cannot sample this law, or None."""
    linear = not resnet.has_w and resnet.activation_function.negative_slope == 1.0
    if resnet.processes is not None:
        return CORRELATED_REFUSAL
    if not resnet.law.gaussian:
        return f"must be dense for {resnet.weights} weights: only Gaussian layers act on norms alone"
    if not linear and not (resnet.has_w and resnet.activation_function.negative_slope == 0.0):
        return f"must be gaussian or dense for {resnet.block} with {resnet.activation_function.name}"
    reason = _refused_norm(resnet) if resnet.norm != "none" else None
    if reason is not None:
        return reason
    if resnet.norm == "pre-layer" and (request.gradients or request.dual):
        return "needs gradients='none' for norm='pre-layer', whose derivative knows directions"
    if request.gradients and resnet.norm not in _JOINT_NORMS:
        return "needs gradients='none' or gradients='dual' without a norm: joint gradients are others' there"
    if request.gradients and resnet.scaling > _LARGEST_STEP * resnet.input_scale:
        return "must be gaussian or dense for joint gradients and a scaling above 1e100 times the input_scale"
    if resnet.skip != 1.0:
        alphas = constants_of(resnet).alphas
        if np.any((alphas > 0.0) & (alphas < _SMALLEST)):
            return f"must be gaussian or dense beside skip={resnet.skip:g} for scalings below 1e-120"
    return None


def _refused_norm(resnet: ResNet) -> str | None:
    if resnet.norm not in _NORMS or (resnet.norm == "pre-layer" and resnet.width == 1):
        return f"must be gaussian or dense for norm={resnet.norm!r}"
    if resnet.norm_eps > 0.0:
        return f"must be gaussian or dense for norm_eps={resnet.norm_eps:g}: lengths are not fixed"
    if resnet.skip != 1.0 and resnet.norm != "post-rms":
        return f"must be gaussian or dense for norm={resnet.norm!r} with a skip factor"
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    layers = resnet.depth * (2 if request.dual else 1)
    tangents = 1e-6 * resnet.depth if request.dual and resnet.norm != "none" else 0.0
    layers_too = request.weight_gradients or request.gate_gradients
    joint = 5e-8 * resnet.depth * (2 if layers_too else 1) if request.gradients else 0.0
    return 2e-8 * layers * (4 if request.trajectories else 1) + joint + tangents + 1e-6


def prepare(resnet: ResNet, request: Request) -> None:
    """Compile what `sample` needs."""
    importlib.import_module("montecarlo.engines.radial._network")
    if resnet.norm != "none":
        importlib.import_module("montecarlo.engines.radial._tangent")
        importlib.import_module("montecarlo.engines.radial._joint")


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.radial._draws import Tables
    from montecarlo.engines.radial._network import CHUNK_LAYERS, run_block

    d, M, L = resnet.width, resnet.inner_width, resnet.depth
    if M > POPCOUNT_LIMIT:
        outcomes, thresholds, bits = alias_table(M)
    else:
        outcomes, thresholds, bits = np.zeros(0, np.int32), np.zeros(0, np.uint32), 0
    tables = Tables(outcomes, thresholds, bits, *chi_square_table(max(d, M, 2)))
    constants = constants_of(resnet)
    chunk = max(1, min(CHUNK_LAYERS, int(300.0 / _bits_a_layer(constants.alphas, resnet.skip))))
    if request.gradients:
        from montecarlo.engines.radial._joint import run_joint

        outputs = nan_outputs(resnet, request, replicas)
        run_joint(constants, tables, Draw.of(key, first_replica), chunk, outputs)
        return columns_of(outputs, resnet, request)
    empty = np.empty((0, 0))
    columns: Columns = {}
    for dual in (False, True) if request.dual else (False,):
        rows = np.empty((replicas, 2))
        if dual and resnet.norm != "none":
            from montecarlo.engines.radial._tangent import run_tangents

            run_tangents(constants, tables, Draw.of(key, first_replica), rows)
            columns |= _dual(rows)
            continue
        path = np.empty((replicas, L + 1)) if request.trajectories and not dual else empty
        run_block(
            constants, tables, Draw.of(key, first_replica), 1 if path.size else chunk, chunk, dual,
            rows, path,
        )  # fmt: skip
        if dual:
            columns |= _dual(rows)
        else:
            columns |= {"log_hidden_ratio": rows[:, 0], "log_hidden_difference": rows[:, 1]}
            if path.size:
                columns["log_hidden_path"] = path
    return {name: columns[name] for name in request.columns(resnet)}


def _dual(rows: npt.NDArray[np.float64]) -> Columns:
    return {"log_gradient_ratio_dual": rows[:, 0], "log_gradient_difference_dual": rows[:, 1]}


def _bits_a_layer(alphas: npt.NDArray[np.float64], skip: float) -> float:
    """Return by how many powers of two a layer may move the state, which a chunk keeps in float range."""
    growth = math.log2(1.0 + abs(skip) + 50.0 * float(alphas.max()))
    if skip == 1.0:
        return growth
    smallest = abs(skip) or float(alphas.min(where=alphas > 0.0, initial=1.0))
    return max(growth, 10.0 - math.log2(smallest))
