"""The radial engine behind the interface of `montecarlo.engines._registry`."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING

import numpy as np

from montecarlo.engines._outputs import CORRELATED_REFUSAL, constants_of
from montecarlo.engines.radial._tables import POPCOUNT_LIMIT, alias_table, chi_square_table
from montecarlo.kernels._records import Draw
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import ACTIVATION, LINEAR_V, LINEAR_W

if TYPE_CHECKING:
    from montecarlo.engines._request import Request
    from montecarlo.runs import Columns


WORDS = frozenset({LINEAR_W, ACTIVATION, LINEAR_V})
"""What the engine can perform."""


def refusal(resnet: ResNet, request: Request) -> str | None:
    """Return why it cannot sample this law, or None."""
    linear = not resnet.has_w and resnet.activation_function.negative_slope == 1.0
    if resnet.processes is not None:
        return CORRELATED_REFUSAL
    if not resnet.law.gaussian:
        return f"must be dense for {resnet.weights} weights: only Gaussian layers act on norms alone"
    if not linear and not (resnet.has_w and resnet.activation_function.negative_slope == 0.0):
        return f"must be gaussian or dense for {resnet.block} with {resnet.activation_function.name}"
    if request.gradients:
        return "needs gradients='none' or gradients='dual': norms alone give no joint gradients"
    return None


def seconds(resnet: ResNet, request: Request) -> float:
    """Return the rough time of one network on one core, in seconds."""
    layers = resnet.depth * (2 if request.dual else 1)
    return 2e-8 * layers * (4 if request.trajectories else 1) + 1e-6


def prepare(resnet: ResNet) -> None:
    """Compile what `sample` needs."""
    importlib.import_module("montecarlo.engines.radial._network")


def sample(
    resnet: ResNet, request: Request, key: tuple[int, int], first_replica: int, replicas: int
) -> Columns:
    """Sample one block of networks; the columns of `montecarlo.Sample`."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.radial._draws import Tables
    from montecarlo.engines.radial._network import CHUNK_LAYERS, run_block

    d, L = resnet.width, resnet.depth
    if d > POPCOUNT_LIMIT:
        outcomes, thresholds, bits = alias_table(d)
    else:
        outcomes, thresholds, bits = np.zeros(0, np.int32), np.zeros(0, np.uint32), 0
    tables = Tables(outcomes, thresholds, bits, *chi_square_table(max(d, 2)))
    # A chunk must not carry the state out of float range: |h| grows at most (1 + 50 α)-fold a layer.
    chunk = max(1, min(CHUNK_LAYERS, int(300.0 / math.log2(2.0 + 50.0 * resnet.scaling))))
    empty = np.empty((0, 0))
    columns: Columns = {}
    for dual in (False, True) if request.dual else (False,):
        rows = np.empty((replicas, 2))
        path = np.empty((replicas, L + 1)) if request.trajectories and not dual else empty
        run_block(
            constants_of(resnet), tables, Draw.of(key, first_replica), 1 if path.size else chunk, chunk, dual,
            rows, path,
        )  # fmt: skip
        if dual:
            columns |= {"log_gradient_ratio_dual": rows[:, 0], "log_gradient_difference_dual": rows[:, 1]}
        else:
            columns |= {"log_hidden_ratio": rows[:, 0], "log_hidden_difference": rows[:, 1]}
            if path.size:
                columns["log_hidden_path"] = path
    return {name: columns[name] for name in request.columns(resnet)}
