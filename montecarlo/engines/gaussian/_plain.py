"""The Gaussian engine's kernel of networks and requests that are plain."""

from __future__ import annotations

from montecarlo.common._jit import kernel
from montecarlo.engines.gaussian import _network

_run_block = _network.run_block


@kernel(signature=_network.RUN_BLOCK, allocates=False)
def run_block(address):
    """Sample the networks of a block; see `montecarlo.engines.gaussian._network.run_block`."""
    _run_block(None, address)
