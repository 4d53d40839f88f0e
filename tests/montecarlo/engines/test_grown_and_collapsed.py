"""Differences of networks that grow beyond all digits of their start and fall back, in every engine.

At width 1 there is no direction: ``‖h_L − h_0‖/‖h_0‖`` is ``|r − 1|`` or ``r + 1`` with ``r = ‖h_L‖/‖h_0‖``.
"""

import numpy as np
import pytest

from montecarlo import ResNet, simulate

REPLICAS = 60
# The radial engine sees no scale of the input, and the correlated one takes none so far from 1.
CASES = [(engine, scale) for engine in ("dense", "gaussian") for scale in (1.0, 1e-25, 1e25)]
CASES += [("radial", 1.0), ("correlated", 1.0)]

pytestmark = pytest.mark.usefixtures("warm_kernels")


def distance(log_ratio, log_difference):
    """Return how far a difference is from both that the ratio allows."""
    with np.errstate(divide="ignore"):
        # log|r − 1| and log(1 + r), without overflow of r
        same = np.log(-np.expm1(-np.abs(log_ratio))) + np.maximum(log_ratio, 0.0)
    opposite = np.logaddexp(log_ratio, 0.0)
    return np.minimum(np.abs(log_difference - same), np.abs(log_difference - opposite))


@pytest.mark.parametrize(("engine", "input_scale"), CASES)
def test_differences_at_width_1(engine, input_scale):
    # E log|1 + αZ| is near 0: log-norms are random walks, tens of nats up and down.
    net = ResNet(
        width=1, depth=2000, alpha=1.5, block="res-1", activation="identity", input_scale=input_scale,
        weights="fbm:0.5" if engine == "correlated" else "gaussian",
    )  # fmt: skip
    gradients = "dual" if engine == "radial" else "joint"
    sample = simulate(
        net, replicas=REPLICAS, seed=3, engine=engine, gradients=gradients, trajectories=True, threads=1
    )
    for name in ("log_hidden", "log_gradient"):
        end = "_dual" if name == "log_gradient" and gradients == "dual" else ""
        ratio = sample[f"{name}_ratio{end}"]
        off = distance(ratio, sample[f"{name}_difference{end}"])
        assert off.max() < 1e-5, name
        if not end:  # networks that left no digit of what they came back to
            fallen = sample[f"{name}_path"].max(axis=1) - np.maximum(ratio, 0.0)
            assert (fallen > 53 * np.log(2.0)).sum() >= 3
