"""How often Student's interval of a depth check misses the slope: residual MLPs by their exact law.

python -m benchmarks.practice.calibration [CHECKS]

Slopes of log T against log depth, T the sum of turns of a res-3 network with Gaussian weights, whose gains
are independent over layers (G1): a layer is a binomial and two χ² numbers. Prints misses of the mean slope,
over all looks of a check, beside what is stated.
"""

from __future__ import annotations

import sys

import numpy as np

from montecarlo.practice._classes import _slope_weights
from montecarlo.practice._student import interval_of, looks_of

WIDTH, DEPTHS, SEEDS = 32, (6, 12, 24), 8


def log_turns(rng: np.random.Generator, depth: int, networks: int) -> np.ndarray:
    """Return log T of networks with α = L^-1/2."""
    active = rng.binomial(WIDTH, 0.5, (networks, depth))
    unit = 2 * rng.standard_gamma(WIDTH / 2.0, active.shape) / WIDTH
    gain = 2 * rng.standard_gamma(active / 2.0) / WIDTH * unit
    return np.log(np.sum(0.5 * np.log1p(gain / depth), axis=1))


def main(checks: int) -> None:
    """Print the rate of misses for two false alarms."""
    rng = np.random.default_rng(1)
    rows = np.stack([log_turns(rng, depth, checks * SEEDS) for depth in DEPTHS], axis=1)
    slopes = (rows @ _slope_weights(DEPTHS)).reshape(checks, SEEDS)
    truth = float(slopes.mean())
    for false_alarm in (0.05, 0.01, 1e-3):
        looks = looks_of(SEEDS)
        share = false_alarm / len(looks)
        missed = 0
        for row in slopes:
            intervals = [interval_of(row[:count], share) for count in looks]
            missed += any(not low <= truth <= high for _, low, high in intervals)
        rate = f"missed {missed / checks:.2g} ({missed} of {checks} checks of {SEEDS} seeds)"
        print(f"stated {false_alarm:g}, {rate}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
