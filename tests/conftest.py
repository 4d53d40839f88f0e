"""What the whole suite shares: hypothesis profiles and compiled kernels."""

import os

import numpy as np
import pytest
from hypothesis import settings

# The first call of a kernel compiles it, which no deadline should count.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def warm_kernels():
    """Load every kernel and built-in activation of montecarlo once, from the cache or by compiling."""
    from montecarlo import ResNet, simulate
    from montecarlo._activations import BUILT_IN
    from montecarlo.laws import LAWS
    from montecarlo.streams import normals, normals_of_words, words

    words((0, 0), 8)
    normals((0, 0), 8)
    normals_of_words(np.zeros(8, np.uint32), np.zeros(8, np.uint32))
    for law in LAWS:
        simulate(
            ResNet(width=2, depth=2, beta=0.5, weights=law), replicas=1, seed=0, threads=1, engine="dense"
        )
    for activation in BUILT_IN.values():
        activation.compiled()
