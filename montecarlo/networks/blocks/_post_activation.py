"""Post-activation: one matrix, and the activation outside of it."""

from __future__ import annotations

from montecarlo.networks.blocks._block import LINEAR_V, OUTER_ACTIVATION, Block

BLOCKS = (Block("post-activation", (LINEAR_V, OUTER_ACTIVATION), "σ(V h)"),)
