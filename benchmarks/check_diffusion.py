"""Hold the Fokker-Planck law of res-2 (S3) against many simulated networks of a fixed first norm.

    python -m benchmarks.check_diffusion --networks 1000000

The distance allowed is the DKW band at the stated false alarm plus ``--bias / depth`` for the finite depth.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np

import theory
from montecarlo import ResNet, simulate_inputs
from montecarlo.estimates import dkw_epsilon, law_distance

ACTIVATIONS = ("relu", "tanh", "gelu", "sin")


def main() -> None:
    """Print one line an activation; exit 1 if one is outside."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--networks", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=10)
    parser.add_argument("--depth", type=int, default=1000)
    parser.add_argument("--mean-square", type=float, default=1.0)
    parser.add_argument("--bias", type=float, default=1.0, help="allowed distance is this over the depth")
    parser.add_argument("--false-alarm", type=float, default=1e-6)
    options = parser.parse_args()
    inside = True
    for name in ACTIVATIONS:
        net = ResNet(block="res-2", activation=name, width=options.width, depth=options.depth, beta=0.5)
        square = options.width * options.mean_square
        sample = simulate_inputs(
            net, np.array([[square]]), replicas=options.networks, seed=1, layers=[options.depth]
        )
        log_ratio = sample.log_norm[:, 0, 0] - 0.5 * math.log(square)
        law = theory.log_norm_diffusion_law(
            activation=name, width=options.width, initial_mean_square=options.mean_square
        )
        found = law_distance(log_ratio, law.cdf, false_alarm=options.false_alarm)
        allowed = (
            dkw_epsilon(options.networks, false_alarm=options.false_alarm) + options.bias / options.depth
        )
        inside = inside and found.distance <= allowed
        print(
            f"{name:5s} distance {found.distance:.5f}, allowed {allowed:.5f}, networks {options.networks:,}"
        )
    sys.exit(not inside)


if __name__ == "__main__":
    main()
