"""One-matrix ReLU blocks of the log-Gaussian limit: the activation before the matrix, with signs or without.

For ``z ← α z + λ √(2/n) W φ(z)`` with standard Gaussian W take ``skip=α`` and ``alpha=λ √2``.
"""

from __future__ import annotations

from montecarlo.networks.blocks._block import ACTIVATION, LINEAR_V, SIGNED_ACTIVATION, Block

BLOCKS = (
    Block("balanced", (SIGNED_ACTIVATION, LINEAR_V), "V ReLU(s ∘ h)", activations=("relu",)),
    Block("vanilla", (ACTIVATION, LINEAR_V), "V ReLU(h)", activations=("relu",)),
)
