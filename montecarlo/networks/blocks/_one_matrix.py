"""One-matrix ReLU blocks of the log-Gaussian limit: the activation before the matrix, with signs or without.

For ``z ← α z + λ √(2/n) W φ(z)`` with standard Gaussian W take ``skip=α`` and ``alpha=λ √2``. Without signs
it is res-1 with ReLU under the name that its literature has: the same networks, bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

from montecarlo.networks.blocks._block import LINEAR_V, SIGNED_ACTIVATION, Block
from montecarlo.networks.blocks._residual import RES_1

BLOCKS = (
    Block("balanced", (SIGNED_ACTIVATION, LINEAR_V), "V ReLU(s ∘ h)", activations=("relu",)),
    replace(RES_1, name="vanilla", formula="V ReLU(h)", activations=("relu",)),
)
