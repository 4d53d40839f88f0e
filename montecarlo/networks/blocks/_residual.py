"""The blocks of MFBV: one or two matrices, the activation inside the last."""

from __future__ import annotations

from montecarlo.networks.blocks._block import ACTIVATION, BIAS, LINEAR_V, LINEAR_W, Block

RES_1 = Block("res-1", (ACTIVATION, LINEAR_V), "V σ(h)")

BLOCKS = (
    RES_1,
    Block("res-2", (LINEAR_W, BIAS, ACTIVATION, LINEAR_V), "V σ(W h + b)"),
    Block("res-3", (LINEAR_W, ACTIVATION, LINEAR_V), "V ReLU(W h)", activations=("relu",)),
)
