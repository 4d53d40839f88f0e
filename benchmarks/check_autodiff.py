"""Rebuild single replicas with automatic differentiation and compare them with the engines of `weights`.

    python -m benchmarks.check_autodiff --peers ENVIRONMENT/bin/python [--framework jax]

Every block and activation; the directions of h_L and p_0, and the four log-ratios.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from montecarlo import LOG_RATIOS, ResNet, final_states, simulate, weights

ACTIVATIONS = ("relu", "tanh", "gelu", "identity", "leaky-relu", "softplus", "sin")
_SCRIPT = Path(__file__).resolve().parent / "autodiff.py"


def specifications() -> list[ResNet]:
    """One network a block and activation, and one a weight law."""
    nets = [
        ResNet(block=block, activation=activation, width=40, depth=100, beta=0.5, weights="uniform")
        for block in ("res-1", "res-2")
        for activation in ACTIVATIONS
    ]
    nets.append(ResNet(block="res-2", activation="gelu", bias_std=0.3, width=40, depth=100, beta=0.5))
    laws = ("uniform", "uniform:24", "gaussian", "rademacher")
    nets += [ResNet(width=40, depth=1000, beta=0.5, weights=law) for law in laws]
    # Processes along depth, each at a scaling where its network neither explodes nor stays put.
    nets += [
        ResNet(width=40, depth=1000, beta=0.5, weights="fbm:0.2"),
        ResNet(width=40, depth=1000, beta=0.8, weights="fbm:0.8"),
        ResNet(width=40, depth=1000, beta=1.0, weights="rbf-increments:0.01"),
        ResNet(width=40, depth=300, beta=1.0, weights="matern:1.5:0.1", weights_w="gaussian"),
    ]
    return nets + [
        ResNet(block=block, activation=activation, width=40, depth=100, beta=0.7, weights="fbm:0.7")
        for block in ("res-1", "res-2")
        for activation in ACTIVATIONS
    ]


def rebuild(python: str, framework: str, net: ResNet, replica: int, seed: int) -> dict:
    """Return what automatic differentiation says of one replica."""
    arrays = weights(net, replica=replica, seed=seed)
    named = {name: getattr(arrays, name) for name in ("V", "W", "b", "A", "x", "readout")}
    named = {name: array for name, array in named.items() if array is not None}
    fields = {"block": net.block, "activation": net.activation_function.name, "alpha": net.scaling}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replica.npz"
        np.savez(path, json=json.dumps(fields), **named)
        command = [python, str(_SCRIPT), str(path), "--framework", framework]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def largest_error(python: str, framework: str, net: ResNet, *, replica: int = 1, seed: int = 3) -> float:
    """Return the largest relative error of h_L, p_0 and the four ratios."""
    report = rebuild(python, framework, net, replica, seed)
    states = final_states(net, replica=replica, seed=seed)
    errors = []
    for key, ours in (("h_L", states.hidden), ("p_0", states.gradient)):
        theirs = np.array(report[key])
        errors.append(float(np.linalg.norm(theirs / np.linalg.norm(theirs) - ours)))
    engine = "dense" if net.processes is None else "correlated"
    sample = simulate(net, replicas=replica + 1, seed=seed, engine=engine)
    errors += [abs(float(np.expm1(sample[name][replica] - report[name]))) for name in LOG_RATIOS]
    return max(errors)


def main() -> None:
    """Print one line a specification; exit 1 if one is off by more than 1e-4."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", required=True, help="interpreter of an environment with torch and jax")
    parser.add_argument("--framework", choices=("torch", "jax"), default="torch")
    options = parser.parse_args()
    worst = 0.0
    for net in specifications():
        error = largest_error(options.peers, options.framework, net)
        worst = max(worst, error)
        print(f"{error:.1e}  {net}")
    print(f"largest relative error {worst:.1e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
